//! A whole (not streamed) answer in OpenAI's dialect.

use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::value::RawValue;

use super::items::each;
use super::openai::{holds_something, usage};
use super::{Understood, estimate, estimated_input};
use crate::chat::Usage;
use crate::route::failure::{error_in_success, start};
use crate::route::gateway::{Notes, Told};
use crate::route::{Ask, Failure, FailureKind};

/// Only what is measured; the text itself is skipped.
#[derive(Deserialize)]
struct Completion<'a> {
    #[serde(default)]
    choices: Option<HasAny>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    /// Raw: `Option<Cow<str>>` would be an allocation.
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    extra_fields: Option<&'a RawValue>,
    #[serde(borrow, default)]
    episode_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Text<'a> {
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

/// `told`: by the head of the answer.
pub(in crate::route) fn whole(body: &[u8], ask: &Ask<'_>, mut told: Told) -> Result<Understood, Failure> {
    let garbage = |why: &dyn fmt::Display| {
        Failure::new(FailureKind::Stream, format!("no completion in a 200: {why}: {}", start(body)))
    };
    let completion: Completion<'_> = serde_json::from_slice(body).map_err(|e| garbage(&e))?;
    if let Some(error) = completion.error.filter(|error| holds_something(Some(error))) {
        return Err(error_in_success(error.get().as_bytes()));
    }
    if !completion.choices.is_some_and(|choices| choices.0) {
        return Err(garbage(&"it has no choices"));
    }
    let Completion { id, extra_fields, episode_id, .. } = completion;
    told.hear(&Notes { id, extra_fields, episode_id });
    let counted = completion.usage.and_then(usage);
    let worth = told.worth(counted);
    let content = if ask.keep_answer || worth.is_none() { Some(content(body).map_err(|e| garbage(&e))?) } else { None };
    let usage = worth.unwrap_or_else(|| Usage {
        input: estimated_input(ask.request),
        output: estimate(&String::from_utf8_lossy(content.as_deref().unwrap_or_default())),
        estimated: true,
        ..Usage::default()
    });
    Ok(Understood { usage, gateway_hit: told.hit(counted), content: content.filter(|_| ask.keep_answer) })
}

/// The text of the first choice, or the JSON of its message when it has none: tool calls.
/// Copied, since a slice would keep the whole body alive in a cache.
fn content(body: &[u8]) -> serde_json::Result<Bytes> {
    let text: Text<'_> = serde_json::from_slice(body)?;
    let Some(message) = text.choices.first().map(|choice| choice.message.get()) else { return Ok(Bytes::new()) };
    let content = serde_json::from_str::<Message<'_>>(message)?.content;
    let text =
        content.filter(|_| holds_something(content)).map(|content| serde_json::from_str::<String>(content.get()));
    match text {
        Some(Ok(text)) => Ok(Bytes::from(text)),
        _ => Ok(Bytes::copy_from_slice(message.as_bytes())),
    }
}

/// A JSON array, of which only matters whether it holds anything.
struct HasAny(bool);

impl<'de> Deserialize<'de> for HasAny {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut any = false;
        each(from, |_: IgnoredAny| any = true)?;
        Ok(Self(any))
    }
}

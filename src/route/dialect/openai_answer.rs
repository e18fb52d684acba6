//! A whole (not streamed) answer in OpenAI's dialect.

use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::value::RawValue;

use super::items::each;
use super::openai::{holds_something, usage};
use super::{Understood, estimate, estimated_usage};
use crate::route::failure::{error_in_success, start};
use crate::route::gateway::{Notes, Told};
use crate::route::{Ask, Failure, FailureKind};

/// Only what is measured; the text itself is skipped.
#[derive(Deserialize)]
struct Completion<'a> {
    #[serde(borrow, default)]
    choices: Option<Choices<'a>>,
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
struct Choice<'a> {
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
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
    let Some(choice) = completion.choices.and_then(|choices| choices.first) else {
        return Err(garbage(&"it has no choices"));
    };
    let Completion { id, extra_fields, episode_id, .. } = completion;
    told.hear(&Notes { id, extra_fields, episode_id });
    let counted = completion.usage.and_then(usage);
    let worth = told.worth(counted);
    let content = (ask.keep_answer || worth.is_none()).then(|| content(choice));
    let usage = worth.unwrap_or_else(|| {
        estimated_usage(ask, estimate(&String::from_utf8_lossy(content.as_deref().unwrap_or_default())))
    });
    Ok(Understood { usage, gateway_hit: told.hit(counted), content: content.filter(|_| ask.keep_answer) })
}

/// The text of a choice, or the JSON of its message when it has none: tool calls. What is of another shape is nothing:
/// whether an answer is one must not hang on whether it is kept.
/// Copied, since a slice would keep the whole body alive in a cache.
fn content(choice: &RawValue) -> Bytes {
    let Some(message) = read::<Choice<'_>>(choice).and_then(|choice| choice.message) else { return Bytes::new() };
    let content = read::<Message<'_>>(message).and_then(|message| message.content);
    match content.filter(|_| holds_something(content)).and_then(read::<String>) {
        Some(text) => Bytes::from(text),
        None => Bytes::copy_from_slice(message.get().as_bytes()),
    }
}

fn read<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Option<T> {
    serde_json::from_str(json.get()).ok()
}

/// A JSON array, of which only the first item matters.
struct Choices<'a> {
    first: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Choices<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut first = None;
        each(from, |choice: &'de RawValue| first = first.or(Some(choice)))?;
        Ok(Self { first })
    }
}

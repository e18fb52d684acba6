//! A whole (not streamed) answer in Anthropic's dialect.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::anthropic::UsageFields;
use super::items::each;
use super::openai::holds_something;
use super::{Understood, estimate, estimated_usage};
use crate::route::failure::{error_in_success, start};
use crate::route::gateway::{Notes, Told};
use crate::route::{Ask, Failure, FailureKind};

/// Only what is measured; the text itself is skipped. Raw where it may be of any shape.
#[derive(Deserialize)]
struct Message<'a> {
    /// It may be empty: a refusal, a stop at once.
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    extra_fields: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

/// `told`: by the head of the answer.
pub(super) fn whole(body: &[u8], ask: &Ask<'_>, mut told: Told) -> Result<Understood, Failure> {
    let garbage = |why: &dyn fmt::Display| {
        Failure::new(FailureKind::Stream, format!("no message in a 200: {why}: {}", start(body)))
    };
    let message: Message<'_> = serde_json::from_slice(body).map_err(|e| garbage(&e))?;
    if message.error.is_some_and(|error| holds_something(Some(error))) {
        return Err(error_in_success(body));
    }
    let blocks = message.content.map(RawValue::get).filter(|content| content.starts_with('['));
    let blocks = blocks.ok_or_else(|| garbage(&"it has no content"))?;
    let Message { id, extra_fields, .. } = message;
    told.hear(&Notes { id, extra_fields, ..Notes::default() });
    let counted = UsageFields::read(message.usage).tokens();
    let worth = told.worth(counted);
    let content =
        if ask.keep_answer || worth.is_none() { Some(content(blocks).map_err(|e| garbage(&e))?) } else { None };
    let usage = worth.unwrap_or_else(|| {
        estimated_usage(ask, estimate(&String::from_utf8_lossy(content.as_deref().unwrap_or_default())))
    });
    Ok(Understood { usage, gateway_hit: told.hit(counted), content: content.filter(|_| ask.keep_answer) })
}

/// The text of all blocks, or their JSON when there is none: calls of tools.
/// Copied, since a slice would keep the whole body alive in a cache.
fn content(blocks: &str) -> serde_json::Result<Bytes> {
    let (mut text, mut any) = (String::new(), false);
    each(&mut serde_json::Deserializer::from_str(blocks), |block: Block<'_>| {
        any = true;
        if block.kind == "text" {
            text.push_str(&block.text.unwrap_or_default());
        }
    })?;
    Ok(if text.is_empty() && any { Bytes::copy_from_slice(blocks.as_bytes()) } else { text.into() })
}

//! A streamed answer in Anthropic's dialect, event by event.
//!
//! Where servers differ and the documentation is silent, this holds (each has a stream in `tests/streams`):
//! - An answer is complete with `message_stop`, whatever `stop_reason` said before and whatever follows. Without it, it
//!   is truncated; on the last line it needs no empty line. An answer without any message is none.
//! - A token is there when its event is complete: text, reasoning that is shown, the input of a tool. The beginning of a
//!   block is one where it holds what a model made: a tool's name, reasoning that is hidden. Signatures, citations and
//!   pings are none.
//! - Usage is the sum so far: no count becomes less. That of `message_start` says what was read, but not what was
//!   written; deltas that no `message_delta` can know of are counted here and make it an estimate.
//! - Events of a type that is not known say nothing: new ones may come at any time (the interface's versioning policy).
//! - `event: error` and an `error` that holds something fail the answer; so does data that is no JSON, unless the end of
//!   the body cut it.

use std::time::Instant;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::anthropic::{UsageFields, object};
use super::openai::holds_something;
use super::stream::{Generated, Hear};
use super::{Understood, estimated_usage};
use crate::chat::Usage;
use crate::route::failure::{error_in_success, start};
use crate::route::gateway::{Notes, Told};
use crate::route::sse::Event;
use crate::route::{Ask, Failure, FailureKind};

/// The data of any event. Raw, since events that are not known may have any shape.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<&'a RawValue>,
    /// Of `message_start`.
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    index: Option<&'a RawValue>,
    /// Of `content_block_start`.
    #[serde(borrow, default)]
    content_block: Option<&'a RawValue>,
    /// Of `content_block_delta`.
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    /// Of `message_delta`.
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    extra_fields: Option<&'a RawValue>,
}

impl Said<'_> {
    fn kind(&self) -> &str {
        self.kind.map_or("", |kind| kind.get().trim_matches('"'))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Started<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

/// The beginning of a block, or more of it. Raw, so that text nobody keeps is not copied.
#[derive(Deserialize)]
struct Part<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    partial_json: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
}

impl Part<'_> {
    fn kind(&self) -> &str {
        self.kind.map_or("", |kind| kind.get().trim_matches('"'))
    }

    fn is_generated(&self) -> bool {
        match self.kind() {
            "tool_use" | "server_tool_use" | "redacted_thinking" => true,
            "text" | "thinking" | "text_delta" | "thinking_delta" | "input_json_delta" => {
                [self.text, self.thinking, self.partial_json].into_iter().any(holds_something)
            }
            _ => false,
        }
    }
}

/// What a stream has said so far.
#[derive(Debug, Default)]
pub(in crate::route) struct Heard {
    has_message: bool,
    usage: UsageFields,
    generated: Generated,
    /// Deltas that the usage of the last `message_delta` can know of; none without one.
    counted_deltas: Option<u32>,
    told: Told,
    done: bool,
    failure: Option<Failure>,
    kept: Option<Kept>,
}

impl Hear for Heard {
    fn event(&mut self, event: Event<'_>, now: Instant) {
        // Some gateways end as in OpenAI's dialect too.
        const DONE: &[u8] = b"[DONE]";
        if self.done || self.failure.is_some() {
            return;
        }
        let data = event.data.trim_ascii();
        if event.name == b"error" {
            self.failure = Some(error_in_success(data));
        } else if event.name != b"ping" && !data.is_empty() && data != DONE {
            match serde_json::from_slice::<Said<'_>>(data) {
                Ok(said) => self.said(&said, data, now),
                Err(error) => {
                    let detail = format!("no event of a message in the stream: {error}: {}", start(data));
                    self.failure = Some(Failure::new(FailureKind::Stream, detail));
                }
            }
        }
    }

    /// `message_stop` came.
    fn is_done(&self) -> bool {
        self.done
    }

    fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    fn generated(&self) -> &Generated {
        &self.generated
    }

    /// The prompt is read before the first event.
    fn billed(&self, ask: &Ask<'_>) -> Option<Usage> {
        (self.usage.tokens().is_some() || self.generated.deltas > 0).then(|| self.usage(ask))
    }

    fn verdict(&mut self) -> Result<(), Failure> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if !self.done {
            return Err(Failure::new(FailureKind::Stream, "the stream ended without message_stop"));
        }
        if !self.has_message {
            return Err(Failure::new(FailureKind::Stream, "no message in the stream: it has none of its events"));
        }
        Ok(())
    }

    fn understood(self, ask: &Ask<'_>) -> Understood {
        Understood {
            usage: self.usage(ask),
            gateway_hit: self.told.hit(self.usage.tokens()),
            content: self.kept.map(Kept::into_content),
        }
    }
}

impl Heard {
    /// `told`: by the head of the answer.
    pub(super) fn new(ask: &Ask<'_>, told: Told) -> Self {
        let kept = ask.keep_answer.then(Kept::default);
        Self { kept, told, ..Self::default() }
    }

    fn said(&mut self, said: &Said<'_>, data: &[u8], now: Instant) {
        if said.kind() == "error" || holds_something(said.error) {
            self.failure = Some(error_in_success(data));
            return;
        }
        self.told.hear(&Notes { extra_fields: said.extra_fields, ..Notes::default() });
        match said.kind() {
            "message_start" => self.started(said.message),
            "content_block_start" => self.part(said.index, said.content_block, now),
            "content_block_delta" => self.part(said.index, said.delta, now),
            "message_delta" => {
                let usage = UsageFields::read(said.usage);
                if usage.tokens().is_some() {
                    self.counted_deltas = Some(self.generated.deltas);
                }
                self.usage = self.usage.grown(usage);
            }
            "message_stop" => self.done = true,
            _ => {}
        }
    }

    fn started(&mut self, message: Option<&RawValue>) {
        self.has_message = true;
        let message: Started<'_> = object(message).unwrap_or_default();
        self.told.hear(&Notes { id: message.id, ..Notes::default() });
        self.usage = self.usage.grown(UsageFields::read(message.usage));
    }

    fn part(&mut self, block: Option<&RawValue>, part: Option<&RawValue>, now: Instant) {
        self.has_message = true;
        let Some(part) = object::<Part<'_>>(part) else { return };
        if let Some(kept) = &mut self.kept {
            kept.add(block.map_or("", RawValue::get), &part);
        }
        if part.is_generated() {
            self.generated.more(now);
        }
    }

    fn usage(&self, ask: &Ask<'_>) -> Usage {
        match (self.told.worth(self.usage.tokens()), self.counted_deltas) {
            (None, _) => estimated_usage(ask, self.generated.deltas),
            (Some(usage), Some(counted)) => {
                let uncounted = self.generated.deltas - counted;
                Usage { output: usage.output.saturating_add(uncounted), estimated: uncounted > 0, ..usage }
            }
            (Some(usage), None) => Usage { output: usage.output.max(self.generated.deltas), estimated: true, ..usage },
        }
    }
}

/// The answer as it grows, when it is to be kept.
#[derive(Debug, Default)]
struct Kept {
    text: String,
    calls: Vec<Call>,
}

#[derive(Debug)]
struct Call {
    /// Its number, as the server writes it.
    block: String,
    id: String,
    name: String,
    input: String,
}

impl Kept {
    fn add(&mut self, block: &str, part: &Part<'_>) {
        // What is no text (halves of a surrogate pair) is counted, but not kept.
        let text = |raw: Option<&RawValue>| -> String {
            raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
        };
        match part.kind() {
            "text" | "text_delta" => self.text.push_str(&text(part.text)),
            "tool_use" => {
                let (id, name) = (text(part.id), text(part.name));
                self.calls.push(Call { block: block.to_owned(), id, name, input: String::new() });
            }
            "input_json_delta" => {
                if let Some(call) = self.calls.iter_mut().rfind(|call| call.block == block) {
                    call.input.push_str(&text(part.partial_json));
                }
            }
            _ => {}
        }
    }

    /// As of a whole answer: the text, or without any the JSON of the calls.
    fn into_content(self) -> Bytes {
        if !self.text.is_empty() || self.calls.is_empty() {
            return self.text.into();
        }
        let calls: Vec<_> = self.calls.iter().map(Call::json).collect();
        serde_json::Value::from(calls).to_string().into()
    }
}

impl Call {
    fn json(&self) -> serde_json::Value {
        let input = serde_json::from_str(&self.input).unwrap_or_else(|_| serde_json::json!({}));
        serde_json::json!({ "type": "tool_use", "id": self.id, "name": self.name, "input": input })
    }
}

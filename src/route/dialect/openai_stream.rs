//! A streamed answer in OpenAI's dialect, event by event.
//!
//! Where servers differ and the standard is silent, this holds (each has a stream in `tests/streams`):
//! - An answer is complete with `[DONE]`, whatever `finish_reason` said before and whatever follows. Without it, it is
//!   truncated; on the last line `[DONE]` needs no empty line. An answer without any choice is none.
//! - A token is there when its event is complete. A role, an empty delta, a finish, usage and a ping are no tokens;
//!   content, reasoning, a refusal, audio, images and tool calls are, of whichever choice.
//! - The last usage counts. Deltas that came after it are added and make it an estimate, as does a usage that cannot
//!   be read: neither fails an answer that is there.
//! - `event: error`, an `error` that holds something and `"object":"error"` fail the answer; so does data that is no
//!   JSON, unless the end of the body cut it (then that is what is said).
//! - An event of no data, or of white space, is a ping.

use std::time::Instant;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::value::RawValue;

use super::items::each;
use super::openai::{holds_something, usage};
use super::openai_tools::{ToolCalls, are_generated};
use super::stream::{Generated, Hear};
use super::{Understood, estimated_usage};
use crate::chat::Usage;
use crate::route::failure::{error_in_success, start};
use crate::route::gateway::{Notes, Told};
use crate::route::sse::Event;
use crate::route::{Ask, Failure, FailureKind};

/// Raw where it may be of any shape: what is not understood must not fail an answer that is there.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Option<Choices<'a>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    object: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    extra_fields: Option<&'a RawValue>,
    #[serde(borrow, default)]
    episode_id: Option<&'a RawValue>,
}

/// The choices of a chunk as far as they matter, taken one by one: a list of them would be an allocation.
#[derive(Default)]
struct Choices<'a> {
    any: bool,
    generated: bool,
    /// Of the choice that is kept.
    first: Option<Delta<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Choices<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut choices = Choices::default();
        each(from, |choice: Choice<'de>| {
            choices.any = true;
            let Some(delta) = choice.delta else { return };
            choices.generated |= delta.is_generated();
            if choice.index.is_none_or(|index| index.get() == "0") {
                choices.first = Some(delta);
            }
        })?;
        Ok(choices)
    }
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    index: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
}

/// What generation may show itself in. Raw, since some servers send objects where others send text.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_details: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    audio: Option<&'a RawValue>,
    #[serde(borrow)]
    images: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow)]
    function_call: Option<&'a RawValue>,
}

impl Delta<'_> {
    fn is_generated(&self) -> bool {
        let parts = [
            self.content,
            self.reasoning_content,
            self.reasoning,
            self.reasoning_details,
            self.refusal,
            self.audio,
            self.images,
            self.function_call,
        ];
        parts.into_iter().any(holds_something) || self.tool_calls.is_some_and(are_generated)
    }
}

/// What a stream has said so far.
#[derive(Debug, Default)]
pub(in crate::route) struct Heard {
    /// The last one: some servers repeat a growing usage with every chunk.
    usage: Option<Usage>,
    generated: Generated,
    /// Deltas that `usage` can know of.
    deltas_before_usage: u32,
    has_choices: bool,
    told: Told,
    done: bool,
    failure: Option<Failure>,
    kept: Option<Kept>,
}

/// The answer as it grows, when it is to be kept.
#[derive(Debug, Default)]
struct Kept {
    text: String,
    tool_calls: ToolCalls,
}

impl Kept {
    fn add(&mut self, delta: &Delta<'_>) {
        // What is no text (halves of a surrogate pair, lists of parts) is counted, but not kept.
        if let Some(Ok(text)) = delta.content.map(|raw| serde_json::from_str::<Option<String>>(raw.get())) {
            self.text.push_str(&text.unwrap_or_default());
        }
        if let Some(calls) = delta.tool_calls {
            self.tool_calls.add(calls);
        }
    }

    fn into_content(self) -> Bytes {
        if !self.text.is_empty() || self.tool_calls.is_empty() {
            return self.text.into();
        }
        self.tool_calls.message().to_string().into()
    }
}

const DONE: &[u8] = b"[DONE]";

impl Hear for Heard {
    fn event(&mut self, event: Event<'_>, now: Instant) {
        if self.done || self.failure.is_some() {
            return;
        }
        let data = event.data.trim_ascii();
        if event.name == b"error" {
            self.failure = Some(error_in_success(data));
        } else if data == DONE {
            self.done = true;
        } else if !data.is_empty() {
            match serde_json::from_slice::<Chunk<'_>>(data) {
                Ok(chunk) => self.chunk(&chunk, data, now),
                Err(error) => {
                    let detail = format!("no chunk of a completion in the stream: {error}: {}", start(data));
                    self.failure = Some(Failure::new(FailureKind::Stream, detail));
                }
            }
        }
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    fn generated(&self) -> &Generated {
        &self.generated
    }

    fn billed(&self, ask: &Ask<'_>) -> Option<Usage> {
        (self.usage.is_some() || self.generated.deltas > 0).then(|| self.usage(ask))
    }

    fn verdict(&mut self) -> Result<(), Failure> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if !self.done {
            return Err(Failure::new(FailureKind::Stream, "the stream ended without [DONE]"));
        }
        if !self.has_choices {
            return Err(Failure::new(FailureKind::Stream, "no completion in the stream: it has no choices"));
        }
        Ok(())
    }

    fn understood(self, ask: &Ask<'_>) -> Understood {
        Understood {
            usage: self.usage(ask),
            gateway_hit: self.told.hit(self.usage),
            content: self.kept.map(Kept::into_content),
        }
    }

    fn is_whole(&self, event: &Event<'_>) -> bool {
        let is_json = || serde_json::from_slice::<IgnoredAny>(event.data).is_ok();
        event.name == b"error" || event.data.trim_ascii() == DONE || is_json()
    }
}

impl Heard {
    /// `told`: by the head of the answer.
    pub(super) fn new(ask: &Ask<'_>, told: Told) -> Self {
        let kept = ask.keep_answer.then(Kept::default);
        Self { kept, told, ..Self::default() }
    }

    fn chunk(&mut self, chunk: &Chunk<'_>, data: &[u8], now: Instant) {
        if let Some(error) = chunk.error.filter(|error| holds_something(Some(error))) {
            self.failure = Some(error_in_success(error.get().as_bytes()));
            return;
        }
        if chunk.object.is_some_and(|object| object.get() == r#""error""#) {
            self.failure = Some(error_in_success(data));
            return;
        }
        let Chunk { id, extra_fields, episode_id, .. } = *chunk;
        self.told.hear(&Notes { id, extra_fields, episode_id });
        if let Some(choices) = &chunk.choices {
            self.choices(choices, now);
        }
        // After the choices: what a chunk generates is in the usage beside it.
        if let Some(usage) = chunk.usage.and_then(usage) {
            self.usage = Some(usage);
            self.deltas_before_usage = self.generated.deltas;
        }
    }

    fn choices(&mut self, choices: &Choices<'_>, now: Instant) {
        self.has_choices |= choices.any;
        if let (Some(kept), Some(delta)) = (&mut self.kept, &choices.first) {
            kept.add(delta);
        }
        if choices.generated {
            self.generated.more(now);
        }
    }

    /// What usage counts, and the deltas that came after it.
    fn usage(&self, ask: &Ask<'_>) -> Usage {
        let Some(counted) = self.told.worth(self.usage) else { return estimated_usage(ask, self.generated.deltas) };
        let uncounted = self.generated.deltas - self.deltas_before_usage;
        Usage { output: counted.output.saturating_add(uncounted), estimated: uncounted > 0, ..counted }
    }
}

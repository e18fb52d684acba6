//! A streamed answer in OpenAI's dialect, event by event.

use std::time::Instant;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::openai::{ExtraFields, UsageFields, holds_something};
use super::{Understood, estimated_input};
use crate::chat::Usage;
use crate::route::failure::{error_in_success, start};
use crate::route::gateway::HIGRESS_HIT_ID;
use crate::route::sse::{Event, Parser};
use crate::route::{Ask, Failure, FailureKind};

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    usage: Option<UsageFields>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    /// Raw: `Option<Cow<str>>` would be an allocation for each delta.
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(default)]
    extra_fields: Option<ExtraFields>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: u32,
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
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow)]
    function_call: Option<&'a RawValue>,
}

impl Delta<'_> {
    fn is_generated(&self) -> bool {
        let parts =
            [self.content, self.reasoning_content, self.reasoning, self.tool_calls, self.refusal, self.function_call];
        parts.into_iter().any(holds_something)
    }
}

#[derive(Deserialize)]
struct ToolCallDelta {
    #[serde(default)]
    index: usize,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    function: Option<FunctionDelta>,
}

#[derive(Deserialize)]
struct FunctionDelta {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Option<String>,
}

/// What a stream has said so far.
#[derive(Debug, Default)]
pub(in crate::route) struct Stream {
    parser: Parser,
    heard: Heard,
}

#[derive(Debug, Default)]
struct Heard {
    usage: Option<Usage>,
    deltas: u32,
    first_token: Option<Instant>,
    last_token: Option<Instant>,
    gateway_hit: bool,
    done: bool,
    failure: Option<Failure>,
    kept: Option<Kept>,
}

/// The answer as it grows, when it is to be kept.
#[derive(Debug, Default)]
struct Kept {
    text: String,
    tool_calls: Vec<ToolCall>,
}

#[derive(Clone, Debug, Default)]
struct ToolCall {
    id: String,
    name: String,
    arguments: String,
}

impl Stream {
    pub(in crate::route) fn new(ask: &Ask<'_>) -> Self {
        let kept = ask.keep_answer.then(Kept::default);
        Self { parser: Parser::default(), heard: Heard { kept, ..Heard::default() } }
    }

    /// Takes what came at `now`. A failure ends the stream.
    pub(in crate::route) fn feed(&mut self, bytes: &[u8], now: Instant) -> Result<(), Failure> {
        let Self { parser, heard } = self;
        if parser.feed(bytes, |event| heard.event(event, now)).is_err() {
            return Err(Failure::new(FailureKind::Stream, "an event of the stream is longer than 1 MiB"));
        }
        heard.failure.take().map_or(Ok(()), Err)
    }

    /// `[DONE]` came: the answer is complete, whatever happens to the connection.
    pub(in crate::route) fn is_done(&self) -> bool {
        self.heard.done
    }

    pub(in crate::route) fn first_token(&self) -> Option<Instant> {
        self.heard.first_token
    }

    pub(in crate::route) fn last_token(&self) -> Option<Instant> {
        self.heard.last_token
    }

    /// What a stream that broke off will be billed, as far as is known.
    pub(in crate::route) fn billed(&self, ask: &Ask<'_>) -> Option<Usage> {
        self.heard.usage.or_else(|| (self.heard.deltas > 0).then(|| self.heard.estimate(ask)))
    }

    /// The body came to its end.
    pub(in crate::route) fn end(mut self, ask: &Ask<'_>) -> Result<Understood, Failure> {
        if !self.heard.done && self.parser.finish().is_none_or(|event| event.data != DONE) {
            let mut failure = Failure::new(FailureKind::Stream, "the stream ended without [DONE]");
            failure.billed = self.billed(ask);
            return Err(failure);
        }
        let heard = self.heard;
        Ok(Understood {
            usage: heard.usage.unwrap_or_else(|| heard.estimate(ask)),
            gateway_hit: heard.gateway_hit,
            content: heard.kept.map(Kept::into_content),
        })
    }
}

const DONE: &[u8] = b"[DONE]";

impl Heard {
    fn event(&mut self, event: Event<'_>, now: Instant) {
        if self.done || self.failure.is_some() {
            return;
        }
        if event.data == DONE {
            self.done = true;
            return;
        }
        if event.name == b"error" {
            self.failure = Some(error_in_success(event.data));
            return;
        }
        match serde_json::from_slice::<Chunk<'_>>(event.data) {
            Ok(chunk) => self.chunk(chunk, now),
            Err(error) => {
                let detail = format!("no chunk of a completion in the stream: {error}: {}", start(event.data));
                self.failure = Some(Failure::new(FailureKind::Stream, detail));
            }
        }
    }

    fn chunk(&mut self, chunk: Chunk<'_>, now: Instant) {
        if let Some(error) = chunk.error.filter(|error| holds_something(Some(error))) {
            self.failure = Some(error_in_success(error.get().as_bytes()));
            return;
        }
        // Some servers repeat a growing usage with every chunk: the last one counts.
        self.usage = chunk.usage.and_then(|usage| usage.tokens()).or(self.usage);
        self.gateway_hit |= chunk.extra_fields.is_some_and(|fields| fields.hit());
        self.gateway_hit |= chunk.id.is_some_and(|id| id.get() == HIGRESS_HIT_ID);
        let mut generated = false;
        for choice in chunk.choices.unwrap_or_default() {
            let Some(delta) = choice.delta else { continue };
            generated |= delta.is_generated();
            if choice.index == 0
                && let Some(kept) = &mut self.kept
            {
                kept.add(&delta);
            }
        }
        if generated {
            self.deltas += 1;
            self.first_token.get_or_insert(now);
            self.last_token = Some(now);
        }
    }

    fn estimate(&self, ask: &Ask<'_>) -> Usage {
        Usage { input: estimated_input(ask.request), cached_input: 0, output: self.deltas, estimated: true }
    }
}

impl Kept {
    fn add(&mut self, delta: &Delta<'_>) {
        if let Some(Ok(text)) = delta.content.map(|raw| serde_json::from_str::<Option<String>>(raw.get())) {
            self.text.push_str(&text.unwrap_or_default());
        }
        let calls = delta.tool_calls.and_then(|raw| serde_json::from_str::<Vec<ToolCallDelta>>(raw.get()).ok());
        for call in calls.unwrap_or_default() {
            self.add_call(call);
        }
    }

    fn add_call(&mut self, delta: ToolCallDelta) {
        // A bound, since the index is the server's word.
        const MOST: usize = 1024;
        if delta.index >= MOST {
            return;
        }
        if self.tool_calls.len() <= delta.index {
            self.tool_calls.resize(delta.index + 1, ToolCall::default());
        }
        let call = &mut self.tool_calls[delta.index];
        call.id.push_str(&delta.id.unwrap_or_default());
        if let Some(function) = delta.function {
            call.name.push_str(&function.name.unwrap_or_default());
            call.arguments.push_str(&function.arguments.unwrap_or_default());
        }
    }

    fn into_content(self) -> Bytes {
        if !self.text.is_empty() || self.tool_calls.is_empty() {
            return self.text.into();
        }
        let calls: Vec<_> = self.tool_calls.iter().map(ToolCall::json).collect();
        let message = serde_json::json!({ "role": "assistant", "content": null, "tool_calls": calls });
        message.to_string().into()
    }
}

impl ToolCall {
    fn json(&self) -> serde_json::Value {
        let function = serde_json::json!({ "name": self.name, "arguments": self.arguments });
        serde_json::json!({ "id": self.id, "type": "function", "function": function })
    }
}

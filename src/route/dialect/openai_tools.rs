//! Tool calls of a streamed answer in OpenAI's dialect, which come in pieces.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::items::each;
use super::openai::holds_something;

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(default)]
    index: usize,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

impl Piece<'_> {
    /// Only what is known to hold nothing holds nothing: there are tools of other types than functions.
    fn is_empty(&self) -> bool {
        let empty = |function: &Function<'_>| !holds_something(function.name) && !holds_something(function.arguments);
        self.function.as_ref().is_some_and(empty) && !holds_something(self.id)
    }
}

/// Whether a delta of calls holds anything: some servers send empty pieces.
pub(super) fn are_generated(calls: &RawValue) -> bool {
    let mut any = false;
    let read = each(calls, |piece: Piece<'_>| any |= !piece.is_empty());
    any || read.is_err()
}

/// The calls as they grow, when the answer is to be kept.
#[derive(Debug, Default)]
pub(super) struct ToolCalls(Vec<ToolCall>);

#[derive(Clone, Debug, Default)]
struct ToolCall {
    id: String,
    name: String,
    arguments: String,
}

impl ToolCalls {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, calls: &RawValue) {
        // What is of another shape is counted, but not kept.
        let _ = each(calls, |piece: Piece<'_>| self.add_piece(&piece));
    }

    fn add_piece(&mut self, piece: &Piece<'_>) {
        // A bound, since the index is the server's word.
        const MOST: usize = 1024;
        if piece.index >= MOST {
            return;
        }
        if self.0.len() <= piece.index {
            self.0.resize(piece.index + 1, ToolCall::default());
        }
        let call = &mut self.0[piece.index];
        call.id.push_str(&text(piece.id));
        if let Some(function) = &piece.function {
            call.name.push_str(&text(function.name));
            call.arguments.push_str(&text(function.arguments));
        }
    }

    /// The message that a whole answer would have had.
    pub(super) fn message(&self) -> serde_json::Value {
        let calls: Vec<_> = self.0.iter().map(ToolCall::json).collect();
        serde_json::json!({ "role": "assistant", "content": null, "tool_calls": calls })
    }
}

fn text(part: Option<&RawValue>) -> String {
    part.and_then(|part| serde_json::from_str(part.get()).ok()).unwrap_or_default()
}

impl ToolCall {
    fn json(&self) -> serde_json::Value {
        let function = serde_json::json!({ "name": self.name, "arguments": self.arguments });
        serde_json::json!({ "id": self.id, "type": "function", "function": function })
    }
}

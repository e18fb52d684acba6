//! Answers in Anthropic's format: a message, a stream's events, an error.
//! Must not know when any of it is sent.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{self, Answer, put_json};
use super::prompt_cache::Served;

fn usage(answer: &Answer, output_tokens: u64) -> Value {
    let Served { read, written, written_1h } = answer.served;
    json!({
        "input_tokens": answer.prompt_tokens - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": written - written_1h,
            "ephemeral_1h_input_tokens": written_1h,
        },
        "output_tokens": output_tokens,
        "service_tier": "standard",
    })
}

fn stop_reason(answer: &Answer) -> &'static str {
    if answer.cut_short { "max_tokens" } else { "end_turn" }
}

fn message_with(answer: &Answer, content: Value, stop_reason: Option<&str>, usage: Value) -> Value {
    json!({
        "id": format!("msg_{:016x}", answer.id),
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "usage": usage,
    })
}

/// The whole answer as one body.
pub(super) fn message(answer: &Answer) -> Bytes {
    let text: String = (0..answer.output_tokens).map(|index| answer.token(index)).collect();
    let content = json!([{ "type": "text", "text": text }]);
    let usage = usage(answer, answer.output_tokens);
    message_with(answer, content, Some(stop_reason(answer)), usage).to_string().into()
}

/// Writes an answer's stream, event by event.
pub(super) struct Events(Arc<Answer>);

impl Events {
    pub(super) fn new(answer: &Arc<Answer>) -> Self {
        Self(Arc::clone(answer))
    }

    pub(super) fn tokens(&self) -> u64 {
        self.0.output_tokens
    }

    /// Room for this many events.
    pub(super) fn buffer(&self, events: u64) -> BytesMut {
        BytesMut::with_capacity((events as usize).saturating_mul(136) + 1024)
    }

    /// The message without content, the beginning of its one block, and a ping. Its usage has the prompt's part, and of
    /// the answer's only that there is one.
    pub(super) fn put_start(&self, out: &mut BytesMut) {
        let message = message_with(&self.0, json!([]), None, usage(&self.0, 1));
        put("message_start", &json!({ "message": message }), out);
        put("content_block_start", &json!({ "index": 0, "content_block": { "type": "text", "text": "" } }), out);
        put("ping", &json!({}), out);
    }

    pub(super) fn put_token(&self, index: u64, out: &mut BytesMut) {
        const BEFORE: &[u8] = br#"event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""#;
        out.put_slice(BEFORE);
        out.put_slice(self.0.token(index).as_bytes());
        out.put_slice(b"\"}}\n\n");
    }

    pub(super) fn put_end(&self, out: &mut BytesMut) {
        let delta = json!({ "stop_reason": stop_reason(&self.0), "stop_sequence": null });
        put("content_block_stop", &json!({ "index": 0 }), out);
        put("message_delta", &json!({ "delta": delta, "usage": usage(&self.0, self.0.output_tokens) }), out);
        put("message_stop", &json!({}), out);
    }

    /// What a stream says that fails in the middle; nothing follows.
    pub(super) fn put_error(out: &mut BytesMut) {
        out.put_slice(b"event: error\ndata: ");
        out.put_slice(&overloaded());
        out.put_slice(b"\n\n");
    }
}

/// An event with its type in both places where it belongs, as the first of its fields.
fn put(kind: &str, fields: &Value, out: &mut BytesMut) {
    out.put_slice(b"event: ");
    out.put_slice(kind.as_bytes());
    out.put_slice(b"\ndata: {\"type\":\"");
    out.put_slice(kind.as_bytes());
    out.put_slice(b"\"");
    for (name, value) in fields.as_object().into_iter().flatten() {
        out.put_slice(b",\"");
        out.put_slice(name.as_bytes());
        out.put_slice(b"\":");
        put_json(value, out);
    }
    out.put_slice(b"}\n\n");
}

/// `{"type": "error", …}` as Anthropic sends it.
pub(super) fn error(status: StatusCode, message: &str, request_id: &str) -> Bytes {
    json!({ "type": "error", "error": { "type": kind(status), "message": message }, "request_id": request_id })
        .to_string()
        .into()
}

fn kind(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        400..500 => "invalid_request_error",
        _ => "api_error",
    }
}

/// An error inside a 200, and what a gateway passes on of a 529 whatever its dialect.
pub(super) fn overloaded() -> Bytes {
    json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } }).to_string().into()
}

/// `GET /v1/models`, one page.
pub(super) fn models(prefixes: &[String]) -> Bytes {
    let model = |id| json!({ "type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z" });
    let names: Vec<_> = answer::served(prefixes).collect();
    let data: Vec<_> = names.iter().map(model).collect();
    json!({ "data": data, "has_more": false, "first_id": names.first(), "last_id": names.last() }).to_string().into()
}

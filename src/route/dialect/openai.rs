//! OpenAI's chat completions: the request, and the fields both forms of the answer share.

use std::fmt::Write;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;

pub(in crate::route) use super::openai_answer::whole;
pub(super) use super::openai_stream::Heard;
use crate::chat::{Usage, write_number};
use crate::route::Ask;
use crate::route::secret::Secret;

/// Appended to the base URL's path.
pub(in crate::route) const PATH: &str = "/chat/completions";

pub(super) fn headers(key: Option<&Secret>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let Some(key) = key else { return Some(Vec::new()) };
    Some(vec![(AUTHORIZATION, key.bearer()?)])
}

pub(in crate::route) fn request(ask: &Ask<'_>) -> Bytes {
    let request = ask.request;
    let optional = [("tools", &request.tools), ("response_format", &request.response_format)];
    let spliced: usize = optional.iter().filter_map(|(_, value)| value.as_ref()).map(|v| v.as_str().len()).sum();
    let mut out = String::with_capacity(request.messages.as_str().len() + spliced + ask.model.len() + 224);
    out.push_str(r#"{"model":"#);
    push_string(ask.model, &mut out);
    out.push_str(r#","messages":"#);
    out.push_str(request.messages.as_str());
    for (name, value) in [("temperature", request.temperature), ("top_p", request.top_p)] {
        if let Some(value) = value {
            push_name(name, &mut out);
            write_number(value, &mut out);
        }
    }
    if let Some(max_tokens) = request.max_tokens {
        push_name("max_tokens", &mut out);
        out.push_str(itoa::Buffer::new().format(max_tokens));
    }
    if let Some(seed) = request.seed {
        push_name("seed", &mut out);
        out.push_str(itoa::Buffer::new().format(seed));
    }
    for (name, value) in optional {
        if let Some(value) = value {
            push_name(name, &mut out);
            out.push_str(value.as_str());
        }
    }
    if request.stream {
        out.push_str(r#","stream":true,"stream_options":{"include_usage":true}"#);
    }
    out.push('}');
    Bytes::from(out)
}

pub(super) fn push_name(name: &str, out: &mut String) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
}

pub(super) fn push_string(text: &str, out: &mut String) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        let _ = write!(out, "{}", serde_json::Value::from(text));
    }
}

/// `usage`, in OpenAI's words, DeepSeek's and LiteLLM's. All count what a prompt cache served or took inside
/// `prompt_tokens`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct UsageFields {
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
    prompt_tokens_details: Option<PromptDetails>,
    /// DeepSeek's.
    prompt_cache_hit_tokens: Option<u32>,
    /// LiteLLM's, for models of Anthropic.
    cache_creation_input_tokens: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u32>,
    cache_write_tokens: Option<u32>,
}

/// `None` if it says nothing of tokens, or not in a way that is understood.
pub(super) fn usage(raw: &RawValue) -> Option<Usage> {
    let fields: UsageFields = serde_json::from_str(raw.get()).ok()?;
    if fields.prompt_tokens.is_none() && fields.completion_tokens.is_none() {
        return None;
    }
    let input = fields.prompt_tokens.unwrap_or(0);
    let details = fields.prompt_tokens_details.unwrap_or_default();
    let cached = details.cached_tokens.or(fields.prompt_cache_hit_tokens).unwrap_or(0);
    let written = details.cache_write_tokens.or(fields.cache_creation_input_tokens).unwrap_or(0);
    // More cached than sent would make a price negative.
    let cached_input = cached.min(input);
    let cache_write = written.min(input - cached_input);
    let output = fields.completion_tokens.unwrap_or(0);
    Some(Usage { input, cached_input, cache_write, output, ..Usage::default() })
}

/// A part of a message that holds something: not `null`, not empty.
pub(super) fn holds_something(part: Option<&RawValue>) -> bool {
    part.is_some_and(|part| !matches!(part.get(), "null" | "\"\"" | "[]" | "{}"))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::chat::{Canonical, ChatRequest};

    fn body(model: &str, request: &ChatRequest) -> String {
        let ask = Ask { model, request, deadline: Instant::now(), keep_answer: false };
        String::from_utf8(super::request(&ask).to_vec()).unwrap()
    }

    #[test]
    fn a_request_says_what_was_asked_and_nothing_else() {
        let mut request = ChatRequest::new(Canonical::user_message("hi"));
        assert_eq!(body("m", &request), r#"{"model":"m","messages":[{"content":"hi","role":"user"}]}"#);
        request.temperature = Some(0.0);
        request.top_p = Some(0.95);
        request.max_tokens = Some(500);
        request.seed = Some(-3);
        request.tools = Some(Canonical::from_json("[1]").unwrap());
        request.response_format = Some(Canonical::from_json("{}").unwrap());
        request.stream = true;
        assert_eq!(
            body("a\"b", &request),
            r#"{"model":"a\"b","messages":[{"content":"hi","role":"user"}],"temperature":0,"top_p":0.95,"max_tokens":500,"seed":-3,"tools":[1],"response_format":{},"stream":true,"stream_options":{"include_usage":true}}"#
        );
    }
}

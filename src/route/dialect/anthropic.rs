//! Anthropic's messages: the request, what a refusal means, and the usage both forms of the answer share.

use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;

pub(super) use super::anthropic_answer::whole;
use super::anthropic_messages::{Messages, tools};
pub(super) use super::anthropic_stream::Heard;
use super::openai::{push_name, push_string};
use crate::chat::{ChatRequest, Usage, write_number};
use crate::profile::{Dialect, PromptCaching};
use crate::route::secret::Secret;
use crate::route::{Ask, Failure, failure};

/// Appended to the base URL's path.
pub(super) const PATH: &str = "/messages";

/// The version of the interface that is spoken here, and still the only one.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// The interface wants a maximum. A request without one gets what fits an answer of some pages, which each model grants.
const MAX_TOKENS: u32 = 4096;

pub(super) fn headers(key: Option<&Secret>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut headers = vec![(HeaderName::from_static("anthropic-version"), VERSION)];
    if let Some(key) = key {
        headers.push((HeaderName::from_static("x-api-key"), key.bare()?));
    }
    Some(headers)
}

/// What the interface does not know is left out: `seed` and `response_format`.
pub(super) fn request(ask: &Ask<'_>, prompt_cache: PromptCaching) -> Bytes {
    let request = ask.request;
    let mark = mark(prompt_cache).filter(|_| !is_marked(request));
    let Messages { system, messages } = Messages::of(request.messages.as_str(), mark);
    let mut out = String::with_capacity(messages.len() + system.as_ref().map_or(0, String::len) + 256);
    out.push_str(r#"{"model":"#);
    push_string(ask.model, &mut out);
    push_name("max_tokens", &mut out);
    out.push_str(itoa::Buffer::new().format(request.max_tokens.unwrap_or(MAX_TOKENS)));
    if let Some(system) = &system {
        push_name("system", &mut out);
        out.push_str(system);
    }
    push_name("messages", &mut out);
    out.push_str(&messages);
    if let Some((name, value)) = sampling(ask) {
        push_name(name, &mut out);
        write_number(value, &mut out);
    }
    if let Some(given) = &request.tools {
        push_name("tools", &mut out);
        out.push_str(&tools(given.as_str()));
    }
    if let Some(mark) = mark {
        // At the top it stands for the last block there is.
        push_name("cache_control", &mut out);
        out.push_str(mark);
    }
    if request.stream {
        out.push_str(r#","stream":true"#);
    }
    out.push('}');
    Bytes::from(out)
}

/// Prompts that mark for themselves what is to be cached are sent as they are.
fn is_marked(request: &ChatRequest) -> bool {
    let parts = [Some(&request.messages), request.tools.as_ref()];
    parts.into_iter().flatten().any(|json| json.as_str().contains("\"cache_control\":"))
}

fn mark(prompt_cache: PromptCaching) -> Option<&'static str> {
    match prompt_cache {
        PromptCaching::Off => None,
        PromptCaching::FiveMinutes => Some(r#"{"type":"ephemeral"}"#),
        PromptCaching::OneHour => Some(r#"{"type":"ephemeral","ttl":"1h"}"#),
    }
}

/// Models from Claude 4.1 on take one of the two, and the newest none.
fn sampling(ask: &Ask<'_>) -> Option<(&'static str, f64)> {
    if !Dialect::Anthropic.tells_sampling(ask.model) {
        return None;
    }
    let top_p = ask.request.top_p.map(|top_p| ("top_p", top_p));
    top_p.or(ask.request.temperature.map(|temperature| ("temperature", temperature)))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: Refused,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    message: String,
    details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    error_code: String,
}

/// A status that is no success.
pub(super) fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    let mut failure = failure::refused(status, headers, body);
    failure.permanent |= status == StatusCode::TOO_MANY_REQUESTS && is_spend_limit(&failure, body);
    failure
}

/// A 429 that lasts to the end of the month has the type of one that lasts a second. Its code tells it, or, where a
/// gateway dropped that, its message; it never says when to come again, but not each 429 that does not is one.
fn is_spend_limit(failure: &Failure, body: &[u8]) -> bool {
    let Refusal { error } = serde_json::from_slice(body).unwrap_or_default();
    let code = error.details.unwrap_or_default().error_code;
    let message = error.message.to_ascii_lowercase();
    let says_so = ["spend limit", "spending limit", "usage limits"].iter().any(|words| message.contains(words));
    code.ends_with("spend_limit_reached") || (says_so && failure.retry_after.is_none())
}

/// What a part of an answer says, if it is an object of that shape. (A list would be taken for one, field by field.)
pub(super) fn object<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    let raw = raw.map(RawValue::get).filter(|raw| raw.starts_with('{'))?;
    serde_json::from_str(raw).ok()
}

/// `usage`. What the prompt cache served and took lies beside `input_tokens`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UsageFields {
    input_tokens: Option<u32>,
    output_tokens: Option<u32>,
    cache_read_input_tokens: Option<u32>,
    cache_creation_input_tokens: Option<u32>,
    cache_creation: Option<CacheCreation>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_1h_input_tokens: Option<u32>,
    ephemeral_5m_input_tokens: Option<u32>,
}

impl UsageFields {
    /// Nothing, where there is none or none that is understood.
    pub(super) fn read(raw: Option<&RawValue>) -> Self {
        object(raw).unwrap_or_default()
    }

    /// With what is said later in a stream, where each count is the sum so far: none becomes less.
    pub(super) fn grown(self, later: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.max(later.input_tokens),
            output_tokens: self.output_tokens.max(later.output_tokens),
            cache_read_input_tokens: self.cache_read_input_tokens.max(later.cache_read_input_tokens),
            cache_creation_input_tokens: self.cache_creation_input_tokens.max(later.cache_creation_input_tokens),
            cache_creation: self.cache_creation.max(later.cache_creation),
        }
    }

    /// `None` if it says nothing of tokens.
    pub(super) fn tokens(&self) -> Option<Usage> {
        if self.input_tokens.is_none() && self.output_tokens.is_none() {
            return None;
        }
        let by_ttl = self.cache_creation.unwrap_or_default();
        let for_an_hour = by_ttl.ephemeral_1h_input_tokens.unwrap_or(0);
        let by_ttl = for_an_hour.saturating_add(by_ttl.ephemeral_5m_input_tokens.unwrap_or(0));
        let cache_write = self.cache_creation_input_tokens.unwrap_or(by_ttl);
        let cached_input = self.cache_read_input_tokens.unwrap_or(0);
        let fresh = self.input_tokens.unwrap_or(0);
        Some(Usage {
            input: fresh.saturating_add(cached_input).saturating_add(cache_write),
            cached_input,
            cache_write,
            cache_write_1h: for_an_hour.min(cache_write),
            output: self.output_tokens.unwrap_or(0),
            estimated: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::chat::Canonical;

    fn body(model: &str, request: &ChatRequest, prompt_cache: PromptCaching) -> String {
        let ask = Ask { model, request, deadline: Instant::now(), keep_answer: false };
        String::from_utf8(super::request(&ask, prompt_cache).to_vec()).unwrap()
    }

    const OFF: PromptCaching = PromptCaching::Off;

    #[test]
    fn a_request_says_what_was_asked_as_far_as_the_dialect_can() {
        let mut request = ChatRequest::new(Canonical::user_message("hi"));
        let bare = r#"{"model":"m","max_tokens":4096,"messages":[{"content":"hi","role":"user"}]}"#;
        assert_eq!(body("m", &request, OFF), bare);
        request.temperature = Some(0.0);
        request.max_tokens = Some(500);
        request.seed = Some(-3);
        request.response_format = Some(Canonical::from_json("{}").unwrap());
        request.stream = true;
        let said = r#"{"model":"m","max_tokens":500,"messages":[{"content":"hi","role":"user"}],"temperature":0,"stream":true}"#;
        assert_eq!(body("m", &request, OFF), said);
        request.top_p = Some(0.95);
        assert_eq!(body("m", &request, OFF), said.replace("\"temperature\":0", "\"top_p\":0.95"));
        let newer = said.replace(",\"temperature\":0", "").replace("\"m\"", "\"claude-sonnet-5-5\"");
        assert_eq!(body("claude-sonnet-5-5", &request, OFF), newer);
    }

    #[test]
    fn a_cached_prompt_is_marked_at_the_end_of_its_system_part_and_at_its_own() {
        let plain = ChatRequest::new(Canonical::user_message("hi"));
        let marked = body("m", &plain, PromptCaching::OneHour);
        assert!(
            marked.ends_with(
                r#""messages":[{"content":"hi","role":"user"}],"cache_control":{"type":"ephemeral","ttl":"1h"}}"#
            ),
            "{marked}"
        );
        let messages = r#"[{"role":"system","content":"be brief"},{"role":"user","content":"hi"}]"#;
        let request = ChatRequest::new(Canonical::from_json(messages).unwrap());
        let marked = body("m", &request, PromptCaching::FiveMinutes);
        assert_eq!(
            marked,
            r#"{"model":"m","max_tokens":4096,"system":[{"type":"text","text":"be brief","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"hi"}],"cache_control":{"type":"ephemeral"}}"#
        );
    }

    #[test]
    fn a_prompt_that_marks_its_own_parts_is_marked_no_further() {
        let part = r#"{"type":"text","text":"long","cache_control":{"type":"ephemeral"}}"#;
        let own =
            ChatRequest::new(Canonical::from_json(&format!(r#"[{{"role":"user","content":[{part}]}}]"#)).unwrap());
        assert_eq!(body("m", &own, PromptCaching::FiveMinutes), body("m", &own, OFF));
        // Words about it are no mark.
        let words = ChatRequest::new(Canonical::user_message(r#"what is "cache_control": for?"#));
        assert_ne!(body("m", &words, PromptCaching::FiveMinutes), body("m", &words, OFF));
    }

    fn refusal(headers: &[(&'static str, &str)], error: &str) -> Failure {
        let headers = headers.iter().map(|(k, v)| (HeaderName::from_static(k), v.parse().unwrap())).collect();
        let body = format!(r#"{{"type":"error","error":{{"type":"rate_limit_error",{error}}},"request_id":"req_1"}}"#);
        refused(StatusCode::TOO_MANY_REQUESTS, &headers, body.as_bytes())
    }

    #[test]
    fn a_spend_limit_is_permanent_and_a_rate_limit_is_not() {
        let code = r#""message":"m","details":{"error_code":"enforced_spend_limit_reached"}"#;
        let contract = code.replace("enforced", "contract");
        let told =
            r#""message":"This request would exceed your account's monthly spend limit. Please try again later.""#;
        for error in [code, &contract, told] {
            assert!(refusal(&[], error).permanent, "{error}");
        }
        let rate = r#""message":"This request would exceed your account's rate limit. Please try again later.""#;
        let ramp = r#""message":"m","details":{"error_code":"ramp_limit_exceeded"}"#;
        for error in [rate, ramp, r#""message":"m","details":null"#] {
            assert!(!refusal(&[], error).permanent, "{error}");
        }
        let waits = refusal(&[("retry-after", "34")], told);
        assert_eq!((waits.permanent, waits.retry_after), (false, Some(Duration::from_secs(34))));
        let garbled = refused(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), b"<html>usage limits</html>");
        assert!(!garbled.permanent);
    }

    #[test]
    fn what_the_prompt_cache_served_and_took_lies_beside_the_input() {
        let tokens = |json: &str| serde_json::from_str::<UsageFields>(json).unwrap().tokens();
        let usage = |input, cached_input, cache_write, cache_write_1h, output| {
            Some(Usage { input, cached_input, cache_write, cache_write_1h, output, estimated: false })
        };
        assert_eq!(tokens(r#"{"input_tokens":12,"output_tokens":3}"#), usage(12, 0, 0, 0, 3));
        let all = r#"{"input_tokens":10,"cache_read_input_tokens":2000,"cache_creation_input_tokens":300,
            "cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200},"output_tokens":5}"#;
        assert_eq!(tokens(all), usage(2310, 2000, 300, 200, 5));
        let broken_down = r#"{"input_tokens":10,"cache_creation":{"ephemeral_5m_input_tokens":100},"output_tokens":5}"#;
        assert_eq!(tokens(broken_down), usage(110, 0, 100, 0, 5));
        assert_eq!(
            tokens(r#"{"input_tokens":10,"cache_read_input_tokens":null,"cache_creation":null}"#),
            usage(10, 0, 0, 0, 0)
        );
        assert_eq!(tokens(r#"{"service_tier":"standard"}"#), None);
    }
}

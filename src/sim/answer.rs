//! Answers in OpenAI's format: a completion, a stream's events, an error.
//! Must not know when any of it is sent.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Value, json};

use super::ask::Ask;
use super::prompt_cache::Served;

/// One answer: everything that is written of it follows from this.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) id: u64,
    /// Unix time.
    pub(super) created: u64,
    pub(super) model: String,
    pub(super) prompt_tokens: u64,
    pub(super) output_tokens: u64,
    /// Of `prompt_tokens`.
    pub(super) served: Served,
    pub(super) cut_short: bool,
    seed: u64,
}

/// Each is one token of four characters.
const WORDS: [&str; 64] = [
    "the ", "and ", "for ", "are ", "but ", "not ", "you ", "all ", "any ", "can ", "had ", "her ", "was ", "one ",
    "our ", "out ", "day ", "get ", "has ", "him ", "his ", "how ", "man ", "new ", "now ", "old ", "see ", "two ",
    "way ", "who ", "boy ", "did ", "its ", "let ", "put ", "say ", "she ", "too ", "use ", "dad ", "mom ", "act ",
    "add ", "age ", "ago ", "aim ", "air ", "art ", "ask ", "bad ", "bag ", "bar ", "bed ", "big ", "bit ", "box ",
    "bus ", "buy ", "car ", "cat ", "cup ", "cut ", "dog ", "dry ",
];

impl Answer {
    pub(super) fn to(ask: &Ask, served: Served, id: u64, created: u64) -> Self {
        Self {
            id,
            created,
            model: ask.model.clone(),
            prompt_tokens: ask.prompt_tokens,
            output_tokens: ask.output_tokens,
            served,
            cut_short: ask.cut_short,
            seed: ask.seed,
        }
    }

    fn finish_reason(&self) -> &'static str {
        if self.cut_short { "length" } else { "stop" }
    }

    pub(super) fn token(&self, index: u64) -> &'static str {
        // SplitMix64: any token of any answer without the ones before it.
        let mut z = self.seed.wrapping_add((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        WORDS[(z ^ (z >> 31)) as usize % WORDS.len()]
    }

    fn usage(&self) -> Value {
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.output_tokens,
            "total_tokens": self.prompt_tokens + self.output_tokens,
            "prompt_tokens_details": { "cached_tokens": self.served.read },
            "completion_tokens_details": { "reasoning_tokens": 0 },
        })
    }

    /// The whole answer as one body.
    pub(super) fn completion(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(600 + 4 * self.output_tokens as usize);
        self.put_head("chat.completion", &mut out);
        out.put_slice(br#","choices":[{"index":0,"message":{"role":"assistant","content":""#);
        (0..self.output_tokens).for_each(|index| out.put_slice(self.token(index).as_bytes()));
        out.put_slice(br#"","refusal":null},"logprobs":null,"finish_reason":""#);
        out.put_slice(self.finish_reason().as_bytes());
        out.put_slice(br#""}],"usage":"#);
        put_json(&self.usage(), &mut out);
        out.put_slice(b"}");
        out.freeze()
    }

    fn put_head(&self, object: &str, out: &mut BytesMut) {
        out.put_slice(br#"{"id":"chatcmpl-"#);
        out.put_slice(format!("{:016x}", self.id).as_bytes());
        out.put_slice(br#"","object":""#);
        out.put_slice(object.as_bytes());
        out.put_slice(br#"","created":"#);
        out.put_slice(itoa::Buffer::new().format(self.created).as_bytes());
        out.put_slice(br#","model":"#);
        put_json(&self.model, out);
        out.put_slice(br#","system_fingerprint":"fp_sim""#);
    }
}

/// Writes an answer's stream, event by event.
pub(super) struct Events {
    answer: Arc<Answer>,
    include_usage: bool,
    /// What every event begins with, up to the choices.
    head: Bytes,
}

impl Events {
    pub(super) fn new(answer: &Arc<Answer>, include_usage: bool) -> Self {
        let mut head = BytesMut::with_capacity(160);
        head.put_slice(b"data: ");
        answer.put_head("chat.completion.chunk", &mut head);
        Self { answer: Arc::clone(answer), include_usage, head: head.freeze() }
    }

    pub(super) fn tokens(&self) -> u64 {
        self.answer.output_tokens
    }

    /// Room for this many events.
    pub(super) fn buffer(&self, events: u64) -> BytesMut {
        BytesMut::with_capacity((events as usize).saturating_mul(self.head.len() + 120))
    }

    /// The first event: a role and no text.
    pub(super) fn put_role(&self, out: &mut BytesMut) {
        self.put_choice(&[br#"{"role":"assistant","content":"","refusal":null}"#], "null", out);
    }

    pub(super) fn put_token(&self, index: u64, out: &mut BytesMut) {
        self.put_choice(&[br#"{"content":""#, self.answer.token(index).as_bytes(), br#""}"#], "null", out);
    }

    /// What a stream says that fails in the middle; nothing follows.
    pub(super) fn put_error(out: &mut BytesMut) {
        out.put_slice(b"data: ");
        out.put_slice(&broken());
        out.put_slice(b"\n\n");
    }

    /// The finish reason, the usage if it was asked for, and the end.
    pub(super) fn put_end(&self, out: &mut BytesMut) {
        self.put_choice(&[b"{}"], &format!("\"{}\"", self.answer.finish_reason()), out);
        if self.include_usage {
            out.put_slice(&self.head);
            out.put_slice(br#","choices":[],"usage":"#);
            put_json(&self.answer.usage(), out);
            out.put_slice(b"}\n\n");
        }
        out.put_slice(b"data: [DONE]\n\n");
    }

    fn put_choice(&self, delta: &[&[u8]], finish_reason: &str, out: &mut BytesMut) {
        out.put_slice(&self.head);
        out.put_slice(br#","choices":[{"index":0,"delta":"#);
        delta.iter().for_each(|piece| out.put_slice(piece));
        out.put_slice(br#","logprobs":null,"finish_reason":"#);
        out.put_slice(finish_reason.as_bytes());
        out.put_slice(if self.include_usage { br#"}],"usage":null}"# } else { b"}]}" });
        out.put_slice(b"\n\n");
    }
}

pub(super) fn put_json(value: &impl serde::Serialize, out: &mut BytesMut) {
    // Writing JSON of our own values into memory cannot fail.
    let _ = serde_json::to_writer(out.writer(), value);
}

/// `{"error": {…}}` as OpenAI sends it.
pub(super) fn error(message: &str, kind: &str, param: Option<&str>, code: Option<&str>) -> Bytes {
    json!({ "error": { "message": message, "type": kind, "param": param, "code": code } }).to_string().into()
}

/// An error inside a 200.
pub(super) fn broken() -> Bytes {
    error("The server had an error while processing your request. Sorry about that!", "server_error", None, None)
}

/// Some well-known names, of which a route serves those with one of `prefixes`.
pub(super) fn served(prefixes: &[String]) -> impl Iterator<Item = &'static str> {
    const NAMES: [&str; 13] = [
        "gpt-4.1",
        "gpt-4.1-mini",
        "gpt-4o",
        "gpt-4o-mini",
        "o3",
        "o4-mini",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
        "claude-sonnet-4-5",
        "claude-haiku-4-5",
        "gemini-2.5-flash",
        "deepseek-chat",
        "deepseek-v3.2",
    ];
    NAMES.into_iter().filter(|name| serves(prefixes, name))
}

/// `GET /v1/models`.
pub(super) fn models(prefixes: &[String]) -> Bytes {
    let data: Vec<_> = served(prefixes)
        .map(|name| json!({ "id": name, "object": "model", "created": 1_700_000_000, "owned_by": "gatebench-sim" }))
        .collect();
    json!({ "object": "list", "data": data }).to_string().into()
}

pub(super) fn serves(prefixes: &[String], model: &str) -> bool {
    prefixes.is_empty() || prefixes.iter().any(|prefix| model.starts_with(prefix.as_str()))
}

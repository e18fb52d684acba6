//! What is asked of a model and what comes back, in no dialect.
//! Must not know how either travels (`route`) or is kept (`stack`).

use std::sync::Arc;

use bytes::Bytes;

/// Canonical JSON: keys sorted, no white space, numerically equal numbers written the same.
/// A newtype, so that whatever a cache key is made of has been canonicalised before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical(Arc<str>);

/// A model's or a route's name. Each replica makes its own, so that counting references never crosses threads.
pub type Name = Arc<str>;

/// A model on a route.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    pub model: Name,
    pub route: Name,
}

impl Lane {
    /// As `==`, but quick for names that are shared, as a chain's mostly are.
    pub fn is(&self, other: &Self) -> bool {
        let same = |a: &Name, b: &Name| Arc::ptr_eq(a, b) || a == b;
        same(&self.model, &other.model) && same(&self.route, &other.route)
    }
}

/// One chat completion to ask for, without its model: each hop of the fallback chain asks its own.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatRequest {
    /// JSON array of messages.
    pub messages: Canonical,
    pub temperature: Option<f64>,
    pub max_tokens: Option<u32>,
    pub top_p: Option<f64>,
    pub seed: Option<i64>,
    pub tools: Option<Canonical>,
    pub response_format: Option<Canonical>,
    pub stream: bool,
}

/// Tokens as the provider bills them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All input tokens, cached ones included.
    pub input: u32,
    /// Of `input`, those the provider's prompt cache served.
    pub cached_input: u32,
    /// Of `input`, those written to the provider's prompt cache, where that has a price of its own.
    pub cache_write: u32,
    /// Of `cache_write`, those kept for an hour instead of five minutes.
    pub cache_write_1h: u32,
    pub output: u32,
    /// Counted by us, since the server sent no usage.
    pub estimated: bool,
}

/// A complete successful answer, as the caches keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The text generated (or, without text, the JSON of the message: tool calls).
    pub content: Bytes,
    pub usage: Usage,
}

impl ChatRequest {
    /// Messages alone; everything else is left to the server, and the answer comes whole.
    pub fn new(messages: Canonical) -> Self {
        Self {
            messages,
            temperature: None,
            max_tokens: None,
            top_p: None,
            seed: None,
            tools: None,
            response_format: None,
            stream: false,
        }
    }
}

impl Canonical {
    /// Parses JSON and writes it canonically.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        Ok(Self::from_value(&serde_json::from_str(json)?))
    }

    pub fn from_value(value: &serde_json::Value) -> Self {
        let mut out = String::new();
        write_canonical(value, &mut out);
        Self(out.into())
    }

    /// A single user message; `text` must need no JSON escapes beyond what this writes.
    pub fn user_message(text: &str) -> Self {
        let mut out = String::with_capacity(text.len() + 40);
        out.push_str(r#"[{"content":"#);
        write_string(text, &mut out);
        out.push_str(r#","role":"user"}]"#);
        Self(out.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Numbers that are whole and exactly representable are written as integers, so 1, 1.0 and 1e0 agree.
pub fn write_number(value: f64, out: &mut String) {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    if value.fract() == 0.0 && value.abs() < EXACT {
        out.push_str(itoa::Buffer::new().format(value as i64));
    } else {
        use std::fmt::Write;
        let _ = write!(out, "{value:?}");
    }
}

fn write_canonical(value: &serde_json::Value, out: &mut String) {
    use serde_json::Value;
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        // Integers beyond 2^53 keep their digits: as f64 two different ones would become equal.
        Value::Number(n) => match (n.as_i64(), n.as_u64(), n.as_f64()) {
            (Some(i), _, _) => out.push_str(itoa::Buffer::new().format(i)),
            (_, Some(u), _) => out.push_str(itoa::Buffer::new().format(u)),
            (_, _, Some(f)) => write_number(f, out),
            _ => out.push_str(&n.to_string()),
        },
        Value::String(s) => write_string(s, out),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (i, (key, item)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write_canonical(item, out);
            }
            out.push('}');
        }
    }
}

/// A JSON string.
pub fn write_string(text: &str, out: &mut String) {
    if is_plain(text) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
    }
}

/// Nothing in `text` needs an escape. Judged by blocks without an early end, which compiles to vector instructions.
fn is_plain(text: &str) -> bool {
    const BLOCK: usize = 32;
    let needs_escape = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    let any = |block: &[u8]| block.iter().fold(false, |any, byte| any | needs_escape(*byte));
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK>();
    !blocks.iter().any(|block| any(block)) && !any(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(json: &str) -> String {
        Canonical::from_json(json).unwrap().as_str().to_owned()
    }

    #[test]
    fn the_order_of_object_keys_is_irrelevant_and_of_arrays_relevant() {
        assert_eq!(canonical(r#"{"b":1,"a":{"d":2,"c":3}}"#), canonical(r#"{ "a": {"c":3,"d":2}, "b": 1 }"#));
        assert_ne!(canonical("[1,2]"), canonical("[2,1]"));
    }

    #[test]
    fn numerically_equal_numbers_are_equal() {
        assert_eq!(canonical("[1,1.0,1e0,100e-2]"), "[1,1,1,1]");
        assert_eq!(canonical("[0.1,1e-1,-0.0]"), "[0.1,0.1,0]");
        assert_ne!(canonical("9007199254740993"), canonical("9007199254740992"));
    }

    #[test]
    fn a_character_that_needs_an_escape_is_found_wherever_it_stands() {
        for length in [0, 1, 31, 32, 33, 100] {
            let plain = "ü".repeat(length);
            assert!(is_plain(&plain));
            for special in ['"', '\\', '\n', '\0'] {
                for at in 0..=length {
                    let mut text = plain.clone();
                    text.insert(at * 2, special);
                    assert!(!is_plain(&text), "{special:?} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn a_user_message_is_what_parsing_it_gives() {
        for text in ["plain", "with \"quotes\", \\ and \n line", "你好"] {
            let message = Canonical::user_message(text);
            assert_eq!(Canonical::from_json(message.as_str()).unwrap(), message);
        }
    }
}

//! The cache key: SHA-256 over the canonical JSON of the request's chosen fields.
//! Must not know what is kept under it.
//!
//! ```text
//! {"max_tokens":500,"messages":[...],"model":"gpt-4.1","temperature":0}  --SHA-256-->  Key
//! ```

use std::cell::Cell;
use std::fmt;
use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};

use crate::chat::{ChatRequest, write_number, write_string};
use crate::profile::CacheField;

/// A full digest: two requests share a key only if their chosen fields are equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u8; 32]);

impl Key {
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A digest is spread evenly, so any 8 bytes of it are a good hash.
    fn prefix(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.prefix());
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 64];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&hex).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// Every field in the order of its name, which is the order of canonical JSON.
const SORTED: [CacheField; 8] = [
    CacheField::MaxTokens,
    CacheField::Messages,
    CacheField::Model,
    CacheField::ResponseFormat,
    CacheField::Seed,
    CacheField::Temperature,
    CacheField::Tools,
    CacheField::TopP,
];

thread_local! {
    /// Keeps its capacity from key to key, so that making one allocates nothing.
    static TEXT: Cell<String> = const { Cell::new(String::new()) };
}

/// The key of a request to `model`, made of the chosen fields in whatever order they are given; optional fields that
/// the request lacks are left out. Whether the answer is streamed is never part.
pub fn cache_key(fields: &[CacheField], model: &str, request: &ChatRequest) -> Key {
    let mut text = TEXT.take();
    text.clear();
    write_fields(fields, model, request, &mut text);
    let key = Key(Sha256::digest(text.as_bytes()).into());
    TEXT.set(text);
    key
}

fn write_fields(fields: &[CacheField], model: &str, request: &ChatRequest, out: &mut String) {
    out.push('{');
    let mut separator = "";
    for field in SORTED.into_iter().filter(|field| fields.contains(field)) {
        let start = out.len();
        out.push_str(separator);
        out.push_str(quoted_name(field));
        match write_value(field, model, request, out) {
            Some(()) => separator = ",",
            None => out.truncate(start),
        }
    }
    out.push('}');
}

fn quoted_name(field: CacheField) -> &'static str {
    match field {
        CacheField::MaxTokens => r#""max_tokens":"#,
        CacheField::Messages => r#""messages":"#,
        CacheField::Model => r#""model":"#,
        CacheField::ResponseFormat => r#""response_format":"#,
        CacheField::Seed => r#""seed":"#,
        CacheField::Temperature => r#""temperature":"#,
        CacheField::Tools => r#""tools":"#,
        CacheField::TopP => r#""top_p":"#,
    }
}

/// `None`: the request lacks the field.
fn write_value(field: CacheField, model: &str, request: &ChatRequest, out: &mut String) -> Option<()> {
    let mut integer = itoa::Buffer::new();
    match field {
        CacheField::MaxTokens => out.push_str(integer.format(request.max_tokens?)),
        CacheField::Messages => out.push_str(request.messages.as_str()),
        CacheField::Model => write_string(model, out),
        CacheField::ResponseFormat => out.push_str(request.response_format.as_ref()?.as_str()),
        CacheField::Seed => out.push_str(integer.format(request.seed?)),
        CacheField::Temperature => write_number(request.temperature?, out),
        CacheField::Tools => out.push_str(request.tools.as_ref()?.as_str()),
        CacheField::TopP => write_number(request.top_p?, out),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::chat::Canonical;

    fn json(text: &str) -> Canonical {
        Canonical::from_json(text).unwrap()
    }

    fn full() -> ChatRequest {
        ChatRequest {
            messages: json(r#"[{"role":"system","content":"be brief"},{"role":"user","content":"hi"}]"#),
            temperature: Some(0.5),
            max_tokens: Some(500),
            top_p: Some(0.9),
            seed: Some(-3),
            tools: Some(json(r#"[{"type":"function","function":{"name":"f","strict":true}}]"#)),
            response_format: Some(json(r#"{"type":"json_object"}"#)),
            stream: true,
        }
    }

    fn bare(messages: &str) -> ChatRequest {
        ChatRequest::new(json(messages))
    }

    fn key(request: &ChatRequest) -> Key {
        cache_key(&SORTED, "gpt-4.1", request)
    }

    /// A field's name and a change of nothing but that field.
    fn changes() -> Vec<(CacheField, &'static str, ChatRequest)> {
        let change = |field, edit: fn(&mut ChatRequest)| {
            let mut request = full();
            edit(&mut request);
            (field, "gpt-4.1", request)
        };
        vec![
            change(CacheField::MaxTokens, |r| r.max_tokens = Some(501)),
            change(CacheField::Messages, |r| r.messages = Canonical::user_message("other")),
            (CacheField::Model, "gpt-4o-mini", full()),
            change(CacheField::ResponseFormat, |r| r.response_format = None),
            change(CacheField::Seed, |r| r.seed = Some(3)),
            change(CacheField::Temperature, |r| r.temperature = None),
            change(CacheField::Tools, |r| r.tools = Some(Canonical::from_value(&serde_json::json!([])))),
            change(CacheField::TopP, |r| r.top_p = Some(0.95)),
        ]
    }

    #[test]
    fn a_key_is_the_sha256_of_the_canonical_json() {
        // As `sha256sum` gives it for
        // {"max_tokens":500,"messages":[{"content":"hi","role":"user"}],"model":"gpt-4.1","temperature":0}
        let request = ChatRequest {
            temperature: Some(0.0),
            max_tokens: Some(500),
            ..bare(r#"[{"role":"user","content":"hi"}]"#)
        };
        assert_eq!(key(&request).to_string(), "a106c4e3b8fc7559daa3757c01b879530d61738d9c3403f9a267e975809d5464");
    }

    #[test]
    fn the_order_of_object_keys_is_irrelevant_and_of_messages_relevant() {
        let ask = |messages: String| key(&bare(&messages));
        let (a, b) = (r#"{"role":"user","content":"a"}"#, r#"{"content":"b","role":"user"}"#);
        let swapped = r#"{"content":"a","role":"user"}"#;
        assert_eq!(ask(format!("[{a},{b}]")), ask(format!("[ {swapped}, {b} ]")));
        assert_ne!(ask(format!("[{a},{b}]")), ask(format!("[{b},{a}]")));
    }

    #[test]
    fn numerically_equal_numbers_are_equal() {
        let tools = |text| ChatRequest { tools: Some(json(text)), ..full() };
        assert_eq!(key(&tools(r#"[{"n":1}]"#)), key(&tools(r#"[{"n":1.0}]"#)));
        assert_ne!(key(&tools(r#"[{"n":1}]"#)), key(&tools(r#"[{"n":"1"}]"#)));
        let temperature = |t| ChatRequest { temperature: Some(t), ..full() };
        assert_eq!(key(&temperature(0.0)), key(&temperature(-0.0)));
    }

    #[test]
    fn every_chosen_field_matters_and_an_unchosen_one_does_not() {
        for (field, model, changed) in changes() {
            let others: Vec<_> = SORTED.into_iter().filter(|other| *other != field).collect();
            assert_ne!(cache_key(&SORTED, "gpt-4.1", &full()), cache_key(&SORTED, model, &changed), "{field:?}");
            assert_eq!(cache_key(&others, "gpt-4.1", &full()), cache_key(&others, model, &changed), "{field:?}");
        }
        let distinct: HashSet<_> = changes().iter().map(|(_, model, r)| cache_key(&SORTED, model, r)).collect();
        assert_eq!(distinct.len(), SORTED.len(), "no two changes lead to the same key");
    }

    #[test]
    fn the_order_and_repetition_of_the_chosen_fields_are_irrelevant() {
        let mut fields: Vec<_> = SORTED.into_iter().rev().collect();
        fields.push(CacheField::Seed);
        assert_eq!(cache_key(&fields, "gpt-4.1", &full()), key(&full()));
    }

    #[test]
    fn streaming_is_never_part_of_a_key() {
        assert_eq!(key(&full()), key(&ChatRequest { stream: false, ..full() }));
    }

    #[test]
    fn a_value_cannot_pass_for_another_field() {
        let request = bare("[]");
        let forged = r#"a","seed":"1"#;
        let seeded = ChatRequest { seed: Some(1), ..bare("[]") };
        assert_ne!(cache_key(&SORTED, forged, &request), cache_key(&SORTED, "a", &seeded));
    }

    #[test]
    fn the_written_fields_are_canonical_json() {
        for fields in [&SORTED[..], &SORTED[2..5], &[]] {
            let mut text = String::new();
            write_fields(fields, "名\"x", &full(), &mut text);
            assert_eq!(json(&text).as_str(), text);
        }
    }
}

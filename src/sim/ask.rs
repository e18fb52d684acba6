//! A chat completion request (OpenAI's) as a model takes it: how much is asked for, and what it means.
//! Must not know how it is answered.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::prompt_cache::Beginning;
use crate::profile::{PromptCache, Spread};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ask {
    pub(super) model: String,
    pub(super) prompt_tokens: u64,
    pub(super) output_tokens: u64,
    /// `max_tokens` cut the answer short.
    pub(super) cut_short: bool,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    /// The text of the answer follows from it.
    pub(super) seed: u64,
    /// Beginnings of the prompt that the provider's cache may know, the shortest first; none without such a cache.
    pub(super) beginnings: Vec<Beginning>,
}

/// Answers whose length nobody asked for.
pub(super) const ANSWER: Spread<f64> = Spread::LogNormal { median: 60.0, p95: 180.0 };

/// As much as models give in one answer, and nothing that a prompt can ask for exhausts memory.
pub(super) const LONGEST_ANSWER: u64 = 131_072;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) role: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) content: Option<Content<'a>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Parts(#[serde(borrow)] Vec<Part<'a>>),
}

#[derive(Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<Cow<'a, str>>,
    /// Only Anthropic's dialect has it.
    #[serde(borrow, default)]
    pub(super) cache_control: Option<CacheControl<'a>>,
}

#[derive(Clone, Deserialize)]
pub(super) struct CacheControl<'a> {
    #[serde(borrow, default)]
    pub(super) ttl: Option<Cow<'a, str>>,
}

impl Message<'_> {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let (whole, parts) = match &self.content {
            Some(Content::Text(text)) => (Some(&**text), &[][..]),
            Some(Content::Parts(parts)) => (None, &parts[..]),
            None => (None, &[][..]),
        };
        whole.into_iter().chain(parts.iter().filter_map(|part| part.text.as_deref()))
    }
}

/// Some four characters make a token.
pub(super) fn tokens(chars: usize) -> u64 {
    chars.div_ceil(CHARS_PER_TOKEN) as u64
}

pub(super) const CHARS_PER_TOKEN: usize = 4;

pub(super) fn chars(messages: &[Message<'_>]) -> usize {
    messages.iter().flat_map(Message::texts).map(|text| text.chars().count()).sum()
}

/// N, if the last user message says "Answer in about N tokens.", else as many as `seed` draws.
pub(super) fn wanted_tokens(messages: &[Message<'_>], seed: u64) -> u64 {
    asked_for(messages).unwrap_or_else(|| {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        ANSWER.sample(&mut rng, |tokens| tokens).round() as u64
    })
}

fn asked_for(messages: &[Message<'_>]) -> Option<u64> {
    const PHRASE: &str = "Answer in about ";
    let last = messages.iter().rfind(|message| message.role == "user")?;
    last.texts()
        .filter_map(|text| {
            let rest = &text[text.rfind(PHRASE)? + PHRASE.len()..];
            let (number, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
            rest.starts_with(" token").then(|| number.parse().ok())?
        })
        .last()
}

pub(super) fn hash_messages(messages: &[Message<'_>], hasher: &mut DefaultHasher) {
    for message in messages {
        message.role.hash(hasher);
        message.texts().for_each(|text| text.hash(hasher));
    }
}

impl Ask {
    /// The error says what is wrong with the body. `cache`: the provider's, if it has one.
    pub(super) fn parse(body: &[u8], cache: Option<&PromptCache>) -> Result<Self, String> {
        let body: Body = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        if body.messages.is_empty() {
            return Err("messages is empty; write at least one".into());
        }
        let seed = body.seed();
        let wanted = wanted_tokens(&body.messages, seed);
        let most = body.max_completion_tokens.or(body.max_tokens).unwrap_or(LONGEST_ANSWER).clamp(1, LONGEST_ANSWER);
        Ok(Self {
            prompt_tokens: tokens(chars(&body.messages)),
            beginnings: cache.map_or_else(Vec::new, |cache| body.beginnings(cache)),
            output_tokens: wanted.clamp(1, most),
            cut_short: wanted > most,
            stream: body.stream.unwrap_or(false),
            include_usage: body.stream_options.and_then(|options| options.include_usage).unwrap_or(false),
            seed,
            model: body.model.into_owned(),
        })
    }
}

impl Body<'_> {
    fn seed(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.model.hash(&mut hasher);
        hash_messages(&self.messages, &mut hasher);
        hasher.finish()
    }

    /// As OpenAI keeps them: from the least length on in steps of 128 tokens, whatever the messages.
    fn beginnings(&self, cache: &PromptCache) -> Vec<Beginning> {
        const STEP: u64 = 128;
        let mut found = Vec::new();
        let mut hasher = DefaultHasher::new();
        self.model.hash(&mut hasher);
        let (mut seen, mut next) = (0, cache.min_tokens);
        for message in &self.messages {
            message.role.hash(&mut hasher);
            for mut rest in message.texts() {
                while !rest.is_empty() {
                    let left = next as usize * CHARS_PER_TOKEN - seen;
                    let end = rest.char_indices().nth(left).map_or(rest.len(), |(at, _)| at);
                    hasher.write(&rest.as_bytes()[..end]);
                    seen += rest[..end].chars().count();
                    rest = &rest[end..];
                    if seen == next as usize * CHARS_PER_TOKEN {
                        found.push(Beginning {
                            hash: hasher.clone().finish(),
                            tokens: next,
                            kept_for: Some(cache.ttl),
                        });
                        next += STEP;
                    }
                }
            }
        }
        found
    }
}

/// What a request body means: equal for bodies that differ in the order of keys, in white space, in how a number is
/// written, or in whether the answer is to be streamed.
pub(super) fn meaning(body: &[u8]) -> Option<[u8; 32]> {
    let Ok(Value::Object(mut body)) = serde_json::from_slice(body) else { return None };
    body.remove("stream");
    body.remove("stream_options");
    let mut digest = Sha256::new();
    digest_value(&Value::Object(body), &mut digest);
    Some(digest.finalize().into())
}

/// Every value begins with its kind and, where it can vary, its length, so that no two read the same.
fn digest_value(value: &Value, digest: &mut Sha256) {
    let text = |kind: u8, text: &str, digest: &mut Sha256| {
        digest.update([kind]);
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    };
    match value {
        Value::Null => digest.update(b"0"),
        Value::Bool(true) => digest.update(b"t"),
        Value::Bool(false) => digest.update(b"f"),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => {
                let whole = float.fract() == 0.0 && float.abs() < (1u64 << 53) as f64;
                text(b'n', &if whole { (float as i64).to_string() } else { float.to_string() }, digest);
            }
            _ => text(b'n', &number.to_string(), digest),
        },
        Value::String(string) => text(b's', string, digest),
        Value::Array(items) => {
            digest.update(b"a");
            digest.update((items.len() as u64).to_le_bytes());
            items.iter().for_each(|item| digest_value(item, digest));
        }
        Value::Object(map) => {
            digest.update(b"o");
            digest.update((map.len() as u64).to_le_bytes());
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            for (key, item) in entries {
                text(b'k', key, digest);
                digest_value(item, digest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str, rest: &str) -> Ask {
        let content = serde_json::to_string(text).unwrap();
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{content}}}]{rest}}}"#);
        Ask::parse(body.as_bytes(), None).unwrap()
    }

    #[test]
    fn the_length_asked_for_is_taken_from_the_last_user_message() {
        let ask = asked("Answer in about 7 tokens. No: Answer in about 42 tokens.", "");
        assert_eq!((ask.output_tokens, ask.cut_short), (42, false));
        let body = br#"{"model":"m","messages":[{"role":"user","content":"Answer in about 9 tokens."},
            {"role":"assistant","content":"Answer in about 5 tokens."}]}"#;
        assert_eq!(Ask::parse(body, None).unwrap().output_tokens, 9);
    }

    #[test]
    fn a_maximum_cuts_the_answer_and_the_newer_name_wins() {
        let ask = asked("Answer in about 100 tokens.", r#","max_tokens":50"#);
        assert_eq!((ask.output_tokens, ask.cut_short), (50, true));
        let ask = asked("Answer in about 100 tokens.", r#","max_tokens":50,"max_completion_tokens":200"#);
        assert_eq!((ask.output_tokens, ask.cut_short), (100, false));
    }

    #[test]
    fn no_answer_is_longer_than_models_give() {
        let ask = asked("Answer in about 99999999999 tokens.", r#","max_tokens":88888888888"#);
        assert_eq!((ask.output_tokens, ask.cut_short), (LONGEST_ANSWER, true));
    }

    #[test]
    fn a_length_nobody_asked_for_is_drawn_from_the_request_alone() {
        let lengths: Vec<_> = (0..400).map(|i| asked(&format!("question {i}"), "").output_tokens).collect();
        assert_eq!(lengths[7], asked("question 7", r#","stream":true"#).output_tokens);
        let below = lengths.iter().filter(|&&n| n < 60).count();
        assert!((120..280).contains(&below), "median 60, yet {below} of 400 below it");
    }

    #[test]
    fn prompt_tokens_are_characters_by_four_over_all_contents_rounded_up() {
        let body = r#"{"model":"m","messages":[{"role":"system","content":"你好你"},
            {"role":"user","content":[{"type":"text","text":"ab"},{"type":"image_url","image_url":{"url":"x"}}]},
            {"role":"assistant","content":null}]}"#;
        assert_eq!(Ask::parse(body.as_bytes(), None).unwrap().prompt_tokens, 2);
    }

    #[test]
    fn a_body_that_is_no_chat_request_is_refused_with_the_reason() {
        assert!(Ask::parse(b"{", None).unwrap_err().contains("EOF"));
        assert!(Ask::parse(br#"{"messages":[]}"#, None).unwrap_err().contains("model"));
        assert!(Ask::parse(br#"{"model":"m","messages":[]}"#, None).unwrap_err().contains("messages"));
    }

    #[test]
    fn the_meaning_ignores_order_of_keys_form_of_numbers_and_streaming_but_nothing_else() {
        let base = meaning(br#"{"model":"m","temperature":1,"messages":[{"role":"user","content":"a"}]}"#).unwrap();
        let same = br#"{"messages": [{"content":"a","role":"user"}], "temperature":1.0, "model":"m", "stream":true,
            "stream_options":{"include_usage":true}}"#;
        assert_eq!(meaning(same).unwrap(), base);
        for other in [
            r#"{"model":"m","temperature":0,"messages":[{"role":"user","content":"a"}]}"#,
            r#"{"model":"n","temperature":1,"messages":[{"role":"user","content":"a"}]}"#,
            r#"{"model":"m","temperature":1,"messages":[{"role":"user","content":"b"}]}"#,
            r#"{"model":"m","temperature":1,"messages":[{"role":"user","content":"a"}],"seed":1}"#,
        ] {
            assert_ne!(meaning(other.as_bytes()).unwrap(), base, "{other}");
        }
    }
}

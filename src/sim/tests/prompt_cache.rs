//! The provider's prompt cache as usage and counters tell it, in both dialects.

use super::*;
use crate::profile::PromptCache;

fn caching() -> Server {
    server(|spec| spec.prompt_cache = Some(PromptCache::default()))
}

fn words(tokens: usize) -> String {
    "word".repeat(tokens)
}

/// Cached, written, written for an hour, and fresh input.
fn served(reply: &Reply) -> [u64; 4] {
    let usage = &reply.json()["usage"];
    let count = |at: &Value| at.as_u64().unwrap();
    [
        count(&usage["cache_read_input_tokens"]),
        count(&usage["cache_creation_input_tokens"]),
        count(&usage["cache_creation"]["ephemeral_1h_input_tokens"]),
        count(&usage["input_tokens"]),
    ]
}

fn message(system: &Value, question: &str) -> Value {
    json!({ "model": "claude-sonnet-5-5", "max_tokens": 1, "system": system, "messages": [{ "role": "user", "content": question }] })
}

#[test]
fn anthropic_keeps_what_is_marked_and_nothing_else() {
    let server = caching();
    let mut client = connect(&server);
    let system = |mark: Value| json!([{ "type": "text", "text": words(2000), "cache_control": mark }]);
    let unmarked = message(&system(Value::Null), "question one");
    assert_eq!(served(&client.message(&unmarked).unwrap()), [0, 0, 0, 2003]);
    assert_eq!(served(&client.message(&unmarked).unwrap()), [0, 0, 0, 2003]);
    let marked = |question| message(&system(json!({ "type": "ephemeral" })), question);
    assert_eq!(served(&client.message(&marked("question one")).unwrap()), [0, 2000, 0, 3]);
    assert_eq!(served(&client.message(&marked("question two")).unwrap()), [2000, 0, 0, 3]);
    // At the top: the last block too. Unmarked reading needs a mark behind it.
    let mut whole = marked("question three");
    whole["cache_control"] = json!({ "type": "ephemeral", "ttl": "1h" });
    assert_eq!(served(&client.message(&whole).unwrap()), [2000, 4, 4, 0]);
    assert_eq!(served(&client.message(&whole).unwrap()), [2004, 0, 0, 0]);
    assert_eq!(served(&client.message(&unmarked).unwrap()), [0, 0, 0, 2003]);
    let mut other = marked("question one");
    other["model"] = "claude-haiku-5-5".into();
    assert_eq!(served(&client.message(&other).unwrap()), [0, 2000, 0, 3]);
    let stats = route(&server).stats();
    assert_eq!((stats.tokens_cached, stats.tokens_cache_write), (2000 + 2000 + 2004, 2000 + 4 + 2000));
}

#[test]
fn openai_keeps_the_beginnings_of_long_prompts_unasked_in_steps_of_128_tokens() {
    let server = caching();
    let mut client = connect(&server);
    let mut cached = |texts: &[&str]| {
        let messages: Vec<_> = texts.iter().map(|text| json!({ "role": "user", "content": text })).collect();
        let body = json!({ "model": "gpt-4.1", "max_tokens": 1, "messages": messages });
        client.post(&body).unwrap().json()["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap()
    };
    assert_eq!([cached(&[&words(1023)]), cached(&[&words(1023)])], [0, 0]);
    assert_eq!([cached(&[&words(1300)]), cached(&[&words(1300)])], [0, 1280]);
    // Another end, in the same message or the next.
    assert_eq!(cached(&[&(words(1200) + "x")]), 1152);
    assert_eq!(cached(&[&words(1100), "another"]), 1024);
    assert_eq!(cached(&[&("x".to_owned() + &words(1300))]), 0);
    let stats = route(&server).stats();
    assert_eq!((stats.tokens_cached, stats.tokens_cache_write), (1280 + 1152 + 1024, 0));
}

#[test]
fn without_one_nothing_is_kept() {
    let server = server(|_| ());
    let mut client = connect(&server);
    let system = json!([{ "type": "text", "text": words(2000), "cache_control": { "type": "ephemeral" } }]);
    for _ in 0..2 {
        assert_eq!(served(&client.message(&message(&system, "question")).unwrap()), [0, 0, 0, 2002]);
    }
    assert_eq!(route(&server).stats().tokens_cached, 0);
}

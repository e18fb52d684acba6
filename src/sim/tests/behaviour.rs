//! Answers, keys, models, limits and the gateway's cache.

use super::*;
use crate::profile::{GatewayCache, Spread};

#[test]
fn a_whole_answer_has_the_length_asked_for_and_its_usage() {
    let server = server(|_| ());
    let reply = connect(&server).post(&ask(12)).unwrap();
    let body = reply.json();
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!((body["object"].as_str(), body["model"].as_str()), (Some("chat.completion"), Some("gpt-4.1")));
    assert_eq!(body["choices"][0]["message"]["content"].as_str().unwrap().len(), 12 * 4);
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    let prompt = "Answer in about 12 tokens.".len().div_ceil(4);
    assert_eq!(
        body["usage"],
        json!({ "prompt_tokens": prompt, "completion_tokens": 12, "total_tokens": prompt + 12,
            "prompt_tokens_details": { "cached_tokens": 0 }, "completion_tokens_details": { "reasoning_tokens": 0 } })
    );
}

#[test]
fn a_stream_is_a_role_then_a_delta_a_token_then_the_finish_the_usage_and_the_end() {
    let server = server(|_| ());
    let mut client = connect(&server);
    let whole = client.post(&ask(6)).unwrap().json();
    let reply = client.post(&ask_streamed(6)).unwrap();
    assert_eq!(reply.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let mut events = reply.events();
    assert_eq!(events.pop(), Some("[DONE]"));
    let events: Vec<Value> = events.into_iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    assert_eq!(events.len(), 1 + 6 + 1 + 1);
    assert_eq!(events[0]["choices"][0]["delta"], json!({ "role": "assistant", "content": "", "refusal": null }));
    let text: String =
        events[1..7].iter().map(|event| event["choices"][0]["delta"]["content"].as_str().unwrap()).collect();
    assert_eq!(text, whole["choices"][0]["message"]["content"].as_str().unwrap());
    assert_eq!(events[7]["choices"][0]["finish_reason"], "stop");
    assert_eq!((&events[8]["choices"], &events[8]["usage"]), (&json!([]), &whole["usage"]));
    assert!(events[..8].iter().all(|event| event["usage"].is_null() && event["object"] == "chat.completion.chunk"));
}

#[test]
fn a_stream_without_the_wish_for_usage_has_none() {
    let server = server(|_| ());
    let mut body = ask_streamed(2);
    body["stream_options"] = json!(null);
    body["max_tokens"] = 1.into();
    let reply = connect(&server).post(&body).unwrap();
    assert!(!String::from_utf8(reply.body.clone()).unwrap().contains("usage"));
    let events = reply.events();
    assert_eq!(events.len(), 1 + 1 + 1 + 1);
    assert!(events[2].contains(r#""finish_reason":"length""#));
}

#[test]
fn unknown_paths_wrong_methods_and_broken_bodies_get_openais_errors_and_keep_the_connection() {
    let server = server(|_| ());
    let mut client = connect(&server);
    let status = |reply: &Reply| (reply.status, reply.json()["error"]["type"].as_str().unwrap().to_owned());
    let invalid = "invalid_request_error".to_owned();
    assert_eq!(status(&client.get("/v1/nothing").unwrap()), (404, invalid.clone()));
    assert_eq!(status(&client.get("/v1/chat/completions").unwrap()), (405, invalid.clone()));
    assert_eq!(status(&client.request("POST /v1/models", "", "").unwrap()), (405, invalid.clone()));
    assert_eq!(status(&client.request("POST /v1/chat/completions", "", "{").unwrap()), (400, invalid));
    assert_eq!(client.post(&ask(1)).unwrap().status, 200);
    assert_eq!(route(&server).stats().accepted, 1);
}

#[test]
fn only_accepted_keys_are_served_in_either_header() {
    let server = server(|spec| spec.keys = vec!["sk-good".into()]);
    let mut client = connect(&server);
    for (headers, status) in [
        ("", 401),
        ("authorization: Bearer sk-bad\r\n", 401),
        ("authorization: Bearer sk-good\r\n", 200),
        ("x-api-key: sk-good\r\n", 200),
    ] {
        let reply = client.post_with(headers, &ask(1)).unwrap();
        assert_eq!(reply.status, status, "{headers}");
        assert_eq!(code(&reply).as_deref(), (status == 401).then_some("invalid_api_key"));
        assert_eq!(client.request("GET /v1/models", headers, "").unwrap().status, status);
    }
}

#[test]
fn models_outside_the_prefixes_are_not_found_nor_listed() {
    let server = server(|spec| spec.models = vec!["gpt-4.1".into()]);
    let mut client = connect(&server);
    let mut body = ask(1);
    body["model"] = "claude-sonnet-4-5".into();
    let reply = client.post(&body).unwrap();
    assert_eq!((reply.status, code(&reply).as_deref()), (404, Some("model_not_found")));
    let listed = client.get("/v1/models").unwrap().json();
    let names: Vec<_> = listed["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(names, ["gpt-4.1", "gpt-4.1-mini"]);
}

#[test]
fn limits_show_in_headers_and_refuse_with_a_429_that_says_when_to_come_again() {
    let server = server(|spec| (spec.requests_per_minute, spec.tokens_per_minute) = (2, 6_000));
    let mut client = connect(&server);
    let first = client.post(&ask(93)).unwrap();
    assert_eq!(first.header("x-ratelimit-limit-requests"), Some("2"));
    assert_eq!(first.header("x-ratelimit-remaining-requests"), Some("1"));
    assert!(first.header("x-ratelimit-reset-requests").unwrap().ends_with('s'));
    assert_eq!(first.header("x-ratelimit-remaining-tokens"), Some("5900"));
    assert_eq!(first.header("x-ratelimit-reset-tokens"), Some("1s"));
    client.post(&ask(1)).unwrap();
    let refused = client.post(&ask(1)).unwrap();
    assert_eq!((refused.status, code(&refused).as_deref()), (429, Some("rate_limit_exceeded")));
    assert_eq!(refused.json()["error"]["type"], "requests");
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    let millis: u64 = refused.header("retry-after-ms").unwrap().parse().unwrap();
    assert_eq!(seconds, millis.div_ceil(1000));
    assert!((20..=30).contains(&seconds));
    assert_eq!(refused.header("x-ratelimit-remaining-requests"), Some("0"));
}

#[test]
fn requests_in_progress_beyond_the_concurrency_limit_are_refused() {
    let server = server(|spec| (spec.concurrency_limit, spec.ttft) = (1, Spread::Fixed(ms(200))));
    let mut busy = connect(&server);
    busy.send("POST /v1/chat/completions", "", &ask(1).to_string()).unwrap();
    eventually(|| route(&server).stats().tokens_in > 0);
    let mut client = connect(&server);
    let refused = client.post(&ask(1)).unwrap();
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    eventually(|| route(&server).stats().by_status.contains_key("200"));
    assert_eq!(client.post(&ask(1)).unwrap().status, 200);
}

#[test]
fn a_gateways_cache_answers_the_same_meaning_at_once_and_bills_nothing() {
    let server = server(|spec| {
        spec.gateway_cache = Some(GatewayCache::default());
        (spec.ttft, spec.requests_per_minute) = (Spread::Fixed(ms(150)), 2);
    });
    let mut client = connect(&server);
    let first = client.post(&ask(8)).unwrap();
    assert_eq!(first.header("x-cache"), Some("MISS"));
    let billed = route(&server).stats();
    let hit = client.post(&ask_streamed(8)).unwrap();
    assert_eq!(hit.header("x-cache"), Some("HIT"));
    assert!(hit.after < ms(150), "{:?}", hit.after);
    let usage: Value = serde_json::from_str(hit.events()[hit.events().len() - 2]).unwrap();
    assert_eq!(usage["usage"], first.json()["usage"]);
    assert_eq!(client.post(&ask(8)).unwrap().json()["id"], first.json()["id"]);
    let stats = route(&server).stats();
    assert_eq!((stats.gateway_hits, stats.requests, stats.by_status["200"]), (2, 3, 3));
    assert_eq!((stats.tokens_in, stats.tokens_out), (billed.tokens_in, billed.tokens_out));

    let fresh = client.post_with("cache-control: no-cache\r\n", &ask(8)).unwrap();
    assert!(fresh.header("x-cache") == Some("BYPASS") && fresh.after >= ms(150));
    let limited = client.post_with("cache-control: no-store\r\n", &ask(8)).unwrap();
    assert_eq!(limited.status, 429);
    assert_eq!(client.post(&ask(8)).unwrap().header("x-cache"), Some("HIT"));
}

#[test]
fn an_answer_that_did_not_complete_is_not_cached() {
    let server = server(|spec| spec.gateway_cache = Some(GatewayCache::default()));
    route(&server).add_fault(crate::profile::FaultKind::Truncate, None, ms(400));
    assert!(connect(&server).post(&ask_streamed(8)).is_err());
    eventually(|| {
        let reply = connect(&server).post(&ask(8));
        reply.is_ok_and(|reply| {
            assert_eq!(reply.header("x-cache"), Some("MISS"));
            true
        })
    });
}

#[test]
fn the_same_seed_draws_the_same_errors() {
    let statuses = || {
        let server = server(|spec| spec.error_rate = 0.3);
        let mut client = connect(&server);
        (0..40).map(|_| client.post(&ask(1)).unwrap().status).collect::<Vec<_>>()
    };
    let first = statuses();
    assert_eq!(first, statuses());
    assert!(first.contains(&200) && first.contains(&500));
}

#[test]
fn a_taken_address_is_said_with_the_route_and_the_way_out() {
    // Inside a runtime, where dropping another one the ordinary way would panic.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(async { start_twice_on_one_address() });
    assert!(error.contains("second") && error.contains("--listen"), "{error}");
}

fn start_twice_on_one_address() -> String {
    let first = server(|_| ());
    let options = Options { listen: route(&first).address(), ..Options::default() };
    let spec = Simulated::preset("local").unwrap();
    Server::start(&[("second".into(), spec)], options).err().unwrap().to_string()
}

//! Anthropic's dialect as a client meets it.

use super::*;
use crate::profile::{FaultKind, Spread};

const VERSION: &str = "anthropic-version: 2023-06-01\r\n";

/// A request that is answered with `tokens` tokens.
fn ask(tokens: u64) -> Value {
    json!({ "model": "claude-sonnet-5-5", "max_tokens": 100,
        "messages": [{ "role": "user", "content": format!("Answer in about {tokens} tokens.") }] })
}

fn streamed(tokens: u64) -> Value {
    let mut body = ask(tokens);
    body["stream"] = true.into();
    body
}

/// The name and the data of each event.
fn events(reply: &Reply) -> Vec<(&str, Value)> {
    let text = std::str::from_utf8(&reply.body).unwrap();
    let event = |event: &'_ str| -> (usize, Value) {
        let data = event.find("\ndata: ").unwrap();
        (data, serde_json::from_str(&event[data + "\ndata: ".len()..]).unwrap())
    };
    let each = text.split("\n\n").filter(|event| !event.is_empty());
    each.map(|one| {
        let (end, data) = event(one);
        (one[..end].strip_prefix("event: ").unwrap(), data)
    })
    .collect()
}

/// The type of an error in Anthropic's shape, whose request id is that of the header.
fn error(reply: &Reply) -> (u16, String) {
    let body = reply.json();
    assert_eq!((&body["type"], body["request_id"].as_str()), (&json!("error"), reply.header("request-id")), "{body}");
    assert!(!body["error"]["message"].as_str().unwrap().is_empty());
    (reply.status, body["error"]["type"].as_str().unwrap().to_owned())
}

#[test]
fn a_whole_answer_is_a_message_of_the_length_asked_for() {
    let server = server(|_| ());
    let mut client = connect(&server);
    let reply = client.message(&ask(12)).unwrap();
    let body = reply.json();
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert!(reply.header("request-id").unwrap().starts_with("req_") && reply.header("x-request-id").is_none());
    assert_eq!(
        (&body["type"], &body["role"], &body["model"]),
        (&json!("message"), &json!("assistant"), &json!("claude-sonnet-5-5"))
    );
    assert_eq!(body["content"][0]["text"].as_str().unwrap().len(), 12 * 4);
    assert_eq!((&body["stop_reason"], &body["stop_sequence"]), (&json!("end_turn"), &Value::Null));
    let usage = &body["usage"];
    assert_eq!((usage["input_tokens"].as_u64(), usage["output_tokens"].as_u64()), (Some(7), Some(12)));
    assert_eq!((&usage["cache_read_input_tokens"], &usage["cache_creation_input_tokens"]), (&json!(0), &json!(0)));
    let mut short = ask(12);
    short["max_tokens"] = 5.into();
    let body = client.message(&short).unwrap().json();
    assert_eq!((&body["stop_reason"], &body["usage"]["output_tokens"]), (&json!("max_tokens"), &json!(5)));
}

#[test]
fn a_stream_is_a_start_a_block_with_a_delta_a_token_and_a_stop_with_the_usage_of_the_whole_answer() {
    let server = server(|_| ());
    let mut client = connect(&server);
    let whole = client.message(&ask(6)).unwrap().json();
    let reply = client.message(&streamed(6)).unwrap();
    assert_eq!(reply.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let events = events(&reply);
    let names: Vec<_> = events.iter().map(|(name, _)| *name).collect();
    let mut expected = vec!["message_start", "content_block_start", "ping"];
    expected.extend(["content_block_delta"; 6]);
    expected.extend(["content_block_stop", "message_delta", "message_stop"]);
    assert_eq!(names, expected);
    assert!(events.iter().all(|(name, data)| data["type"] == *name));
    let text: String = events[3..9].iter().map(|(_, data)| data["delta"]["text"].as_str().unwrap()).collect();
    assert_eq!(text, whole["content"][0]["text"].as_str().unwrap());
    let start = &events[0].1["message"];
    assert_eq!((&start["content"], &start["stop_reason"]), (&json!([]), &Value::Null));
    assert_eq!((&start["usage"]["input_tokens"], &start["usage"]["output_tokens"]), (&json!(7), &json!(1)));
    let end = &events[10].1;
    assert_eq!((&end["delta"]["stop_reason"], &end["usage"]), (&json!("end_turn"), &whole["usage"]));
    let stats = route(&server).stats();
    assert_eq!((stats.requests, stats.tokens_in, stats.tokens_out), (2, 14, 12));
}

#[test]
fn what_is_wrong_is_said_in_anthropics_shape_on_its_path_and_to_its_clients() {
    let server = server(|spec| {
        spec.keys = vec!["sk-good".into()];
        spec.models = vec!["claude-".into()];
    });
    let mut client = connect(&server);
    let mut post =
        |headers: &str, body: &Value| client.request("POST /v1/messages", headers, &body.to_string()).unwrap();
    let good = format!("{VERSION}x-api-key: sk-good\r\n");
    assert_eq!(post(&good, &ask(1)).status, 200);
    assert_eq!(error(&post(VERSION, &ask(1))), (401, "authentication_error".into()));
    assert_eq!(error(&post(&format!("{VERSION}x-api-key: sk-bad\r\n"), &ask(1))), (401, "authentication_error".into()));
    let unversioned = post("x-api-key: sk-good\r\n", &ask(1));
    assert_eq!(error(&unversioned), (400, "invalid_request_error".into()));
    assert_eq!(unversioned.json()["error"]["message"], "anthropic-version: header is required");
    let mut other = ask(1);
    other["model"] = "gpt-4.1".into();
    let unknown = post(&good, &other);
    assert_eq!(
        (error(&unknown), &unknown.json()["error"]["message"]),
        ((404, "not_found_error".into()), &json!("model: gpt-4.1"))
    );
    let mut endless = ask(1);
    endless.as_object_mut().unwrap().remove("max_tokens");
    assert_eq!(post(&good, &endless).json()["error"]["message"], "max_tokens: Field required");
    let wrong = client.request("GET /v1/messages", &good, "").unwrap();
    assert_eq!(error(&wrong), (405, "invalid_request_error".into()));
    assert_eq!(error(&client.request("GET /v1/nothing", &good, "").unwrap()), (404, "not_found_error".into()));
    // A client of the other dialect is told in its own.
    assert_eq!(code(&client.get("/v1/models").unwrap()).as_deref(), Some("invalid_api_key"));
}

#[test]
fn models_are_listed_in_the_shape_of_who_asks() {
    let server = server(|spec| spec.models = vec!["claude-sonnet".into()]);
    let mut client = connect(&server);
    let listed = client.request("GET /v1/models", VERSION, "").unwrap().json();
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["claude-sonnet-5-5", "claude-sonnet-4-5"]);
    assert_eq!((&listed["data"][0]["type"], &listed["has_more"]), (&json!("model"), &json!(false)));
    assert_eq!((listed["first_id"].as_str(), listed["last_id"].as_str()), (Some(ids[0]), Some(ids[1])));
    assert_eq!(client.get("/v1/models").unwrap().json()["object"], "list");
}

#[test]
fn limits_show_in_headers_of_their_own_and_a_429_says_when_to_come_again() {
    let server = server(|spec| (spec.requests_per_minute, spec.tokens_per_minute) = (1, 6_000));
    let mut client = connect(&server);
    let first = client.message(&ask(93)).unwrap();
    assert_eq!(first.header("anthropic-ratelimit-requests-limit"), Some("1"));
    assert_eq!(first.header("anthropic-ratelimit-tokens-remaining"), Some("5900"));
    let reset = first.header("anthropic-ratelimit-requests-reset").unwrap();
    assert!(humantime::parse_rfc3339(reset).unwrap() > std::time::SystemTime::now() + ms(30_000), "{reset}");
    let refused = client.message(&ask(1)).unwrap();
    assert_eq!(error(&refused), (429, "rate_limit_error".into()));
    assert!((40..=60).contains(&refused.header("retry-after").unwrap().parse::<u64>().unwrap()));
    assert!(refused.header("retry-after-ms").is_none() && refused.header("x-ratelimit-limit-requests").is_none());
}

#[test]
fn each_fault_has_its_error_and_its_status() {
    for (kind, status, name) in [
        (FaultKind::TooManyRequests, 429, "rate_limit_error"),
        (FaultKind::InternalError, 500, "api_error"),
        (FaultKind::Unavailable, 503, "api_error"),
        (FaultKind::Overloaded, 529, "overloaded_error"),
    ] {
        let server = server(|_| ());
        route(&server).add_fault(kind, None, Duration::from_secs(60));
        assert_eq!(error(&connect(&server).message(&streamed(1)).unwrap()), (status, name.into()));
    }
}

#[test]
fn a_stream_that_fails_ends_with_an_error_event_and_a_truncated_one_with_nothing() {
    let server = server(|_| ());
    route(&server).add_fault(FaultKind::Error, None, Duration::from_secs(60));
    let mut client = connect(&server);
    let reply = client.message(&streamed(6)).unwrap();
    let last = events(&reply).pop().unwrap();
    assert_eq!((reply.status, last.0, &last.1["error"]["type"]), (200, "error", &json!("overloaded_error")));
    assert_eq!(events(&reply).iter().filter(|(name, _)| *name == "content_block_delta").count(), 3);
    let whole = client.message(&ask(6)).unwrap();
    assert_eq!((whole.status, &whole.json()["error"]["type"]), (200, &json!("overloaded_error")));
    // In OpenAI's dialect on the same route, and on the same connection.
    let chat = client.post(&super::ask_streamed(6)).unwrap();
    let said = chat.events();
    assert!(said.len() == 1 + 3 + 1 && said[4].contains("server_error"), "{said:?}");
    assert_eq!(client.post(&super::ask(6)).unwrap().json()["error"]["type"], "server_error");
    let stats = route(&server).stats();
    assert_eq!((stats.by_status["error"], stats.requests, stats.accepted), (4, 4, 1));
    // What was sent is billed; whole answers were none.
    assert_eq!((stats.tokens_in, stats.tokens_out), (14, 6));

    let server = self::server(|_| ());
    route(&server).add_fault(FaultKind::Truncate, None, Duration::from_secs(60));
    let mut client = connect(&server);
    assert!(client.message(&streamed(6)).is_err());
    assert!(client.received().contains("content_block_delta") && !client.received().contains("message_stop"));
}

#[test]
fn tokens_come_at_the_pace_of_the_route() {
    let server = server(|spec| (spec.ttft, spec.tokens_per_second) = (Spread::Fixed(ms(60)), Spread::Fixed(100.0)));
    let reply = connect(&server).message(&streamed(6)).unwrap();
    assert!(reply.head_after >= ms(60) && reply.after >= ms(110), "{:?} {:?}", reply.head_after, reply.after);
}

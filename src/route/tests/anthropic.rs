//! Attempts in Anthropic's dialect. What a stream may hold is told by the fixtures of `tests/streams`.

use super::server::{STREAM_HEAD, Server, answer, chunk};
use super::{ask, ask_streamed, local, messages};
use crate::chat::Usage;
use crate::profile::{Client, Pool};
use crate::route::{Attempt, Endpoint, Failure, FailureKind, Reply};

const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Hi "},{"type":"text","text":"\"you\""}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":30,"cache_read_input_tokens":8,"output_tokens":3}}"#;

const USAGE: Usage =
    Usage { input: 50, cached_input: 8, cache_write: 30, cache_write_1h: 0, output: 3, estimated: false };

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"usage":{"input_tokens":12,"cache_creation_input_tokens":30,"cache_read_input_tokens":8,"output_tokens":1}}}"#;
const STOP: [&str; 2] = [
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#,
    r#"{"type":"message_stop"}"#,
];

fn delta(delta: &str) -> String {
    format!(r#"{{"type":"content_block_delta","index":0,"delta":{delta}}}"#)
}

fn text(text: &str) -> String {
    delta(&format!(r#"{{"type":"text_delta","text":"{text}"}}"#))
}

/// A stream whose events are named as their types.
fn stream(events: &[&str]) -> Vec<u8> {
    let mut all = STREAM_HEAD.as_bytes().to_vec();
    for event in events {
        let json: serde_json::Value = serde_json::from_str(event).unwrap();
        all.extend(chunk(&format!("event: {}\ndata: {event}\n\n", json["type"].as_str().unwrap())));
    }
    all.extend(b"0\r\n\r\n");
    all
}

async fn against(answer: Vec<u8>, streamed: bool) -> Attempt {
    let server = Server::always(answer).await;
    let endpoint = Endpoint::new(messages(&server.base_url), &Pool::default()).unwrap();
    if streamed { ask_streamed(&endpoint).await } else { ask(&endpoint).await }
}

fn ok(attempt: &Attempt) -> &Reply {
    attempt.result.as_ref().unwrap_or_else(|failure| panic!("{failure:?}"))
}

fn failed(attempt: &Attempt) -> &Failure {
    attempt.result.as_ref().expect_err("it should have failed")
}

fn content(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.answer.as_ref().unwrap().content).unwrap()
}

#[test]
fn a_request_goes_to_messages_with_the_key_and_the_version_in_headers_of_their_own() {
    for client in [Client::Exact, Client::Reqwest] {
        local(async move {
            let server = Server::always(answer("200 OK", "", MESSAGE)).await;
            let mut config = messages(&format!("{}/?beta=true", server.base_url));
            let endpoint = |config| Endpoint::new(config, &Pool { client, ..Pool::default() }).unwrap();
            ok(&ask(&endpoint(config.clone())).await);
            config.headers.insert("Anthropic-Version".into(), "2099-01-01".into());
            config.api_key = None;
            ok(&ask_streamed(&endpoint(config)).await);
            let seen = server.seen.requests.borrow();
            assert!(seen[0].starts_with("POST /v1/messages?beta=true HTTP/1.1\r\n"), "{}", seen[0]);
            assert!(
                seen[0].contains("x-api-key: sk-test-key\r\n") && seen[0].contains("anthropic-version: 2023-06-01\r\n")
            );
            assert!(!seen[0].contains("authorization") && !seen[1].contains("x-api-key"), "{} {}", seen[0], seen[1]);
            // The profile's own version wins.
            assert!(seen[1].contains("anthropic-version: 2099-01-01\r\n") && !seen[1].contains("2023-06-01"));
            assert!(seen[1].contains(r#""max_tokens":4096"#) && seen[1].contains(r#""stream":true"#));
        });
    }
}

#[test]
fn a_whole_answer_gives_its_usage_and_the_text_of_its_blocks() {
    local(async {
        let attempt = against(answer("200 OK", "", MESSAGE), false).await;
        assert_eq!((ok(&attempt).usage, content(ok(&attempt))), (USAGE, "Hi \"you\""));
        // Asked to stream, a gateway may serve from its cache whole.
        let attempt = against(answer("200 OK", "x-cache: HIT\r\n", MESSAGE), true).await;
        assert_eq!((ok(&attempt).usage, ok(&attempt).gateway_hit), (USAGE, true));
    });
}

#[test]
fn a_stream_gives_what_the_whole_answer_does() {
    local(async {
        let events = [START, &text("Hi "), &text("\\\"you\\\""), STOP[0], STOP[1]];
        let attempt = against(stream(&events), true).await;
        let reply = ok(&attempt);
        assert_eq!((reply.usage, content(reply)), (USAGE, "Hi \"you\""));
        assert!(reply.first_token.unwrap() <= reply.last_token.unwrap());
    });
}

#[test]
fn calls_of_tools_are_kept_as_their_blocks_whole_or_streamed() {
    local(async {
        let blocks = r#"[{"id":"t","input":{"a":1},"name":"f","type":"tool_use"}]"#;
        let whole =
            format!(r#"{{"type":"message","content":{blocks},"usage":{{"input_tokens":1,"output_tokens":2}}}}"#);
        assert_eq!(content(ok(&against(answer("200 OK", "", &whole), false).await)), blocks);
        let begin = r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#;
        let input = [
            r#"{"type":"input_json_delta","partial_json":"{\"a\""}"#,
            r#"{"type":"input_json_delta","partial_json":":1}"}"#,
        ]
        .map(delta);
        let attempt = against(stream(&[START, begin, &input[0], &input[1], STOP[0], STOP[1]]), true).await;
        let streamed: serde_json::Value = serde_json::from_str(content(ok(&attempt))).unwrap();
        assert_eq!(streamed, serde_json::from_str::<serde_json::Value>(blocks).unwrap());
        assert!(ok(&attempt).first_token.is_some());
    });
}

#[test]
fn a_stream_that_breaks_off_is_billed_for_the_prompt_and_for_what_came() {
    local(async {
        let (a, b, c) = (text("a"), text("b"), text("c"));
        let billed = |attempt: &Attempt| {
            assert_eq!(failed(attempt).kind, FailureKind::Stream);
            failed(attempt).billed.map(|usage| (usage.input, usage.cache_write, usage.output, usage.estimated))
        };
        assert_eq!(billed(&against(stream(&[START, &a, &b, &c]), true).await), Some((50, 30, 3, true)));
        assert_eq!(billed(&against(stream(&[START]), true).await), Some((50, 30, 1, true)));
        assert_eq!(billed(&against(stream(&[START, &a, STOP[0]]), true).await), Some((50, 30, 3, false)));
        assert_eq!(billed(&against(stream(&[]), true).await), None);
        let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        let attempt = against(stream(&[START, &a, error]), true).await;
        assert_eq!(billed(&attempt), Some((50, 30, 1, true)));
        assert_eq!(failed(&attempt).detail, "error inside a 200 (overloaded_error): Overloaded");
    });
}

#[test]
fn a_refusal_is_read_in_its_own_shape_and_hides_the_key() {
    local(async {
        let body =
            r#"{"type":"error","error":{"type":"overloaded_error","message":"not sk-test-key"},"request_id":"req_1"}"#;
        let attempt = against(answer("529 Overloaded", "retry-after: 3\r\n", body), true).await;
        let failure = failed(&attempt);
        assert_eq!((failure.kind, failure.retry_after.map(|wait| wait.as_secs())), (FailureKind::Status(529), Some(3)));
        assert!(!failure.permanent && failure.detail.ends_with("(overloaded_error): not [key]"), "{}", failure.detail);
        let inside = against(answer("200 OK", "", body), false).await;
        assert_eq!(failed(&inside).kind, FailureKind::Stream);
        for body in ["<html>hi</html>", "{}", r#"{"content":"text"}"#, r#"{"choices":[]}"#] {
            let attempt = against(answer("200 OK", "", body), false).await;
            assert_eq!(failed(&attempt).kind, FailureKind::Stream, "{body}");
            assert!(failed(&attempt).detail.starts_with("no message in a 200"), "{}", failed(&attempt).detail);
        }
    });
}

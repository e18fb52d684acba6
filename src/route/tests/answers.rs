//! What servers answer, rightly and wrongly, and what an attempt makes of it; through both transports where it matters.

use std::rc::Rc;
use std::time::Duration;

use super::server::{COMPLETION, STREAM_HEAD, Server, Step, answer, chunk, completion, stream};
use super::{PLENTY, ask, ask_streamed, ask_within, chat, config, endpoint, local};
use crate::chat::Usage;
use crate::profile::{Client, Pool};
use crate::route::{Attempt, Endpoint, Failure, FailureKind, Reply, RouteError, Secret};

fn usage(input: u32, cached_input: u32, output: u32) -> Usage {
    Usage { input, cached_input, output, ..Usage::default() }
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

/// One attempt against a server that answers each request so.
async fn against(answer: Vec<u8>, streamed: bool) -> Attempt {
    against_steps(vec![Step::Send(answer), Step::Close], streamed).await
}

async fn against_steps(steps: Vec<Step>, streamed: bool) -> Attempt {
    let server = Server::start(move |_| steps.clone()).await;
    let endpoint = endpoint(&server.base_url, &Pool::default());
    if streamed { ask_streamed(&endpoint).await } else { ask(&endpoint).await }
}

fn delta(delta: &str) -> String {
    format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}],"usage":null}}"#)
}

const ROLE: &str = r#"{"role":"assistant","content":""}"#;
const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":2,"prompt_cache_hit_tokens":5}}"#;

#[test]
fn a_request_carries_what_was_asked_and_the_headers_of_the_route() {
    local(async {
        let server = Server::always(completion()).await;
        let mut config = config(&format!("{}/?api-version=2", server.base_url));
        config.headers.insert("x-team".into(), "a".into());
        config.headers.insert("User-Agent".into(), "mine".into());
        let endpoint = Endpoint::new(config, &Pool::default()).unwrap();
        ask(&endpoint).await;
        endpoint.set_gateway_cache(false);
        ask(&endpoint).await;
        endpoint.set_gateway_cache(true);
        ask_streamed(&endpoint).await;
        let seen = server.seen.requests.borrow();
        assert!(seen[0].starts_with("POST /v1/chat/completions?api-version=2 HTTP/1.1\r\n"), "{}", seen[0]);
        let host = server.base_url.trim_start_matches("http://").trim_end_matches("/v1");
        for line in [
            format!("host: {host}\r\n").as_str(),
            "content-type: application/json\r\n",
            "accept: application/json\r\n",
            "authorization: Bearer sk-test-key\r\n",
            "x-team: a\r\n",
            "user-agent: mine\r\n",
            "\r\n\r\n{\"model\":\"m\",\"messages\":[{\"content\":\"hello\",\"role\":\"user\"}]}",
        ] {
            assert!(seen[0].contains(line), "{line} in {}", seen[0]);
        }
        assert!(!seen[0].contains("cache") && !seen[2].contains("cache"));
        assert!(seen[1].contains("cache-control: no-cache\r\n"));
        assert!(seen[2].contains("accept: text/event-stream\r\n") && seen[2].contains("\"stream\":true"));
    });
}

#[test]
fn a_whole_answer_gives_usage_and_content_through_either_client() {
    for client in [Client::Exact, Client::Reqwest] {
        local(async move {
            let server = Server::always(completion()).await;
            let endpoint = endpoint(&server.base_url, &Pool { client, ..Pool::default() });
            let attempt = ask(&endpoint).await;
            let reply = ok(&attempt);
            assert_eq!((reply.usage, content(reply)), (usage(12, 8, 3), "Hi \"you\""));
            assert_eq!((reply.first_token, reply.last_token, reply.gateway_hit), (None, None, false));
            assert!(attempt.sent);
            assert!(
                server.seen.requests.borrow()[0].to_ascii_lowercase().contains("authorization: bearer sk-test-key")
            );
        });
    }
}

#[test]
fn an_answer_is_not_kept_unless_asked_for() {
    local(async {
        let server = Server::always(completion()).await;
        let endpoint = endpoint(&server.base_url, &Pool::default());
        let request = chat(false);
        let deadline = std::time::Instant::now() + PLENTY;
        let ask = crate::route::Ask { model: "m", request: &request, deadline, keep_answer: false };
        let attempt = endpoint.attempt(&ask).await;
        assert_eq!((ok(&attempt).usage, &ok(&attempt).answer), (usage(12, 8, 3), &None));
    });
}

#[test]
fn tool_calls_without_text_are_kept_as_their_message() {
    local(async {
        let message = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"t"}]}"#;
        let body =
            format!(r#"{{"choices":[{{"message":{message}}}],"usage":{{"prompt_tokens":1,"completion_tokens":1}}}}"#);
        let attempt = against(answer("200 OK", "", &body), false).await;
        assert_eq!(content(ok(&attempt)), message);
    });
}

#[test]
fn without_usage_it_is_estimated_and_says_so() {
    local(async {
        let body = r#"{"choices":[{"message":{"content":"12345"}}]}"#;
        let attempt = against(answer("200 OK", "", body), false).await;
        // 36 characters of messages JSON, 5 of text, at 4 a token.
        let messages = chat(false).messages.as_str().len() as u32;
        let expected = Usage { input: messages.div_ceil(4), output: 2, estimated: true, ..Usage::default() };
        assert_eq!(ok(&attempt).usage, expected);
    });
}

#[test]
fn a_200_that_is_no_completion_is_a_broken_stream() {
    local(async {
        for body in ["<html>hi</html>", "{}", r#"{"choices":[]}"#, "", r#"{"error":{"message":"overloaded"}}"#] {
            let attempt = against(answer("200 OK", "", body), false).await;
            assert_eq!(failed(&attempt).kind, FailureKind::Stream, "{body}");
        }
        let null = COMPLETION.replacen('{', r#"{"error":null,"#, 1);
        ok(&against(answer("200 OK", "", &null), false).await);
    });
}

#[test]
fn a_truncated_answer_is_a_broken_stream_and_none_at_all_a_broken_connection() {
    local(async {
        let whole = completion();
        let cut = against(whole[..whole.len() - 10].to_vec(), false).await;
        assert_eq!((failed(&cut).kind, cut.sent), (FailureKind::Stream, true));
        let none = against_steps(vec![Step::Close], false).await;
        assert_eq!((failed(&none).kind, none.sent), (FailureKind::Connect, true));
        let garbage = against(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec(), false).await;
        assert_eq!(failed(&garbage).kind, FailureKind::Connect);
    });
}

#[test]
fn a_refusal_keeps_its_connection_and_its_words() {
    for client in [Client::Exact, Client::Reqwest] {
        local(async move {
            let body = r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#;
            let server = Server::always(answer("429 Too Many Requests", "retry-after: 3\r\n", body)).await;
            let endpoint = endpoint(&server.base_url, &Pool { client, ..Pool::default() });
            for _ in 0..2 {
                let attempt = ask_streamed(&endpoint).await;
                let failure = failed(&attempt);
                assert_eq!(failure.kind, FailureKind::Status(429));
                assert_eq!(failure.retry_after, Some(Duration::from_secs(3)));
                assert_eq!(failure.detail, "429 Too Many Requests (rate_limit_exceeded): slow down");
            }
            assert_eq!(server.seen.accepted.get(), 1);
        });
    }
}

#[test]
fn an_endless_error_body_is_read_only_so_far() {
    local(async {
        let head = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 100000000\r\n\r\n";
        let steps = vec![Step::Send(head.into()), Step::Send(vec![b'x'; 200_000]), Step::Hang];
        let attempt = against_steps(steps, false).await;
        assert_eq!(failed(&attempt).kind, FailureKind::Status(500));
        assert!(failed(&attempt).detail.chars().count() <= 200);
    });
}

#[test]
fn gateways_tell_their_cache_hits_by_header_or_body() {
    local(async {
        let hit = |attempt: Attempt| ok(&attempt).gateway_hit;
        assert!(hit(against(answer("200 OK", "X-Cache-Status: Hit\r\n", COMPLETION), false).await));
        assert!(!hit(against(answer("200 OK", "x-cache-status: Miss\r\n", COMPLETION), false).await));
        let bifrost = COMPLETION.replacen('{', r#"{"extra_fields":{"cache_debug":{"cache_hit":true}},"#, 1);
        assert!(hit(against(answer("200 OK", "", &bifrost), false).await));
        let higress = COMPLETION.replace("c-1", "from-cache");
        assert!(hit(against(answer("200 OK", "", &higress), false).await));
        let events = [delta(r#"{"content":"a"}"#).replace("\"c\"", "\"from-cache\""), "[DONE]".into()];
        assert!(hit(against(stream(&[&events[0], &events[1]]), true).await));
    });
}

#[test]
fn a_stream_gives_the_times_of_its_tokens_and_their_usage() {
    for client in [Client::Exact, Client::Reqwest] {
        local(async move {
            let pause = Duration::from_millis(60);
            let server = Server::start(move |_| {
                let event = |text: &str| Step::Send(chunk(&format!("data: {text}\n\n")));
                vec![
                    Step::Send(STREAM_HEAD.into()),
                    event(&delta(ROLE)),
                    Step::Pause(pause),
                    event(&delta(r#"{"reasoning_content":"hm"}"#)),
                    Step::Pause(pause),
                    event(&delta(r#"{"content":"Hi"}"#)),
                    Step::Pause(pause),
                    event(USAGE),
                    Step::Send(chunk(": ping\n\ndata: [DO")),
                    Step::Send(chunk("NE]\n\n")),
                    Step::Send(b"0\r\n\r\n".to_vec()),
                ]
            })
            .await;
            let endpoint = endpoint(&server.base_url, &Pool { client, ..Pool::default() });
            for _ in 0..2 {
                let start = std::time::Instant::now();
                let attempt = ask_streamed(&endpoint).await;
                let reply = ok(&attempt);
                assert_eq!((reply.usage, content(reply)), (usage(12, 5, 2), "Hi"));
                let (first, last) = (reply.first_token.unwrap(), reply.last_token.unwrap());
                assert!(first - start >= pause, "the role is no token");
                assert!(last - first >= pause / 2);
                assert!(reply.done - last >= pause / 2, "usage is no token");
            }
            assert_eq!(server.seen.accepted.get(), 1, "a stream read to its end keeps its connection");
        });
    }
}

#[test]
fn tool_call_deltas_are_tokens_and_are_put_together() {
    local(async {
        let calls = [
            r#"{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"#,
        ]
        .map(delta);
        let attempt = against(stream(&[&calls[0], &calls[1], &calls[2], "[DONE]"]), true).await;
        let reply = ok(&attempt);
        assert!(reply.first_token.is_some());
        assert_eq!((reply.usage.output, reply.usage.estimated), (3, true));
        assert_eq!(
            content(reply),
            r#"{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}"#
        );
    });
}

#[test]
fn a_stream_that_breaks_off_fails_and_says_what_is_billed() {
    local(async {
        let (a, b) = (delta(r#"{"content":"a"}"#), delta(r#"{"content":"b"}"#));
        let billed = |attempt: &Attempt| {
            assert_eq!(failed(attempt).kind, FailureKind::Stream);
            failed(attempt).billed.map(|usage| (usage.output, usage.estimated))
        };
        // Without [DONE]; in the middle of a chunk; before any token; after the usage.
        assert_eq!(billed(&against(stream(&[&a, &b]), true).await), Some((2, true)));
        let whole = stream(&[&a, &b, "[DONE]"]);
        assert_eq!(billed(&against(whole[..whole.len() - 40].to_vec(), true).await), Some((1, true)));
        assert_eq!(billed(&against(stream(&[&delta(ROLE)]), true).await), None);
        assert_eq!(billed(&against(stream(&[&a, USAGE]), true).await), Some((2, false)));
    });
}

#[test]
fn an_error_within_a_stream_fails_it() {
    local(async {
        let a = delta(r#"{"content":"a"}"#);
        let error = r#"{"error":{"message":"overloaded","code":"insufficient_quota"}}"#;
        let attempt = against(stream(&[&a, error, "[DONE]"]), true).await;
        let failure = failed(&attempt);
        assert_eq!((failure.kind, failure.permanent), (FailureKind::Stream, true));
        assert!(failure.detail.contains("overloaded") && failure.billed.is_some());
        let mut named = STREAM_HEAD.as_bytes().to_vec();
        named.extend(chunk("event: error\ndata: {\"message\":\"gone\"}\n\n"));
        named.extend(b"0\r\n\r\n");
        let attempt = against(named, true).await;
        assert_eq!(failed(&attempt).kind, FailureKind::Stream);
        assert!(failed(&attempt).detail.contains("gone"));
        let garbage = against(stream(&[&a, "not JSON"]), true).await;
        assert_eq!(failed(&garbage).kind, FailureKind::Stream);
    });
}

#[test]
fn a_silent_stream_is_a_timeout() {
    local(async {
        let steps = vec![
            Step::Send(STREAM_HEAD.into()),
            Step::Send(chunk(&format!("data: {}\n\n", delta(r#"{"content":"a"}"#)))),
            Step::Hang,
        ];
        let server = Server::start(move |_| steps.clone()).await;
        let read_timeout = Duration::from_millis(60);
        let endpoint = endpoint(&server.base_url, &Pool { read_timeout, ..Pool::default() });
        let attempt = ask_streamed(&endpoint).await;
        assert_eq!(failed(&attempt).kind, FailureKind::Timeout);
        assert!(failed(&attempt).billed.is_some());
    });
}

#[test]
fn a_complete_stream_is_not_failed_by_what_follows() {
    local(async {
        let mut bytes = stream(&[&delta(r#"{"content":"a"}"#), "[DONE]"]);
        bytes.truncate(bytes.len() - 5);
        let attempt = against(bytes, true).await;
        assert_eq!(content(ok(&attempt)), "a");
    });
}

#[test]
fn a_stream_is_read_to_32_mib_and_no_further() {
    let pieces = |piece: String| {
        let mut steps = vec![Step::Send(STREAM_HEAD.into())];
        steps.extend(std::iter::repeat_n(Step::Send(chunk(&piece)), 70));
        steps.push(Step::Close);
        steps
    };
    local(async move {
        let long = "a".repeat(512 << 10);
        let endless = pieces(format!("data: {}\n\n", delta(&format!(r#"{{"content":"{long}"}}"#))));
        let attempt = against_steps(endless, true).await;
        let failure = failed(&attempt);
        assert_eq!((failure.kind, failure.detail.as_str()), (FailureKind::Stream, "the answer is longer than 32 MiB"));
        assert_eq!(failure.billed.map(|usage| usage.output), Some(63));

        let mut complete = pieces(format!(": {long}\n"));
        let events = format!("data: {}\n\ndata: [DONE]\n\n", delta(r#"{"content":"a"}"#));
        complete.insert(1, Step::Send(chunk(&events)));
        assert_eq!(content(ok(&against_steps(complete, true).await)), "a");
    });
}

#[test]
fn a_streamed_request_answered_whole_is_understood() {
    local(async {
        let attempt = against(answer("200 OK", "x-cache: HIT\r\n", COMPLETION), true).await;
        let reply = ok(&attempt);
        assert_eq!((reply.usage, reply.first_token, reply.gateway_hit), (usage(12, 8, 3), None, true));
    });
}

#[test]
fn a_redirect_is_not_followed_by_either_client() {
    for client in [Client::Exact, Client::Reqwest] {
        local(async move {
            let server = Server::always(answer("302 Found", "location: http://127.0.0.1:1/\r\n", "")).await;
            let endpoint = endpoint(&server.base_url, &Pool { client, ..Pool::default() });
            let attempt = ask(&endpoint).await;
            assert_eq!(failed(&attempt).kind, FailureKind::Other);
            assert!(failed(&attempt).detail.contains("set base_url"));
        });
    }
}

#[test]
fn reqwest_is_held_to_the_maximum_of_exchanges_and_to_our_timeouts() {
    local(async {
        let slow = vec![Step::Pause(Duration::from_millis(30)), Step::Send(completion())];
        let server = Server::start(move |_| slow.clone()).await;
        let pool = Pool { client: Client::Reqwest, max_connections: 2, ..Pool::default() };
        let endpoint = endpoint(&server.base_url, &pool);
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let endpoint = Rc::clone(&endpoint);
                tokio::task::spawn_local(async move { ask(&endpoint).await })
            })
            .collect();
        for task in tasks {
            let attempt = task.await.unwrap();
            ok(&attempt);
            assert_eq!(attempt.connection, None);
        }
        assert!(server.seen.peak.get() <= 3, "{}", server.seen.peak.get());
        let hang = Server::start(|_| vec![Step::Hang]).await;
        let endpoint = super::endpoint(&hang.base_url, &pool);
        let attempt = ask_within(&endpoint, &chat(false), Duration::from_millis(50)).await;
        assert_eq!(failed(&attempt).kind, FailureKind::Timeout);
        let nobody = super::endpoint("http://127.0.0.1:1/v1", &pool);
        let attempt = ask(&nobody).await;
        assert_eq!((failed(&attempt).kind, attempt.sent), (FailureKind::Connect, false));
    });
}

#[test]
fn an_endpoint_that_cannot_be_says_how_to_mend_it() {
    let error = |base_url: &str| Endpoint::new(config(base_url), &Pool::default()).err().unwrap().to_string();
    for wrong in ["api.example.com/v1", "ftp://x/v1", "https://", "https://exa mple/v1", ""] {
        assert!(error(wrong).contains("write it as https://host/v1"), "{wrong}: {}", error(wrong));
    }
    assert!(!error("https://user:hunter2@host/v1").contains("hunter2"));
    let mut bad_key = config("https://host/v1");
    bad_key.api_key = Some(Secret::new("sk-line\nbreak"));
    let error = Endpoint::new(bad_key, &Pool::default()).err().unwrap();
    assert!(matches!(error, RouteError::Key { .. }) && !error.to_string().contains("sk-"));
}

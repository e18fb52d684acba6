//! Each fault as a client meets it.

use std::io::ErrorKind;

use super::*;
use crate::profile::{Fault, FaultKind, Spread};

fn failing(kind: FaultKind) -> Server {
    server(|spec| spec.faults = vec![Fault { at: ms(0), lasts: Duration::from_secs(60), kind, model: None }])
}

#[test]
fn a_fault_with_a_status_answers_with_it_and_its_body() {
    let expected = [
        (FaultKind::TooManyRequests, 429, "requests"),
        (FaultKind::InternalError, 500, "server_error"),
        (FaultKind::Unavailable, 503, "service_unavailable_error"),
        (FaultKind::Overloaded, 529, "overloaded_error"),
    ];
    for (kind, status, error) in expected {
        let server = failing(kind);
        let reply = connect(&server).post(&ask_streamed(1)).unwrap();
        assert_eq!((reply.status, reply.json()["error"]["type"].as_str()), (status, Some(error)));
        assert_eq!(route(&server).stats().by_status[&status.to_string()], 1);
    }
}

#[test]
fn a_429_says_how_long_the_fault_will_last_and_a_second_at_least() {
    let server = failing(FaultKind::TooManyRequests);
    let reply = connect(&server).post(&ask(1)).unwrap();
    assert_eq!(reply.header("retry-after"), Some("60"));
    let millis: u64 = reply.header("retry-after-ms").unwrap().parse().unwrap();
    assert!((50_000..=60_000).contains(&millis));
    assert_eq!(code(&reply).as_deref(), Some("rate_limit_exceeded"));

    let server = self::server(|_| ());
    route(&server).add_fault(FaultKind::TooManyRequests, None, ms(900));
    let reply = connect(&server).post(&ask(1)).unwrap();
    assert_eq!((reply.header("retry-after"), reply.header("retry-after-ms")), (Some("1"), Some("1000")));
}

#[test]
fn a_fault_of_one_model_leaves_the_others_alone() {
    let server = server(|_| ());
    route(&server).add_fault(FaultKind::Unavailable, Some("gpt-4.1".into()), Duration::from_secs(60));
    let mut client = connect(&server);
    assert_eq!(client.post(&ask(1)).unwrap().status, 503);
    let mut other = ask(1);
    other["model"] = "gpt-4.1-mini".into();
    assert_eq!(client.post(&other).unwrap().status, 200);
}

#[test]
fn a_hanging_request_goes_on_when_the_fault_ends() {
    let server = server(|_| ());
    route(&server).add_fault(FaultKind::Hang, None, ms(150));
    let reply = connect(&server).post(&ask(1)).unwrap();
    assert_eq!(reply.status, 200);
    assert!(reply.after >= ms(140), "{:?}", reply.after);
}

#[test]
fn a_reset_ends_the_connection_before_the_head() {
    for rtt in [0, 6] {
        let server = server(|spec| spec.rtt = ms(rtt));
        route(&server).add_fault(FaultKind::Reset, None, Duration::from_secs(60));
        let error = connect(&server).post(&ask(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        eventually(|| route(&server).stats().live == 0);
        assert_eq!(route(&server).stats().by_status["reset"], 1);
    }
}

#[test]
fn a_truncated_stream_ends_in_the_middle_with_the_connection() {
    for rtt in [0, 6] {
        let server = server(|spec| spec.rtt = ms(rtt));
        route(&server).add_fault(FaultKind::Truncate, None, Duration::from_secs(60));
        let mut client = connect(&server);
        let error = client.post(&ask_streamed(10)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert!(client.is_closed());
        let got = client.received();
        assert_eq!(got.matches(r#""delta":{"content":"#).count(), 5);
        assert!(!got.contains("[DONE]") && !got.contains(r#""usage":{"#));
        let stats = route(&server).stats();
        assert_eq!((stats.by_status["truncated"], stats.tokens_out), (1, 5));
    }
}

#[test]
fn a_truncated_whole_answer_is_shorter_than_its_content_length() {
    let server = failing(FaultKind::Truncate);
    let mut client = connect(&server);
    assert_eq!(client.post(&ask(10)).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert!(client.received().len() > 100, "half of the body came");
    assert_eq!(route(&server).stats().by_status["truncated"], 1);
}

#[test]
fn a_slow_provider_takes_ten_times_as_long() {
    let server = server(|spec| {
        spec.ttft = Spread::Fixed(ms(5));
        spec.tokens_per_second = Spread::Fixed(1000.0);
    });
    let mut client = connect(&server);
    route(&server).add_fault(FaultKind::Slow, None, Duration::from_secs(60));
    let reply = client.post(&ask_streamed(11)).unwrap();
    assert!(reply.head_after >= ms(50) && reply.after >= ms(150), "{:?} {:?}", reply.head_after, reply.after);
}

#[test]
fn a_restarted_clock_plays_the_schedule_again() {
    let fault = Fault { at: ms(0), lasts: ms(100), kind: FaultKind::Unavailable, model: None };
    let server = server(|spec| spec.faults = vec![fault]);
    let mut client = connect(&server);
    std::thread::sleep(ms(110));
    assert_eq!(client.post(&ask(1)).unwrap().status, 200);
    server.restart_clock(None);
    assert_eq!(client.post(&ask(1)).unwrap().status, 503);
}

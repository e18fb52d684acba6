//! Round trips, first tokens and pace. Lower bounds are exact, upper ones what a busy machine holds.

use std::time::{Duration, Instant};

use rustls::version::{TLS12, TLS13};

use super::client::{Client, trusting};
use super::*;
use crate::profile::{Spread, TlsVersion};

const RTT: Duration = Duration::from_millis(60);
const NOISE: Duration = Duration::from_millis(50);

fn assert_takes(took: Duration, expected: Duration) {
    assert!(took >= expected, "{took:?} is less than {expected:?}");
    assert!(took < expected + NOISE, "{took:?} is much more than {expected:?}");
}

#[test]
fn on_plain_http_the_first_answer_takes_two_round_trips_and_the_next_takes_one() {
    let server = server(|spec| (spec.rtt, spec.ttft) = (RTT, Spread::Fixed(ms(20))));
    let mut client = connect(&server);
    assert_takes(client.post(&ask(3)).unwrap().after, 2 * RTT + ms(20));
    assert_takes(client.post(&ask(3)).unwrap().after, RTT + ms(20));
    assert_takes(client.post(&ask_streamed(3)).unwrap().head_after, RTT + ms(20));
}

#[test]
fn a_connection_opened_ahead_of_its_use_has_paid_for_its_handshake() {
    let server = server(|spec| spec.rtt = RTT);
    let mut client = connect(&server);
    std::thread::sleep(RTT + ms(5));
    assert_takes(client.post(&ask(3)).unwrap().after, RTT);
}

#[test]
fn connecting_takes_two_round_trips_under_tls_1_3_and_three_under_1_2() {
    for (version, offered, round_trips) in [(TlsVersion::V13, &TLS13, 2), (TlsVersion::V12, &TLS12, 3)] {
        let server = server(|spec| (spec.rtt, spec.tls) = (RTT, version));
        let config = trusting(server.ca_pem(), &[offered]);
        let mut client = Client::tls(route(&server).address(), config).unwrap();
        assert_takes(client.connected_in, round_trips * RTT);
        assert_takes(client.post(&ask(3)).unwrap().after, RTT);
        assert_eq!(route(&server).stats().handshakes, 1);
    }
}

#[test]
fn resumption_saves_a_round_trip_of_tls_1_2_only_where_it_is_switched_on() {
    for (resume, round_trips) in [(true, 2), (false, 3)] {
        let server = server(|spec| (spec.rtt, spec.tls, spec.resume) = (RTT, TlsVersion::V12, resume));
        let config = trusting(server.ca_pem(), &[&TLS12]);
        let address = route(&server).address();
        assert_takes(Client::tls(address, config.clone()).unwrap().connected_in, 3 * RTT);
        assert_takes(Client::tls(address, config).unwrap().connected_in, round_trips * RTT);
    }
}

#[test]
fn a_change_of_the_round_trip_time_reaches_open_connections() {
    let server = server(|spec| spec.rtt = Duration::ZERO);
    let mut client = connect(&server);
    assert!(client.post(&ask(3)).unwrap().after < RTT);
    let far = Simulated { rtt: RTT, ..route(&server).spec() };
    let near = route(&server).spec();
    route(&server).set(far);
    assert_takes(client.post(&ask(3)).unwrap().after, RTT);
    route(&server).set(near);
    assert!(client.post(&ask(3)).unwrap().after < RTT);
}

#[test]
fn a_whole_answer_takes_the_first_token_and_the_generation() {
    let server = server(|spec| {
        spec.ttft = Spread::Fixed(ms(30));
        spec.tokens_per_second = Spread::Fixed(200.0);
    });
    let mut client = connect(&server);
    assert_takes(client.post(&ask(20)).unwrap().after, ms(30 + 100));
    assert_eq!(client.packets(), 1, "head and body in one write");
}

#[test]
fn tokens_keep_their_schedule_over_a_distance_without_drifting() {
    let server = server(|spec| {
        spec.rtt = RTT;
        spec.ttft = Spread::Fixed(ms(30));
        spec.tokens_per_second = Spread::Fixed(100.0);
    });
    let mut client = connect(&server);
    client.post(&ask(1)).unwrap();
    let reply = client.post(&ask_streamed(41)).unwrap();
    assert_takes(reply.head_after, RTT + ms(30));
    assert_takes(reply.after, RTT + ms(30) + ms(400));
    for (token, read) in reply.reads.iter().enumerate() {
        // Reads may have been merged on a busy machine, so there are fewer of them, and later.
        assert!(*read >= RTT + ms(30) + ms(10) * token as u32, "token {token} came after {read:?}");
    }
    assert!(reply.reads.len() > 10, "{} reads of 41 tokens: that is no pace", reply.reads.len());
}

#[test]
fn a_large_request_and_a_large_answer_pass_the_wire_whole() {
    let server = server(|spec| (spec.rtt, spec.tls) = (ms(4), TlsVersion::V13));
    let config = trusting(server.ca_pem(), &[&TLS13]);
    let mut client = Client::tls_as(route(&server).address(), config, "localhost").unwrap();
    let mut body = ask_streamed(20_000);
    body["user"] = "x".repeat(5 << 20).into();
    let start = Instant::now();
    let reply = client.post(&body).unwrap();
    assert!(reply.body.len() > 4 << 20, "more than the wire holds at once");
    assert_eq!(reply.events().len(), 1 + 20_000 + 1 + 1 + 1);
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn an_answer_that_closes_its_connection_arrives_before_the_end() {
    for tls in [TlsVersion::Off, TlsVersion::V13] {
        let server = server(|spec| (spec.rtt, spec.tls) = (RTT, tls));
        let address = route(&server).address();
        let mut client = match tls {
            TlsVersion::Off => Client::plain(address),
            _ => Client::tls(address, trusting(server.ca_pem(), &[&TLS13])).unwrap(),
        };
        let reply = client.post_with("connection: close\r\n", &ask_streamed(5)).unwrap();
        assert_eq!(reply.events().last(), Some(&"[DONE]"));
        assert!(client.is_closed());
        eventually(|| route(&server).stats().live == 0);
    }
}

//! What a route does with connections on its own: the protocol it agrees to, and when it closes one.

use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::version::TLS13;

use super::client::{agreed_protocol, trusting};
use super::*;
use crate::profile::{Http, Spread, TlsVersion};

const IDLE: Duration = Duration::from_millis(200);

#[test]
fn an_idle_connection_is_closed_in_time_and_a_busy_one_is_not() {
    let server = server(|spec| (spec.idle_timeout, spec.ttft) = (IDLE, Spread::Fixed(3 * IDLE)));
    let mut client = connect(&server);
    client.post(&ask(1)).unwrap();
    let answered = Instant::now();
    assert!(client.is_closed());
    // The server's clock began before the answer was here.
    assert!(answered.elapsed() >= IDLE / 2, "{:?}", answered.elapsed());
    eventually(|| route(&server).stats().live == 0);
    let stats = route(&server).stats();
    assert_eq!((stats.closed_idle, stats.accepted, stats.by_status["200"], stats.in_progress), (1, 1, 1, 0));
}

#[test]
fn a_connection_that_never_asks_is_idle_from_the_start() {
    let server = server(|spec| spec.idle_timeout = IDLE);
    assert!(connect(&server).is_closed());
    eventually(|| route(&server).stats().closed_idle == 1);
}

#[test]
fn without_an_idle_timeout_a_connection_is_kept() {
    let server = server(|spec| spec.idle_timeout = Duration::ZERO);
    let mut client = connect(&server);
    client.post(&ask(1)).unwrap();
    std::thread::sleep(IDLE);
    assert_eq!(client.post(&ask(1)).unwrap().status, 200);
    assert_eq!((route(&server).stats().accepted, route(&server).stats().busiest_connection), (1, 2));
}

#[test]
fn what_is_under_way_to_a_connection_that_closes_is_never_read() {
    let (rtt, idle) = (ms(400), ms(800));
    let server = server(|spec| (spec.rtt, spec.idle_timeout) = (rtt, idle));
    let mut client = connect(&server);
    client.post(&ask(1)).unwrap();
    let answered = Instant::now();
    std::thread::sleep(idle - rtt / 4);
    // A busy machine may wake up after the end has come: nothing can be sent then.
    let _ = client.send("POST /v1/chat/completions", "", &ask(1).to_string());
    assert!(client.is_closed());
    assert!(answered.elapsed() >= idle - rtt / 8, "the end came before half a round trip: {:?}", answered.elapsed());
    eventually(|| route(&server).stats().live == 0);
    assert_eq!((route(&server).stats().requests, route(&server).stats().closed_idle), (1, 1));
}

#[test]
fn a_route_agrees_to_the_protocols_it_speaks() {
    const BOTH: [&[u8]; 2] = [b"h2", b"http/1.1"];
    for (http, agreed) in [(Http::V1, BOTH[1]), (Http::V2, BOTH[0]), (Http::Auto, BOTH[0])] {
        let server = server(|spec| (spec.http, spec.tls) = (http, TlsVersion::V13));
        let mut config = (*trusting(server.ca_pem(), &[&TLS13])).clone();
        config.alpn_protocols = BOTH.map(<[u8]>::to_vec).into();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        assert_eq!(agreed_protocol(route(&server).address(), config.into(), name).as_deref(), Some(agreed), "{http:?}");
    }
}

#[test]
fn the_most_in_progress_are_those_that_were_there_together() {
    let server = server(|spec| spec.ttft = Spread::Fixed(ms(400)));
    let mut clients: Vec<_> = (0..5).map(|_| connect(&server)).collect();
    for client in &mut clients {
        client.send("POST /v1/chat/completions", "", &ask(1).to_string()).unwrap();
    }
    eventually(|| route(&server).stats().by_status.get("200") == Some(&5));
    let stats = route(&server).stats();
    assert_eq!((stats.peak_in_progress, stats.peak_streams, stats.in_progress, stats.http2), (5, 1, 0, 0));
}

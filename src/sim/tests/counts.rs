//! The counters, to the unit.

use rustls::version::TLS13;

use super::client::{Client, trusting};
use super::*;
use crate::profile::{Spread, TlsVersion};

#[test]
fn the_counters_agree_with_what_a_client_did_to_the_unit() {
    let server = server(|_| ());
    let mut clients: Vec<_> = (0..5).map(|_| connect(&server)).collect();
    for client in &mut clients {
        client.post(&ask(10)).unwrap();
        client.post(&ask_streamed(5)).unwrap();
    }
    let mut other = ask(1);
    other["model"] = "o3".into();
    clients[0].post(&other).unwrap();
    clients.truncate(2);
    eventually(|| route(&server).stats().live == 2);

    let stats = route(&server).stats();
    assert_eq!((stats.accepted, stats.live, stats.peak_live, stats.handshakes), (5, 2, 5, 0));
    assert_eq!((stats.requests, stats.by_status["200"]), (11, 11));
    assert_eq!((stats.by_model["gpt-4.1"], stats.by_model["o3"]), (10, 1));
    assert_eq!(stats.tokens_out, 5 * 15 + 1);
    let prompt = |tokens: u64| format!("Answer in about {tokens} tokens.").len().div_ceil(4) as u64;
    assert_eq!(stats.tokens_in, 5 * prompt(10) + 5 * prompt(5) + prompt(1));
}

#[test]
fn who_only_reads_the_counters_is_in_none_of_them() {
    let server = server(|spec| spec.tls = TlsVersion::V13);
    let config = trusting(server.ca_pem(), &[&TLS13]);
    let tls = || Client::tls(route(&server).address(), config.clone()).unwrap();
    let mut client = tls();
    client.post(&ask(1)).unwrap();
    let mut observers: Vec<_> = (0..3).map(|_| tls()).collect();
    for observer in &mut observers {
        let seen = observer.get("/sim/stats").unwrap();
        assert_eq!(seen.status, 200);
    }
    let seen: super::super::Stats = serde_json::from_slice(&observers[0].get("/sim/stats").unwrap().body).unwrap();
    assert_eq!((seen.accepted, seen.live, seen.peak_live, seen.handshakes, seen.requests), (1, 1, 1, 1, 1));
    assert_eq!(seen, route(&server).stats());
    drop((client, observers));
    eventually(|| route(&server).stats().live == 0);
    assert_eq!(route(&server).stats().accepted, 1);
}

#[test]
fn a_connection_that_is_opened_and_never_used_counts() {
    let server = server(|_| ());
    let unused = connect(&server);
    eventually(|| route(&server).stats().accepted == 1);
    drop(unused);
    eventually(|| route(&server).stats().live == 0);
    assert_eq!((route(&server).stats().accepted, route(&server).stats().peak_live), (1, 1));
}

#[test]
fn a_client_that_leaves_counts_as_aborted_whether_it_waited_or_read() {
    for rtt in [ms(0), ms(4)] {
        let server = server(|spec| {
            spec.rtt = rtt;
            spec.ttft = Spread::Fixed(Duration::from_secs(30));
        });
        let mut waiting = connect(&server);
        waiting.send("POST /v1/chat/completions", "", &ask(5).to_string()).unwrap();
        let mut reading = connect(&server);
        reading.send("POST /v1/chat/completions", "", &ask_streamed(5).to_string()).unwrap();
        eventually(|| route(&server).stats().requests == 2);
        drop((waiting, reading));
        eventually(|| route(&server).stats().live == 0);
        let stats = route(&server).stats();
        assert_eq!((stats.requests, stats.by_status["aborted"], stats.by_status.len()), (2, 2, 1));
    }
}

#[test]
fn the_statuses_sum_up_to_the_requests() {
    let server = server(|spec| (spec.error_rate, spec.requests_per_minute) = (0.5, 40));
    let mut client = connect(&server);
    for _ in 0..60 {
        client.post(&ask(1)).unwrap();
    }
    client.request("POST /v1/chat/completions", "", "no JSON").unwrap();
    let stats = route(&server).stats();
    assert_eq!(stats.by_status.values().sum::<u64>(), stats.requests);
    assert_eq!((stats.requests, stats.by_status["400"]), (61, 1));
    assert!(stats.by_status["200"] >= 8 && stats.by_status["500"] >= 8, "{stats:?}");
    // The bucket refills by one each 1.5 s.
    assert!((10..=20).contains(&stats.by_status["429"]), "{stats:?}");
}

#[test]
fn several_threads_share_the_connections_of_a_route_and_its_counts() {
    let spec = Simulated { rtt: ms(2), ..Simulated::preset("local").unwrap() };
    let options = Options { threads: 3, ..Options::default() };
    let server = Server::start(&[("a".into(), spec.clone()), ("b".into(), spec)], options).unwrap();
    let mut clients: Vec<_> = (0..9).map(|_| connect(&server)).collect();
    for client in &mut clients {
        assert_eq!(client.post(&ask(2)).unwrap().status, 200);
    }
    assert_eq!(server.route("a").unwrap().stats().by_status["200"], 9);
    assert_eq!(server.route("b").unwrap().stats().accepted, 0);
}

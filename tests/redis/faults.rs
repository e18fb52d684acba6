//! Whatever Redis does wrong is a miss, counted under its kind and told with its mend; no call fails by it, and a server
//! that is in no state to help is not pressed.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatebench::report::{Report, json};

use crate::server::{Server, until};
use crate::{profile, report, start};

/// A run of a second over this Redis: it answers every call all the same.
fn run_over(url: &str, sets: &[&str]) -> Report {
    let url = format!("stack.cache.redis.url={url}");
    let report = report(start(profile(&[&[&*url, "load.duration=1s"], sets].concat())));
    assert_eq!((report.load.failed, report.load.succeeded), (0, report.load.planned));
    assert_eq!(report.simulated["gateway"].requests, report.served_by.model.count);
    report
}

/// All errors are of this kind, and the first one said so.
#[track_caller]
fn only(report: &Report, kind: &str, words: &[&str]) -> u64 {
    let errors = &report.cache_errors;
    let count = errors.redis[kind];
    assert!(count > 0 && errors.redis.values().sum::<u64>() == count, "{errors:?}");
    let said = &errors.examples[kind];
    for word in words {
        assert!(said.contains(word), "`{word}` is not in {said}");
    }
    count
}

#[test]
fn a_password_that_is_asked_for_is_told_of_and_not_one_lookup_reaches_the_server() {
    let server = Server::start(&["--requirepass", "hunter2"]);
    let report = run_over(&server.url(), &[]);
    let errors = only(&report, "other", &["asks for a password", "redis://:PASSWORD@host"]);
    // One lookup and one store each; what cannot be used is not asked.
    assert_eq!(errors, 2 * report.load.succeeded);
    let asked = server_with_password(&server, "INFO commandstats");
    assert!(!asked.contains("cmdstat_get:") && !asked.contains("cmdstat_set:"), "{asked}");
}

fn server_with_password(server: &Server, command: &str) -> String {
    let output = std::process::Command::new("redis-cli")
        .env("REDISCLI_AUTH", "hunter2")
        .arg("-s")
        .arg(server.socket())
        .args(command.split(' '))
        .output();
    String::from_utf8(output.expect("redis-cli is installed with redis-server").stdout).unwrap()
}

#[test]
fn a_wrong_password_is_told_of_and_appears_nowhere() {
    let server = Server::start(&["--requirepass", "hunter2"]);
    let url = format!("{}?pass=s3cret-wrong", server.url().replace("unix:", "redis+unix:"));
    let report = run_over(&url, &[]);
    only(&report, "other", &["refuses the password of the url"]);
    assert!(!json(&report).contains("s3cret"), "{}", json(&report));
    let right = run_over(&url.replace("s3cret-wrong", "hunter2"), &[]);
    assert!(right.served_by.redis.count > 0);
    assert!(!json(&right).contains("hunter2"), "{}", json(&right));
}

/// Does this to each key that a run has left.
fn with_every_key(server: &Server, lua: &str) {
    let script = format!("EVAL \"for _, key in ipairs(redis.call('KEYS', '*')) do {lua} end return 'done'\" 0");
    assert_eq!(server.ask(&script), "done");
    server.ask("CONFIG RESETSTAT");
}

#[test]
fn a_list_under_our_key_is_corrupt_as_often_as_the_server_says() {
    let server = Server::start(&[]);
    run_over(&server.url(), &[]);
    with_every_key(&server, "redis.call('DEL', key) redis.call('RPUSH', key, 'x')");
    let report = run_over(&server.url(), &[]);
    let errors = only(&report, "corrupt", &["no string under a key of ours", "database of its own"]);
    assert_eq!(errors, server.stat("get", "failed_calls"));
    assert!(report.served_by.redis.count > 0, "answers replace them");
}

#[test]
fn a_value_that_is_none_of_ours_is_corrupt_until_an_answer_replaces_it() {
    let server = Server::start(&[]);
    run_over(&server.url(), &[]);
    with_every_key(&server, "redis.call('SET', key, 'garbage')");
    let report = run_over(&server.url(), &[]);
    let errors = only(&report, "corrupt", &["a value under a key of ours", "database of its own"]);
    // Every key exists, so that each lookup finds an answer or garbage.
    assert_eq!(errors + report.served_by.redis.count, server.calls("get"));
}

#[test]
fn a_full_server_stores_nothing_and_every_store_is_counted() {
    let server = Server::start(&[]);
    server.ask("CONFIG SET maxmemory-policy noeviction maxmemory 1");
    let report = run_over(&server.url(), &[]);
    let errors = only(&report, "other", &["out of memory", "maxmemory-policy allkeys-lru"]);
    assert_eq!(errors, server.stat("set", "rejected_calls"));
    assert_eq!(errors, report.served_by.model.count);
    assert_eq!(server.calls("get"), report.load.succeeded, "lookups go on");
}

#[test]
fn a_read_only_replica_serves_lookups_and_refuses_stores() {
    let server = Server::start(&[]);
    server.ask("REPLICAOF 127.0.0.1 1");
    let report = run_over(&server.url(), &[]);
    let errors = only(&report, "other", &["read-only replica", "primary"]);
    assert_eq!(errors, server.stat("set", "rejected_calls"));
    assert_eq!(server.calls("get"), report.load.succeeded);
}

#[test]
fn a_server_that_is_still_loading_is_told_of() {
    let (url, greeted) = listener("-LOADING Redis is loading the dataset in memory\r\n");
    let report = run_over(&url, &[]);
    only(&report, "other", &["still loading"]);
    assert!((1..=20).contains(&greeted.load(Ordering::Relaxed)), "{greeted:?} connections of 2 replicas in a second");
}

#[test]
fn what_is_no_redis_is_told_of() {
    let (url, _) = listener("HTTP/1.1 400 Bad Request\r\n\r\n");
    only(&run_over(&url, &[]), "other", &["is no Redis", "host and port"]);
}

#[test]
fn a_socket_that_is_accepted_and_never_answered_is_left_alone() {
    let (url, greeted) = listener("");
    let report = run_over(&url, &["stack.cache.redis.timeout=20ms"]);
    only(&report, "timeout", &["no answer from 127.0.0.1:"]);
    assert!((1..=6).contains(&greeted.load(Ordering::Relaxed)), "{greeted:?} connections of 2 replicas in a second");
}

#[test]
fn nobody_there_and_nobody_by_that_name_are_refused() {
    only(&run_over("redis://127.0.0.1:1/0", &[]), "refused", &["nothing listens at 127.0.0.1:1", "redis-server up"]);
    only(&run_over("unix:///no/such.sock", &[]), "refused", &["nothing listens at /no/such.sock"]);
    only(&run_over("redis://no-such-host.invalid/0", &[]), "refused", &["no connection to no-such-host.invalid:6379"]);
}

#[test]
fn a_server_that_hangs_costs_some_calls_their_timeout_and_serves_again_when_it_goes_on() {
    let server = Server::start(&[]);
    let url = format!("stack.cache.redis.url={}", server.url());
    let handle = start(profile(&[&url, "stack.cache.redis.timeout=30ms", "load.duration=60s"]));
    let snapshots = handle.snapshots();
    let redis = |by: usize| snapshots.borrow().measured.served_by[by];
    let errors = || snapshots.borrow().measured.cache_errors.iter().sum::<u64>();
    until("Redis has served some", || redis(1) > 20);
    server.signal(libc::SIGSTOP);
    // Of 200 calls a second in 2 replicas, 5 in a row are late in each, now and then; all the others miss at once.
    until("many were missed", || errors() > 300);
    server.signal(libc::SIGCONT);
    let before = redis(1);
    until("Redis serves again", || redis(1) > before + 20);
    handle.stop(gatebench::metrics::Stop::Quit);
    let report = report(handle);
    assert_eq!(report.load.failed, 0);
    assert!(report.cache_errors.examples["timeout"].contains("within 30ms (stack.cache.redis.timeout)"));
}

#[test]
fn a_server_that_was_killed_is_used_again_when_another_is_there() {
    let mut server = Server::start(&[]);
    let url = format!("stack.cache.redis.url={}", server.url());
    let handle = start(profile(&[&url, "load.duration=60s"]));
    let snapshots = handle.snapshots();
    until("Redis has served some", || snapshots.borrow().measured.served_by[1] > 20);
    server.start_anew();
    until("its successor serves", || server.calls("get") > 20);
    handle.stop(gatebench::metrics::Stop::Quit);
    let report = report(handle);
    assert_eq!(report.load.failed, 0);
}

/// A listener that answers every command with this or (if it is empty) not at all; and how many it accepted.
fn listener(greeting: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = accepted.clone();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            if greeting.is_empty() {
                kept.push(stream);
                continue;
            }
            std::thread::spawn(move || {
                let mut asked = [0; 1024];
                while let Ok(length @ 1..) = stream.read(&mut asked) {
                    // Every command is a list, and begins with a star.
                    let commands = asked[..length].iter().filter(|byte| **byte == b'*').count();
                    let _ = stream.write_all(greeting.repeat(commands).as_bytes());
                }
            });
        }
    });
    (url, accepted)
}

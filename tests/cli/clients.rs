//! Real clients as oracles: what they do with connections, the profiles named after them do too.
//!
//! All users ask at the same moment and the route takes long to answer, so that all are in flight at once, on however
//! busy a machine: the counts are exact.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::binary::{Folder, Sim, until};

const USERS: u64 = 60;

/// What was seen of a client: by the route, and by itself.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    accepted: u64,
    kept: u64,
    discarded: u64,
}

/// A script that has asked, and keeps its connections until it is dropped.
struct Oracle {
    child: Child,
    said: Value,
}

impl Oracle {
    fn run(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{command:?} said {line:?}"));
        Self { child, said }
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

/// The route of the profile, near and slow.
fn route(profile: &str, ttft: &str) -> Vec<String> {
    let set = |key: &str, value: &str| ["--set".to_owned(), format!("routes.gateway.simulate.{key}={value}")];
    [vec![profile.to_owned()], [set("rtt", "0s"), set("tls", "false"), set("ttft", ttft)].concat()].concat()
}

fn texts(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

/// What the oracle did. `kept`: how many connections the route is to see in the end.
fn real(profile: &str, ttft: &str, rounds: u64, kept: u64, command: impl FnOnce(&str) -> Command) -> Seen {
    let sim = Sim::start(&Folder::new(), &texts(&route(profile, ttft)));
    let oracle = Oracle::run(&mut command(&sim.base_url));
    assert_eq!(oracle.said["ok"], USERS * rounds, "{}", oracle.said);
    let live = || sim.stats()["live"].as_u64().unwrap();
    until("the others are closed", || live() <= kept);
    let accepted = sim.stats()["accepted"].as_u64().unwrap();
    let discarded = oracle.said["discarded"].as_u64().unwrap_or(accepted - live());
    Seen { accepted, kept: live(), discarded }
}

/// What the profile does with the same users, in rounds: a user thinks longer than answers are apart.
fn imitated(profile: &str, ttft: &str, rounds: u64, sets: &[&str]) -> Seen {
    let calls = (USERS * rounds).to_string();
    let mut args = vec!["run".to_owned()];
    args.extend(route(profile, ttft));
    args.extend(["-n", &calls, "--json", "--set", "load.warmup=0s", "--set", "load.think_time=1500ms"].map(Into::into));
    args.extend(sets.iter().flat_map(|set| ["--set".to_owned(), (*set).to_owned()]));
    let report = Folder::new().run(&args).ran().json();
    assert_eq!(report["load"]["succeeded"], USERS * rounds);
    let closed = |cause: &str| report["connections"]["closed"][cause].as_u64().unwrap_or_default();
    let accepted = report["simulated"]["gateway"]["accepted"].as_u64().unwrap();
    assert_eq!(report["connections"]["opened"]["total"], accepted);
    Seen { accepted, kept: closed("shutdown"), discarded: closed("overflow") + closed("max_idle") }
}

/// The first Python that has requests: the one on the PATH may be another than the one its package belongs to.
fn python() -> PathBuf {
    let named = std::env::var_os("PYTHON").map(PathBuf::from);
    let usual =
        ["python3", "/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3"].map(PathBuf::from);
    let has_requests = |python: &PathBuf| {
        let import = Command::new(python).args(["-c", "import requests"]).stderr(Stdio::null()).status();
        import.is_ok_and(|status| status.success())
    };
    let found = named.into_iter().chain(usual).find(has_requests);
    found.expect("no Python here can import requests: run tests/run, or set PYTHON to one that can")
}

fn python_requests(ttft: &str, rounds: u64, kept: u64, block: &str) -> Seen {
    real("like-python-requests", ttft, rounds, kept, |base_url| {
        let mut command = Command::new(python());
        command.arg(script("python_requests.py"));
        command.args([base_url, &USERS.to_string(), &rounds.to_string(), "10", block]);
        command
    })
}

#[test]
fn requests_opens_a_connection_for_each_of_60_threads_and_discards_50_as_like_python_requests_does() {
    let seen = Seen { accepted: 60, kept: 10, discarded: 50 };
    assert_eq!(python_requests("2s", 1, 10, "False"), seen);
    assert_eq!(imitated("like-python-requests", "2s", 1, &[]), seen);
}

#[test]
fn requests_reuses_the_ten_it_kept_in_the_next_round_as_like_python_requests_does() {
    let seen = Seen { accepted: 60 + 50, kept: 10, discarded: 50 + 50 };
    assert_eq!(python_requests("2s", 2, 10, "False"), seen);
    assert_eq!(imitated("like-python-requests", "2s", 2, &[]), seen);
}

#[test]
fn requests_with_pool_block_opens_ten_and_lets_wait_as_like_python_requests_does_with_when_full_wait() {
    let seen = Seen { accepted: 10, kept: 10, discarded: 0 };
    assert_eq!(python_requests("400ms", 1, 10, "True"), seen);
    assert_eq!(imitated("like-python-requests", "400ms", 1, &["stack.pool.when_full=wait"]), seen);
}

#[test]
fn gos_transport_keeps_two_as_like_go_http_does() {
    if Command::new("go").arg("version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no go here");
        return;
    }
    let seen = Seen { accepted: 60 + 58, kept: 2, discarded: 58 + 58 };
    let go = real("like-go-http", "2s", 2, 2, |base_url| {
        let mut command = Command::new("go");
        command.arg("run").arg(script("go_http.go")).args([base_url, &USERS.to_string(), "2"]);
        command
    });
    assert_eq!(go, seen);
    assert_eq!(imitated("like-go-http", "2s", 2, &[]), seen);
}

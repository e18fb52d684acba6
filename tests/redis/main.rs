//! The Redis tier against a real redis-server: its own counters are the oracle, and its death costs no call.

mod faults;
mod server;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gatebench::cost::{PriceBook, Pricer};
use gatebench::engine::{self, Handle};
use gatebench::profile::expect::LatencyBounds;
use gatebench::profile::{Draft, Override, Prices, Profile, Source};
use gatebench::report::Report;
use tempfile::TempDir;

use self::server::{Server, until};

const PROFILE: &str = r#"
[load]
rate = 200
arrivals = "constant"
duration = "2s"
warmup = "0s"

[workload]
prompts = { kind = "zipf", distinct = 50, exponent = 0.5 }

[stack]
replicas = 2
single_flight = false

[stack.cache]
redis = { url = "managed", ttl = "60s", timeout = "1s" }

[routes.gateway]
simulate = { preset = "local", ttft = "5ms" }
"#;

fn profile(sets: &[&str]) -> Profile {
    let sets: Vec<Override> = sets.iter().map(|set| Override::set(set).unwrap()).collect();
    let draft = Draft::from_text(Source::Builtin("test"), PROFILE.to_owned()).with(&sets);
    draft.finish(Prices::ANY).unwrap().profile
}

fn start(profile: Profile) -> Handle {
    engine::start(profile, LatencyBounds::default(), engine::Until::Planned).unwrap_or_else(|error| panic!("{error}"))
}

fn report(handle: Handle) -> Report {
    let run = handle.join().unwrap();
    Report::of(&run, &Pricer::new(&run.profile, PriceBook::builtin()), &[])
}

#[test]
fn every_lookup_and_every_store_is_one_command_at_the_server() {
    let server = Server::start(&[]);
    let report = report(start(profile(&[&format!("stack.cache.redis.url={}", server.url())])));
    let (redis, model) = (report.served_by.redis.count, report.served_by.model.count);
    assert_eq!(report.load.succeeded, report.load.planned);
    assert_eq!(redis + model, report.load.succeeded);
    assert!(redis > 200, "{redis} hits");
    assert_eq!(server.calls("get"), report.load.succeeded, "each call looks up once");
    assert_eq!(server.calls("set") + server.calls("setex") + server.calls("psetex"), model, "each answer is kept once");
    let keys: u64 = server.ask("DBSIZE").trim_start_matches(':').parse().unwrap();
    assert!(keys <= 50, "{keys} keys of 50 prompts");
    assert_eq!(report.simulated["gateway"].requests, model);
}

#[test]
fn a_server_reached_over_tcp_serves_as_well() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Server::start(&["--port", &port.to_string(), "--bind", "127.0.0.1"]);
    let sets = [&*format!("stack.cache.redis.url=redis://127.0.0.1:{port}/3"), "load.duration=500ms"];
    let report = report(start(profile(&sets)));
    assert!(report.served_by.redis.count > 20);
    assert_eq!(server.calls("get"), report.load.succeeded);
    assert!(server.ask("INFO keyspace").contains("db3:keys="));
    let ttl: i64 = server
        .ask("INFO keyspace")
        .split("avg_ttl=")
        .nth(1)
        .unwrap()
        .trim()
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60_000).contains(&ttl), "keys live {ttl} ms of the 60 s they were given");
}

#[test]
fn answers_outlive_the_run_in_a_server_that_does() {
    let server = Server::start(&[]);
    let url = format!("stack.cache.redis.url={}", server.url());
    let first = report(start(profile(&[&url, "load.duration=1s"])));
    let second = report(start(profile(&[&url, "load.duration=1s"])));
    assert!(first.served_by.model.count > 0);
    assert_eq!(second.served_by.model.count, 0, "the same seed asks the same prompts");
    assert_eq!(second.served_by.redis.count, second.load.succeeded);
    assert_eq!(second.cost.usd, 0.0);
}

#[test]
fn killing_redis_in_mid_run_fails_no_call_and_shows_in_cache_errors() {
    let handle = start(profile(&[]));
    let pid = handle.redis_pid().expect("the run has a managed Redis");
    let snapshots = handle.snapshots();
    until("Redis has served some", || snapshots.borrow().measured.served_by[1] > 20);
    kill(pid);
    let report = report(handle);
    assert_eq!(report.load.failed, 0);
    assert_eq!(report.load.succeeded, report.load.planned);
    let refused: u64 = report.cache_errors.redis.values().sum();
    assert!(refused > 50, "{:?}", report.cache_errors);
    assert!(report.served_by.redis.count > 20);
    assert_eq!(report.simulated["gateway"].requests, report.served_by.model.count);
}

#[test]
fn a_redis_that_was_never_there_is_a_miss_and_not_a_failure() {
    let report = report(start(profile(&["stack.cache.redis.url=redis://127.0.0.1:1/0", "load.duration=500ms"])));
    assert_eq!((report.load.failed, report.served_by.redis.count), (0, 0));
    assert!(report.cache_errors.redis["refused"] > 0, "{:?}", report.cache_errors);
}

#[test]
fn a_slow_redis_costs_its_timeout_and_no_more() {
    let server = Server::start(&[]);
    let sets = [
        &*format!("stack.cache.redis.url={}", server.url()),
        "stack.cache.redis.timeout=30ms",
        "load.duration=1500ms",
        "load.rate=50",
    ];
    let handle = start(profile(&sets));
    let snapshots = handle.snapshots();
    until("Redis has served some", || snapshots.borrow().measured.served_by[1] > 3);
    server.signal(libc::SIGSTOP);
    let report = report(handle);
    server.signal(libc::SIGCONT);
    assert_eq!(report.load.failed, 0);
    assert!(report.cache_errors.redis["timeout"] > 5, "{:?}", report.cache_errors);
    let p50 = report.latency_ms.service.unwrap().p50;
    assert!(p50 < 300.0, "{p50} ms");
}

/// gatebench as a process, with a managed Redis and a run of a minute.
fn long_run(prepare: impl FnOnce(&mut Command)) -> (Child, TempDir) {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("p.toml"), PROFILE.replace("\"2s\"", "\"60s\"")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatebench"));
    command.args(["run", "p.toml"]).current_dir(folder.path()).env("GATEBENCH_CACHE_DIR", "cache");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    prepare(&mut command);
    (command.spawn().unwrap(), folder)
}

#[cfg(target_os = "linux")]
#[test]
fn a_gatebench_that_is_killed_leaves_no_redis_server_behind() {
    let (mut gatebench, _folder) = long_run(|_| {});
    let mut redis = None;
    until("its redis-server runs", || {
        redis = redis_of(gatebench.id());
        redis.is_some()
    });
    gatebench.kill().unwrap();
    gatebench.wait().unwrap();
    until("the redis-server is gone", || !is_running(redis.unwrap()));
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_the_redis_server_too() {
    let (mut gatebench, _folder) = long_run(|_| {});
    let mut redis = None;
    until("its redis-server runs", || {
        redis = redis_of(gatebench.id());
        redis.is_some()
    });
    // Before the handlers of signals are there, an interrupt ends the process as it would any other.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(unsafe { libc::kill(gatebench.id() as libc::pid_t, libc::SIGINT) }, 0);
    assert_eq!(gatebench.wait().unwrap().code(), Some(130));
    until("the redis-server is gone", || !is_running(redis.unwrap()));
}

#[test]
fn without_redis_server_a_run_that_wants_it_exits_1_and_says_how_to_install_it() {
    let (gatebench, _folder) = long_run(|command| _ = command.env("PATH", ""));
    let output = gatebench.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in ["redis-server", "apt-get install", "brew install", "pacman -S", "leave the tier out"] {
        assert!(said.contains(word), "`{word}` is not in {said}");
    }
    assert!(output.stdout.is_empty());
}

fn kill(pid: u32) {
    // SAFETY: plain system call on the server that this test's run has started.
    assert_eq!(unsafe { libc::kill(pid as libc::pid_t, libc::SIGKILL) }, 0);
}

/// The redis-server among the children of a process.
#[cfg(target_os = "linux")]
fn redis_of(parent: u32) -> Option<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{parent}/task")).ok()?.filter_map(Result::ok);
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let pids: Vec<u32> = children
        .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|pid| pid.parse().ok())
        .collect();
    pids.into_iter()
        .find(|pid| name_of(*pid).is_some_and(|name| name.starts_with("redis-server") || name.starts_with("valkey")))
}

#[cfg(target_os = "linux")]
fn name_of(pid: u32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()
}

/// Neither gone nor a zombie.
#[cfg(target_os = "linux")]
fn is_running(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    status.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

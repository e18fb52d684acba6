//! The limit of open files: raised as far as may be, and else said before anything is sent.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::binary::{CACHE, Folder, Running, Sim, until};

/// gatebench under a limit that a shell has set: `-n` sets both, `-Sn` the soft one alone.
fn under(limit: &str, folder: &Folder, args: &[&str]) -> Output {
    let mut command = Command::new("sh");
    let line = format!("ulimit {limit} && exec \"$@\"");
    command.args(["-c", &line, "sh", env!("CARGO_BIN_EXE_gatebench")]).args(args);
    command.current_dir(folder.path("")).env(CACHE.0, CACHE.1).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_limit_that_cannot_be_raised_far_enough_is_refused_before_anything_is_sent() {
    let folder = Folder::new();
    let sim = Sim::start(&folder, &["local"]);
    let run =
        ["run", "--url", &sim.base_url, "-m", "gpt-4.1", "-c", "200", "-n", "400", "--set", "stack.concurrency=200"];
    let pool = ["--set", "stack.pool.max_connections=200"];
    let refused = under("-n 200", &folder, &[&run[..], &pool].concat());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(refused.stdout.is_empty());
    // A pool of 200, a replica's 8, and 64 for everything else.
    for word in ["may need 272 open files", "200 are allowed", "`ulimit -n 272`", "stack.concurrency"] {
        assert!(said.contains(word), "`{word}` is not in {said}");
    }
    assert_eq!(sim.requests(), 0);
}

#[test]
fn a_check_says_how_many_are_missing() {
    let folder = Folder::new();
    let check = ["check", "quickstart", "--no-call", "--json", "--set", "stack.replicas=2"];
    for (limit, status, code) in [("-n 200", "fail", 1), ("-Sn 200", "ok", 0)] {
        let done = under(limit, &folder, &check);
        let document: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        let files = document["checks"].as_array().unwrap().iter().find(|check| check["step"] == "files").unwrap();
        assert_eq!((&files["status"], done.status.code()), (&status.into(), Some(code)), "{files:#}");
        // Two replicas' pools of 64, and what they reach is simulated in this process too.
        assert!(files["facts"]["needed"].as_u64() > Some(256), "{files:#}");
        assert_eq!(files["facts"]["allowed"] == 200, status == "fail", "{files:#}");
    }
}

#[test]
fn a_soft_limit_that_is_too_low_is_raised() {
    let folder = Folder::new();
    let sim = Sim::start(&folder, &["local"]);
    let run = ["run", "--url", &sim.base_url, "-m", "gpt-4.1", "-c", "100", "-n", "300", "--json"];
    let limits = ["--set", "stack.concurrency=100", "--set", "stack.pool.max_connections=100"];
    // A hundred connections do not fit below 40.
    let done = under("-Sn 40", &folder, &[&run[..], &limits].concat());
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((report["load"]["succeeded"].as_u64(), report["load"]["failed"].as_u64()), (Some(300), Some(0)));
}

/// Whatever takes files away in mid-run: what is then refused is a connect error that names it.
#[test]
fn files_that_run_out_in_mid_run_are_connect_errors_that_say_so() {
    let folder = Folder::new();
    let sim = Sim::start(&folder, &["local"]);
    let run = ["run", "--url", &sim.base_url, "-m", "gpt-4.1", "-c", "2", "-z", "60s", "--out", "r.json"];
    let each_connects = ["--set", "stack.pool.max_idle=0", "--set", "load.think_time=5ms"];
    let mut running = folder.spawn(&[&run[..], &each_connects].concat());
    until("some calls are through", || sim.requests() > 20);
    let before = set_soft_limit(&running, 3);
    // Every call fails from here on: many in this time, and one at least on a machine that is held up for most of it.
    until("no more calls come through", || {
        let seen = sim.requests();
        std::thread::sleep(Duration::from_secs(1));
        sim.requests() == seen
    });
    set_soft_limit(&running, before);
    running.signal(libc::SIGINT);
    running.wait();
    let report = folder.read_json("r.json");
    assert!(report["errors"]["connect"].as_u64() > Some(0), "{}", report["errors"]);
    let said = report["error_examples"]["connect"].as_str().unwrap();
    assert!(said.contains("may open no more files (EMFILE); raise ulimit -n"), "{said}");
    assert_eq!(report["attempts"]["total"], sim.stats()["requests"]);
}

/// Sets the soft limit of a running gatebench; the one before.
fn set_soft_limit(running: &Running, soft: u64) -> u64 {
    let mut before = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let (pid, files) = (running.id() as libc::pid_t, libc::RLIMIT_NOFILE);
    // SAFETY: prlimit writes and reads one rlimit each; the process is a child that has not been waited for.
    assert_eq!(unsafe { libc::prlimit(pid, files, std::ptr::null(), &mut before) }, 0);
    let wanted = libc::rlimit { rlim_cur: soft, rlim_max: before.rlim_max };
    // SAFETY: as above.
    assert_eq!(unsafe { libc::prlimit(pid, files, &wanted, std::ptr::null_mut()) }, 0);
    before.rlim_cur
}

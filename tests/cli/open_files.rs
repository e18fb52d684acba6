//! The limit of open files: raised as far as may be, and else said before anything is sent.

use std::process::{Command, Output, Stdio};

use crate::binary::{Folder, Sim};

/// gatebench under a limit that a shell has set: `-n` sets both, `-Sn` the soft one alone.
fn under(limit: &str, folder: &Folder, args: &[&str]) -> Output {
    let mut command = Command::new("sh");
    let line = format!("ulimit {limit} && exec \"$@\"");
    command.args(["-c", &line, "sh", env!("CARGO_BIN_EXE_gatebench")]).args(args);
    command.current_dir(folder.path("")).stdin(Stdio::null()).output().unwrap()
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

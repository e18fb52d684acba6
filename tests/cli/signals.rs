//! Ctrl-C and SIGTERM: the load stops, the partial report is written and marked, the code says which it was.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use crate::binary::{Folder, Sim, until};

/// A run of a minute against `sim`, stopped by `signal` when it is under way.
fn stopped_by(signal: libc::c_int) -> (i32, Duration, serde_json::Value, Sim) {
    let folder = Folder::new();
    let sim = Sim::start(&folder, &["local", "--set", "routes.local.simulate.ttft=20ms"][..1]);
    let args = ["run", "--url", &sim.base_url, "--model", "gpt-4.1", "-q", "100", "-z", "60s", "--out", "r.json"];
    let mut run = folder.spawn(&args);
    until("some requests have arrived", || sim.requests() > 20);
    run.signal(signal);
    let (status, took) = run.wait();
    (status.code().expect("it ends by itself"), took, folder.read_json("r.json"), sim)
}

#[test]
fn an_interrupted_run_exits_130_and_its_report_says_so() {
    let (code, took, report, sim) = stopped_by(libc::SIGINT);
    assert_eq!(code, 130);
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(report["run"]["interrupted"], true);
    assert_eq!(report["run"]["stop"], "interrupted");
    assert!(report["load"]["succeeded"].as_u64() > Some(10));
    assert_eq!(report["attempts"]["total"], sim.requests(), "the partial report counts all that was sent");
    assert!(report["run"]["measured_s"].as_f64() < Some(30.0));
}

#[test]
fn a_terminated_run_exits_143_and_its_report_says_so() {
    let (code, _, report, _) = stopped_by(libc::SIGTERM);
    assert_eq!(code, 143);
    assert_eq!(report["run"]["interrupted"], true);
    assert_eq!(report["run"]["stop"], "terminated");
}

#[test]
fn an_interrupt_comes_before_a_failed_expectation() {
    let folder = Folder::new();
    let sim = Sim::start(&folder, &["local"]);
    let args =
        ["run", "--url", &sim.base_url, "--model", "gpt-4.1", "-q", "100", "-z", "60s", "--expect", "qps > 1000000"];
    let mut run = folder.spawn(&args);
    until("some requests have arrived", || sim.requests() > 5);
    run.signal(libc::SIGINT);
    assert_eq!(run.wait().0.code(), Some(130));
    assert!(run.stdout().contains("interrupted"));
}

#[test]
fn an_interrupt_ends_the_wait_for_the_last_answers_too() {
    // A route that never answers: the load is over after a second, the answers would be awaited for a minute.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let folder = Folder::new();
    let args = ["run", "--url", &url, "--model", "gpt-4.1", "-c", "2", "-z", "1s", "--out", "r.json"];
    let mut run = folder.spawn(&args);
    let connections = [listener.accept().unwrap(), listener.accept().unwrap()];
    std::thread::sleep(Duration::from_millis(1500));
    run.signal(libc::SIGINT);
    let (status, took) = run.wait();
    assert_eq!(status.code(), Some(130));
    assert!(took < Duration::from_secs(8), "it took {took:?}");
    assert_eq!(folder.read_json("r.json")["run"]["stop"], "interrupted");
    drop(connections);
}

#[test]
fn a_second_interrupt_leaves_at_once() {
    // A route that never answers: the first interrupt alone would wait for it a while.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let folder = Folder::new();
    let mut run = folder.spawn(&["run", "--url", &url, "--model", "gpt-4.1", "-c", "2", "-z", "60s"]);
    let connections = [listener.accept().unwrap(), listener.accept().unwrap()];
    run.signal(libc::SIGINT);
    // Sooner, and the two would count as one wish.
    std::thread::sleep(Duration::from_millis(600));
    run.signal(libc::SIGINT);
    let (status, took) = run.wait();
    assert_eq!(status.signal(), None);
    assert_eq!(status.code(), Some(130));
    assert!(took < Duration::from_millis(1300), "it took {took:?}");
    drop(connections);
}

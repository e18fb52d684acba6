//! What a run is held against: measured when it is needed, once, and kept out of the way otherwise.

use serde_json::Value;

use crate::binary::{Folder, SHORT};

/// A route that answers at once: beyond 1,000 calls a second unless the machine is very busy.
const FAST: &str = r#"
[load]
mode = "closed"
users = 64
duration = "1500ms"
warmup = "0s"

[workload]
prompts = { kind = "unique" }
stream = false

[routes.gateway]
simulate = "local"
"#;

#[test]
fn a_closed_loop_that_was_fast_is_held_against_a_calibration_made_after_it() {
    let folder = Folder::with(FAST);
    let done = folder.run(["run", "profile.toml", "--json"]).ran();
    let run = done.json()["run"].clone();
    let generator = &run["generator"];
    assert_eq!(generator.is_object(), done.stderr.contains("calibrating (2 s, once a machine)"), "{}", done.stderr);
    if generator.is_object() {
        let figure = |name: &str| generator[name].as_f64().unwrap();
        assert!(figure("busiest_per_s") > 1000.0 && figure("capacity_per_s") > 100.0, "{generator}");
        assert!((figure("used") - figure("busiest_per_s") / figure("capacity_per_s")).abs() < 1e-9, "{generator}");
        let is_warned = run["warnings"].as_array().unwrap().iter().any(|text| text.to_string().contains("busiest"));
        assert_eq!(is_warned, figure("used") > 0.7);
    }
}

#[test]
fn a_small_run_is_never_delayed_by_it() {
    let folder = Folder::with(SHORT);
    let done = folder.run(["run", "profile.toml", "--json"]).ran();
    assert!(!done.stderr.contains("calibrating"), "{}", done.stderr);
    assert_eq!(done.json()["run"]["generator"], Value::Null);
    assert!(!folder.path("cache").exists());
}

#[test]
fn a_fast_plan_of_few_calls_is_a_small_run() {
    let folder = Folder::with(SHORT);
    let planned = ["--set", "load.mode=open", "--set", "load.rate=5000.0", "--set", "load.requests=1"];
    let done = folder.run(["run", "profile.toml"].iter().chain(&planned)).ran();
    assert!(!done.stderr.contains("calibrating"), "{}", done.stderr);
}

#[test]
fn a_fast_plan_that_cannot_begin_is_refused_at_once() {
    let folder = Folder::with(&format!("{FAST}api_key_env = \"GATEBENCH_TEST_NO_SUCH_KEY\"\n"));
    let done = folder.run(["run", "profile.toml", "--set", "load.mode=open", "--set", "load.rate=5000.0"]);
    assert!(!done.stderr.contains("calibrating"), "{}", done.stderr);
    done.refused_with(&["GATEBENCH_TEST_NO_SUCH_KEY"]);
}

#[test]
fn a_signal_ends_it() {
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 143)] {
        let mut calibrating = Folder::new().spawn(&["calibrate"]);
        assert!(calibrating.next_on_stderr().starts_with("calibrating"));
        calibrating.signal(signal);
        assert_eq!(calibrating.wait().0.code(), Some(code));
    }
}

/// As in many a container.
#[test]
fn without_a_home_it_says_how_to_keep_it() {
    let homeless = |command: &mut assert_cmd::Command| {
        ["HOME", "XDG_CACHE_HOME", "GATEBENCH_CACHE_DIR"].iter().for_each(|name| _ = command.env_remove(name));
    };
    let done = Folder::new().run_with(["calibrate"], homeless).exits(0);
    assert!(!done.stderr.contains("once a machine") && done.stdout.ends_with("not kept\n"), "{}", done.stderr);
    let others = done.stderr.contains("other processes used");
    assert!(others || done.stderr.contains("set GATEBENCH_CACHE_DIR"), "{}", done.stderr);
}

#[test]
fn the_figure_can_be_seen_and_measured_again() {
    let folder = Folder::new();
    let calibrate = |further: &[&str]| folder.run(["calibrate"].iter().chain(further)).exits(0);
    let first = calibrate(&[]);
    first.stderr_has(&["calibrating"]);
    assert!(
        first.stdout.contains("1 replica, one thread") && first.stdout.contains("Calls of 500 B"),
        "{}",
        first.stdout
    );
    if first.stdout.contains("cache/calibration.json") {
        let second = calibrate(&[]);
        assert_eq!((second.stdout, second.stderr.as_str()), (first.stdout, ""));
    }
    calibrate(&["--again"]).stderr_has(&["calibrating"]);
}

#[test]
fn a_cache_that_is_corrupt_or_cannot_be_written_is_no_error() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("cache")).unwrap();
    std::fs::write(folder.path("cache/calibration.json"), "{ not json").unwrap();
    folder.run(["calibrate"]).exits(0).stderr_has(&["calibrating"]);
    let folder = Folder::new();
    std::fs::write(folder.path("cache"), "a file where the folder should be").unwrap();
    let done = folder.run(["calibrate"]).exits(0);
    assert!(done.stdout.ends_with("not kept\n"), "{}", done.stdout);
}

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

/// Whatever is planned, one call is sent.
const PLANNED: [&str; 8] =
    ["run", "profile.toml", "--set", "load.mode=open", "--set", "load.rate=1001.0", "--set", "load.requests=1"];

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
fn a_planned_rate_beyond_1_000_a_second_calibrates_before_the_load_and_once() {
    let folder = Folder::with(SHORT);
    let first = folder.run(PLANNED).ran();
    first.stderr_has(&["calibrating (2 s, once a machine)"]);
    assert!(!first.stdout.contains("busiest second"), "one call is no fast run: {}", first.stdout);
    if folder.path("cache/calibration.json").exists() {
        let second = folder.run(PLANNED).ran();
        assert!(!second.stderr.contains("calibrating"), "{}", second.stderr);
    } else {
        // Others kept the machine busy, if not so busy that there is no figure at all.
        let why = ["this calibration is not kept", "could not be calibrated"];
        assert!(why.iter().any(|why| first.stderr.contains(why)), "{}", first.stderr);
    }
}

#[test]
fn a_planned_rate_of_1_000_a_second_does_not() {
    let folder = Folder::with(SHORT);
    let done = folder.run(PLANNED.iter().chain(&["--set", "load.rate=1000.0"])).ran();
    assert!(!done.stderr.contains("calibrating"), "{}", done.stderr);
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

//! Two runs against each other: what makes them slower is found, the same twice passes, and what cannot be told is said.

use crate::binary::{Done, Folder};

/// A call takes 150 ms, and 20 users share 5 connections: 600 ms, of which a busy machine's delays are a small part.
const QUEUED: &str = r#"
[load]
mode = "closed"
users = 20
duration = "5s"
warmup = "500ms"

[workload]
prompts = { kind = "unique" }
input_tokens = 100
output_tokens = 10
stream = false

[stack.pool]
max_connections = 5

[routes.gateway]
simulate = { preset = "local", ttft = "150ms" }
"#;

/// A mean: blocks have few calls, whose median jumps between the steps of the queue.
const MIDDLE: [&str; 6] = ["--metric", "mean", "--metric", "errors", "--metric", "cost.cny_per_1k"];

fn diff(folder: &Folder, reports: [&str; 2], further: &[&str]) -> Done {
    folder.run([&["diff"], &reports[..], &MIDDLE, further].concat())
}

fn ran(folder: &Folder, report: &str, further: &[&str]) {
    folder.run_validly([&["run", "profile.toml", "--out", report], further].concat()).exits(0);
}

#[test]
fn a_smaller_pool_is_a_regression_and_the_same_twice_passes_and_a_narrow_tolerance_is_inconclusive() {
    let folder = Folder::with(QUEUED);
    ran(&folder, "base.json", &[]);
    ran(&folder, "same.json", &[]);
    // 750 ms of 600.
    ran(&folder, "slower.json", &["--set", "stack.pool.max_connections=4"]);
    let room = ["--tolerance", "12%"];

    let slower = diff(&folder, ["base.json", "slower.json"], &room).exits(99);
    for words in ["changed      stack.pool.max_connections 5 → 4", "REGRESSION: response.mean +", "`gatebench compare`"]
    {
        assert!(slower.stdout.contains(words), "`{words}` is missing in {}", slower.stdout);
    }
    let same = diff(&folder, ["base.json", "same.json"], &room).exits(0);
    assert!(same.stdout.contains("passed: all 3 metrics are within their tolerances"), "{}", same.stdout);
    // A run against itself has not changed, but that is not known to a hundredth of a percent.
    let narrow = diff(&folder, ["base.json", "base.json"], &["--tolerance", "0.01%"]).exits(4);
    assert!(narrow.stdout.contains("inconclusive: the noise of response.mean is wider"), "{}", narrow.stdout);

    let files = ["--quiet", "--out", "diff.json", "--out", "diff.xml", "--out", "diff.md"];
    let quiet = diff(&folder, ["base.json", "slower.json"], &[&room[..], &files].concat()).exits(99);
    assert_eq!(quiet.stdout, "");
    quiet.stderr_has(&["REGRESSION: response.mean"]);
    let json = folder.read_json("diff.json");
    assert_eq!((&json["verdict"], &json["metrics"][0]["verdict"]), (&"regression".into(), &"regression".into()));
    let printed = diff(&folder, ["base.json", "slower.json"], &[&room[..], &["--json"]].concat()).exits(99).json();
    assert_eq!(printed, json);
}

#[test]
fn reports_that_cannot_be_compared_are_refused_with_the_reason() {
    let folder = Folder::with(&QUEUED.replace("5s", "900ms").replace("500ms", "0s"));
    ran(&folder, "base.json", &[]);
    ran(&folder, "other.json", &["-c", "10"]);
    let refused = |reports: [&str; 2], words: &[&str]| diff(&folder, reports, &[]).refused_with(words);
    refused(["base.json", "other.json"], &["not asked the same", "load.users was 20, is 10", "--force"]);
    refused(["base.json", "none.json"], &["none.json: cannot be read"]);
    refused(["profile.toml", "base.json"], &["profile.toml: is no JSON", "--out FILE.json"]);
    std::fs::write(folder.path("sweep.json"), r#"{ "schema": "gatebench.sweep/1" }"#).unwrap();
    refused(["base.json", "sweep.json"], &["sweep.json: is \"gatebench.sweep/1\", not the report of a run"]);

    let mut old = folder.read_json("base.json");
    old.as_object_mut().unwrap().remove("blocks");
    std::fs::write(folder.path("old.json"), old.to_string()).unwrap();
    refused(["old.json", "base.json"], &["base report has no blocks", "make it again"]);
    let mut cut = folder.read_json("base.json");
    (cut["run"]["stop"], cut["run"]["interrupted"]) = ("interrupted".into(), true.into());
    std::fs::write(folder.path("cut.json"), cut.to_string()).unwrap();
    diff(&folder, ["base.json", "cut.json"], &[]).exits(3).stderr_has(&["the new run", "interrupted"]);

    let forced = diff(&folder, ["base.json", "other.json"], &["--force"]).exits(3);
    assert!(forced.stdout.contains("NOT ALIKE    load.users 20 → 10"), "{}", forced.stdout);
    assert!(forced.stdout.contains("run for longer"), "{}", forced.stdout);
    diff(&folder, ["base.json", "base.json"], &["--metric", "response.max"]).refused_with(&["p50, p90, p95, p99"]);
    diff(&folder, ["base.json", "base.json"], &["--out", "diff.csv"]).refused_with(&["supported: .json .md .xml"]);
}

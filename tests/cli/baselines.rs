//! Baselines: kept, listed, shown and removed, where they are asked to be.

use crate::binary::{Folder, SHORT};

const MAIN: &str = ".gatebench/baselines/main.json";

#[test]
fn a_run_is_kept_by_name_and_one_in_its_place_is_said_to_be() {
    let folder = Folder::with(SHORT);
    let run = ["run", "profile.toml", "--save-baseline", "main", "--out", "r.json"];
    folder.run_validly(run).exits(0).stderr_has(&[&format!("kept as a baseline: {MAIN}\n")]);
    let report = folder.read_json(MAIN);
    assert_eq!(report, folder.read_json("r.json"));
    let at = report["run"]["started_at"].as_str().unwrap();
    folder.run_validly(run).exits(0).stderr_has(&[&format!("{MAIN}, in place of the run of {at}")]);

    let list = folder.run(["baseline", "list"]).exits(0).stdout;
    assert!(list.lines().any(|line| line.contains("main") && line.contains("1,000")), "{list}");
    assert!(folder.run(["baseline", "show", "main"]).exits(0).stdout.contains("hit rate"));
    assert_eq!(folder.run(["baseline", "show", "main", "--json"]).exits(0).json(), folder.read_json("r.json"));
    folder.run(["baseline", "show", "mian"]).refused_with(&["there is no baseline mian", "there are: main"]);
    folder.run(["baseline", "remove", "main"]).exits(0);
    assert!(folder.run(["baseline", "list"]).exits(0).stdout.contains("no baselines in .gatebench/baselines"));
}

#[test]
fn a_run_that_did_not_come_to_its_end_is_not_kept_and_exits_as_it_would() {
    let folder = Folder::with(SHORT);
    let slow = ["-n", "100", "--set", "workload.prompts.kind=unique"];
    let hopeless = [&slow[..], &["--abort-on-fail", "--expect", "max < 1ms", "--save-baseline", "main"]].concat();
    let done = folder.run_validly(["run", "profile.toml"].iter().chain(&hopeless)).exits(99);
    done.stderr_has(&["warning: main is not kept as a baseline: the run was aborted"]);
    assert!(!folder.path(MAIN).exists());
}

#[test]
fn a_report_of_before_is_kept_in_a_directory_of_choice_and_anything_else_is_refused() {
    let folder = Folder::with(SHORT);
    folder.run_validly(["run", "profile.toml", "--quiet", "--out", "r.json"]).exits(0);
    let there = |command: &mut assert_cmd::Command| _ = command.env("GATEBENCH_BASELINE_DIR", "kept");
    folder.run_with(["baseline", "save", "v1", "r.json"], there).exits(0);
    assert_eq!(folder.read_json("kept/v1.json"), folder.read_json("r.json"));
    assert!(folder.run(["baseline", "list", "--baseline-dir", "kept"]).exits(0).stdout.contains("v1"));
    folder.run(["baseline", "save", "v2", "profile.toml"]).refused_with(&["profile.toml: is no JSON"]);
    folder.run(["baseline", "save", "v2", "absent.json"]).refused_with(&["absent.json: cannot be read"]);
}

#[test]
fn what_is_wrong_with_a_baseline_is_told_before_anything_is_sent() {
    let folder = Folder::with(SHORT);
    let refused = |args: &[&str], words: &[&str]| {
        folder.run(["run", "profile.toml", "--out", "r.json"].iter().chain(args)).refused_with(words);
        assert!(!folder.path("r.json").exists());
    };
    refused(&["--save-baseline", "../main"], &["cannot name a baseline", "letters, digits"]);
    refused(&["--save-baseline", "main", "--baseline-dir", "profile.toml/x"], &["profile.toml is no directory"]);
}

/// Even calls of some 200 ms, as many at once as there are connections.
const EVEN: &str = r#"
[load]
mode = "closed"
users = 8
duration = "4s"
warmup = "1s"

[workload]
prompts = { kind = "unique" }

[routes.gateway]
simulate = { preset = "local", ttft = "200ms" }
"#;

#[test]
fn a_run_that_is_much_slower_than_its_baseline_exits_99_and_does_not_take_its_place() {
    let folder = Folder::with(EVEN);
    folder.run_validly(["run", "profile.toml", "--quiet", "--save-baseline", "main"]).exits(0);
    let kept = folder.read_json(MAIN);
    let both = ["run", "profile.toml", "--baseline", "main", "--save-baseline", "main", "--tolerance", "50%"];
    let slower = ["--metric", "response.p50", "--set", "stack.pool.max_connections=2", "--out", "r.json"];
    let page = folder.path("page.md");
    let on_page = |run: &mut assert_cmd::Command| _ = run.env("GITHUB_STEP_SUMMARY", &page);
    let done = folder.run_validly_with(both.iter().chain(&slower), on_page).exits(99);
    assert!(done.stdout.contains("held against the baseline main"), "{}", done.stdout);
    assert!(
        done.stdout.contains("stack.pool.max_connections") && done.stdout.contains("REGRESSION"),
        "{}",
        done.stdout
    );
    done.stderr_has(&["the baseline main stays as it is"]);
    assert_eq!(folder.read_json(MAIN), kept);
    assert_eq!(folder.read_json("r.json")["profile"]["stack"]["pool"]["max_connections"], 2);
    assert!(std::fs::read_to_string(page).unwrap().contains("REGRESSION"));

    let same = ["--metric", "response.p50", "--json"];
    let done = folder.run_validly(both.iter().chain(&same)).exits(0);
    assert_eq!(done.json()["schema"], "gatebench.report/1", "stdout has the report alone");
    done.stderr_has(&["held against the baseline main", "in place of the run of"]);
    assert_eq!(folder.read_json(MAIN), done.json());
}

#[test]
fn a_run_that_could_not_be_held_against_its_baseline_is_not_made() {
    let folder = Folder::with(SHORT);
    folder.run_validly(["run", "profile.toml", "--quiet", "-n", "500", "--save-baseline", "main"]).exits(0);
    let refused = |args: &[&str], words: &[&str]| {
        folder.run(["run", "profile.toml", "--out", "r.json"].iter().chain(args)).refused_with(words);
        assert!(!folder.path("r.json").exists());
    };
    refused(&["--baseline", "mian"], &["there is no baseline mian", "there are: main"]);
    refused(
        &["--baseline", "main"],
        &["baseline main: the runs were not asked the same", "load.requests was 500, is 1000"],
    );
    refused(&["--baseline", "main", "--tolerance", "x=5%"], &["--tolerance x=5%"]);
    refused(&["--tolerance", "5%"], &["--tolerance is about --baseline NAME, which is not given"]);
}

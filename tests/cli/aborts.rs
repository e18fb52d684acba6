//! `--abort-on-fail`: a run ends when an expectation cannot hold any more, and every report says so.

use roxmltree::Document;

use crate::binary::Folder;

/// Half of the calls fail, and all of them would take most of a minute. The others are slow, so that a generator which a busy
/// machine delays is still found valid.
const FAILING: &str = r#"
[load]
mode = "closed"
users = 8
requests = 2000
warmup = "0s"

[stack.retry]
attempts = 1

[routes.gateway]
simulate = { preset = "local", ttft = "400ms", error_rate = 0.5 }
"#;

#[test]
fn a_run_ends_when_its_errors_can_no_longer_be_made_good() {
    let folder = Folder::with(FAILING);
    let outs = ["r.json", "r.xml", "r.md", "r.html"].map(|name| ["--out", name]).concat();
    let expect = ["--abort-on-fail", "--expect", "errors < 1%", "--expect", "errors < 90%"];
    let done = folder.run_validly(["run", "profile.toml"].iter().chain(&expect).chain(&outs)).exits(99);
    let report = folder.read_json("r.json");
    let (run, load) = (&report["run"], &report["load"]);
    assert_eq!((&run["stop"], &run["interrupted"], &run["valid"]), (&"aborted".into(), &false.into(), &true.into()));
    let because = run["aborted_because"].as_str().unwrap();
    assert!(
        because.starts_with("errors < 1% cannot hold any more after ") && because.ends_with(" of 2,000 calls"),
        "{because}"
    );
    assert_eq!(report["attempts"]["total"], report["simulated"]["gateway"]["requests"], "all that was sent is counted");
    // Of 2,000 calls, 19 may fail.
    assert!(load["failed"].as_u64() >= Some(20) && load["sent"].as_u64() < Some(1_000), "{load}");
    let [failed, held] = [0, 1].map(|i| &report["expectations"][i]);
    assert!(failed["passed"] == false && failed["at_best"].as_f64() >= Some(0.01), "{failed}");
    assert!(held["passed"] == true && held.get("at_best").is_none(), "{held}");
    assert!(report["events"].as_array().unwrap().iter().any(|event| event["kind"] == "aborted"));
    done.stderr_has(&["aborting: errors < 1% cannot hold any more"]);
    assert!(done.stdout.contains(&format!("aborted: {because} (exit 99)")), "{}", done.stdout);
    let xml = std::fs::read_to_string(folder.path("r.xml")).unwrap();
    let failures = Document::parse(&xml).unwrap().descendants().filter(|node| node.has_tag_name("failure")).count();
    assert_eq!(failures, 2, "that it did not run to its end, and why");
}

#[test]
fn a_run_that_can_still_pass_goes_to_its_end() {
    let folder = Folder::with(FAILING);
    let few = ["-n", "40", "--expect", "errors < 90%", "--expect", "max < 20s"];
    let done = folder.run_validly(["run", "profile.toml", "--abort-on-fail", "--json"].iter().chain(&few)).exits(0);
    assert_eq!(done.json()["run"]["stop"], "finished");
}

#[test]
fn a_plan_that_can_never_hold_what_is_expected_fails_before_its_first_answer() {
    let folder = Folder::with(FAILING);
    let never = ["-q", "20", "-z", "30s", "--set", "load.mode=open", "--expect", "qps > 500"];
    let late = ["--set", "load.warmup=0ms", "--set", "routes.gateway.simulate.ttft=5s"];
    let done =
        folder.run_validly(["run", "profile.toml", "--abort-on-fail"].iter().chain(&never).chain(&late)).exits(99);
    assert!(done.stdout.contains("aborted: qps > 500 cannot hold any more"), "{}", done.stdout);
}

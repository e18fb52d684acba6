//! How runs end: what is printed where, and the exit code.

use serde_json::Value;

use crate::binary::{Folder, SHORT};

pub fn schema_problems(folder: &Folder, kind: &str, document: &Value) -> Vec<String> {
    let schema = folder.run(["schema", kind]).exits(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{} at {}", error, error.instance_path())).collect()
}

#[test]
fn a_good_run_exits_0_with_the_report_alone_on_stdout() {
    let folder = Folder::with(SHORT);
    let done = folder
        .run_validly(["run", "profile.toml", "--json", "--expect", "errors == 0%", "--expect", "qps > 1"])
        .exits(0);
    let report = done.json();
    assert_eq!(report["load"]["succeeded"], 1000);
    assert_eq!(report["attempts"]["total"], report["simulated"]["gateway"]["requests"]);
    assert_eq!(report["run"]["interrupted"], false);
    assert!(report["expectations"].as_array().unwrap().iter().all(|judged| judged["passed"] == true));
    assert_eq!(schema_problems(&folder, "report", &report), [""; 0]);
    assert_eq!(schema_problems(&folder, "profile", &report["profile"]), [""; 0]);
}

#[test]
fn the_file_has_what_stdout_would_have() {
    let folder = Folder::with(SHORT);
    let args = ["run", "profile.toml", "--quiet", "--out", "a.json", "--out", "b.json"];
    let done = folder.run_validly(args).exits(0);
    assert_eq!((&*done.stdout, &*done.stderr), ("", ""));
    assert_eq!(folder.read_json("a.json"), folder.read_json("b.json"));
    assert_eq!(schema_problems(&folder, "report", &folder.read_json("a.json")), [""; 0]);
}

#[test]
fn a_number_of_requests_takes_the_place_of_the_profiles_time() {
    let folder = Folder::new();
    let fast = ["--set", "load.rate=1000", "--set", "load.warmup=0s", "--set", "load.duration=100ms"];
    // What is set by hand still bounds it; what the profile says does not.
    let report =
        folder.run(["run", "ci-smoke", "-n", "600", "--json", fast[0], fast[1], fast[2], fast[3]]).ran().json();
    assert_eq!(report["load"]["planned"], 600);
    let report = folder.run([&["run", "ci-smoke", "-n", "600", "--json"], &fast[..]].concat()).ran().json();
    assert!(report["load"]["planned"].as_u64() < Some(200), "{}", report["load"]);
}

#[test]
fn a_file_that_cannot_be_written_loses_neither_the_summary_nor_the_other_files() {
    let folder = Folder::with(SHORT);
    for name in ["a.json", "c.json"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    let outs = ["--out", "a.json", "--out", "b.json", "--out", "c.json"];
    let done = folder.run(["run", "profile.toml"].iter().chain(&outs)).exits(1);
    assert!(done.stdout.contains("hit rate"), "no summary: {}", done.stdout);
    assert_eq!(folder.read_json("b.json")["load"]["succeeded"], 1000);
    done.stderr_has(&["a.json: cannot write", "c.json: cannot write"]);
}

#[test]
fn a_failed_expectation_exits_99_and_says_what_it_was() {
    let folder = Folder::with(SHORT);
    let args = ["run", "profile.toml", "--expect", "max < 1ms", "--expect", "errors < 1%", "--out", "r.json"];
    let done = folder.run_validly(args).exits(99);
    let report = folder.read_json("r.json");
    assert_eq!(report["expectations"][0]["passed"], false);
    assert_eq!(report["expectations"][0]["actual"], report["latency_ms"]["response"]["max"]);
    let said = done.stdout.lines().find(|line| line.contains("max < 1ms")).expect("the expectation is named");
    let actual = report["expectations"][0]["actual"].as_f64().unwrap();
    assert!(said.contains(&format!("was {actual:.0}ms")), "{said} does not say {actual}");
    assert!(done.stdout.contains("errors < 1%"));
}

#[test]
fn the_ci_profile_passes_and_fails_as_the_readme_says() {
    let folder = Folder::new();
    let short = [
        "run",
        "ci-smoke",
        "--set",
        "load.warmup=0s",
        "--set",
        "routes.gateway.simulate.ttft=400ms",
        "--set",
        "load.rate=300",
        "--duration",
        "1500ms",
    ];
    folder.run_validly(short.iter().chain(&["--set", "expect=[]", "--expect", "errors == 0%"])).exits(0);
    folder.run_validly(short.iter().chain(&["--set", "expect=[]", "--expect", "p99 < 1ms"])).exits(99);
}

#[test]
fn an_expectation_without_data_or_with_too_little_exits_3() {
    let folder = Folder::with(SHORT);
    let no_data = ["run", "profile.toml", "--set", "workload.stream=false", "--expect", "ttft.p50 < 1s"];
    assert!(folder.run(no_data).exits(3).stdout.contains("no data"));
    let too_few = ["run", "profile.toml", "-n", "50", "--expect", "p99 < 10s"];
    assert!(folder.run(too_few).exits(3).stdout.contains("too few samples"));
}

#[test]
fn the_summary_names_every_tier_and_both_currencies_and_has_no_colours_in_a_pipe() {
    let folder = Folder::with(SHORT);
    let done = folder.run_with(["run", "profile.toml"], |command| {
        command.env("CLICOLOR_FORCE", "0").env("TERM", "xterm-256color");
    });
    let done = done.ran();
    for word in ["local", "redis", "shared", "gateway", "model", "¥", "$", "hit rate", "p99", "connections"] {
        assert!(done.stdout.contains(word), "`{word}` is missing in {}", done.stdout);
    }
    assert!(!done.stdout.contains('\x1b') && !done.stderr.contains('\x1b'));
    assert!(done.stdout.lines().all(|line| line == line.trim_end()), "trailing blanks");
}

#[test]
fn an_unreachable_endpoint_exits_1_soon_and_says_how_to_mend_it() {
    let args =
        ["run", "--url", "http://127.0.0.1:1/v1", "--model", "gpt-4.1", "-c", "4", "-z", "60s", "--out", "r.json"];
    let folder = Folder::new();
    let start = std::time::Instant::now();
    let done = folder.run(args).exits(1);
    assert!(start.elapsed().as_secs() < 10);
    let said = done.stdout + &done.stderr;
    assert!(said.contains("127.0.0.1:1") && said.contains("refused"), "{said}");
    let report = folder.read_json("r.json");
    assert_eq!(report["run"]["stop"], "hopeless");
    assert_eq!(report["errors"]["connect"], report["load"]["failed"]);
    assert_eq!(report["attempts"]["total"], 0, "a request that found no server was counted as sent");
}

#[test]
fn a_model_without_a_price_may_be_asked_ad_hoc_and_is_said_to_be_unpriced() {
    let folder = Folder::new();
    let sim = crate::binary::Sim::start(&folder, &["local"]);
    let args = ["run", "--url", &sim.base_url, "--model", "a-model-of-ours", "-n", "20", "--json"];
    let report = folder.run_validly(args).exits(0).json();
    assert_eq!(report["cost"]["unpriced"], serde_json::json!(["a-model-of-ours"]));
    assert_eq!(report["cost"]["usd"], 0.0);
}

//! Sweeps: rows, pick, and how they end.

use crate::binary::{Folder, SHORT};

const SWEPT: [&str; 4] = ["sweep", "profile.toml", "--set", "stack.pool.max_connections=1,2"];

#[test]
fn a_sweep_has_a_row_for_each_value_and_a_pick() {
    let folder = Folder::with(SHORT);
    let quick = "routes.gateway.simulate.ttft=20ms";
    let common = ["sweep", "profile.toml", "-n", "40", "--set", "workload.prompts.kind=unique", "--set", quick];
    let swept = ["--set", "stack.pool.max_connections=1,4"];
    let text = folder.run_validly(common.iter().chain(&swept)).exits(0).stdout;
    for word in ["stack.pool.max_connections", "p50", "p99", "QPS", "RMB/1k", "USD/1k", "pick stack.pool"] {
        assert!(text.contains(word), "`{word}` is missing in {text}");
    }
    let json = folder.run_validly(common.iter().chain(&swept).chain(&["--json"])).exits(0).json();
    let rows = json["rows"].as_array().unwrap();
    let values: Vec<_> = rows.iter().map(|row| row["set"]["stack.pool.max_connections"].as_str().unwrap()).collect();
    assert_eq!(values, ["1", "4"]);
    assert!(rows.iter().all(|row| row["succeeded"] == 40));
    assert!(rows[0]["p50_ms"].as_f64() > rows[1]["p50_ms"].as_f64(), "4 users on one connection wait for each other");
    assert!(json["pick"]["why"].is_string());
}

#[test]
fn a_sweep_finds_the_knee_that_littles_law_says() {
    let folder = Folder::new();
    let args = [
        "sweep",
        "pooled",
        "--json",
        "--set",
        "load.warmup=0s",
        "-z",
        "2s",
        "--set",
        "expect=[]",
        "--set",
        "routes.gateway.simulate.tls=false",
        "--set",
        "stack.pool.max_connections=4,24",
    ];
    let mut json = folder.run_validly(args).exits(0).json();
    for _ in 0..3 {
        // On a busy machine the row that should win may be invalid.
        if json["rows"][1]["valid"] == true {
            break;
        }
        json = folder.run_validly(args).exits(0).json();
    }
    assert_eq!(json["pick"]["set"]["stack.pool.max_connections"], "24");
    // 60/s x (50 ms round trip + 100 ms answer)
    let busy = json["rows"][1]["busy"].as_f64().unwrap();
    assert!((8.0..12.0).contains(&busy), "{busy}");
}

#[test]
fn a_sweep_with_too_few_samples_to_judge_exits_3_as_a_run_does() {
    let folder = Folder::with(SHORT);
    let done = folder.run(SWEPT.iter().chain(&["-n", "50", "--expect", "p99 < 10s"])).exits(3);
    assert!(done.stdout.contains("too few samples (n = 50"), "{}", done.stdout);
    assert!(!done.stdout.contains("misses"), "{}", done.stdout);
}

#[test]
fn a_sweep_without_a_valid_run_picks_nothing_and_exits_3() {
    let folder = Folder::with(SHORT);
    let dropping = ["-q", "100", "-z", "500ms", "--set", "load.max_in_flight=1"];
    let unique = ["--set", "workload.prompts.kind=unique", "--json"];
    let json = folder.run(SWEPT.iter().chain(&dropping).chain(&unique)).exits(3).json();
    assert_eq!(json["rows"][0]["valid"], false);
    assert_eq!(json["rows"][1]["valid"], false);
    assert_eq!(json["pick"], serde_json::Value::Null);
}

#[test]
fn a_sweep_whose_values_all_miss_an_expectation_exits_99() {
    let folder = Folder::with(SHORT);
    let done = folder.run_validly(SWEPT.iter().chain(&["-n", "100", "--expect", "max < 1ms"])).exits(99);
    assert!(done.stdout.contains("max_connections = 1 misses max < 1ms"), "{}", done.stdout);
}

#[test]
fn a_run_that_cannot_be_made_keeps_the_rows_before_it() {
    let folder = Folder::with(&SHORT.replace("kind = \"zipf\", distinct = 4", "kind = \"file\", path = \"a.jsonl\""));
    std::fs::write(folder.path("a.jsonl"), "[{\"role\":\"user\",\"content\":\"hi\"}]\n").unwrap();
    std::fs::write(folder.path("wrong.jsonl"), "{\"prompt\":1}\n").unwrap();
    let args = ["sweep", "profile.toml", "--set", "workload.prompts.path=a.jsonl,wrong.jsonl", "--out", "s.json"];
    let done = folder.run(args).exits(1);
    done.stderr_has(&["error: ", "wrong.jsonl"]);
    assert!(done.stdout.contains("values are missing"), "{}", done.stdout);
    let sweep = folder.read_json("s.json");
    assert_eq!(sweep["rows"].as_array().unwrap().len(), 1);
    assert!(sweep["error"].as_str().unwrap().contains("wrong.jsonl"));
}

#[test]
fn a_sweeps_file_is_replaced_as_a_whole_and_one_that_cannot_be_loses_no_other() {
    let folder = Folder::with(SHORT);
    std::fs::create_dir(folder.path("a.json")).unwrap();
    std::fs::write(folder.path("b.json"), "old").unwrap();
    // Whoever has the old file open goes on reading it.
    std::fs::hard_link(folder.path("b.json"), folder.path("open.json")).unwrap();
    let done = folder.run(SWEPT.iter().chain(&["-n", "40", "--out", "a.json", "--out", "b.json"])).exits(1);
    assert!(done.stdout.contains("hit rate"), "no table: {}", done.stdout);
    done.stderr_has(&["a.json: cannot write"]);
    assert_eq!(folder.read_json("b.json")["rows"].as_array().unwrap().len(), 2);
    assert_eq!(std::fs::read_to_string(folder.path("open.json")).unwrap(), "old");
}

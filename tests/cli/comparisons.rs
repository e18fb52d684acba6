//! Comparisons: what is found, where it is written, how they end, and what is refused.

use serde_json::Value;

use crate::binary::Folder;
use crate::outcomes::schema_problems;

/// Two arms of a simulated route, one of which takes twice as long; 12 blocks of each take some 7 s.
const ARMS: &str = r#"
[load]
mode = "closed"
users = 4
duration = "2s"
warmup = "0s"

[workload]
prompts = { kind = "unique" }

[routes.gateway]
simulate = { preset = "local", ttft = "100ms" }

[compare]
arms = [
    { name = "quick", set = {} },
    { name = "slow", set = { "routes.gateway.simulate.ttft" = "200ms" } },
]
block = "150ms"
cool_down = "20ms"
metrics = ["response.p50"]
"#;

const COMPARE: [&str; 2] = ["compare", "profile.toml"];
const SHORTLY: [&str; 4] = ["compare", "profile.toml", "--blocks", "2"];

#[test]
fn a_slower_arm_is_worse_in_every_format() {
    let folder = Folder::with(ARMS);
    let endings = ["json", "html", "csv", "md", "xml"].map(|ending| format!("c.{ending}"));
    let outs = endings.iter().flat_map(|file| ["--out", file]);
    let done = folder.run_validly(COMPARE.into_iter().chain(["--tolerance", "10%"]).chain(outs)).exits(0);
    for word in ["slow is ", "slower a call than quick", "response.p50", "worse", "where the time", "RMB per 1k"] {
        assert!(done.stdout.contains(word), "`{word}` is missing in {}", done.stdout);
    }
    let json = folder.read_json("c.json");
    assert_eq!(schema_problems(&folder, "compare", &json), [""; 0]);
    assert_eq!(schema_problems(&folder, "profile", &json["profile"]), [""; 0]);
    let row = &json["metrics"][0];
    assert_eq!((&row["metric"], &row["verdict"], &row["rounds"]), (&"response.p50".into(), &"worse".into(), &6.into()));
    // 200 ms against 100 ms, each with what a busy machine adds.
    let ratio = row["ratio"].as_f64().unwrap();
    assert!((1.6..2.1).contains(&ratio), "{ratio}");
    assert!(row["ratio_interval"]["low"].as_f64() > Some(1.1));
    let blocks = |arm: usize| json["arms"][arm]["blocks"].as_array().unwrap().len();
    assert_eq!((blocks(0), blocks(1)), (12, 12));
    let read = |name: &str| std::fs::read_to_string(folder.path(name)).unwrap();
    assert_eq!(read("c.csv").lines().count(), 25);
    assert!(read("c.html").contains("slower a call than quick") && read("c.md").contains("| response.p50"));
    assert!(read("c.xml").contains("a word on every metric asked for"));
}

#[test]
fn too_few_blocks_are_inconclusive_which_counts_where_a_tolerance_was_asked_for() {
    let folder = Folder::with(ARMS);
    let asked = folder.run_validly(SHORTLY.into_iter().chain(["--tolerance", "5%"])).exits(4);
    asked.stderr_has(&["2 blocks of each arm give no 95% interval"]);
    assert!(asked.stdout.contains("inconclusive: response.p50 (exit 4)"), "{}", asked.stdout);
    let json = folder.run_validly(SHORTLY.into_iter().chain(["--json"])).exits(0).json();
    assert_eq!(json["metrics"][0]["verdict"], "inconclusive");
    assert_eq!(json["more_rounds"], 5);
}

#[test]
fn an_expectation_holds_for_every_arm() {
    let folder = Folder::with(ARMS);
    let done = folder.run_validly(SHORTLY.into_iter().chain(["--expect", "p50 < 190ms"])).exits(99);
    assert!(done.stdout.contains("✓ arm quick: p50 < 190ms"), "{}", done.stdout);
    assert!(done.stdout.contains("✗ arm slow: p50 < 190ms"), "{}", done.stdout);
}

#[test]
fn a_lone_arm_is_held_against_the_profile_as_it_is() {
    let folder = Folder::with(ARMS);
    let arm = ["--arm", "mine: routes.gateway.simulate.ttft=30ms, stack.concurrency=2", "--json"];
    let json = folder.run_validly(SHORTLY.into_iter().chain(arm)).exits(0).json();
    let names: Vec<_> = json["arms"].as_array().unwrap().iter().map(|arm| arm["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["base", "mine"]);
    assert_eq!(json["arms"][1]["set"]["routes.gateway.simulate.ttft"], "\"30ms\"");
    assert_eq!(json["arms"][1]["set"]["stack.concurrency"], "2");
}

#[test]
fn a_sweep_makes_the_comparison_at_each_value() {
    let folder = Folder::with(ARMS);
    let done = folder.run_validly(SHORTLY.into_iter().chain(["--sweep", "users=1,4", "--out", "c.json"])).exits(0);
    assert!(done.stdout.contains("response.p50 at each users"), "{}", done.stdout);
    let json = folder.read_json("c.json");
    assert_eq!(schema_problems(&folder, "compare", &json), [""; 0]);
    let points = json["points"].as_array().unwrap();
    let of = |point: &Value| (point["value"].clone(), point["comparison"]["profile"]["load"]["users"].clone());
    assert_eq!([of(&points[0]), of(&points[1])], [("1".into(), 1.into()), ("4".into(), 4.into())]);
}

/// The factor by which a gateway nearby is faster shrinks as the answer takes longer: (312 + S) / (38 + S).
#[test]
fn direct_vs_gateway_measures_what_the_formula_says() {
    let folder = Folder::new();
    let args = [
        "compare",
        "direct-vs-gateway",
        "--json",
        "--blocks",
        "2",
        "-c",
        "6",
        "--set",
        "routes.direct.simulate.tls=false",
        "--set",
        "routes.gateway.simulate.tls=false",
        "--sweep",
        "routes.direct.simulate.ttft,routes.gateway.simulate.ttft=0ms,500ms",
    ];
    // What a busy machine adds to a call of either arm, some ms, is in the ratio of short calls but not in the difference.
    let holds = |point: &Value, s: f64, within: f64| {
        let (row, formula) = (&point["comparison"]["metrics"][0], (38.0 + s) / (312.0 + s));
        assert!((point["configured"][0].as_f64().unwrap() - formula).abs() < 1e-9);
        let (ratio, difference) = (row["ratio"].as_f64().unwrap(), row["difference"].as_f64().unwrap());
        (ratio / formula - 1.0).abs() < within && (difference / (38.0 - 312.0) - 1.0).abs() < 0.03
    };
    let mut said = Value::Null;
    for _ in 0..4 {
        said = folder.run_validly(args).exits(0).json();
        if holds(&said["points"][0], 0.0, 0.12) && holds(&said["points"][1], 500.0, 0.03) {
            return;
        }
    }
    panic!(
        "beside the formula: {} {}",
        said["points"][0]["comparison"]["metrics"], said["points"][1]["comparison"]["metrics"]
    );
}

#[test]
fn an_interrupt_ends_it_with_the_whole_rounds_until_then() {
    let folder = Folder::with(ARMS);
    let mut running = folder.spawn(&["compare", "profile.toml", "--blocks", "1000", "--out", "c.json"]);
    assert!(running.next_on_stderr().contains("block "), "the first progress line");
    running.signal(libc::SIGINT);
    assert_eq!(running.wait().0.code(), Some(130));
    let json = folder.read_json("c.json");
    assert_eq!((&json["run"]["interrupted"], &json["run"]["stop"]), (&true.into(), &"interrupted".into()));
    assert!(json["run"]["blocks"].as_u64() > Some(1));
}

#[test]
fn what_cannot_be_compared_is_refused_with_its_place_and_mend() {
    let folder = Folder::with(ARMS);
    let refused = |args: &[&str], words: &[&str]| folder.run(COMPARE.iter().chain(args)).refused_with(words);
    refused(&["--arm", "mine"], &["--arm 'mine': write NAME: KEY=VALUE"]);
    refused(&["--arm", "mine: stack.pol.max_idle=1"], &["arm \"mine\": unknown key `pol`", "did you mean `pool`?"]);
    refused(&["--arm", "a: seed=1", "--arm", "a: seed=2"], &["--arm 'a: seed=2'", "\"a\" is taken by an earlier arm"]);
    refused(&["--blocks", "3"], &["--blocks 3", "write 2 or 4"]);
    refused(&["--tolerance", "p98=1%"], &["--tolerance p98=1%", "there is no metric p98"]);
    refused(&["--until", "5"], &["--until 5", "such as \"5%\""]);
    refused(&["--metric", "p98"], &["--metric p98", "there is no metric p98"]);
    refused(&["--sweep", "rate=1,2"], &["--sweep rate=1,2", "changes nothing", "load.users"]);
    refused(&["--sweep", "users=1,0"], &["load.users = 0 is below 1"]);
    refused(&["--out", "nowhere/c.json"], &["the directory nowhere does not exist"]);
    refused(&["--out", "c.pdf"], &[".json .html .csv .md .xml"]);
    refused(&["--set", "compare.shared=true", "--arm", "a: seed=9"], &["arm \"a\"", "compare.shared = false"]);
    folder.run(["compare", "ci-smoke"]).refused_with(&["ci-smoke has no [compare]", "--arm 'direct:"]);
}

#[test]
fn a_profiles_mistakes_are_told_by_their_line() {
    let folder = Folder::with(&ARMS.replace("name = \"slow\"", "name = \"quick\""));
    folder.run(COMPARE).refused_with(&["profile.toml:17: ", "taken by an earlier arm"]);
    let folder = Folder::with(&ARMS.replace("block = \"150ms\"", "blocks = 5"));
    folder.run(COMPARE).refused_with(&["profile.toml:19: compare.blocks = 5 is odd"]);
}

//! What a diff of made-up reports says.

use roxmltree::Document;
use serde_json::{Value, json};

use super::*;
use crate::metrics::Stop;
use crate::report::tests::synthetic;
use crate::report::{BlockFacts, Formats, Style, write};

/// A closed loop of 12 blocks within 2% of so many milliseconds, 200 calls each.
fn report(p50: f64) -> Report {
    let mut report = synthetic::report(&[]);
    report.profile["load"]["mode"] = "closed".into();
    let off = [0.5, -1.2, 0.1, 1.8, -0.6, 1.1, -2.0, 0.9, -0.3, 1.4, -1.6, 0.2];
    let around = |level: f64| off.map(|off| Some(level * (1.0 + off / 100.0))).to_vec();
    let constant = |value: f64| vec![Some(value); 12];
    let figures = [
        ("response.p50", around(p50)),
        ("response.p99", around(3.0 * p50)),
        ("qps", around(16_000.0 / p50)),
        ("errors", constant(0.0)),
        ("hit_rate", constant(0.4)),
        ("cost.cny_per_1k", constant(1.5)),
    ];
    report.blocks = BlockFacts {
        seconds: vec![1.0; 12],
        sent: vec![200; 12],
        succeeded: vec![200; 12],
        failed: vec![0; 12],
        samples: [("response".to_owned(), vec![200; 12])].into(),
        figures: figures.map(|(name, values)| (name.to_owned(), values)).into(),
    };
    report
}

fn asked(metrics: &[&str], tolerances: &[&str]) -> Asked {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Asked::parse(&owned(metrics), &owned(tolerances)).unwrap()
}

fn diff(base: &Report, new: &Report) -> Diff {
    Diff::of(base, new, &Asked::default()).unwrap()
}

fn outcomes(diff: &Diff) -> Vec<(&str, Outcome)> {
    diff.metrics.iter().map(|compared| (compared.metric.as_str(), compared.verdict)).collect()
}

#[test]
fn a_run_that_is_20_percent_slower_is_a_regression() {
    let diff = diff(&report(100.0), &report(120.0));
    let expected = [
        ("response.p50", Outcome::Regression),
        ("response.p99", Outcome::Regression),
        ("qps", Outcome::Regression),
        ("errors", Outcome::Same),
        ("hit_rate", Outcome::Same),
        ("cost.cny_per_1k", Outcome::Same),
    ];
    assert_eq!(outcomes(&diff), expected);
    assert_eq!((diff.verdict(), diff.exit_code), (Verdict::Failed, 99));
    assert!(diff.because.starts_with("response.p50 +20.0%"), "{}", diff.because);
}

#[test]
fn the_same_twice_passes_and_a_faster_run_is_better() {
    let same = diff(&report(100.0), &report(100.5));
    assert_eq!((same.verdict, same.exit_code), (Overall::Pass, 0));
    assert_eq!(same.because, "all 6 metrics are within their tolerances");
    let faster = diff(&report(120.0), &report(90.0));
    assert_eq!((faster.metrics[0].verdict, faster.metrics[2].verdict), (Outcome::Better, Outcome::Better));
    assert_eq!(faster.exit_code, 0);
}

#[test]
fn noise_that_is_wider_than_the_tolerance_is_inconclusive_and_says_how_long_a_run_would_take() {
    let mut new = report(100.1);
    new.blocks.figures.get_mut("response.p50").unwrap().rotate_left(3);
    let diff = Diff::of(&report(100.0), &new, &asked(&["p50"], &["1.5%"])).unwrap();
    assert_eq!((diff.verdict, diff.exit_code), (Overall::Inconclusive, 4));
    let longer = diff.metrics[0].longer.unwrap();
    assert!((1.0..10.0).contains(&longer), "{longer}");
    assert!(diff.text(Style::PLAIN).replace('\n', " ").contains("times as long would probably decide it"));
}

#[test]
fn blocks_that_line_up_are_compared_in_pairs_and_others_all_with_all() {
    // What the plan does to both runs: each block is slower than the one before.
    let rising = |p50: f64| {
        let mut report = report(p50);
        let values = (0..12).map(|at| Some(p50 * 1.1_f64.powi(at))).collect();
        report.blocks.figures.insert("response.p50".into(), values);
        report
    };
    let (base, new) = (rising(100.0), rising(101.0));
    let in_pairs = Diff::of(&base, &new, &asked(&["p50"], &[])).unwrap();
    assert_eq!((in_pairs.paired, in_pairs.metrics[0].verdict), (true, Outcome::Same));
    let mut off = new;
    off.blocks.seconds[0] = 1.6;
    let all = Diff::of(&base, &off, &asked(&["p50"], &[])).unwrap();
    assert_eq!((all.paired, all.metrics[0].verdict), (false, Outcome::Inconclusive));
}

#[test]
fn no_latency_is_known_better_than_the_buckets_of_its_histograms() {
    let mut exact = report(100.0);
    exact.blocks.figures.insert("response.p50".into(), vec![Some(100.0); 12]);
    let diff = Diff::of(&exact, &exact, &asked(&["p50"], &["0.5%"])).unwrap();
    assert_eq!(diff.metrics[0].verdict, Outcome::Inconclusive);
    let cost = Diff::of(&exact, &exact, &asked(&["cost.cny_per_1k"], &["0%"])).unwrap();
    assert_eq!(cost.metrics[0].verdict, Outcome::Same);
}

#[test]
fn microseconds_of_a_local_hit_are_no_regression_unless_they_are_asked_about() {
    // As report() has milliseconds.
    let hits = |p50: f64| {
        let mut report = report(100.0);
        let values = [0.9, 1.1, 1.0, 0.95, 1.05, 1.0, 0.9, 1.1, 1.0, 0.95, 1.05, 1.0].map(|factor| Some(p50 * factor));
        report.blocks.figures.insert("response.p50".into(), values.to_vec());
        report.latency_ms.response.as_mut().unwrap().p50 = p50;
        report
    };
    let judged = |new: f64, tolerances: &[&str]| {
        Diff::of(&hits(0.06), &hits(new), &asked(&["p50"], tolerances)).unwrap().metrics.remove(0)
    };
    let same = judged(0.09, &[]);
    assert_eq!((same.verdict, same.tolerance_ms), (Outcome::Same, Some(0.25)));
    assert_eq!(same.cells()[5], "±0.25ms");
    assert_eq!(judged(0.4, &["5%"]).verdict, Outcome::Regression);
    assert_eq!(judged(0.09, &["p50=5%"]).verdict, Outcome::Regression);
}

#[test]
fn runs_that_were_not_asked_the_same_are_refused_key_by_key_unless_forced() {
    let (base, mut new) = (report(100.0), report(100.0));
    new.profile["load"]["users"] = 64.into();
    new.profile["stack"]["concurrency"] = 7.into();
    let refused = Diff::of(&base, &new, &Asked::default()).unwrap_err();
    assert_eq!(refused.verdict(), Verdict::BadInput);
    let said = refused.to_string();
    assert!(said.contains("load.users was 32, is 64") && said.contains("--force"), "{said}");
    assert!(!said.contains("stack."), "{said}");
    let forced = Diff::of(&base, &new, &Asked { unlike: Unlike::Compared, ..Asked::default() }).unwrap();
    assert_eq!((forced.unlike[0].key.as_str(), forced.changed[0].key.as_str()), ("load.users", "stack.concurrency"));
    assert!(forced.text(Style::PLAIN).contains("NOT ALIKE    load.users 32 → 64"));
}

#[test]
fn unsound_runs_are_refused_with_the_reason_unless_forced() {
    let base = report(100.0);
    let mut interrupted = report(100.0);
    (interrupted.run.stop, interrupted.run.interrupted) = (Stop::Interrupted, true);
    let mut invalid = report(100.0);
    (invalid.run.valid, invalid.run.invalid_because) = (false, vec!["lag".into()]);
    for (new, word) in
        [(&interrupted, "new run says nothing of its settings: it was interrupted"), (&invalid, "invalid: lag")]
    {
        let refused = Diff::of(&base, new, &Asked::default()).unwrap_err();
        assert_eq!(refused.verdict(), Verdict::Invalid);
        assert!(refused.to_string().contains(word), "{refused}");
        let forced = Diff::of(&base, new, &Asked { unlike: Unlike::Compared, ..Asked::default() }).unwrap();
        assert!(forced.warnings.iter().any(|warning| warning.contains(word)), "{:?}", forced.warnings);
    }
}

#[test]
fn a_report_without_blocks_is_of_an_older_version() {
    let mut old = report(100.0);
    (old.blocks, old.gatebench) = (BlockFacts::default(), "0.0.9".into());
    let refused = Diff::of(&old, &report(100.0), &Asked::default()).unwrap_err();
    assert_eq!(refused, DiffError::NoBlocks { which: "base", version: "0.0.9".into() });
    assert_eq!(refused.verdict(), Verdict::BadInput);
}

#[test]
fn what_cannot_be_judged_is_said_and_goes_before_a_regression() {
    let asked = asked(&["p50", "ttft.p50", "errors.429"], &[]);
    let diff = Diff::of(&report(100.0), &report(150.0), &asked).unwrap();
    let expected = [
        ("response.p50", Outcome::Regression),
        ("ttft.p50", Outcome::Undecided),
        // A kind of error that never came.
        ("errors.429", Outcome::Same),
    ];
    assert_eq!(outcomes(&diff), expected);
    assert_eq!((diff.exit_code, diff.metrics[1].undecided.as_deref()), (3, Some("no data in the base run")));
}

#[test]
fn a_p99_of_blocks_with_few_calls_is_not_among_the_usual_and_undecided_when_asked_for() {
    let mut few = report(100.0);
    few.blocks.samples.insert("response".into(), vec![99; 12]);
    let usual = diff(&few, &report(100.0));
    assert!(outcomes(&usual).iter().all(|(metric, _)| *metric != "response.p99"));
    assert!(usual.text(Style::PLAIN).contains("not judged: response.p99: too few calls a block (n = 99"));
    let asked = Diff::of(&few, &report(100.0), &asked(&["p99"], &[])).unwrap();
    let said = "too few calls a block (n = 99, p99 needs 100) in the base run";
    assert_eq!(asked.metrics[0].undecided.as_deref(), Some(said));
}

#[test]
fn too_short_a_run_has_too_few_blocks_to_judge() {
    let mut short = report(100.0);
    short.blocks.figures.values_mut().for_each(|values| values.truncate(5));
    let diff = diff(&short, &report(100.0));
    assert_eq!(diff.exit_code, 3);
    assert!(diff.metrics[0].undecided.as_ref().unwrap().contains("8 are needed of each run: run for longer"));
}

#[test]
fn a_rate_that_the_plan_sets_is_not_among_the_usual() {
    let (mut base, mut new) = (report(100.0), report(100.0));
    for report in [&mut base, &mut new] {
        report.profile["load"]["mode"] = "open".into();
    }
    assert!(outcomes(&diff(&base, &new)).iter().all(|(metric, _)| *metric != "qps"));
}

#[test]
fn another_machine_and_another_time_are_told() {
    let (base, mut new) = (report(100.0), report(100.0));
    new.environment.cpus += 1;
    new.run.started_at = "2026-11-25T03:00:00Z".into();
    let diff = diff(&base, &new);
    assert!(diff.warnings[0].starts_with("CPUs was "), "{:?}", diff.warnings);
    assert!(diff.caution.starts_with("The runs began 2 days apart"), "{}", diff.caution);
}

#[test]
fn a_diff_keeps_to_its_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for new in [report(100.0), report(130.0)] {
        let diff = Diff::of(&report(100.0), &new, &asked(&["p50", "ttft.p99", "errors"], &[])).unwrap();
        let written: Value = serde_json::from_str(&diff.json()).unwrap();
        let errors: Vec<_> = validator.iter_errors(&written).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(written["schema"], "gatebench.diff/1");
    }
    assert!(!validator.is_valid(&json!({ "schema": "gatebench.diff/1" })));
}

#[test]
fn files_say_what_the_table_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut new = report(130.0);
    new.profile["stack"]["concurrency"] = 7.into();
    let diff = Diff::of(&report(100.0), &new, &asked(&["p50", "errors", "ttft.p50"], &[])).unwrap();
    let written = |ending: &str| {
        let path = folder.path().join(format!("diff.{ending}"));
        write(&path, &diff).unwrap();
        std::fs::read_to_string(path).unwrap()
    };
    assert_eq!(Diff::FORMATS.len(), 3);
    assert_eq!(written("json"), diff.json());
    let markdown = written("md");
    for words in ["**⚠️ undecided: ", "- changed stack.concurrency: 64 → 7", "| ❌ | response.p50 |", "| ✅ | errors |"]
    {
        assert!(markdown.contains(words), "{words} is not in {markdown}");
    }
    let xml = written("xml");
    let document = Document::parse(&xml).unwrap();
    let wrong = |name: &str| {
        let case = document.descendants().find(|node| node.attribute("name") == Some(name)).unwrap();
        case.children().find(|child| child.is_element()).map(|wrong| wrong.tag_name().name().to_owned())
    };
    assert_eq!(wrong("response.p50").as_deref(), Some("failure"));
    assert_eq!((wrong("errors"), wrong("ttft.p50").as_deref()), (None, Some("error")));
}

//! What the report of a synthetic run says.

mod doubts;
mod files;
pub(crate) mod synthetic;

use std::sync::Arc;

use serde_json::Value;

use self::synthetic::{Calls, attempt, ms, profile, report, report_of, run_of, tally};
use super::*;
use crate::cost::{PriceBook, Pricer};
use crate::metrics::{Run, Stop, Tally, Time};
use crate::profile::expect;
use crate::route::Connection;
use crate::stack::ServedBy;

#[test]
fn a_report_has_the_figures_of_its_run() {
    let report = serde_json::to_value(report(&[])).unwrap();
    let is = |pointer: &str, expected: Value| assert_eq!(report.pointer(pointer), Some(&expected), "{pointer}");
    is("/schema", "gatebench.report/1".into());
    is("/run/started_at", "2026-11-23T02:00:00Z".into());
    is("/run/valid", true.into());
    is("/load/qps", 49.5.into());
    is("/load/achieved", 1.0.into());
    is("/served_by/local/count", 300.into());
    is("/served_by/redis", serde_json::json!({ "count": 0, "share": 0.0 }));
    is("/hit_rate", (400.0 / 990.0).into());
    is("/models/deepseek-v3.2/count", 110.into());
    is("/models/gpt-4.1/routes/gateway", 880.into());
    is("/errors", serde_json::json!({ "429": 7, "auth": 1, "5xx": 2 }));
    is("/cache_errors/redis/timeout", 10.into());
    is("/attempts/total", 810.into());
    is("/amplification", (810.0 / 700.0).into());
    is("/connections/opened", serde_json::json!({ "measured": 64, "total": 64 }));
    is("/connections/closed", serde_json::json!({ "idle_timeout": 3, "shutdown": 61 }));
    is("/tokens/output", 35_400.into());
    is("/cost/prices_as_of", "2026-11-22".into());
    is("/cost/saved/currency", "CNY".into());
    is("/latency_ms/response/count", 990.into());
    is("/latency_ms/connect/count", 64.into());
    is("/events/0/at_s", 5.0.into());
    // 480 answers of gpt-4.1 at 1.0, 110 of deepseek-v3.2 at the market rate.
    let gpt = 480.0 * (200.0 * 2.0 + 60.0 * 8.0) / 1e6;
    let deepseek = 110.0 * (200.0 * 0.28 + 60.0 * 0.4) / 1e6;
    let near = |pointer, expected: f64| {
        let actual = report.pointer(pointer).and_then(Value::as_f64).unwrap();
        assert!((actual - expected).abs() < 1e-9, "{pointer}: {actual} is not {expected}");
    };
    near("/cost/usd", gpt + deepseek);
    near("/cost/cny", gpt + deepseek * 7.3);
    near("/cost/saved/by_cache", 400.0 * 880.0 / 1e6);
    near("/cost/saved/by_exchange", gpt * 6.3);
}

#[test]
fn a_report_keeps_to_its_schema_and_reads_back_as_it_was() {
    let report = report(&["p99 < 800ms", "errors < 1%", "ttft.p999 < 9s"]);
    let written: Value = serde_json::from_str(&json(&report)).unwrap();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let errors: Vec<_> = validator.iter_errors(&written).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(serde_json::from_value::<Report>(written.clone()).unwrap(), report);

    let mut without_load = written;
    without_load.as_object_mut().unwrap().remove("load");
    assert!(!validator.is_valid(&without_load));
}

#[test]
fn a_report_of_nothing_keeps_to_its_schema_too() {
    let report = report_of(&run_of(Tally::new(3)), &["p99 < 1s", "errors < 1%"]);
    let written = serde_json::to_value(&report).unwrap();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    assert!(validator.is_valid(&written));
    assert!(written["latency_ms"]["response"].is_null());
    assert!(text(&report, Style::PLAIN).ends_with("no call was sent in the measured window (exit 1)\n"));
}

#[test]
fn a_run_that_could_not_begin_says_what_to_mend() {
    let last_line = |run: &Run, examples: &[(&str, &str)]| {
        let mut report = report_of(run, &[]);
        for (kind, example) in examples {
            report.errors.insert((*kind).to_owned(), 5);
            report.error_examples.insert((*kind).to_owned(), (*example).to_owned());
            report.load.sent = 5;
        }
        text(&report, Style::PLAIN).replace('\n', " ")
    };
    let mut run = run_of(Tally::new(3));
    let unreachable = [("connect", "nothing listens there; is it up?")];
    assert!(last_line(&run, &unreachable).contains("first connect: nothing listens there; is it up?"));
    assert!(last_line(&run, &unreachable).contains("the first one says why"));
    assert!(last_line(&run, &[("auth", "401")]).contains("api_key_env"));
    run.stop = Stop::Budget;
    run.abandoned = 3;
    let said = last_line(&run, &[]);
    assert!(said.contains("limits.budget; raise it") && said.contains("3 no longer awaited"), "{said}");
}

#[test]
fn what_the_warm_up_cost_is_said_beside_what_the_measured_calls_did() {
    let mut run = run_of(tally());
    assert!(!text(&report_of(&run, &[]), Style::PLAIN).contains("with warm-up and drain"));
    let calls = Calls::new();
    let warm_up = calls.answered(ServedBy::Model, &calls.asked, ms(600.0), vec![]);
    (0..100).for_each(|_| run.total.record(&warm_up));
    let report = report_of(&run, &[]);
    let bill = Pricer::new(&run.profile, PriceBook::builtin()).bill(&run.total.ledger);
    assert_eq!((report.cost.total_cny, report.cost.total_usd), (bill.cny, bill.usd));
    assert!(report.cost.total_cny > report.cost.cny);
    let both = format!("{} / {}", format::money('¥', bill.cny), format::money('$', bill.usd));
    assert!(text(&report, Style::PLAIN).contains(&format!("\n             {both} with warm-up and drain\n")));
}

#[test]
fn no_line_of_a_summary_is_longer_than_a_terminal_of_eighty_columns() {
    for stop in [Stop::Quit, Stop::Budget, Stop::Hopeless, Stop::Interrupted] {
        let mut run = run_of(tally());
        run.stop = stop;
        let mut report = report_of(&run, &[]);
        report.error_examples.insert("connect".to_owned(), "nothing listens there; ".repeat(6));
        for line in text(&report, Style::PLAIN.fitting(80)).lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= 80, "{line}");
        }
        let head = text(&report, Style::PLAIN);
        assert!(head.lines().nth(1).is_some_and(|line| line.matches(" · ").count() == 2), "{head}");
    }
}

#[test]
fn histograms_decode_to_the_values_recorded() {
    use base64::Engine;
    let report = report(&[]);
    let bytes = base64::prelude::BASE64_STANDARD.decode(&report.histograms["connect"]).unwrap();
    let mut deserializer = hdrhistogram::serialization::Deserializer::new();
    let histogram: hdrhistogram::Histogram<u64> = deserializer.deserialize(&mut &bytes[..]).unwrap();
    assert_eq!(histogram.len(), 64);
    assert!(histogram.value_at_quantile(0.5).abs_diff(79_000_000) < 79_000);
    assert!(!report.histograms.contains_key("service.redis"));
}

#[test]
fn every_metric_that_an_expectation_may_name_is_answered_in_its_unit() {
    let run = run_of(tally());
    let bill = Pricer::new(&run.profile, PriceBook::builtin()).bill(&run.measured.ledger);
    let figures = Figures::of_run(&run, &bill);
    for name in expect::metrics() {
        let metric = Metric::by_name(&name).unwrap_or_else(|| panic!("{name} is unknown"));
        let same = match expect::unit_of(&name).unwrap() {
            expect::Unit::Time => metric.unit() == Unit::Ms,
            expect::Unit::Ratio => metric.unit() == Unit::Ratio,
            expect::Unit::Number => matches!(metric.unit(), Unit::Count | Unit::PerSecond | Unit::Factor),
            expect::Unit::Cny => metric.unit() == Unit::Cny,
            expect::Unit::Usd => metric.unit() == Unit::Usd,
        };
        assert!(same, "{name} is in {:?}", metric.unit());
        let empty = ["redis.", "shared.", "batch."].iter().any(|family| name.contains(family));
        assert!(empty || metric.value(&figures).is_some(), "{name} has no value");
    }
    assert_eq!(metric_value("hit_rate.local", &figures), Some(300.0 / 990.0));
    assert_eq!(metric_value("errors.5xx", &figures), Some(0.002));
    assert_eq!(metric_value("qps", &figures), Some(49.5));
    assert_eq!(metric_value("p50", &figures), metric_value("response.p50", &figures));
    assert_eq!(metric_value("response.p42", &figures), None);
}

#[test]
fn an_expectation_says_what_it_met() {
    let report = report(&["errors < 1%", "errors <= 1%", "hit_rate > 40%", "cost.cny_per_1k < ¥5"]);
    let passed: Vec<_> = report.expectations.iter().map(|judged| judged.passed).collect();
    assert_eq!(passed, [false, true, true, true]);
    assert_eq!(report.expectations[0].actual, Some(0.01));
    assert_eq!(exit_code(&report), 99);
}

#[test]
fn without_samples_or_with_too_few_an_expectation_cannot_be_judged() {
    let report = report(&["batch.p99 < 1s", "connect.p99 < 1s", "connect.p95 < 1s", "p999 < 10s", "connect.max < 1s"]);
    let undecided: Vec<_> = report.expectations.iter().map(|judged| judged.undecided.as_deref()).collect();
    assert_eq!(
        undecided,
        [
            Some("no data"),
            Some("too few samples (n = 64, p99 needs 299)"),
            None,
            Some("too few samples (n = 990, p999 needs 2,995)"),
            None,
        ]
    );
    assert_eq!(report.expectations[0].actual, None);
    assert_eq!(exit_code(&report), 3);
}

#[test]
fn the_least_samples_are_those_of_the_literature() {
    let needed = |name| Metric::by_name(name).unwrap().samples_needed();
    let figures = ["p50", "p75", "p90", "p95", "p99", "p999", "max", "errors"].map(needed);
    assert_eq!(figures, [5, 11, 29, 59, 299, 2995, 1, 1]);
}

#[test]
fn a_run_that_sent_too_little_is_invalid_in_words() {
    let mut run = run_of(tally());
    run.planned = 1_010;
    assert!(report_of(&run, &[]).run.valid, "99.01% is enough");
    run.planned = 1_100;
    let because = report_of(&run, &[]).run.invalid_because;
    assert_eq!(because.len(), 1);
    assert!(
        because[0].starts_with("sent 1,000 of 1,100 planned calls (90.9%, at least 99% are needed)"),
        "{because:?}"
    );
    run.dropped = 100;
    assert!(report_of(&run, &[]).run.invalid_because[0].contains("100 arrivals found load.max_in_flight"));
    assert_eq!(exit_code(&report_of(&run, &["errors < 1%"])), 3);
}

#[test]
fn lag_is_held_against_five_milliseconds_or_a_twentieth_of_the_service() {
    let because = |service: f64, lag: f64| {
        let calls = Calls { lag: ms(lag), ..Calls::new() };
        let tries = vec![attempt(&calls.asked, Connection::Reused)];
        let mut tally = Tally::new(3);
        tally.record(&calls.answered(ServedBy::Model, &calls.asked, ms(service), tries));
        report_of(&run_of(tally), &[]).run.invalid_because
    };
    assert_eq!(because(20.0, 4.9), [""; 0]);
    assert!(because(20.0, 5.2)[0].starts_with("lag p99 was 5.2"));
    assert_eq!(because(1000.0, 49.0), [""; 0]);
    assert_eq!(because(1000.0, 51.0).len(), 1);
}

#[test]
fn cache_hits_do_not_make_lag_look_worse() {
    let calls = Calls { lag: ms(20.0), ..Calls::new() };
    let mut tally = Tally::new(3);
    for _ in 0..99 {
        tally.record(&calls.answered(ServedBy::Local, &calls.asked, ms(0.02), vec![]));
    }
    let tries = vec![attempt(&calls.asked, Connection::Reused)];
    tally.record(&calls.answered(ServedBy::Model, &calls.asked, ms(800.0), tries));
    assert_eq!(tally.times.count(Time::Routed), 1);
    assert!(report_of(&run_of(tally), &[]).run.valid);
}

#[test]
fn of_several_outcomes_the_first_in_precedence_is_the_exit_code() {
    let mut report = report(&["errors < 1%"]);
    assert_eq!(exit_code(&report), 99);
    report.expectations.extend(synthetic::report(&["batch.p99 < 1s"]).expectations);
    assert_eq!(exit_code(&report), 3, "undecided goes before failed");
    report.load.succeeded = 0;
    assert_eq!(exit_code(&report), 1);
    report.run.stop = Stop::Terminated;
    assert_eq!(exit_code(&report), 143);
    report.run.stop = Stop::Interrupted;
    assert_eq!(exit_code(&report), 130);
    report.run.stop = Stop::Budget;
    assert_eq!(exit_code(&report), 1);

    use Verdict::*;
    let codes = [BadInput, Interrupted, Terminated, CouldNotRun, Invalid, Failed, Inconclusive, Passed];
    assert!(codes.is_sorted());
    assert_eq!(codes.map(Verdict::exit_code), [2, 130, 143, 1, 3, 99, 4, 0]);
    assert_eq!(Verdict::of_all([Inconclusive, Failed]), Failed);
    assert_eq!(Verdict::of_all([]), Passed);
}

#[test]
fn a_report_is_written_whole_beside_the_file_it_replaces() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    std::fs::write(&path, "old").unwrap();
    let report = report(&[]);
    write(&path, &report).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), json(&report));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "the temporary file is gone");
}

#[test]
fn a_report_that_cannot_be_written_says_how_to_mend_it() {
    let directory = tempfile::tempdir().unwrap();
    let refused = |name: &str| write(&directory.path().join(name), &report(&[])).unwrap_err().to_string();
    assert!(refused("report.pdf").ends_with("no report format for \".pdf\"; supported: .json .html .csv .md .xml"));
    assert!(refused("report").contains("supported: .json .html .csv .md .xml"));
    let missing = refused("missing/report.json");
    assert!(missing.contains("does not exist") && missing.contains("mkdir -p"), "{missing}");
}

#[test]
fn no_line_of_the_summary_is_wider_than_100_columns() {
    use unicode_width::UnicodeWidthStr;
    let mut run = run_of(tally());
    let mut wide = profile();
    wide.description = "晚高峰客服机器人".repeat(12);
    run.profile = Arc::new(wide);
    run.planned = 2_000_000;
    let report = report_of(&run, &["errors < 1%", "cost.cny_per_day < ¥100"]);
    for line in text(&report, Style::PLAIN).lines() {
        assert!(line.width() <= 100, "{}: {line}", line.width());
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let report = report(&["errors < 1%", "hit_rate > 40%", "batch.p99 < 1s"]);
    let colored = text(&report, Style::COLOR);
    assert!(colored.contains("\x1b[32m✓ hit_rate > 40%"));
    let mut plain = String::new();
    for (i, piece) in colored.split('\x1b').enumerate() {
        plain.push_str(if i == 0 { piece } else { piece.split_once('m').unwrap().1 });
    }
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(trimmed(&plain), trimmed(&text(&report, Style::PLAIN)));
    assert!(!text(&report, Style::PLAIN).contains('\x1b'));
}

#[test]
fn the_summary_reads_well() {
    let report = report(&["p99 < 800ms", "errors < 5%", "hit_rate > 40%", "connect.p99 < 1s", "cost.cny_per_1k < 5"]);
    insta::assert_snapshot!(text(&report, Style::PLAIN));
}

#[test]
fn the_summary_of_a_bad_run_hides_nothing() {
    let mut run = run_of(tally());
    (run.planned, run.dropped, run.stop) = (1_400, 400, Stop::Budget);
    run.total.requests += 212;
    run.total.attempts += 215;
    run.measured.requests -= 2;
    insta::assert_snapshot!(text(&report_of(&run, &["p99 < 800ms"]), Style::PLAIN));
}

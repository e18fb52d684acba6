//! What is said of synthetic comparisons.

use roxmltree::Document;
use serde_json::Value;

use super::*;
use crate::compare::tests::synthetic::{LEVELS, comparison, of, profile, taken, tally};
use crate::metrics::Tally;
use crate::profile::{Profile, Route, Simulated};
use crate::report::{Style, Verdict, as_json};

/// At a value of `load.users`.
fn at(value: &str, comparison: Comparison) -> At {
    At::new(value.to_owned(), &[], comparison)
}

fn sweep() -> ComparedSweep {
    let mut sweep = ComparedSweep::new(vec!["load.users".into()]);
    sweep.points = vec![at("1", comparison()), at("8", comparison())];
    sweep
}

#[test]
fn the_summary_says_it_in_a_sentence_before_the_tables() {
    insta::assert_snapshot!("two_arms", text(&comparison(), Style::PLAIN));
}

#[test]
fn three_arms_are_each_held_against_the_first_and_no_line_is_wider_than_the_page() {
    let mut profile = profile(&["direct", "gateway", "proxy"]);
    profile.expect = vec!["response.p50 < 200ms".into(), "batch.p99 < 1s".into()];
    profile.compare.as_mut().unwrap().blocks = 4;
    let comparison = of(&profile, &taken(&profile, 2, |arm, at| tally(LEVELS[arm], 100, at)));
    let text = text(&comparison, Style::PLAIN);
    assert!(text.lines().all(|line| line.chars().count() <= Style::PLAIN.width), "{text}");
    insta::assert_snapshot!("three_arms", text);
}

#[test]
fn a_difference_is_told_in_the_words_of_its_metric() {
    let comparison = comparison();
    let said = |metric: &str| words::sentence(&comparison, comparison.row(metric, 1).unwrap());
    assert!(said("response.p50").starts_with("gateway is 284ms faster a call than direct (response.p50; ratio 0.122"));
    assert!(said("ttft.p50").contains("faster to the first token than direct"));
    assert!(said("qps").starts_with("no difference between gateway and direct beyond 5.0% (qps; ratio 1.00"));
    assert!(
        said("errors").starts_with("no difference between gateway and direct beyond 1.00 points (errors; 0 points")
    );
    let mut slower = comparison.row("response.p50", 1).unwrap().clone();
    (slower.verdict, slower.difference, slower.ratio) = (Word::Worse, 7.0, Some(1.02));
    assert!(words::sentence(&comparison, &slower).starts_with("gateway is 7.00ms slower a call than direct"));
    slower.verdict = Word::Inconclusive;
    assert!(words::sentence(&comparison, &slower).starts_with("inconclusive: whether gateway differs from direct by"));
}

#[test]
fn the_blocks_it_would_take_are_whole_rounds_even_after_an_interruption_amid_one() {
    let mut profile = profile(&["direct", "gateway"]);
    profile.compare.as_mut().unwrap().until = Some(crate::profile::Percent(1e-9));
    let mut taken = taken(&profile, 2, |arm, at| tally(LEVELS[arm], 100, at));
    let further = |taken: &crate::compare::conduct::Taken| words::further(&of(&profile, taken)).unwrap();
    assert!(further(&taken).ends_with("--blocks 12"), "{}", further(&taken));
    let again = taken.arms[0].turns[0].clone();
    taken.arms[0].turns.push(again);
    assert!(further(&taken).ends_with("--blocks 12"), "{}", further(&taken));
    taken.arms.iter_mut().for_each(|arm| arm.turns.clear());
    assert_eq!(of(&profile, &taken).more_rounds, Some(6), "none is enough");
}

#[test]
fn where_time_goes_is_said_with_the_connections_it_costs() {
    let mut comparison = comparison();
    let [first, other] = &mut comparison.arms[..] else { panic!("two arms") };
    first.phases_ms = crate::compare::Phases { first_token: 30.0, connect: 1.0, ..Default::default() };
    other.phases_ms = crate::compare::Phases { first_token: 37.8, connect: 0.2, ..Default::default() };
    (first.connections.opened, other.connections.opened) = (6, 4);
    assert_eq!(
        words::where_time_goes(first, other).unwrap(),
        "gateway costs 7.00ms a call against direct, most of it first token (+7.80ms), and saves 2 connections"
    );
    assert_eq!(
        words::where_time_goes(other, first).unwrap(),
        "direct saves 7.00ms a call against gateway, most of it first token (-7.80ms), and opens 2 connections more"
    );
}

/// Twice the calls open twice as many connections, where none is kept.
#[test]
fn connections_are_counted_for_as_many_calls_and_where_none_is_opened_those_that_are_kept() {
    let mut comparison = comparison();
    let [first, other] = &mut comparison.arms[..] else { panic!("two arms") };
    (first.succeeded, first.connections.opened) = (1000, 1000);
    (other.succeeded, other.connections.opened) = (2000, 2000);
    assert!(words::where_time_goes(first, other).unwrap().ends_with(", and opens as many connections"));
    other.connections.opened = 1001;
    assert!(words::where_time_goes(first, other).unwrap().ends_with(", and saves 500 connections per 1k calls"));
    (first.connections.opened, other.connections.opened) = (0, 0);
    (first.connections.peak, other.connections.peak) = (16, 8);
    assert!(words::where_time_goes(first, other).unwrap().ends_with(", and keeps 8 connections fewer"));
}

#[test]
fn nothing_is_said_of_connections_that_a_transport_does_not_tell_of() {
    let mut comparison = comparison();
    comparison.arms[1].connections = crate::compare::ConnectionFacts::default();
    let said = words::where_time_goes(&comparison.arms[0], &comparison.arms[1]).unwrap();
    assert!(!said.contains("connections"), "{said}");
    let rows = arms(&comparison).rows;
    let opened = rows.iter().find(|row| row[0] == "connections opened").unwrap();
    assert_eq!(opened[1..], ["0", "-"]);
}

#[test]
fn an_arm_that_fails_more_is_no_arm_without_a_difference() {
    let mut comparison = comparison();
    let told = |comparison: &Comparison| headlines(comparison, 1).map(|row| row.metric.clone()).collect::<Vec<_>>();
    assert_eq!(told(&comparison), ["response.p50"]);
    let errors = comparison.metrics.iter_mut().find(|row| row.metric == "errors").unwrap();
    (errors.verdict, errors.difference) = (Word::Worse, 0.5);
    assert_eq!(told(&comparison), ["response.p50", "errors"]);
    for said in [text(&comparison, Style::PLAIN), markdown(&comparison)] {
        assert!(said.contains("gateway has 50.0 points more errors than direct"), "{said}");
    }
}

#[test]
fn a_comparison_without_a_round_is_not_said_to_be_valid() {
    let mut comparison = comparison();
    assert!(text(&comparison, Style::PLAIN).contains(" · valid"));
    comparison.run.rounds = 0;
    assert!(!text(&comparison, Style::PLAIN).contains(" · valid"));
}

#[test]
fn the_exit_code_is_that_of_what_went_wrong() {
    let code = |change: fn(&mut Comparison)| {
        let mut comparison = comparison();
        change(&mut comparison);
        verdict(&comparison).exit_code()
    };
    assert_eq!(code(|_| {}), 0);
    assert_eq!(code(|c| c.metrics[0].verdict = Word::Inconclusive), 0, "nobody asked for certainty");
    let open = |c: &mut Comparison| {
        c.plan.demands_a_verdict = true;
        c.metrics[0].verdict = Word::Inconclusive;
    };
    assert_eq!(code(open), 4);
    assert_eq!(code(|c| (c.plan.demands_a_verdict, c.plan.metrics) = (true, vec!["batch.p50".into()])), 4);
    assert_eq!(code(|c| c.metrics[0].verdict = Word::Worse), 0);
    assert_eq!(code(|c| (c.run.valid, c.plan.demands_a_verdict) = (false, true)), 3);
    assert_eq!(code(|c| c.arms[1].succeeded = 0), 1);
    assert_eq!(code(|c| c.run.rounds = 0), 1);
    assert_eq!(code(|c| (c.run.stop, c.run.valid) = (Stop::Interrupted, false)), 130);
    assert_eq!(code(|c| c.run.stop = Stop::Terminated), 143);
    assert_eq!(code(|c| c.run.stop = Stop::Hopeless), 1);
}

#[test]
fn an_expectation_that_one_arm_misses_fails_the_comparison_and_names_the_arm() {
    let mut profile = profile(&["direct", "gateway"]);
    profile.expect = vec!["response.p95 < 200ms".into()];
    let comparison = of(&profile, &taken(&profile, 6, |arm, at| tally(LEVELS[arm], 100, at)));
    assert_eq!(verdict(&comparison), Verdict::Failed);
    assert!(text(&comparison, Style::PLAIN).contains("✗ arm direct: response.p95 < 200ms"));
    assert!(markdown(&comparison).contains("❌ arm direct: response.p95 &lt; 200ms"), "{}", markdown(&comparison));
    let xml = junit(&comparison);
    let xml = Document::parse(&xml).unwrap();
    let failed = xml.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert_eq!(failed.parent().unwrap().attribute("classname"), Some("gatebench.expect.direct"));
}

#[test]
fn junit_has_an_error_where_a_word_was_asked_for_and_there_is_none() {
    let mut comparison = comparison();
    let errors = |comparison: &Comparison| {
        let xml = junit(comparison);
        let document = Document::parse(&xml).unwrap();
        document.descendants().filter(|node| node.has_tag_name("error")).count()
    };
    comparison.metrics[0].verdict = Word::Inconclusive;
    assert_eq!(errors(&comparison), 0);
    comparison.plan.demands_a_verdict = true;
    assert_eq!(errors(&comparison), 1);
}

#[test]
fn what_is_printed_as_json_keeps_to_its_schema() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    for text in [as_json(&comparison()), as_json(&sweep())] {
        let json: Value = serde_json::from_str(&text).unwrap();
        let problems: Vec<_> = schema.iter_errors(&json).map(|problem| problem.to_string()).collect();
        assert_eq!(problems, [""; 0]);
    }
    let wrong = serde_json::json!({ "schema": "gatebench.compare/1" });
    assert!(!schema.is_valid(&wrong));
}

#[test]
fn csv_has_a_row_for_each_block_in_the_order_they_were_run() {
    let csv = csv(&comparison());
    let mut reader = ::csv::Reader::from_reader(csv.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let column = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let arms: Vec<_> = rows.iter().take(5).map(|row| row[column("arm")].to_owned()).collect();
    assert_eq!(
        (rows.len(), arms),
        (24, ["direct", "gateway", "gateway", "direct", "direct"].map(str::to_owned).into())
    );
    assert_eq!((&rows[4][column("block")], &rows[4][column("round")]), ("5", "2"));
    let p50: f64 = rows[1][column("response.p50")].parse().unwrap();
    assert!((p50 - 39.0).abs() < 1.0, "{p50}");
    assert!(sweep().csv().starts_with("value,block,round,arm,"));
}

#[test]
fn markdown_begins_with_the_word_and_has_the_table() {
    let markdown = markdown(&comparison());
    assert!(markdown.starts_with("**✅ compared; nothing was expected**"), "{markdown}");
    assert!(markdown.contains("| response.p50 | 324ms | 39.5ms |"), "{markdown}");
    assert!(of_sweep(&sweep()).contains("| 8 | 324ms | 39.5ms |"), "{}", of_sweep(&sweep()));
}

/// Two simulated routes of the article's presets, `ms` at the far end.
fn steady(ms: u64, route: &str) -> Profile {
    let route_of = |preset| {
        let mut simulated = Simulated::preset(preset).unwrap();
        simulated.ttft = crate::profile::Spread::Fixed(std::time::Duration::from_millis(ms));
        simulated.tokens_per_second = crate::profile::Spread::Fixed(0.0);
        simulated.gateway_cache = None;
        Route { simulate: Some(simulated), ..Route::default() }
    };
    let routes = [("direct", "openai-official"), ("gateway", "holysheep")];
    let mut profile = Profile::default();
    profile.stack.route = route.to_owned();
    profile.routes = routes.map(|(name, preset)| (name.to_owned(), route_of(preset))).into();
    profile
}

#[test]
fn a_sweep_has_a_row_for_each_value_beside_what_the_routes_are_set_to() {
    let mut sweep = sweep();
    for (at, ms) in sweep.points.iter_mut().zip([0, 500]) {
        let arms = ["direct", "gateway"].map(|route| (route.to_owned(), steady(ms, route)));
        *at = At::new(at.value.clone(), &arms, std::mem::replace(&mut at.comparison, comparison()));
        let formula = (38.0 + ms as f64) / (312.0 + ms as f64);
        assert!((at.configured[0].unwrap() - formula).abs() < 1e-9, "{:?}", at.configured);
    }
    let tables = sweep.tables();
    let headings: Vec<_> = tables.iter().map(|(heading, _)| heading.as_str()).collect();
    assert_eq!(headings[..2], ["response.p50 at each users", "response.p95 at each users"]);
    assert_eq!(headings.len(), 6, "each metric asked for: {headings:?}");
    let table = &tables[0].1;
    assert_eq!(table.heads[..3], ["users", "direct", "gateway"]);
    let cells: Vec<_> = table.rows.iter().map(|row| (row[0].as_str(), row[7].as_str())).collect();
    assert_eq!(cells, [("1", "8.21x faster"), ("8", "1.51x faster")]);
    assert_eq!(sweep.points[0].comparison.arms.len(), 2);
    let (first, mut pool) = (steady(0, "direct"), steady(0, "gateway"));
    pool.stack.pool.max_connections = 2;
    let arms = [("direct".to_owned(), first), ("pool".to_owned(), pool)];
    assert_eq!(At::new("1".into(), &arms, comparison()).configured, [None], "a pool makes a difference of its own");
}

#[test]
fn the_summary_of_a_sweep_says_each_value_in_short_and_its_figures_once() {
    let text = sweep().text(Style::PLAIN);
    insta::assert_snapshot!("sweep", text);
    assert!(!text.contains("each arm"), "{text}");
    let whole = of_sweep(&sweep());
    assert_eq!(whole.matches("each arm, past its warm-up").count(), 2, "{whole}");
}

#[test]
fn a_comparison_without_a_round_has_no_empty_tables() {
    let profile = profile(&["direct", "gateway"]);
    let mut comparison = of(&profile, &taken(&profile, 0, |arm, at| tally(LEVELS[arm], 100, at)));
    comparison.run.stop = Stop::Interrupted;
    let text = text(&comparison, Style::PLAIN);
    assert!(!text.contains("verdict") && !text.contains("tolerance") && !text.contains("\n\n\n"), "{text}");
    assert!(text.ends_with("interrupted before a whole round: two blocks of each arm (exit 130)\n"), "{text}");
}

#[test]
fn the_blocks_that_are_advised_are_an_even_number() {
    let profile = profile(&["direct", "gateway"]);
    let mut cut = taken(&profile, 2, |arm, at| tally(LEVELS[arm], 100, at));
    cut.arms[1].turns.pop();
    cut.stop = Stop::Interrupted;
    let further = words::further(&of(&profile, &cut)).unwrap();
    assert!(further.ends_with("--blocks 12"), "{further}");
}

#[test]
fn a_narrow_page_leaves_columns_out_rather_than_break_its_lines() {
    let style = Style::PLAIN.fitting(72);
    for text in [text(&comparison(), style), sweep().text(style)] {
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(72), "{text}");
        assert!(text.contains("95% interval") && text.contains("verdict"), "{text}");
    }
    assert!(text(&comparison(), Style::PLAIN).contains("difference  ratio"));
}

#[test]
fn a_value_that_is_missing_is_said_and_counts() {
    let mut broken = sweep();
    assert_eq!(broken.verdict(), Verdict::Passed);
    broken.error = Some("no such host".into());
    assert_eq!(broken.verdict(), Verdict::CouldNotRun);
    assert!(broken.text(Style::PLAIN).ends_with("values are missing: no such host (exit 1)\n"));
}

#[test]
fn an_arm_in_which_nothing_succeeded_is_said() {
    let profile = profile(&["direct", "gateway"]);
    let comparison =
        of(&profile, &taken(&profile, 6, |arm, at| if arm == 1 { Tally::new(3) } else { tally(312.0, 9, at) }));
    let (_, words) = closing_words(&comparison);
    assert_eq!(words, "nothing succeeded in arm gateway: all 0 calls failed (exit 1)");
    let text = text(&comparison, Style::PLAIN);
    assert!(!text.contains("where the time"), "there is no time to hold the first arm's against\n{text}");
}

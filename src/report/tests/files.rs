//! What each format of file says of the synthetic run.

use roxmltree::{Document, Node};

use super::super::csv::csv;
use super::super::junit::junit;
use super::super::markdown::markdown;
use super::synthetic::{report, report_of, run_of, tally};
use crate::metrics::Stop;
use crate::report::html::html;
use crate::report::{Report, Style, exit_code, text};

/// Class, name, and the kind and message of what is wrong, of each case.
fn cases(xml: &str) -> Vec<(String, Option<(String, String)>)> {
    let document = Document::parse(xml).unwrap();
    let wrong = |case: Node| {
        let wrong = case.children().find(Node::is_element)?;
        Some((wrong.tag_name().name().to_owned(), wrong.attribute("message").unwrap().to_owned()))
    };
    let all = document.descendants().filter(|node| node.has_tag_name("testcase"));
    let named = |case: &Node| [case.attribute("classname").unwrap(), case.attribute("name").unwrap()].join(": ");
    all.map(|case| (named(&case), wrong(case))).collect()
}

fn counted(xml: &str) -> [String; 3] {
    let document = Document::parse(xml).unwrap();
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    ["tests", "failures", "errors"].map(|count| suite.attribute(count).unwrap().to_owned())
}

#[test]
fn junit_has_a_case_for_each_thing_the_exit_code_hangs_on() {
    let xml = junit(&report(&["errors < 1%", "hit_rate > 40%", "batch.p99 < 1s"]));
    let wrong = |kind: &str, message: &str| Some((kind.to_owned(), message.to_owned()));
    let expected = [
        ("gatebench.run: ran to its end", None),
        ("gatebench.run: valid", None),
        ("gatebench.expect: errors < 1%", wrong("failure", "was 1.0%")),
        ("gatebench.expect: hit_rate > 40%", None),
        ("gatebench.expect: batch.p99 < 1s", wrong("error", "no data")),
    ];
    assert_eq!(cases(&xml), expected.map(|(name, wrong)| (name.to_owned(), wrong)));
    assert_eq!(counted(&xml), ["5", "1", "1"]);
    let document = Document::parse(&xml).unwrap();
    let tells_skipped = |tag| document.descendants().find(|node| node.has_tag_name(tag)).unwrap().attribute("skipped");
    assert_eq!((tells_skipped("testsuites"), tells_skipped("testsuite")), (None, Some("0")));
}

#[test]
fn junit_of_a_run_that_is_invalid_or_did_not_run_has_errors() {
    let mut invalid = report(&[]);
    (invalid.run.valid, invalid.run.invalid_because) = (false, vec!["lag p99 was 52ms".into()]);
    let xml = junit(&invalid);
    assert_eq!(cases(&xml)[1].1, Some(("error".into(), "lag p99 was 52ms".into())));
    assert_eq!(counted(&xml), ["2", "0", "1"]);
    let mut interrupted = report(&[]);
    interrupted.run.stop = Stop::Interrupted;
    let (_, wrong) = cases(&junit(&interrupted)).swap_remove(0);
    assert!(wrong.unwrap().1.contains("(exit 130)"));
}

/// Aborted for its errors when two expectations had too few samples and one held so far.
fn aborted() -> Report {
    let mut report = report(&["errors < 1%", "ttft.p999 < 9s", "hit_rate > 1%"]);
    report.run.stop = Stop::Aborted;
    report.run.aborted_because = Some("errors < 1% cannot hold any more after 12.0s of 60.0s".into());
    report.expectations[0].at_best = Some(0.02);
    report
}

#[test]
fn a_run_that_was_aborted_fails_by_what_it_was_aborted_for_alone() {
    let report = aborted();
    assert_eq!(exit_code(&report), 99, "not 3 for the samples that it had no time for");
    let xml = junit(&report);
    let wrong: Vec<_> = cases(&xml).into_iter().map(|(_, wrong)| wrong).collect();
    let told = |kind: &str, message: &str| Some((kind.to_owned(), message.to_owned()));
    let because = report.run.aborted_because.as_deref().unwrap();
    assert_eq!(wrong[0], told("failure", because));
    assert_eq!(wrong[2], told("failure", "was 1.0%, at best 2.0% in the end"));
    assert!(wrong[3].as_ref().is_some_and(|(kind, why)| kind == "skipped" && why.contains("too few samples")));
    assert_eq!((&wrong[1], &wrong[4]), (&None, &None));
    for told in [markdown(&report), text(&report, Style::PLAIN), html(&report)] {
        assert!(told.replace("&lt;", "<").contains(&format!("aborted: {because} (exit 99)")), "{told}");
    }
}

#[test]
fn an_aborted_run_that_is_invalid_or_without_an_answer_is_that_first() {
    let mut report = aborted();
    report.run.valid = false;
    assert_eq!(exit_code(&report), 3);
    report.load.succeeded = 0;
    assert_eq!(exit_code(&report), 1);
    report.run.stop = Stop::Interrupted;
    assert_eq!(exit_code(&report), 130);
}

#[test]
fn junit_is_xml_whatever_a_server_or_a_profile_says() {
    let mut nasty = report(&[]);
    nasty.profile["description"] = "<b>\"&' ]]> \u{1}\x1b[31m 模型".into();
    nasty.load.succeeded = 0;
    nasty.error_examples.insert("5xx".into(), "</error> \u{0} & ]]>".into());
    let xml = junit(&nasty);
    let document = Document::parse(&xml).unwrap();
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    assert!(suite.attribute("name").unwrap().starts_with("<b>\"&' ]]>"));
    let error = document.descendants().find(|node| node.has_tag_name("error")).unwrap();
    assert!(error.text().unwrap().contains("first 5xx: </error>"));
}

fn read(report: &Report) -> (Vec<String>, Vec<Vec<String>>) {
    let text = csv(report);
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
    (head, rows.collect())
}

#[test]
fn csv_has_a_row_a_point_and_what_json_says_in_it() {
    let mut report = report(&[]);
    report.series[0].p99_ms = None;
    let (head, rows) = read(&report);
    assert_eq!(rows.len(), report.series.len());
    let json = serde_json::to_value(&report.series).unwrap();
    for (row, point) in rows.iter().zip(json.as_array().unwrap()) {
        for (name, cell) in head.iter().zip(row) {
            let value = &point[name];
            assert_eq!(*cell, if value.is_null() { String::new() } else { value.to_string() }, "{name}");
        }
    }
    assert!(["at_s", "succeeded", "p99_ms", "cost_cny"].iter().all(|name| head.iter().any(|head| head == name)));
}

#[test]
fn csv_of_a_run_that_ended_at_once_still_has_its_columns() {
    let mut report = report(&[]);
    let (head, _) = read(&report);
    report.series.clear();
    assert_eq!(read(&report), (head, vec![]));
}

#[test]
fn markdown_says_the_verdict_first_and_what_failed_before_what_held() {
    let text = markdown(&report(&["hit_rate > 40%", "batch.p99 < 1s", "errors < 1%"]));
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("**⚠️ cannot judge: 1 of 3 expectations held, 1 failed"), "{first}");
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| ✅") || line.starts_with("| ❌")).collect();
    assert_eq!(rows, ["| ❌ | errors &lt; 1% | was 1.0% |", "| ✅ | hit\\_rate &gt; 40% | was 40.4% |"]);
    assert!(text.contains("| ⚠️ | batch.p99 &lt; 1s | no data |"));
}

#[test]
fn markdown_reads_well() {
    insta::assert_snapshot!(markdown(&report(&["p99 < 800ms", "errors < 5%", "cost.usd_per_1k < $5"])));
}

#[test]
fn in_markdown_foreign_words_are_neither_markup_nor_mentions_nor_the_end_of_a_fence() {
    let mut nasty = report(&[]);
    nasty.profile["description"] = "<img src=x> @all | **b** `c`\n# d #12".into();
    nasty.error_examples.insert("5xx".into(), "````` </details> @all".into());
    let text = markdown(&nasty);
    let first = text.lines().next().unwrap();
    assert!(
        first.ends_with(": &lt;img src=x&gt; @\u{200b}all \\| \\*\\*b\\*\\* \\`c\\` #\u{200b} d #\u{200b}12"),
        "{first}"
    );
    let fences: Vec<_> = text.lines().filter(|line| line.starts_with("``````")).collect();
    assert_eq!(fences, ["``````text", "``````"]);
}

#[test]
fn markdown_fits_a_comment_however_much_there_is_to_say() {
    let mut vast = report(&[]);
    let mut judged = report(&["errors < 1%"]).expectations.remove(0);
    judged.expect = "$".repeat(5_000);
    vast.expectations = vec![judged; 1_000];
    vast.run.warnings = vec!["$".repeat(5_000); 1_000];
    let text = markdown(&vast);
    assert!(text.chars().count() < 65_536, "{}", text.len());
    assert!(text.contains(" more\n") && text.contains("… cut here"));
    assert!(text.ends_with("```\n\n</details>\n"));
}

#[test]
fn blocks_of_a_run_take_little_room_in_its_report() {
    let mut run = run_of(tally());
    let blocks = run.blocks.iter().cycle().take(25).cloned().collect();
    run.blocks = blocks;
    let report = report_of(&run, &[]);
    let written = serde_json::to_string_pretty(&report.blocks).unwrap();
    assert!(written.len() < 30_000, "{} bytes", written.len());
    assert!(report.blocks.figures.values().all(|values| values.len() == 25));
}

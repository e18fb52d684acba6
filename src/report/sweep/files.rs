//! A sweep as CSV, a row a value, and as JUnit, a case a value. Must not know how a value is picked.

use csv::{Terminator, WriterBuilder};
use quick_junit::{NonSuccessKind, TestCaseStatus, TestSuite};

use super::{Row, Sweep, label};
use crate::report::junit::{case, not_passed, written};
use crate::report::text::Style;
use crate::report::verdict::Verdict;

/// RFC 4180. What has no value is empty.
pub fn csv(sweep: &Sweep) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let keys = sweep.rows.iter().take(1).flat_map(|row| &row.set).map(|(key, _)| key.as_str());
    let figures = ["verdict", "succeeded", "p50_ms", "p99_ms", "hit_rate", "qps", "errors", "cny_per_1k", "usd_per_1k"];
    writer.write_record(keys.chain(figures)).expect("memory takes all of it");
    for row in &sweep.rows {
        let or_empty = |figure: Option<f64>| figure.map_or(String::new(), |figure| figure.to_string());
        let figures = [row.p50_ms, row.p99_ms, row.hit_rate, row.qps, Some(row.errors), row.cny_per_1k, row.usd_per_1k];
        let values = row.set.iter().map(|(_, value)| value.clone());
        let ended = [row.word().to_owned(), row.succeeded.to_string()];
        let cells = values.chain(ended).chain(figures.map(or_empty));
        writer.write_record(cells).expect("memory takes all of it");
    }
    let bytes = writer.into_inner().expect("memory takes all of it");
    String::from_utf8(bytes).expect("numbers and names are text")
}

/// A failure is a value whose expectations did not hold; an error one whose run says nothing. Since a value that passes
/// is what a sweep looks for, its exit code may be 0 all the same.
pub fn junit(sweep: &Sweep) -> String {
    let mut suite = TestSuite::new("gatebench sweep");
    suite.add_test_cases(sweep.rows.iter().map(|row| case("sweep", &label(&row.set), status(row))));
    suite.set_system_out(sweep.text(Style::PLAIN));
    written([suite])
}

fn status(row: &Row) -> TestCaseStatus {
    let kind = match row.verdict {
        Verdict::Passed => return TestCaseStatus::success(),
        Verdict::Failed => NonSuccessKind::Failure,
        _ => NonSuccessKind::Error,
    };
    let missed = row.missed.iter().map(|expect| format!("misses {expect}"));
    let doubts = row.invalid_because.iter().chain(&row.undecided).cloned();
    let why: Vec<_> = row.aborted_because.iter().cloned().chain(missed).chain(doubts).collect();
    let first = why.first().map_or(row.word(), String::as_str);
    not_passed(kind, row.word(), first, why.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Stop;
    use crate::report::Report;
    use crate::report::tests::synthetic;

    fn row(value: &str, expectations: &[&str], spoil: fn(&mut Report)) -> Row {
        let mut report = synthetic::report(expectations);
        spoil(&mut report);
        Row::of(vec![("stack.pool.max_connections".to_owned(), value.to_owned())], &report)
    }

    fn sweep() -> Sweep {
        let aborted = |report: &mut Report| {
            (report.run.stop, report.run.aborted_because) = (Stop::Aborted, Some("errors < 1% cannot hold".into()));
        };
        let rows = vec![
            row("4", &["errors < 5%"], |_| {}),
            row("8", &["errors < 1%"], |_| {}),
            row("16", &["errors < 1%"], aborted),
            row("32, \"wide\"", &[], |report| report.run.valid = false),
        ];
        Sweep { rows, ..Sweep::default() }
    }

    #[test]
    fn csv_has_a_row_a_value_with_its_figures() {
        let text = csv(&sweep());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(
            reader.headers().unwrap().iter().take(3).collect::<Vec<_>>(),
            ["stack.pool.max_connections", "verdict", "succeeded"]
        );
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let begins: Vec<_> = rows.iter().map(|row| [&row[0], &row[1], &row[2]]).collect();
        let expected = [["4", "passed", "990"], ["8", "misses", "990"], ["16", "aborted", "990"]];
        assert_eq!(begins[..3], expected);
        assert_eq!(begins[3], ["32, \"wide\"", "invalid", "990"]);
        assert_eq!(rows[0][7].parse::<f64>().unwrap(), 0.01);
    }

    #[test]
    fn junit_has_a_case_a_value_and_says_why_one_is_out() {
        let xml = junit(&sweep());
        let document = roxmltree::Document::parse(&xml).unwrap();
        let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
        let wrong = |case: roxmltree::Node| {
            let wrong = case.children().find(roxmltree::Node::is_element)?;
            Some((wrong.tag_name().name().to_owned(), wrong.attribute("message").unwrap().to_owned()))
        };
        let told = |kind: &str, message: &str| Some((kind.to_owned(), message.to_owned()));
        let expected = [
            None,
            told("failure", "misses errors < 1%"),
            told("failure", "errors < 1% cannot hold"),
            told("error", "invalid"),
        ];
        assert_eq!(cases.map(wrong).collect::<Vec<_>>(), expected);
    }
}

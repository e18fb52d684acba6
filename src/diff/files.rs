//! A diff -> files: JSON, Markdown, JUnit. Must not know how figures are judged.

use quick_junit::{NonSuccessKind, TestCaseStatus, TestSuite};

use super::Diff;
use super::judged::{Compared, Outcome};
use super::question::{Changed, shown};
use super::text::HEADS;
use crate::report::markdown::{escaped, folded, mark};
use crate::report::{Format, Formats, Style, Tone, junit};

impl Formats for Diff {
    const FORMATS: &'static [(Format, fn(&Self) -> String)] =
        &[(Format::Json, Diff::json), (Format::Markdown, markdown), (Format::JUnit, xml)];
}

/// For a comment on a pull request or the summary of a CI job.
pub fn markdown(diff: &Diff) -> String {
    let mut out = format!("**{} {}**\n", mark(diff.tone()), escaped(&diff.closing()));
    let doubts = diff.warnings.iter().map(|warning| escaped(warning));
    let key =
        |of: &Changed| format!("{}: {} → {}", escaped(&of.key), escaped(&shown(&of.base)), escaped(&shown(&of.new)));
    let changed = diff.changed.iter().map(|of| format!("changed {}", key(of)));
    let unlike = diff.unlike.iter().map(|of| format!("not alike, compared all the same: {}", key(of)));
    let lines: Vec<_> =
        changed.chain(unlike).chain(doubts).take(MOST_LINES).map(|line| format!("- {line}\n")).collect();
    if !lines.is_empty() {
        out += &format!("\n{}", lines.concat());
    }
    out += &format!("\n| | {} |\n|:-:|---|--:|--:|--:|--:|--:|---|\n", HEADS.join(" | "));
    for compared in &diff.metrics {
        let cells = compared.cells().map(|cell| escaped(&cell)).join(" | ");
        out += &format!("| {} | {cells} |\n", mark(tone(compared)));
    }
    out += &format!("\n{}\n", escaped(&diff.caution));
    folded(&mut out, "the whole diff", &diff.text(Style::PLAIN));
    out
}

/// Of what changed and what is doubtful: the folded text has the rest.
const MOST_LINES: usize = 20;

fn tone(compared: &Compared) -> Tone {
    match compared.verdict {
        Outcome::Better | Outcome::Same | Outcome::NoWorse => Tone::Good,
        Outcome::Regression => Tone::Bad,
        Outcome::Inconclusive | Outcome::Undecided => Tone::Doubt,
    }
}

/// A case a metric: a failure is a regression, an error what could not be told.
fn xml(diff: &Diff) -> String {
    let mut suite = TestSuite::new("gatebench diff");
    suite.timestamp = diff.new.started_at.parse().ok();
    suite.add_test_cases(diff.metrics.iter().map(|compared| junit::case("diff", &compared.metric, status(compared))));
    suite.set_system_out(diff.text(Style::PLAIN));
    junit::written([suite])
}

fn status(compared: &Compared) -> TestCaseStatus {
    let [_, base, new, change, interval, tolerance, word] = compared.cells();
    let (kind, name) = match compared.verdict {
        Outcome::Better | Outcome::Same | Outcome::NoWorse => return TestCaseStatus::success(),
        Outcome::Regression => (NonSuccessKind::Failure, "regression"),
        Outcome::Inconclusive => (NonSuccessKind::Error, "inconclusive"),
        Outcome::Undecided => (NonSuccessKind::Error, "undecided"),
    };
    let figures = format!("was {base}, is {new}: {change} ({interval}, tolerance {tolerance})");
    let message = format!("{word}: {}", compared.remark().unwrap_or_else(|| figures.clone()));
    junit::not_passed(kind, name, &message, format!("{}: {figures}", compared.metric))
}

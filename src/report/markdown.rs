//! Report -> Markdown, for a comment on a pull request or the summary of a CI job: the verdict first, then what was
//! expected and the key figures, and the whole summary folded away.
//!
//! Bounded in size, and whatever a server or a profile says stays text: no markup, no mention, no formula.

use std::fmt::Write;

use super::shape::{Judged, Report};
use super::sweep::Sweep;
use super::text::format::{self, count, digits3, money, ms, percent};
use super::text::{self, Style, Tone, met};
use super::verdict::Verdict;

/// Bytes. A comment on GitHub may have 65,536 characters.
const MOST: usize = 60_000;
/// Of them, those that expectations may take.
const MOST_EXPECTED: usize = 16_000;
/// Characters that one text of many may take.
const MOST_OF_ONE: usize = 300;

pub fn markdown(report: &Report) -> String {
    let (tone, words) = text::closing_words(report);
    let mut out = format!("**{} {}**: {}\n", mark(tone), escaped(&words), escaped(&text::name(report)));
    doubts(&mut out, report);
    expectations(&mut out, &report.expectations);
    figures(&mut out, report);
    folded(&mut out, "the whole summary", &text::text(report, Style::PLAIN));
    out
}

pub fn of_sweep(sweep: &Sweep) -> String {
    let tone = match sweep.verdict() {
        Verdict::Passed => Tone::Good,
        Verdict::Failed | Verdict::CouldNotRun => Tone::Bad,
        _ => Tone::Doubt,
    };
    let words = sweep.pick().map_or_else(str::to_owned, |(_, why)| why);
    let mut out = format!("**{} {}**\n", mark(tone), escaped(&words));
    folded(&mut out, "every value", &sweep.text(Style::PLAIN));
    out
}

pub(crate) fn mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "✅",
        Tone::Bad => "❌",
        _ => "⚠️",
    }
}

/// The first few: the folded summary has them all.
fn doubts(out: &mut String, report: &Report) {
    let doubts: Vec<_> = report.run.invalid_because.iter().chain(&report.run.warnings).take(5).collect();
    if !doubts.is_empty() {
        out.push('\n');
    }
    for doubt in doubts {
        let _ = writeln!(out, "- {}", escaped(doubt));
    }
}

/// Those that did not hold come first, so that a cut leaves them.
fn expectations(out: &mut String, all: &[Judged]) {
    if all.is_empty() {
        return;
    }
    let mut by_need: Vec<_> = all.iter().collect();
    by_need.sort_by_key(|judged| judged.passed);
    out.push_str("\n| | expectation | result |\n|:-:|---|---|\n");
    let mut shown = 0;
    for judged in by_need {
        if out.len() >= MOST_EXPECTED {
            break;
        }
        let tone = match (judged.passed, &judged.undecided) {
            (true, _) => Tone::Good,
            (false, None) => Tone::Bad,
            (false, Some(_)) => Tone::Doubt,
        };
        let row = format!("| {} | {} | {} |\n", mark(tone), escaped(&judged.expect), escaped(&met(judged)));
        out.push_str(&row);
        shown += 1;
    }
    if shown < all.len() {
        let _ = writeln!(out, "\nand {} more", all.len() - shown);
    }
}

fn figures(out: &mut String, report: &Report) {
    let or_dash = |figure: Option<String>| figure.unwrap_or_else(|| "-".to_owned());
    let (load, cost) = (&report.load, &report.cost);
    let response = report.latency_ms.response.as_ref();
    let per_1k = cost.cny_per_1k.zip(cost.usd_per_1k);
    let rows = [
        ("QPS", load.qps.map(digits3)),
        ("response p50", response.map(|summary| ms(summary.p50))),
        ("response p99", response.map(|summary| ms(summary.p99))),
        ("hit rate", report.hit_rate.map(percent)),
        ("errors", crate::metrics::ratio(load.failed, load.succeeded + load.failed).map(percent)),
        ("cost per 1k", per_1k.map(|(cny, usd)| format!("{} / {}", money('¥', cny), money('$', usd)))),
    ];
    let names = rows.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" | ");
    let cells = rows.map(|(_, figure)| escaped(&or_dash(figure))).join(" | ");
    let _ = writeln!(out, "\n| {names} |\n|{}\n| {cells} |", "--:|".repeat(6));
    let prices = match cost.prices_as_of.as_str() {
        "profile" => "prices of the profile".to_owned(),
        date => format!("list prices as of {date}"),
    };
    let origin = format!(
        "n = {}, measured {} from {}, {prices}, gatebench {}",
        count(load.succeeded),
        format::seconds(report.run.measured_s),
        report.run.started_at,
        report.gatebench
    );
    let _ = writeln!(out, "\n{}", escaped(&origin));
}

/// As it is, in a fence that it cannot close, cut where the whole would become too long.
pub(crate) fn folded(out: &mut String, title: &str, whole: &str) {
    let longest = whole.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    let _ = writeln!(out, "\n<details><summary>{title}</summary>\n\n{fence}text");
    let room = MOST.saturating_sub(out.len() + fence.len() + 100);
    let mut taken = 0;
    for line in whole.split_inclusive('\n') {
        taken += line.len();
        if taken > room {
            out.push_str("… cut here; --out report.json has it all\n");
            break;
        }
        out.push_str(line);
    }
    let _ = writeln!(out, "{}{fence}\n\n</details>", if out.ends_with('\n') { "" } else { "\n" });
}

/// One line of plain text, of bounded length.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(MOST_OF_ONE) {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // GitHub takes what is between two of them for a formula, and escaped ones too.
            '$' => out.push_str("<span>$</span>"),
            // A space without width, so that nobody is notified and nothing is linked.
            '@' | '#' => out.extend([c, '\u{200b}']),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    if text.chars().nth(MOST_OF_ONE).is_some() {
        out.push('…');
    }
    out
}

//! Expectations with their actual values, and the last line.

use super::super::shape::{Judged, Report, Unit};
use super::super::verdict::Verdict;
use super::format::{count, digits3, left, money, ms, percent};
use super::page::{Page, Tone};
use crate::metrics::Stop;

pub fn expectations(page: &mut Page, report: &Report) {
    if report.expectations.is_empty() {
        return;
    }
    page.gap();
    page.heading("expectations", "");
    let longest = report.expectations.iter().map(|judged| judged.expect.chars().count()).max().unwrap_or(0).min(48);
    for judged in &report.expectations {
        let (tone, mark) = match (judged.passed, &judged.undecided) {
            (true, _) => (Tone::Good, '✓'),
            (false, None) => (Tone::Bad, '✗'),
            (false, Some(_)) => (Tone::Doubt, '?'),
        };
        let line = page.paint(tone, &format!("{mark} {}  {}", left(&judged.expect, longest), met(judged)));
        page.line(&format!("  {line}"));
    }
}

/// A metric's value.
pub fn in_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Ms => ms(value),
        Unit::Ratio => percent(value),
        Unit::PerSecond => format!("{}/s", digits3(value)),
        Unit::Cny => money('¥', value),
        Unit::Usd => money('$', value),
        Unit::Count => count(value as u64),
        Unit::Factor => digits3(value),
    }
}

/// What an expectation met, in words.
pub fn met(judged: &Judged) -> String {
    let value = judged.actual.map(|value| in_unit(value, judged.unit));
    let samples = judged.samples.map_or(String::new(), |n| format!(" (n = {})", count(n)));
    match (&judged.undecided, value) {
        (Some(why), Some(value)) => format!("{value}, {why}"),
        (Some(why), None) => why.clone(),
        (None, value) => {
            let at_best = judged
                .at_best
                .map_or(String::new(), |best| format!(", at best {} in the end", in_unit(best, judged.unit)));
            format!("was {}{samples}{at_best}", value.unwrap_or_default())
        }
    }
}

pub fn closing(page: &mut Page, report: &Report) {
    let (tone, words) = closing_words(report);
    page.gap();
    page.words(tone, &words);
}

/// The last line: the verdict, why, and the exit code if it is not 0.
pub fn closing_words(report: &Report) -> (Tone, String) {
    let verdict = Verdict::of(report);
    let (tone, words) = match verdict {
        Verdict::Passed => (Tone::Good, format!("passed: valid, {}", held(report))),
        Verdict::Failed => (Tone::Bad, failed(report)),
        Verdict::Invalid if report.run.valid => (Tone::Doubt, format!("cannot judge: {}", held(report))),
        Verdict::Invalid => (Tone::Bad, "invalid: these figures are not the stack's, see above".to_owned()),
        Verdict::CouldNotRun => (Tone::Bad, could_not_run(report)),
        Verdict::Interrupted => (Tone::Doubt, "interrupted: the figures are those until then".to_owned()),
        Verdict::Terminated => (Tone::Doubt, "terminated: the figures are those until then".to_owned()),
        Verdict::BadInput | Verdict::Inconclusive => (Tone::Doubt, "inconclusive".to_owned()),
    };
    // Whoever closed a screen has no use for the code that CI gets.
    let is_told = verdict != Verdict::Passed && report.run.stop != Stop::Quit;
    let exit = if is_told { format!(" (exit {})", verdict.exit_code()) } else { String::new() };
    (tone, words + &exit)
}

fn failed(report: &Report) -> String {
    match &report.run.aborted_because {
        Some(because) => format!("aborted: {because}"),
        None => format!("failed: {}", held(report)),
    }
}

fn held(report: &Report) -> String {
    let all = &report.expectations;
    let held = all.iter().filter(|judged| judged.passed).count();
    let undecided = all.iter().filter(|judged| judged.undecided.is_some()).count();
    match (all.len(), undecided) {
        (0, _) => "nothing was expected".to_owned(),
        (n, 0) => format!("{held} of {n} expectations held"),
        (n, undecided) => {
            format!("{held} of {n} expectations held, {} failed, {undecided} could not be judged", n - held - undecided)
        }
    }
}

fn could_not_run(report: &Report) -> String {
    match &report.run.given_up_because {
        Some(why) => format!("given up: {why}"),
        None => nothing_succeeded(report),
    }
}

fn nothing_succeeded(report: &Report) -> String {
    let (sent, failed) = (report.load.sent, report.load.failed);
    match sent {
        0 if report.run.stop == Stop::Budget => {
            "nothing was sent: one call alone could cost more than limits.budget; raise it".to_owned()
        }
        0 => "nothing succeeded: no call was sent in the measured window".to_owned(),
        _ => format!("nothing succeeded: {} of {} calls failed{}", count(failed), count(sent), mend(report)),
    }
}

/// What to do when every call failed in the same way.
fn mend(report: &Report) -> &'static str {
    let kinds: Vec<&str> = report.errors.keys().map(String::as_str).collect();
    match kinds[..] {
        // What the first one said has its mend.
        ["connect"] => "; the first one says why",
        ["auth"] => "; the key is refused: check the variable that api_key_env names",
        ["other"] => "; `gatebench check` of the same says what to mend",
        ["timeout"] => "; raise stack.timeout or stack.pool.read_timeout, or check that the server answers at all",
        _ => "",
    }
}

/// Why the exit code is not 0, in a few lines: the expectations that did not hold, and the last line.
pub fn shortfall(report: &Report) -> String {
    let mut page = Page::new(super::Style::PLAIN);
    for judged in report.expectations.iter().filter(|judged| !judged.passed) {
        page.line(&format!("{}: {}", judged.expect, met(judged)));
    }
    for reason in &report.run.invalid_because {
        page.line(&format!("invalid: {reason}"));
    }
    if report.load.succeeded == 0 && report.run.given_up_because.is_none() {
        for (kind, example) in &report.error_examples {
            page.line(&format!("first {kind}: {example}"));
        }
    }
    page.line(closing_words(report).1.trim());
    page.finish().trim_end().to_owned()
}

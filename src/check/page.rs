//! Findings in lines for people: grouped by what they are about, a word beside any colour, wrapped under themselves.
//! Must not know where the lines go.

use super::finding::{Finding, Status, exit_code};
use crate::report::format::{clipped, left, ms, right};
use crate::report::{Page, Style, Tone};

const STEP: usize = 9;
const TIME: usize = 7;
/// Where the text begins.
const TEXT: usize = 2 + 6 + STEP + TIME + 2;

pub fn heading(scope: &str, about: &str, style: Style) -> String {
    let mut page = Page::new(style);
    page.gap();
    let about = clipped(about, style.width.saturating_sub(scope.len() + 2));
    let line = format!("{}  {}", page.paint(Tone::Heading, scope), page.paint(Tone::Aside, &about));
    page.line(&line);
    page.finish()
}

pub fn line(finding: &Finding, style: Style) -> String {
    let mut page = Page::new(style);
    let tone = match finding.status {
        Status::Ok => Tone::Good,
        Status::Warn => Tone::Doubt,
        Status::Fail => Tone::Bad,
        Status::Skip => Tone::Aside,
    };
    let word = page.paint(tone, &left(finding.status.word(), 6));
    let time = right(&finding.ms.map(ms).unwrap_or_default(), TIME);
    let start = format!("  {word}{}{time}  ", left(finding.step.name(), STEP));
    let text = if finding.status == Status::Skip { Tone::Aside } else { Tone::Plain };
    page.hanging(&start, TEXT, text, &finding.detail);
    if let Some(mend) = &finding.mend {
        page.hanging(&" ".repeat(TEXT), TEXT, tone, &format!("-> {mend}"));
    }
    page.finish()
}

pub fn closing(findings: &[Finding], style: Style) -> String {
    let count = |status| findings.iter().filter(|finding| finding.status == status).count();
    let (failed, warned, skipped) = (count(Status::Fail), count(Status::Warn), count(Status::Skip));
    let mut parts = vec![format!("{} ok", count(Status::Ok))];
    let warnings = if warned == 1 { "warning" } else { "warnings" };
    for (n, word) in [(warned, warnings), (failed, "failed"), (skipped, "skipped")] {
        if n > 0 {
            parts.push(format!("{n} {word}"));
        }
    }
    let parts = parts.join(", ");
    let (tone, words) = match (exit_code(findings), warned) {
        (0, 0) => (Tone::Good, format!("ready: {parts}")),
        (0, _) => (Tone::Doubt, format!("ready, but see the warnings: {parts}")),
        (2, _) => (Tone::Bad, format!("not ready, and nothing was sent: {parts}")),
        _ => (Tone::Bad, format!("not ready: {parts}")),
    };
    let mut page = Page::new(style);
    page.gap();
    page.words(tone, &words);
    page.finish()
}

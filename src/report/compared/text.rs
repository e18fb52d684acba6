//! Comparison -> the summary for people.

use comfy_table::{CellAlignment, TableStyle};

use super::super::text::format::{clipped, left, percent, seconds};
use super::super::text::{Page, Style, Tone, met};
use super::tables::{self, Table};
use super::verdict::{closing_words, without_values};
use super::words;
use crate::compare::{Comparison, Word};
use crate::report::Judged;

/// Names of further metrics that one line may hold.
const MOST_FURTHER: usize = 8;

/// The summary, as wide as its style says.
pub fn text(comparison: &Comparison, style: Style) -> String {
    let mut page = Page::new(style);
    header(&mut page, comparison);
    body(&mut page, comparison);
    expectations(&mut page, comparison);
    let (tone, words) = closing_words(comparison);
    page.gap();
    page.words(tone, &words);
    page.finish()
}

fn header(page: &mut Page, comparison: &Comparison) {
    title(page, comparison);
    plan(page, comparison);
    page.gap();
}

/// What one value of a sweep has to say for itself; its figures are in the tables of all values.
pub(super) fn brief(page: &mut Page, comparison: &Comparison) {
    plan(page, comparison);
    for (arm, other) in comparison.arms.iter().enumerate().skip(1) {
        if let Some(row) = comparison.leading(arm) {
            page.words(Tone::Plain, &words::sentence(comparison, row));
        }
        super::silent(comparison, arm).for_each(|why| page.words(Tone::Doubt, &why));
        words::where_time_goes(&comparison.arms[0], other).iter().for_each(|said| page.words(Tone::Plain, said));
    }
    without_values(comparison).for_each(|metric| page.words(Tone::Doubt, &format!("{metric}: an arm has no value")));
    words::further(comparison).iter().for_each(|further| page.words(Tone::Doubt, further));
    examples(page, comparison);
    expected(comparison).filter(|(_, judged)| !judged.passed).for_each(|(arm, judged)| expectation(page, arm, judged));
}

pub(super) fn title(page: &mut Page, comparison: &Comparison) {
    let title = format!("gatebench {} · {}", comparison.gatebench, super::name(comparison));
    let title = page.paint(Tone::Heading, &clipped(&title, page.width()));
    page.line(&title);
}

/// How it was measured, and what casts doubt on that.
fn plan(page: &mut Page, comparison: &Comparison) {
    let run = &comparison.run;
    let names: Vec<_> = comparison.arms.iter().map(|arm| arm.name.as_str()).collect();
    let plan = format!(
        "{} in {} of blocks of {}, {} in all",
        names.join(", "),
        words::rounds(run.rounds),
        seconds(comparison.plan.block_s),
        words::lasting(run.duration_s)
    );
    let mut pieces = vec![(Tone::Plain, plan.as_str())];
    pieces.extend(match run.valid {
        false => Some((Tone::Bad, "INVALID")),
        // What compared nothing is no valid comparison.
        true => (run.rounds > 0).then_some((Tone::Good, "valid")),
    });
    pieces.extend(super::ended(run).map(|ended| (Tone::Doubt, ended)));
    page.toned(&pieces);
    super::doubts(comparison).for_each(|(tone, doubt)| page.words(tone, &doubt));
}

/// Differences, where time goes, and what each arm did.
fn body(page: &mut Page, comparison: &Comparison) {
    for arm in 1..comparison.arms.len() {
        if comparison.leading(arm).is_none() {
            continue;
        }
        for row in super::headlines(comparison, arm) {
            page.words(Tone::Heading, &words::sentence(comparison, row));
        }
        page.gap();
        set(page, &tables::metrics(comparison, arm), tones(comparison, arm));
        notes(page, comparison, arm);
        page.gap();
    }
    certainty(page, comparison);
    where_time_goes(page, comparison);
    set(page, &tables::arms(comparison), Vec::new());
    examples(page, comparison);
}

fn examples(page: &mut Page, comparison: &Comparison) {
    for arm in &comparison.arms {
        super::examples(arm).for_each(|said| page.words(Tone::Doubt, &said));
    }
}

fn certainty(page: &mut Page, comparison: &Comparison) {
    if comparison.metrics.is_empty() {
        return;
    }
    let whole = |share: f64| percent(share).replace(".0%", "%");
    let (tolerance, confidence) = (whole(comparison.plan.tolerance), whole(comparison.plan.confidence));
    page.words(
        Tone::Aside,
        &format!(
            "tolerance {tolerance}; differences are taken round by round; {confidence} of such intervals hold the truth"
        ),
    );
    without_values(comparison).for_each(|metric| page.words(Tone::Doubt, &format!("{metric}: an arm has no value")));
    if let Some(further) = words::further(comparison) {
        page.words(Tone::Doubt, &further);
    }
    page.gap();
}

fn where_time_goes(page: &mut Page, comparison: &Comparison) {
    if comparison.arms.iter().any(|arm| words::total(&arm.phases_ms) == 0.0) {
        return;
    }
    page.words(Tone::Heading, "where the time of a successful call goes, on average");
    set(page, &tables::phases(comparison), Vec::new());
    for other in &comparison.arms[1..] {
        words::where_time_goes(&comparison.arms[0], other).iter().for_each(|said| page.words(Tone::Plain, said));
    }
    page.gap();
}

fn tones(comparison: &Comparison, arm: usize) -> Vec<Tone> {
    let asked = comparison.metrics.iter().filter(|row| row.arm == arm && row.asked_for);
    asked.map(super::tone).collect()
}

fn notes(page: &mut Page, comparison: &Comparison, arm: usize) {
    let mut asked = comparison.metrics.iter().filter(|row| row.arm == arm && row.asked_for);
    if asked.any(|row| row.pooled) {
        page.words(Tone::Aside, "* of a round's two blocks together: one alone has too few samples");
    }
    super::silent(comparison, arm).for_each(|why| page.words(Tone::Doubt, &why));
    for (word, said) in [(Word::Better, "also better"), (Word::Worse, "also worse")] {
        let further = tables::further(comparison, arm, word);
        let more = further.len().saturating_sub(MOST_FURTHER);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown = &further[..further.len().min(MOST_FURTHER)];
        if !shown.is_empty() {
            page.words(Tone::Aside, &format!("{said}: {}{more}", shown.join(", ")));
        }
    }
}

fn expected(comparison: &Comparison) -> impl Iterator<Item = (&str, &Judged)> {
    comparison.arms.iter().flat_map(|arm| arm.expectations.iter().map(|judged| (arm.name.as_str(), judged)))
}

fn expectations(page: &mut Page, comparison: &Comparison) {
    if expected(comparison).next().is_some() {
        page.gap();
        page.heading("expectations", "");
        expected(comparison).for_each(|(arm, judged)| expectation(page, arm, judged));
    }
}

fn expectation(page: &mut Page, arm: &str, judged: &Judged) {
    let (tone, mark) = match (judged.passed, &judged.undecided) {
        (true, _) => (Tone::Good, '✓'),
        (false, None) => (Tone::Bad, '✗'),
        (false, Some(_)) => (Tone::Doubt, '?'),
    };
    let expect = left(&format!("arm {arm}: {}", judged.expect), 48);
    let line = page.paint(tone, &format!("{mark} {expect}  {}", met(judged)));
    page.line(&format!("  {line}"));
}

/// Figures to the right, the last column's words in their tones.
pub fn set(page: &mut Page, table: &Table, tones: Vec<Tone>) {
    let table = table.within(page.width());
    let mut set = comfy_table::Table::new();
    set.load_style(TableStyle::new());
    set.set_header(&table.heads);
    for row in &table.rows {
        set.add_row(row);
    }
    for (head, column) in table.heads.iter().zip(set.column_iter_mut()).skip(1) {
        if head != Table::WORDS {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for (i, line) in set.lines().enumerate() {
        let tone = if i == 0 { Tone::Aside } else { tones.get(i - 1).copied().unwrap_or(Tone::Plain) };
        let line = page.paint(tone, line.trim_end());
        page.line(&line);
    }
}

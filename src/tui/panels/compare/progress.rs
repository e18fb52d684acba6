//! How far a comparison is, or what became of it: blocks, the time left, doubts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Padding, Widget};

use super::letter;
use super::words::rounds;
use crate::compare::{Comparison, Progress, Stage};
use crate::metrics::Stop;
use crate::profile::Compare;
use crate::report::compared::words;
use crate::report::format::{clipped, count};
use crate::tui::app::{App, Standing};
use crate::tui::panels::lines;
use crate::tui::panels::prose::{clock, wrapped};
use crate::tui::panels::{Focus, frame};
use crate::tui::theme::{Side, Theme};
use crate::tui::widgets::Bar;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let Some(progress) = app.comparing.progress() else { return };
    let comparison = &progress.comparison;
    let block = frame("Comparison", &other_arms(app), Focus::Elsewhere, theme).padding(Padding::horizontal(1));
    let inner = block.inner(area);
    block.render(area, buf);
    if inner.is_empty() {
        return;
    }
    lines(inner, buf, [who(app, comparison, theme)]);
    let row = |at: u16| Rect { y: inner.y + at, height: 1, ..inner }.intersection(inner);
    let value = line(progress);
    let bar = Bar {
        label: "",
        label_width: 0,
        share: progress.done.clamp(0.0, 1.0),
        value: &value,
        value_width: value.len() as u16 + 1,
        paint: theme.bar(),
        theme,
    };
    bar.render(row(1), buf);
    let (text, style) = doubt(app, comparison, theme);
    let room = usize::from(inner.width);
    let rest = Rect { y: inner.y.saturating_add(2), height: inner.height.saturating_sub(2), ..inner };
    // What does not fit is cut where it is seen to be cut.
    let text = if rest.height > 1 { wrapped(&text, room) } else { vec![clipped(&text, room)] };
    lines(rest.intersection(inner), buf, text.into_iter().map(|text| vec![(text, style)]));
}

fn other_arms(app: &App) -> String {
    match app.comparing.comparison().map_or(0, |comparison| comparison.arms.len()) {
        0..3 => String::new(),
        arms => format!("{arms} arms; l shows the next against A"),
    }
}

/// The arms, each in its look, and what they do.
fn who(app: &App, comparison: &Comparison, theme: &Theme) -> Vec<(String, Style)> {
    let Some((first, at, other)) = app.comparing.pair() else { return Vec::new() };
    vec![
        (format!("{} {}", letter(0), first.name), theme.arm(Side::First).style),
        (" against ".to_owned(), theme.dim()),
        (format!("{} {}", letter(at), other.name), theme.arm(Side::Other).style),
        (format!("  {}", state(app, comparison)), Style::new()),
    ]
}

/// `block 7 of 24, A's turn, 00:37 left`
pub fn line(progress: &Progress) -> String {
    let Progress { block, blocks, left, .. } = progress;
    let turn = letter(progress.arm);
    match progress.stage {
        Stage::WarmUp => format!("warm-up of {turn}, {} left", clock(*left)),
        Stage::Block => format!("block {block} of {blocks}, {turn}'s turn, {} left", clock(*left)),
        Stage::CoolDown => format!("block {block} of {blocks}, cool-down after {turn}, {} left", clock(*left)),
        Stage::Done => format!("{} blocks of {blocks}, over", progress.comparison.run.blocks),
    }
}

/// What is being done, and the key that changes it.
fn state(app: &App, comparison: &Comparison) -> String {
    let run = &comparison.run;
    let rounds = rounds(run.rounds);
    match (app.comparing.standing, run.stop) {
        (Standing::Ending, _) => "ending: calls in flight are awaited".to_owned(),
        (Standing::Idle, Stop::Finished) if run.ended_early => format!("narrow enough after {rounds}; {AGAIN}"),
        (Standing::Idle, Stop::Finished) => format!("complete, {rounds}; {AGAIN}"),
        (Standing::Idle, Stop::Hopeless) => format!("given up; {AGAIN}"),
        (Standing::Idle, Stop::Budget) => "limits.budget is spent".to_owned(),
        (Standing::Idle, Stop::Quit | Stop::Interrupted | Stop::Terminated) => {
            format!("stopped after {rounds}; {AGAIN}")
        }
        _ if app.ended.is_none() => "Esc stops; the load waits until then".to_owned(),
        _ => "Esc stops".to_owned(),
    }
}

const AGAIN: &str = "Enter compares again";

/// What casts doubt on the figures, or what it takes to be surer.
fn doubt(app: &App, comparison: &Comparison, theme: &Theme) -> (String, Style) {
    let run = &comparison.run;
    match (&app.comparing.problem, &run.given_up_because, run.warnings.first()) {
        (Some(problem), ..) => (problem.clone(), theme.bad()),
        (_, Some(why), _) => (format!("given up: {why}"), theme.bad()),
        _ if !run.valid && run.rounds > 0 => (format!("invalid: {}", run.invalid_because.join("; ")), theme.bad()),
        (.., Some(warning)) => (format!("warning: {warning}"), theme.warn()),
        _ => (more(comparison), theme.dim()),
    }
}

/// What surer words on all that was asked for would take.
fn more(comparison: &Comparison) -> String {
    match (comparison.more_rounds, comparison.more_s) {
        _ if comparison.run.rounds == 0 => String::new(),
        (Some(0), _) => String::new(),
        (Some(rounds), time) if 2 * rounds <= Compare::MOST_BLOCKS as usize => {
            let time = time.map(|time| format!(" ({})", words::lasting(time))).unwrap_or_default();
            format!("sure words would take {} more blocks an arm{time}", count(2 * rounds as u64))
        }
        _ => "no number of blocks in reach would give sure words on all of it".to_owned(),
    }
}

//! Where the time goes: the phases of a call by arm, as bars on one scale and in numbers; and what connections they took.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::Shown;
use super::words::time;
use crate::report::Unit;
use crate::report::compared::words;
use crate::report::format::{count, left, right};
use crate::tui::panels::lines;
use crate::tui::panels::prose::wrapped;
use crate::tui::theme::Theme;
use crate::tui::widgets::{Segment, StackedBar};

/// In the order of [`words::phases`], short enough for a narrow panel.
const NAMES: [&str; 7] = ["caches", "retries", "limit wait", "pool wait", "connect", "first token", "generation"];

/// Of an arm's letter before its bar, and of its sum behind.
const LETTER: u16 = 2;
const NUMBER: usize = 8;

pub fn draw(arms: &[Shown; 2], theme: &Theme, area: Rect, buf: &mut Buffer) {
    let [bars, table] = Layout::vertical([Constraint::Length(2), Constraint::Fill(1)]).areas(area);
    let sums = arms.each_ref().map(|arm| words::total(&arm.facts.phases_ms));
    let longest = sums[0].max(sums[1]);
    for (at, arm) in arms.iter().enumerate() {
        let line = Rect { y: bars.y.saturating_add(at as u16), height: 1, ..bars }.intersection(bars);
        bar(arm, sums[at], longest, theme, line, buf);
    }
    let width = usize::from(table.width);
    let said = words::where_time_goes(arms[0].facts, arms[1].facts).unwrap_or_default();
    let said = wrapped(&said, width).into_iter().map(|line| vec![(line, theme.dim())]);
    lines(table, buf, rows(arms, sums, theme, width).into_iter().chain(said));
}

fn bar(arm: &Shown, sum: f64, longest: f64, theme: &Theme, line: Rect, buf: &mut Buffer) {
    if line.is_empty() {
        return;
    }
    buf.set_stringn(line.x, line.y, arm.letter.to_string(), usize::from(line.width), theme.arm(arm.side).style);
    let part = |(n, (_, ms)): (usize, (&str, f64))| Segment {
        share: if longest > 0.0 { ms / longest } else { 0.0 },
        paint: theme.part(n),
    };
    let segments: Vec<_> = words::phases(&arm.facts.phases_ms).into_iter().enumerate().map(part).collect();
    let width = line.width.saturating_sub(LETTER + NUMBER as u16 + 1);
    let at = Rect { x: line.x + LETTER.min(line.width), width, ..line };
    StackedBar { segments: &segments, glyphs: theme.glyphs }.render(at, buf);
    let number = right(&time(sum), NUMBER);
    lines(
        Rect { x: at.right() + 1, width: line.right().saturating_sub(at.right() + 1), ..line },
        buf,
        [vec![(number, Style::new())]],
    );
}

/// A line a phase that either arm spends time in, their sum, and connections.
fn rows(arms: &[Shown; 2], sums: [f64; 2], theme: &Theme, width: usize) -> Vec<Vec<(String, Style)>> {
    let name = width.saturating_sub(2 + 3 * (NUMBER + 1));
    let row = |fill: char, style: Style, title: &str, cells: [String; 3]| {
        let cells: String = cells.iter().map(|cell| format!(" {}", right(cell, NUMBER))).collect();
        vec![(format!("{fill} "), style), (format!("{}{cells}", left(title, name)), Style::new())]
    };
    let [first, other] = arms.each_ref().map(|arm| arm.letter.to_string());
    let mut rows = vec![row(' ', theme.dim(), "", [first.clone(), other.clone(), format!("{other}-{first}")])];
    let [of_a, of_b] = arms.each_ref().map(|arm| words::phases(&arm.facts.phases_ms));
    for (n, ((_, a), (_, b))) in of_a.into_iter().zip(of_b).enumerate() {
        if a > 0.0 || b > 0.0 {
            let paint = theme.part(n);
            rows.push(row(paint.fill, paint.style, NAMES[n], [time(a), time(b), words::difference(Unit::Ms, b - a)]));
        }
    }
    let more = words::difference(Unit::Ms, sums[1] - sums[0]);
    rows.push(row(' ', Style::new(), "service", [time(sums[0]), time(sums[1]), more]));
    rows.push(row(' ', Style::new(), "connections", connections(arms)));
    rows
}

/// Opened by each arm, and by how many more the other one; a transport may not tell.
fn connections(arms: &[Shown; 2]) -> [String; 3] {
    let opened = arms.each_ref().map(|arm| arm.facts.knows_its_connections().then_some(arm.facts.connections.opened));
    let more = match opened {
        [Some(a), Some(b)] if a != b => format!("{:+}", b as i64 - a as i64),
        [Some(_), Some(_)] => "0".to_owned(),
        _ => "-".to_owned(),
    };
    let [a, b] = opened.map(|opened| opened.map_or("-".to_owned(), count));
    [a, b, more]
}

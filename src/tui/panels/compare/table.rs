//! Differences: a line a metric, with its interval and its word; of the chosen one all that is known.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::letter;
use super::words::{difference, interval, rounds, verdict};
use crate::compare::{Row, Word};
use crate::report::compared::words;
use crate::report::format::{clipped, left, right};
use crate::tui::app::App;
use crate::tui::panels::prose::wrapped;
use crate::tui::panels::scroll::first_seen;
use crate::tui::theme::Theme;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    First,
    Other,
    Difference,
    Ratio,
    Interval,
}

use Column::*;

impl Column {
    fn width(self) -> usize {
        match self {
            First | Other => 8,
            Difference => 10,
            Ratio => 6,
            Interval => 20,
        }
    }

    fn title(self, other: char) -> String {
        match self {
            First => "A".to_owned(),
            Other => other.to_string(),
            Difference => format!("{other} - A"),
            Ratio => format!("{other} / A"),
            Interval => "95% interval".to_owned(),
        }
    }

    fn cell(self, row: &Row) -> String {
        match self {
            First => words::value(row.unit, row.a),
            Other => words::value(row.unit, row.b),
            Difference => difference(row),
            Ratio => words::ratio(row),
            Interval => interval(row).unwrap_or_else(|| "-".to_owned()),
        }
    }
}

/// What a width holds between the metric's name and its word.
fn fitting(width: usize) -> &'static [Column] {
    match width {
        104.. => &[First, Other, Difference, Ratio, Interval],
        74.. => &[First, Other, Difference],
        50.. => &[Difference],
        _ => &[],
    }
}

/// `cost.cny_per_1k`, `inter_token.p50`
const NAME: usize = 16;
/// Room for what is said of the chosen metric.
const DETAIL: usize = 2;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let rows = app.comparing.rows();
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    if rows.is_empty() {
        let text = wrapped("after the first round: two blocks of each arm", width);
        return Text::from_iter(text.into_iter().map(|line| Line::styled(line, theme.dim()))).render(area, buf);
    }
    let chosen = app.comparing.chosen();
    let other = rows.first().map_or('B', |row| letter(row.arm));
    // The table comes first: a header and three metrics.
    let mut detail = detail(app, rows[chosen], theme, width);
    detail.truncate(DETAIL.min(height.saturating_sub(4)));
    let [table, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(detail.len() as u16)]).areas(area);
    let columns = fitting(width);
    let head: String =
        columns.iter().map(|column| format!(" {}", right(&column.title(other), column.width()))).collect();
    let head = clipped(&format!("  {}{head}  {}", left("metric", NAME), word_title(app, width)), width);
    let all_rounds = app.comparing.comparison().map_or(0, |comparison| comparison.run.rounds);
    let seen = usize::from(table.height).saturating_sub(1);
    let first = first_seen(chosen, rows.len(), seen);
    let lines = rows.iter().enumerate().skip(first).take(seen).map(|(i, row)| {
        let marker = if i == chosen { theme.glyphs.right } else { ' ' };
        let line = line(marker, row, all_rounds, width, theme);
        if i == chosen { line.patch_style(theme.selected()) } else { line }
    });
    Text::from_iter(std::iter::once(Line::styled(head, theme.dim())).chain(lines)).render(table, buf);
    Text::from(detail).render(below, buf);
}

/// Whom the words are about.
fn word_title(app: &App, width: usize) -> String {
    match (app.comparing.pair(), width) {
        (Some((_, _, other)), 50..) => format!("{} is", other.name),
        _ => String::new(),
    }
}

fn line(marker: char, row: &Row, rounds: usize, width: usize, theme: &Theme) -> Line<'static> {
    let cells = fitting(width).iter().map(|column| format!(" {}", right(&column.cell(row), column.width())));
    let cells: String = cells.collect();
    let asked = if row.asked_for { Style::new() } else { theme.dim() };
    let left_of_word = clipped(&format!("{marker} {}{cells}  ", left(&row.metric, NAME)), width);
    let room = width.saturating_sub(left_of_word.width());
    Line::from_iter([
        Span::styled(left_of_word, asked),
        Span::styled(left(&verdict(row, rounds), room), style(row.verdict, theme)),
    ])
}

/// Of a difference there.
const BRIEF: usize = 8;

/// What a screen without columns has room for.
pub fn brief(row: &Row) -> String {
    format!("{} {}", right(&difference(row), BRIEF), words::verdict(row))
}

pub fn style(word: Word, theme: &Theme) -> Style {
    match word {
        Word::Better => theme.good(),
        Word::Worse => theme.bad(),
        Word::NoDifference => theme.dim(),
        Word::Inconclusive => theme.warn(),
    }
}

/// The difference in a sentence, and what a narrow table leaves out.
fn detail(app: &App, row: &Row, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let Some(comparison) = app.comparing.comparison() else { return Vec::new() };
    let interval = interval(row).map(|interval| format!("; difference {interval} of {}", rounds(row.rounds)));
    let asked = if row.asked_for { "" } else { "; not asked for" };
    let text = format!("{}{}{asked}", words::sentence(comparison, row), interval.unwrap_or_default());
    let lines = wrapped(&text, width.saturating_sub(2)).into_iter();
    lines.map(|line| Line::styled(format!("  {line}"), theme.dim())).collect()
}

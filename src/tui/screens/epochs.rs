//! Epochs: what each change did, a line an epoch, and the way back to its settings.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Widget;

use super::epoch_columns::{Compared, WHAT, fitting};
use crate::metrics::Epoch;
use crate::report::format::{clipped, left, right};
use crate::tui::app::App;
use crate::tui::panels::prose::wrapped;
use crate::tui::panels::scroll::first_seen;
use crate::tui::panels::{Focus, frame};
use crate::tui::theme::Theme;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let block = frame("Epochs", &note(app, area.width), Focus::Here, theme);
    let inner = block.inner(area);
    block.render(area, buf);
    let chosen = app.chosen_line();
    let Some(epoch) = app.epochs().nth(chosen) else { return };
    let mut detail = detail(app, epoch, theme, usize::from(inner.width));
    // The table comes first: a header and three epochs.
    detail.truncate(usize::from(inner.height.saturating_sub(4)));
    let [table, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(detail.len() as u16)]).areas(inner);
    draw_table(app, theme, table, buf);
    Text::from(detail).render(below, buf);
}

fn note(app: &App, width: u16) -> String {
    let baseline = app.baseline.map(|number| format!("baseline {number}")).unwrap_or_default();
    let about = "differences to the epoch before";
    match (baseline.is_empty(), width) {
        (_, 0..60) => baseline,
        (true, _) => about.to_owned(),
        (false, _) => format!("{baseline}, {about}"),
    }
}

fn draw_table(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    let (columns, what_width) = fitting(width);
    let head = columns.iter().enumerate().map(|(i, column)| match i {
        WHAT => format!(" {}", left(column.title, what_width)),
        _ => format!(" {}", right(column.title, column.width)),
    });
    let head = clipped(&format!("     {}", head.collect::<String>()), width);

    let epochs: Vec<_> = app.epochs().collect();
    let (chosen, height) = (app.chosen_line(), usize::from(area.height.saturating_sub(1)));
    let first = first_seen(chosen, epochs.len(), height);
    let lines = epochs.iter().enumerate().skip(first).take(height).map(|(i, epoch)| {
        let compared = Compared { shown: app.shown(), epoch, before: i.checked_sub(1).map(|before| epochs[before]) };
        let marker = if i == chosen { theme.glyphs.right } else { ' ' };
        let mut line = Line::raw(format!("{marker}{}", left(word(app, epoch), 3 + 1)));
        for (i, column) in columns.iter().enumerate() {
            let (text, grade) = (column.cell)(&compared);
            let text = if i == WHAT { left(&text, what_width) } else { right(&text, column.width) };
            line.push_span(Span::raw(" "));
            line.push_span(Span::styled(text, grade.style(theme)));
        }
        if i == chosen { line.patch_style(theme.selected()) } else { line }
    });
    Text::from_iter(std::iter::once(Line::styled(head, theme.dim())).chain(lines)).render(area, buf);
}

/// What an epoch is to the others.
fn word(app: &App, epoch: &Epoch) -> &'static str {
    if epoch.number == app.shown().epoch.number {
        "now"
    } else if app.baseline == Some(epoch.number) {
        "base"
    } else {
        ""
    }
}

/// The chosen epoch's change in full, and what can be done with it.
fn detail(app: &App, epoch: &Epoch, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let change = if epoch.changed.is_empty() { "the settings of the start".into() } else { epoch.changed.join(", ") };
    let mut lines = vec![Line::styled(theme.glyphs.horizontal.to_string().repeat(width), theme.border())];
    let room = width.saturating_sub(2);
    let change = wrapped(&format!("epoch {}: {change}", epoch.number), room);
    lines.extend(change.into_iter().take(3).map(|line| Line::raw(format!(" {line}"))));
    let hint = wrapped(&hint(app, epoch), room);
    lines.extend(hint.into_iter().map(|line| Line::styled(format!(" {line}"), theme.dim())));
    lines
}

fn hint(app: &App, epoch: &Epoch) -> String {
    let baseline =
        if app.baseline == Some(epoch.number) { "b lets the baseline go" } else { "b makes it the baseline" };
    if app.ended.is_some() {
        format!("the load is over: its settings cannot be gone back to; {baseline}")
    } else if epoch.number == app.shown().epoch.number {
        format!("under way; k chooses one before, {baseline}")
    } else {
        format!("Enter goes back to these settings, {baseline}")
    }
}

//! Settings: the steppers, in groups.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout as Split, Margin, Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::scroll::first_seen;
use super::{focus, frame};
use crate::report::format;
use crate::settings::{Applies, Group, Kind, Place, Setting, Value};
use crate::tui::app::{App, Row};
use crate::tui::command::Pane;
use crate::tui::theme::Theme;

/// A stepper's arrows and its value between them.
const VALUE: usize = 11;
const APPLIES: usize = 5;
/// Lines for a text of 60 characters.
const ABOUT: u16 = 2;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let edits = app.tuner.edits().len();
    let note = if edits == 0 { String::new() } else { format!("{edits} edited") };
    let block = frame("Settings", &note, focus(app, Pane::Settings), theme);
    let [list, about] = parts(area);
    block.render(area, buf);
    let (first, rows) = in_view(app, area);
    for (row, y) in rows.iter().skip(first).zip(list.top()..list.bottom()) {
        let line = Rect { y, height: 1, ..list };
        match row {
            Row::Group(group, place) => {
                buf.set_stringn(line.x, y, heading(*group, place), usize::from(line.width), theme.dim());
            }
            Row::Setting(setting) => stepper(app, theme, setting, line, buf),
        }
    }
    if let Some(setting) = app.tuner.chosen() {
        Paragraph::new(setting.spec.about).style(theme.dim()).wrap(Wrap { trim: true }).render(about, buf);
    }
}

/// The list, and below it what the chosen setting is, where there is room to say it.
fn parts(area: Rect) -> [Rect; 2] {
    let inner = area.inner(Margin::new(1, 1));
    let about = if inner.height >= 3 * ABOUT { ABOUT } else { 0 };
    Split::vertical([Constraint::Fill(1), Constraint::Length(about)]).areas(inner)
}

/// The rows, and the first one that is seen in a panel of this area.
pub fn in_view(app: &App, area: Rect) -> (usize, Vec<Row>) {
    let rows = app.tuner.rows();
    let height = usize::from(parts(area)[0].height).max(1);
    let chosen = rows.iter().position(|row| matches!(row, Row::Setting(setting) if app.tuner.is_chosen(setting)));
    (first_seen(chosen.unwrap_or(0), rows.len(), height), rows)
}

/// The row under a cell.
pub fn row_at(app: &App, at: Position, area: Rect) -> Option<Row> {
    let [list, _] = parts(area);
    let (first, rows) = in_view(app, area);
    let line = list.contains(at).then(|| usize::from(at.y - list.y))?;
    rows.into_iter().nth(first + line)
}

fn heading(group: Group, place: &Place) -> String {
    match (group, place) {
        (Group::Load, _) => "LOAD".to_owned(),
        (Group::Stack, _) => "STACK".to_owned(),
        (Group::Cache, _) => "CACHES".to_owned(),
        (Group::Pool, _) => "POOL".to_owned(),
        (Group::Retry, _) => "RETRY AND FALLBACK".to_owned(),
        (Group::Route, Place::Route(name)) => format!("ROUTE {name}"),
        (Group::Route, _) => "ROUTES".to_owned(),
    }
}

fn stepper(app: &App, theme: &Theme, setting: &Setting, line: Rect, buf: &mut Buffer) {
    let width = usize::from(line.width);
    let Some(value) = app.tuner.value(setting) else { return };
    let is_edited = app.tuner.value_at_first(setting) != Some(value.clone());
    let style = match app.tuner.is_chosen(setting) {
        true if app.focus == Pane::Settings => theme.selected(),
        true => Style::new().add_modifier(Modifier::BOLD),
        false => Style::new(),
    };
    let marker = if app.tuner.is_chosen(setting) { ">" } else { " " };
    let label_width = width.saturating_sub(1 + VALUE + 1 + APPLIES);
    let left = format!("{marker}{}", format::left(&label(setting), label_width));
    buf.set_stringn(line.x, line.y, &left, width, style);
    let value = field(setting, &value, theme);
    let value_style = if is_edited { style.patch(theme.edited()) } else { style };
    let x = line.x + (1 + label_width).min(width) as u16;
    buf.set_stringn(x, line.y, &value, width.saturating_sub(1 + label_width), value_style);
    let applies = format!(" {}", format::left(applies(setting), APPLIES));
    let x = line.x + (1 + label_width + VALUE).min(width) as u16;
    buf.set_stringn(x, line.y, &applies, width.saturating_sub(1 + label_width + VALUE), style.patch(theme.dim()));
}

/// Without what the heading says already.
fn label(setting: &Setting) -> String {
    match setting.place {
        Place::Route(_) => setting.spec.label.to_owned(),
        // A hop's place in the chain, and its model.
        Place::Hop(i) => format!("{} {}", i + 1, setting.label.trim_end_matches(" fallback")),
        Place::Profile => setting.label.clone(),
    }
}

fn field(setting: &Setting, value: &Value, theme: &Theme) -> String {
    match (setting.spec.kind, value) {
        (Kind::Toggle, Value::On(true)) => format::left("[x] on", VALUE),
        (Kind::Toggle, _) => format::left("[ ] off", VALUE),
        _ => {
            let shown = format::clipped(&setting.shown(value), VALUE - 2);
            let room = VALUE - 2 - unicode_width::UnicodeWidthStr::width(shown.as_str());
            let (left, right) = (room / 2, room - room / 2);
            format!("{}{}{shown}{}{}", theme.glyphs.left, " ".repeat(left), " ".repeat(right), theme.glyphs.right)
        }
    }
}

fn applies(setting: &Setting) -> &'static str {
    match setting.spec.applies {
        Applies::Live => "live",
        Applies::Drain => "drain",
        Applies::Cold => "cold",
    }
}

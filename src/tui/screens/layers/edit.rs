//! The line in which a setting's value is typed.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Widget;

use super::{EDGES, boxed, cells, centred, said, typed};
use crate::settings::{Applies, Setting, Value};
use crate::tui::app::{App, Edit, Row};
use crate::tui::command::Pane;
use crate::tui::layout::Live;
use crate::tui::panels::prose::wrapped;
use crate::tui::panels::settings::in_view;
use crate::tui::panels::{Focus, frame};
use crate::tui::theme::Theme;

const WIDTH: usize = 48;
/// Of the words before the values.
const LABELS_WIDTH: usize = 9;

pub fn draw(app: &App, edit: &Edit, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let width = WIDTH.min(usize::from(area.width)).saturating_sub(EDGES);
    let mut lines = facts(app, &edit.setting, theme, width);
    lines.push(typed("new      ", &edit.text, width, theme));
    let hint = "Enter sets it, Esc leaves it";
    lines.extend(said(edit.problem.as_deref(), hint, width, theme));
    // What is typed and what is wrong with it are seen on the lowest screen too.
    let room = usize::from(area.height.saturating_sub(2));
    lines.drain(..lines.len().saturating_sub(room));

    let block = frame(&edit.setting.label, "", Focus::Here, theme);
    let inner = boxed(block, place(app, area, lines.len() + 2), buf);
    Text::from(lines).render(inner, buf);
}

/// Beside the setting's row where it is seen and there is room, else in the middle.
fn place(app: &App, area: Rect, height: usize) -> Rect {
    let centred = centred(area, WIDTH, height);
    let live = Live::of(app.size, app.focus, app.zoomed_pane());
    let Some(settings) = live.area(Pane::Settings).filter(|settings| settings.right() + cells(WIDTH) <= area.right())
    else {
        return centred;
    };
    let (first, rows) = in_view(app, settings);
    let is_chosen = |row: &Row| matches!(row, Row::Setting(setting) if app.tuner.is_chosen(setting));
    let row = rows.iter().position(is_chosen).unwrap_or(first).saturating_sub(first);
    let at = Position::new(settings.right(), settings.y.saturating_add(cells(row)));
    Rect::from((at, centred.as_size())).clamp(area)
}

fn facts(app: &App, setting: &Setting, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let with_unit = |value: &Value| setting.shown(value);
    let (now, began) = (app.tuner.value(setting), app.tuner.value_at_first(setting));
    let mut lines = Vec::new();
    let mut fact = |name: &str, text: &str| {
        for (i, line) in wrapped(text, width.saturating_sub(LABELS_WIDTH)).into_iter().enumerate() {
            let name = if i == 0 { name } else { "" };
            lines.push(Line::from_iter([Span::styled(format!("{name:LABELS_WIDTH$}"), theme.dim()), Span::raw(line)]));
        }
    };
    fact("key", &setting.id);
    if let Some(value) = &now {
        fact("now", &with_unit(value));
    }
    if let Some(value) = began.as_ref().filter(|value| Some(*value) != now.as_ref()) {
        fact("at first", &with_unit(value));
    }
    fact("takes", &setting.takes(app.tuner.profile()));
    fact("applies", applies(setting.spec.applies));
    lines
}

fn applies(how: Applies) -> &'static str {
    match how {
        Applies::Live => "live: from the next call on",
        Applies::Drain => "drain: what is too much closes as it falls idle",
        Applies::Cold => "cold: what it concerns is rebuilt, and loses what it held",
    }
}

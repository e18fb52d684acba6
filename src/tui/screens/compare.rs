//! Compare: arms in turn, and what differs; before it begins, what would be compared.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Widget;

use crate::report::format::{clipped, left};
use crate::tui::app::App;
use crate::tui::command::View;
use crate::tui::layout::{Compare, Form, Parts};
use crate::tui::panels::compare::{self, setup, table};
use crate::tui::panels::tabs;
use crate::tui::theme::Theme;

pub fn draw(app: &App, theme: &Theme, size: Size, buf: &mut Buffer) {
    let body = Parts::of(size).body;
    let is_small = Form::of(size) == Form::Numbers;
    match app.comparing.progress() {
        None if is_small => {
            let lines = setup::text(app, theme, usize::from(body.width));
            Text::from_iter(lines.into_iter().filter(|line| line.width() > 0)).render(body, buf);
        }
        None => setup::draw(app, theme, body, buf),
        Some(_) if is_small => words(app, theme, body, buf),
        Some(_) => panels(app, theme, size, buf),
    }
}

fn panels(app: &App, theme: &Theme, size: Size, buf: &mut Buffer) {
    let layout = Compare::of(size, app.comparing.view, app.zoomed_view());
    compare::draw_progress(app, theme, layout.progress, buf);
    for (view, area) in &layout.views {
        compare::draw(*view, app, theme, *area, buf);
    }
    if let Some(area) = layout.tabs {
        tabs(View::ALL.map(|view| (view.name(), view == app.comparing.view)), theme, area, buf);
    }
}

/// How far it is, and a word a metric.
fn words(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let (Some(progress), width) = (app.comparing.progress(), usize::from(area.width)) else { return };
    let names = app.comparing.pair().map(|(first, _, other)| format!("{} against {}", other.name, first.name));
    let mut lines = vec![
        Line::raw(clipped(&names.unwrap_or_default(), width)),
        Line::styled(clipped(&compare::progress_line(progress), width), theme.dim()),
    ];
    let rows = app.comparing.rows();
    if rows.is_empty() {
        lines.push(Line::styled(clipped("after the first round: two blocks of each arm", width), theme.dim()));
    }
    let room = usize::from(area.height).saturating_sub(lines.len());
    lines.extend(rows.into_iter().skip(app.comparing.chosen()).take(room).map(|row| {
        let name = left(&row.metric, NAME.min(width));
        Line::from_iter([
            Span::raw(name),
            Span::styled(format!(" {}", table::brief(row)), table::style(row.verdict, theme)),
        ])
    }));
    Text::from(lines).render(area, buf);
}

const NAME: usize = 16;

//! Events: what happened, a line each, the newest at the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Padding, Widget};

use super::frame::{Focus, frame};
use super::prose::clock;
use crate::metrics::Event;
use crate::report::format::{clipped, left, right};
use crate::tui::app::App;
use crate::tui::command::Pane;
use crate::tui::keymap::Place;
use crate::tui::theme::Theme;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let events = &app.shown().events;
    let newer = app.events_back.min(events.len());
    let note = if newer > 0 { format!("{newer} newer") } else { String::new() };
    let focus = if app.place() == Place::Events { Focus::Here } else { Focus::Elsewhere };
    let block = frame(Pane::Events.name(), &note, focus, theme).padding(Padding::horizontal(1));
    let inner = block.inner(area);
    block.render(area, buf);
    if events.is_empty() {
        let text = clipped("no events yet", usize::from(inner.width));
        return Line::styled(text, theme.dim()).render(inner, buf);
    }
    let until = events.len() - newer;
    let seen = &events[until.saturating_sub(usize::from(inner.height))..until];
    // Times are of one width, that of the latest.
    let clock_width = seen.last().map_or(0, |event| clock(event.at).len());
    let line = |event| line(event, clock_width, usize::from(inner.width), theme);
    Text::from_iter(seen.iter().map(line)).render(inner, buf);
}

/// As wide as the longest kind.
const KIND_WIDTH: usize = 8;

fn line(event: &Event, clock_width: usize, width: usize, theme: &Theme) -> Line<'static> {
    let taken = clock_width + 1 + KIND_WIDTH + 2;
    Line::from_iter([
        Span::styled(right(&clock(event.at), clock_width), theme.dim()),
        Span::raw(" "),
        Span::styled(left(event.kind, KIND_WIDTH), style(event.kind, theme)),
        Span::raw("  "),
        Span::raw(clipped(&event.text, width.saturating_sub(taken))),
    ])
}

fn style(kind: &str, theme: &Theme) -> Style {
    match kind {
        "setting" => theme.key(),
        "failed" | "budget" => theme.bad(),
        _ => theme.warn(),
    }
}

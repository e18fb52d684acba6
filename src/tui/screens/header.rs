//! The line above: what runs, for how long, under which settings, and whether its figures can be trusted.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::metrics::{Phase, Stop, Time};
use crate::report::{format, lag_limit_ms};
use crate::tui::app::App;
use crate::tui::command::Screen;
use crate::tui::panels::prose::clock;
use crate::tui::theme::Theme;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let right = screens(app, theme);
    let width_of = |spans: &[(String, Style)]| spans.iter().map(|(text, _)| text.width()).sum::<usize>();
    let menu = width_of(&right);
    let (word, style) = state(app, theme);
    let (lag, how) = lag(app, theme);
    let parts = [
        (" gatebench ".to_owned(), theme.title()),
        (format!(" {} ", app.name), Style::new()),
        (format!(" {word} {}", clock(app.shown().elapsed)), style),
        (format!("  epoch {}", app.shown().epoch.number), Style::new()),
        (format!("  via {}", app.shown().profile.stack.route), Style::new()),
        (format!("  {lag}"), how),
    ];
    // A part that does not fit is left out whole.
    let mut left: Vec<(String, Style)> = Vec::new();
    for part in parts {
        if width_of(&left) + part.0.width() <= usize::from(area.width) {
            left.push(part);
        }
    }
    // The state comes before the menu, which the help names too.
    let has_menu = width_of(&left) + menu + 1 < usize::from(area.width);
    let room = usize::from(area.width) - if has_menu { menu } else { 0 };
    put(&left, Rect { width: room as u16, ..area }, buf);
    if has_menu {
        put(&right, Rect { x: area.x + room as u16, width: menu as u16, ..area }, buf);
    }
}

fn put(spans: &[(String, Style)], area: Rect, buf: &mut Buffer) {
    let mut x = area.x;
    for (text, style) in spans {
        x = buf.set_stringn(x, area.y, text, usize::from(area.right().saturating_sub(x)), *style).0;
    }
}

/// What the load does, and how it looks.
pub fn state(app: &App, theme: &Theme) -> (&'static str, Style) {
    match (app.ended, app.is_paused, app.is_frozen(), app.shown().phase) {
        (Some(stop), ..) => (ended(stop), theme.bad()),
        (_, true, ..) => ("PAUSED", theme.warn()),
        (_, _, true, _) => ("FROZEN", theme.warn()),
        (.., Phase::Warmup) => ("WARM-UP", theme.warn()),
        (.., Phase::Measure) => ("RUN", theme.good()),
        (.., Phase::Drain | Phase::Done) => ("ENDING", theme.warn()),
    }
}

fn ended(stop: Stop) -> &'static str {
    match stop {
        Stop::Budget => "BUDGET SPENT",
        Stop::Hopeless => "GIVEN UP",
        _ => "OVER",
    }
}

/// The generator's own lateness over the last seconds.
fn lag(app: &App, theme: &Theme) -> (String, Style) {
    let recent = &app.shown().recent.tally;
    match recent.times.summary(Time::Lag) {
        None => ("lag -".to_owned(), theme.dim()),
        Some(lag) if lag.p99 > lag_limit_ms(recent) => (format!("lag p99 {} LATE", format::ms(lag.p99)), theme.bad()),
        Some(lag) => (format!("lag p99 {} ok", format::ms(lag.p99)), theme.dim()),
    }
}

fn screens(app: &App, theme: &Theme) -> Vec<(String, Style)> {
    let mut spans = Vec::new();
    for (i, screen) in Screen::ALL.into_iter().enumerate() {
        let style = match screen {
            screen if screen == app.screen => theme.selected(),
            screen if screen.unavailable().is_some() => theme.dim(),
            _ => Style::new(),
        };
        spans.push((format!(" {} {} ", i + 1, screen.name()), style));
    }
    spans
}

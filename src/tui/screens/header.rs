//! The line above: what runs, for how long, under which settings, and whether its figures can be trusted.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::metrics::{Snapshot, Time, samples_for};
use crate::report::{format, lag_limit_ms, overused};
use crate::tui::app::{App, State};
use crate::tui::command::Screen;
use crate::tui::panels::lines;
use crate::tui::panels::prose::clock;
use crate::tui::theme::Theme;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let right = screens(app, theme);
    let width_of = |spans: &[(String, Style)]| spans.iter().map(|(text, _)| text.width()).sum::<usize>();
    let menu = width_of(&right);
    let (state, shown) = (app.state(), app.shown());
    let (lag, how) = overuse(app, theme).unwrap_or_else(|| lag(shown, theme));
    let parts = [
        (" gatebench ".to_owned(), theme.title()),
        (format!(" {} ", app.name), Style::new()),
        (format!(" {} {}", state.word(), clock(shown.elapsed)), looks(state, theme)),
        (format!("  epoch {}", shown.epoch.number), Style::new()),
        (format!("  via {}", shown.profile.stack.route), Style::new()),
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
    lines(Rect { width: room as u16, ..area }, buf, [left]);
    if has_menu {
        lines(Rect { x: area.x + room as u16, width: menu as u16, ..area }, buf, [right]);
    }
}

fn looks(state: State, theme: &Theme) -> Style {
    match state {
        State::Runs => theme.good(),
        State::Ended(_) => theme.bad(),
        State::WarmUp | State::Comparing | State::Paused | State::Frozen | State::Ending => theme.warn(),
    }
}

/// The generator's own lateness over the last seconds, or the arrivals that this epoch dropped.
fn lag(shown: &Snapshot, theme: &Theme) -> (String, Style) {
    if shown.epoch.dropped > 0 {
        return (format!("DROPPED {}", format::count(shown.epoch.dropped)), theme.bad());
    }
    match shown.recent.tally.times.summary(Time::Lag) {
        None => ("lag -".to_owned(), theme.dim()),
        Some(lag) if lag.count < samples_for(0.99) => (format!("lag max {}", format::ms(lag.max)), theme.dim()),
        Some(lag) if is_late(shown) => (format!("lag p99 {} LATE", format::ms(lag.p99)), theme.bad()),
        Some(lag) => (format!("lag p99 {} ok", format::ms(lag.p99)), theme.dim()),
    }
}

/// That the last second took more of what this machine can generate than leaves its figures alone. What is late or
/// dropped is worse and goes before.
fn overuse(app: &App, theme: &Theme) -> Option<(String, Style)> {
    let shown = app.shown();
    let used = overused(shown, app.calibration.as_ref()?)?;
    let is_worse = shown.epoch.dropped > 0 || is_late(shown);
    (!is_worse).then(|| (format!("GENERATOR {}", format::percent(used)), theme.warn()))
}

/// Calls were sent so late that their figures are the generator's, not the stack's.
pub fn is_late(shown: &Snapshot) -> bool {
    let recent = &shown.recent.tally;
    let lag = recent.times.summary(Time::Lag).filter(|lag| lag.count >= samples_for(0.99));
    lag.is_some_and(|lag| lag.p99 > lag_limit_ms(recent))
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

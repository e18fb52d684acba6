//! The workbench on a screen too small for panels: figures in a few lines, and the chosen setting.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::header::is_late;
use crate::metrics::Time;
use crate::report::format::{clipped, compact, digits3, left, ms, percent};
use crate::settings::Setting;
use crate::tui::app::{App, Tone};
use crate::tui::panels::prose::{clock, wrapped};
use crate::tui::panels::quantile::quantile;
use crate::tui::panels::scroll::first_seen;
use crate::tui::theme::Theme;

#[derive(Clone, Copy)]
enum Figure {
    P50,
    P95,
    P99,
    Window,
    Qps,
    HitRate,
    Errors,
    InFlight,
    Connections,
    CnyPerDay,
    UsdPerDay,
}

use Figure::*;

/// Lines of figures that belong together, the weightiest first.
const LINES: [&[Figure]; 4] =
    [&[P50, P95, P99], &[Qps, HitRate, Errors], &[CnyPerDay, UsdPerDay], &[Window, InFlight, Connections]];
/// From this width on such a line has room.
const LINES_FIT: usize = 38;
/// Of such a line.
const THIRD: usize = 11;
/// Of a setting's name, where values stand below one another.
const LABEL: usize = 18;
/// On narrower screens, where not all are seen.
const BY_WEIGHT: &[Figure] =
    &[Qps, P99, HitRate, Errors, CnyPerDay, P50, P95, Window, UsdPerDay, InFlight, Connections];

/// Takes the whole screen: it says what the lines above and below other screens say.
pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let mut said = said(app, theme, width);
    said.truncate((height / 3).max(1));
    let figures = figures(app, width);
    // The chosen setting stays, to the last line; the settings beside it take what is left.
    let spare = height.saturating_sub(1 + figures.len() + said.len());
    let mut below = settings(app, theme, width, spare.max(1));
    below.append(&mut said);
    below.truncate(height.saturating_sub(1).max(1));
    let mut lines = vec![Line::styled(clipped(&state(app), width), theme.title())];
    lines.extend(figures.into_iter().map(Line::raw));
    lines.resize(height.saturating_sub(below.len()), Line::default());
    lines.append(&mut below);
    Text::from(lines).render(area, buf);
}

fn state(app: &App) -> String {
    let shown = app.shown();
    let word = app.state().word();
    let late = match shown.epoch.dropped {
        0 if is_late(shown) => " LATE",
        0 => "",
        _ => " DROPPED",
    };
    format!("{word}{late} {} epoch {} {}", clock(shown.elapsed), shown.epoch.number, app.name)
}

fn figures(app: &App, width: usize) -> Vec<String> {
    if width < LINES_FIT {
        return flowed(BY_WEIGHT.iter().map(|figure| text(*figure, app)), width);
    }
    let padded = |figure: &Figure| {
        let text = text(*figure, app);
        left(&text, text.width().max(THIRD))
    };
    LINES.iter().flat_map(|line| flowed(line.iter().map(padded), width)).collect()
}

/// Pieces in lines of at most `width` cells.
fn flowed(pieces: impl Iterator<Item = String>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.width() + 2 + piece.width() <= width => *line += &format!("  {piece}"),
            _ => lines.push(clipped(&piece, width)),
        }
    }
    lines
}

fn text(figure: Figure, app: &App) -> String {
    let shown = app.shown();
    let (recent, gauges, day) = (&shown.recent, &shown.gauges, &shown.epoch.bill.projection);
    let response =
        |name, q| format!("{name} {}", quantile(&recent.tally, Time::Response, q).map_or_else(|few| few, ms));
    let share = |ratio: Option<f64>| ratio.map_or_else(|| "-".to_owned(), percent);
    let money = |amount| if shown.epoch.tally.succeeded > 0 { digits3(amount) } else { "-".to_owned() };
    match figure {
        P50 => response("p50", 0.5),
        P95 => response("p95", 0.95),
        P99 => response("p99", 0.99),
        Qps if recent.seconds > 0.0 => format!("qps {}", digits3(recent.tally.succeeded as f64 / recent.seconds)),
        Qps => "qps -".to_owned(),
        HitRate => format!("hit {}", share(recent.tally.hit_rate())),
        Errors => format!("err {}", share(recent.tally.error_rate())),
        CnyPerDay => format!("RMB/day {}", money(day.cny_per_day)),
        UsdPerDay => format!("USD/day {}", money(day.usd_per_day)),
        Window => format!("n {} in {:.0}s", compact(recent.tally.finished() as f64), recent.seconds),
        InFlight => format!("in flight {}", gauges.in_flight),
        Connections => format!("conns {}", gauges.open),
    }
}

/// The chosen setting, with those around it where there are rows for them.
fn settings(app: &App, theme: &Theme, width: usize, rows: usize) -> Vec<Line<'static>> {
    let settings = app.tuner.settings();
    let chosen = settings.iter().position(|setting| app.tuner.is_chosen(setting)).unwrap_or(0);
    let first = first_seen(chosen, settings.len(), rows);
    settings.iter().skip(first).take(rows).map(|setting| setting_line(app, setting, theme, width)).collect()
}

/// Its value stands between the keys that step it.
fn setting_line(app: &App, setting: &Setting, theme: &Theme, width: usize) -> Line<'static> {
    let value = app.tuner.value(setting);
    let is_edited = value != app.tuner.value_at_first(setting);
    let value = value.map_or_else(|| "-".to_owned(), |value| setting.shown(&value));
    let value = format!(" < {value}{} >", if is_edited { "*" } else { "" });
    let room = width.saturating_sub(2 + value.width());
    let label = if width < LINES_FIT { clipped(&setting.label, room) } else { left(&setting.label, room.min(LABEL)) };
    let (marker, plain) = if app.tuner.is_chosen(setting) { ("> ", theme.title()) } else { ("  ", theme.dim()) };
    let style = if is_edited { theme.edited() } else { plain };
    Line::from_iter([Span::raw(marker), Span::styled(label, plain), Span::styled(value, style)])
}

/// The message, if there is one, or else the keys.
fn said(app: &App, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    if let Some(message) = app.message() {
        let style = if message.tone == Tone::Done { theme.good() } else { theme.warn() };
        return wrapped(&message.text, width).into_iter().map(|line| Line::styled(line, style)).collect();
    }
    let keys = app.keys_of_use().into_iter();
    let keys = flowed(keys.map(|binding| format!("{} {}", binding.keys[0], binding.word)), width);
    keys.into_iter().take(1).map(|line| Line::styled(line, theme.dim())).collect()
}

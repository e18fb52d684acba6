//! The panels of the screens: one file a panel, named as its title. Each draws from the app's state into a buffer and
//! changes nothing. Must not know the engine.

pub mod compare;
mod cost;
pub mod events;
mod frame;
mod heatmap;
mod latency;
mod percentiles;
pub mod prose;
pub mod quantile;
pub mod scroll;
mod served_by;
pub mod settings;
mod traffic;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

pub use frame::{Focus, frame};

use super::app::App;
use super::command::{Pane, Screen};
use super::theme::Theme;

pub fn draw(pane: Pane, app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let draw = match pane {
        Pane::Settings => settings::draw,
        Pane::Latency => latency::draw,
        Pane::Percentiles => percentiles::draw,
        Pane::Heatmap => heatmap::draw,
        Pane::ServedBy => served_by::draw,
        Pane::Traffic => traffic::draw,
        Pane::Cost => cost::draw,
        Pane::Events => events::draw,
    };
    // Less is all border.
    if area.width > 2 && area.height > 2 {
        draw(app, theme, area, buf);
    }
}

/// The names of what takes turns in one place; those that are seen stand out.
pub fn tabs<'a>(names: impl IntoIterator<Item = (&'a str, bool)>, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let mut x = area.x;
    for (name, is_seen) in names {
        let style = if is_seen { theme.selected() } else { theme.dim() };
        let room = usize::from(area.right().saturating_sub(x));
        x = buf.set_stringn(x, area.y, format!(" {name} "), room, style).0;
    }
}

fn focus(app: &App, pane: Pane) -> Focus {
    if app.screen == Screen::Live && app.focus == pane { Focus::Here } else { Focus::Elsewhere }
}

/// Lines one below the other, each in spans with their styles, as far as the area goes.
pub fn lines(area: Rect, buf: &mut Buffer, lines: impl IntoIterator<Item = Vec<(String, Style)>>) {
    for (spans, y) in lines.into_iter().zip(area.top()..area.bottom()) {
        let mut x = area.x;
        for (text, style) in spans {
            let room = usize::from(area.right().saturating_sub(x));
            x = buf.set_stringn(x, y, text, room, style).0;
        }
    }
}

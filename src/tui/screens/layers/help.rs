//! Help: every key that holds here, and what it does.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::Widget;

use super::{boxed, centred};
use crate::report::format::{clipped, left};
use crate::tui::app::App;
use crate::tui::command::Command;
use crate::tui::keymap::{self, Binding};
use crate::tui::panels::scroll::first_seen;
use crate::tui::panels::{Focus, frame};
use crate::tui::theme::Theme;

/// All keys of a binding, or where there is less room the first.
const KEYS_WIDTH: usize = 16;
const KEY_WIDTH: usize = 9;
const WIDTH: usize = 78;

pub fn draw(app: &App, chosen: usize, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let bindings: Vec<_> = keymap::at(app.place()).collect();
    let area = centred(area, WIDTH, bindings.len() + 2);
    let place = format!(" {} of {} ", chosen + 1, bindings.len());
    let block = frame("Keys", "Enter runs, Esc closes", Focus::Here, theme)
        .title_bottom(Line::styled(place, theme.dim()).right_aligned());
    let inner = boxed(block, area, buf);
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let first = first_seen(chosen, bindings.len(), height);
    let lines = bindings.iter().enumerate().skip(first).take(height).map(|(i, binding)| {
        let line = line(binding, if i == chosen { theme.glyphs.right } else { ' ' }, width, theme);
        if i == chosen { line.patch_style(theme.selected()) } else { line }
    });
    Text::from_iter(lines).render(inner, buf);
}

fn line(binding: &Binding, marker: char, width: usize, theme: &Theme) -> Line<'static> {
    let (keys, keys_width) = if width < 60 { (&binding.keys[..1], KEY_WIDTH) } else { (binding.keys, KEYS_WIDTH) };
    let keys: Vec<_> = keys.iter().map(ToString::to_string).collect();
    let about = match binding.command {
        Command::Show(screen) => screen.unavailable().unwrap_or(binding.about),
        _ => binding.about,
    };
    let room = width.saturating_sub(2 + keys_width + 1);
    Line::from_iter([
        Span::raw(format!("{marker} ")),
        Span::styled(left(&keys.join(" "), keys_width), theme.key()),
        Span::raw(format!(" {}", left(&clipped(about, room), room))),
    ])
}

//! The command palette: what was typed, and what fits it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Text};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::{boxed, cells, centred, said, typed};
use crate::report::format::{clipped, left};
use crate::tui::app::{App, Item, Palette};
use crate::tui::panels::scroll::first_seen;
use crate::tui::panels::{Focus, frame};
use crate::tui::theme::Theme;

const WIDTH: usize = 72;
const HEIGHT: usize = 20;
const HINT: &str = "name = value sets a setting; Enter runs, Esc closes";

pub fn draw(app: &App, palette: &Palette, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let items = app.palette_items(palette);
    let block = frame("Commands", "", Focus::Here, theme);
    let inner = boxed(block, centred(area, WIDTH, HEIGHT), buf);
    let width = usize::from(inner.width);
    let said = said(palette.problem.as_deref(), HINT, width, theme);
    let words = Constraint::Length(cells(said.len()).min(inner.height.saturating_sub(1) / 2));
    // What is wrong stands by what was typed, a hint out of the way.
    let parts = match palette.problem {
        Some(_) => [Constraint::Length(1), words, Constraint::Fill(1), Constraint::Length(0)],
        None => [Constraint::Length(1), Constraint::Length(0), Constraint::Fill(1), words],
    };
    let [line, above, list, below] = Layout::vertical(parts).areas(inner);
    typed(": ", &palette.text, width, theme).render(line, buf);
    Text::from(said).render(if palette.problem.is_some() { above } else { below }, buf);

    if items.is_empty() {
        let text = match palette.problem {
            Some(_) => "",
            None if palette.text.contains('=') => "  Enter sets the value",
            None => "  nothing fits",
        };
        return Line::styled(clipped(text, width), theme.dim()).render(list, buf);
    }
    let height = usize::from(list.height);
    let first = first_seen(palette.chosen, items.len(), height);
    let lines = items.iter().enumerate().skip(first).take(height).map(|(i, item)| {
        if i == palette.chosen {
            item_line(theme.glyphs.right, item, width).style(theme.selected())
        } else {
            item_line(' ', item, width)
        }
    });
    Text::from_iter(lines).render(list, buf);
}

/// The key or the value stands at the right edge.
fn item_line(marker: char, item: &Item, width: usize) -> Line<'static> {
    let detail = clipped(&item.detail, width.saturating_sub(4) / 2);
    let room = width.saturating_sub(2 + 1 + detail.width());
    Line::raw(clipped(&format!("{marker} {} {detail}", left(&item.title, room)), width))
}

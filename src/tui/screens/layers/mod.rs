//! What is open over a screen: a box of its own, never larger than the screen.

mod edit;
mod help;
mod palette;
mod question;

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Padding, Widget};

use crate::tui::app::{App, Layer};
use crate::tui::panels::prose::{end_of, wrapped};
use crate::tui::theme::Theme;

/// The top layer, if one is open.
pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    match app.layers.last() {
        Some(Layer::Help { chosen }) => help::draw(app, *chosen, theme, area, buf),
        Some(Layer::Palette(palette)) => palette::draw(app, palette, theme, area, buf),
        Some(Layer::Edit(edit)) => edit::draw(app, edit, theme, area, buf),
        Some(Layer::Quit) => question::draw(&question::leaving(app), theme, area, buf),
        Some(Layer::Begin) => question::draw(&question::beginning(app), theme, area, buf),
        Some(Layer::StopComparison) => question::draw(&question::stopping(app), theme, area, buf),
        None => {}
    }
}

/// Of a box's width, what is not room for text.
const EDGES: usize = 4;

fn centred(area: Rect, width: usize, height: usize) -> Rect {
    area.centered(Constraint::Length(cells(width)), Constraint::Length(cells(height)))
}

fn cells(count: usize) -> u16 {
    count.try_into().unwrap_or(u16::MAX)
}

/// Draws the box on what is under it; returns the room inside.
fn boxed(block: Block, area: Rect, buf: &mut Buffer) -> Rect {
    let block = block.padding(Padding::horizontal(1));
    let inner = block.inner(area);
    Clear.render(area, buf);
    block.render(area, buf);
    inner
}

/// The end of what was typed, and the cursor behind it.
fn typed<'a>(prompt: &'a str, text: &str, width: usize, theme: &Theme) -> Line<'a> {
    let room = width.saturating_sub(prompt.len() + 1);
    let text = end_of(text, room).to_owned();
    Line::from_iter([Span::styled(prompt, theme.key()), Span::raw(text), Span::styled(" ", theme.selected())])
}

/// Why what was typed does not do; else a hint.
fn said<'a>(problem: Option<&str>, hint: &str, width: usize, theme: &Theme) -> Vec<Line<'a>> {
    match problem {
        Some(problem) => wrapped(problem, width).into_iter().map(|line| Line::styled(line, theme.bad())).collect(),
        None => wrapped(hint, width).into_iter().map(|line| Line::styled(line, theme.dim())).collect(),
    }
}

//! The question before leaving paid load.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};
use ratatui::widgets::Widget;

use super::{EDGES, boxed, centred};
use crate::report::format::digits3;
use crate::tui::app::App;
use crate::tui::panels::prose::wrapped;
use crate::tui::panels::{Focus, frame};
use crate::tui::theme::Theme;

const WIDTH: usize = 54;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let width = WIDTH.min(usize::from(area.width)).saturating_sub(EDGES);
    let bill = &app.shown().spent;
    let (cny, usd) = (digits3(bill.cny), digits3(bill.usd));
    let question = format!("The load runs and spends money: RMB {cny} (USD {usd}) so far. End it and leave?");
    let answers = "y leaves; any other key stays.";
    let mut lines: Vec<_> = wrapped(&question, width).into_iter().map(Line::raw).collect();
    lines.extend(wrapped(answers, width).into_iter().map(|line| Line::styled(line, theme.key())));
    let block = frame("Leave?", "", Focus::Here, theme);
    let inner = boxed(block, centred(area, WIDTH, lines.len() + 2), buf);
    // The answers are seen on the lowest screen too.
    lines.drain(..lines.len().saturating_sub(usize::from(inner.height)));
    Text::from(lines).render(inner, buf);
}

//! How often calls took how long, over time. Must not know the clock, or what counted the calls.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::widgets::Widget;

use super::axis::{Bands, labels, line, rows};
use super::{put, write};
use crate::report::format;
use crate::tui::theme::{Paint, Theme};

const LABEL: u16 = 6;
/// Narrower than this, all of the width goes to columns.
const NARROW: u16 = 3 * LABEL;

/// Something happened at a column.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Index into [`Heatmap::columns`].
    pub column: usize,
    pub style: Style,
}

/// Time from left to right, the newest column at the right; the slowest band on top. Where the
/// height is short, the axis is broken over bands that nothing took, and bands with few calls share a row. A count is set against the
/// view's largest by its square root, so that single calls are seen beside thousands.
pub struct Heatmap<'a, C> {
    /// Each column's counts: below the first edge, between edges, from the last edge on (one more than there are edges).
    pub columns: &'a [C],
    /// ns, rising.
    pub edges: &'a [u64],
    pub marks: &'a [Mark],
    pub column_span: Duration,
    pub theme: &'a Theme,
}

/// What of the data is in view.
struct View<'a, C> {
    shown: &'a [C],
    /// The fastest first.
    rows: Vec<Bands>,
    largest: u64,
}

impl<C: AsRef<[u32]>> Widget for Heatmap<'_, C> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let gutter = if area.width < NARROW { 0 } else { LABEL + 1 };
        let axis = u16::from(area.height > 1);
        let plot = Rect { x: area.x + gutter, width: area.width - gutter, height: area.height - axis, ..area };
        let view = self.view(plot);
        if gutter > 0 {
            self.labels(&view.rows, Rect { x: area.x, width: gutter, ..plot }, buf);
        }
        for (bands, y) in view.rows.iter().zip((plot.y..plot.bottom()).rev()) {
            self.row(&view, bands, Rect { y, height: 1, ..plot }, buf);
        }
        if axis > 0 {
            self.axis(&view, Rect { y: plot.bottom(), height: 1, ..plot }, gutter, buf);
        }
    }
}

fn count<C: AsRef<[u32]>>(column: &C, bands: &Bands) -> u64 {
    let counts = column.as_ref().iter().skip(bands.start).take(bands.len());
    counts.map(|&count| u64::from(count)).sum()
}

impl<'a, C: AsRef<[u32]>> Heatmap<'a, C> {
    fn view(&self, plot: Rect) -> View<'a, C> {
        let shown = &self.columns[self.columns.len().saturating_sub(usize::from(plot.width))..];
        let calls: Vec<_> = (0..=self.edges.len())
            .map(|band| shown.iter().map(|column| count(column, &(band..band + 1))).sum())
            .collect();
        let rows = rows(&calls, usize::from(plot.height));
        let counts = rows.iter().flat_map(|bands| shown.iter().map(move |column| count(column, bands)));
        let largest = counts.max().unwrap_or_default();
        View { shown, rows, largest }
    }

    /// Columns of the plot that a mark stands at.
    fn marks(&self, plot: Rect) -> impl Iterator<Item = (u16, Style)> {
        let columns = self.columns.len();
        self.marks.iter().filter_map(move |mark| {
            let from_right = columns.checked_sub(mark.column).filter(|&age| age > 0)?;
            let x = plot.right().checked_sub(u16::try_from(from_right).ok()?)?;
            (x >= plot.x).then_some((x, mark.style))
        })
    }

    fn labels(&self, rows: &[Bands], gutter: Rect, buf: &mut Buffer) {
        let style = self.theme.dim();
        for (row, (label, y)) in labels(self.edges, rows).iter().zip((0..gutter.bottom()).rev()).enumerate() {
            let x = write(buf, (gutter.x, y), &format::right(label, usize::from(LABEL)), LABEL, style);
            put(buf, x, y, Paint { fill: line(rows, row, self.theme.glyphs), style });
        }
    }

    fn row(&self, view: &View<C>, bands: &Bands, cells: Rect, buf: &mut Buffer) {
        let first = cells.right() - view.shown.len() as u16;
        for (x, column) in (first..).zip(view.shown) {
            let level = (count(column, bands) as f64 / view.largest.max(1) as f64).sqrt();
            put(buf, x, cells.y, self.theme.heat(level));
        }
        for (x, style) in self.marks(cells) {
            let Some(cell) = buf.cell_mut((x, cells.y)) else { continue };
            if cell.symbol() == " " {
                cell.set_char(self.theme.glyphs.vertical).set_style(style);
            } else if cell.fg != Color::Reset && cell.symbol() == "█" {
                // The line runs over a solid cell, its heat behind it.
                let heat = cell.fg;
                cell.set_char(self.theme.glyphs.vertical).set_style(Style::new().fg(Color::Black).bg(heat));
            }
        }
    }

    fn axis(&self, view: &View<C>, line: Rect, gutter: u16, buf: &mut Buffer) {
        let glyphs = self.theme.glyphs;
        let style = self.theme.dim();
        if gutter > 0 {
            put(buf, line.x - 1, line.y, Paint { fill: glyphs.corner, style });
        }
        for x in line.x..line.right() {
            put(buf, x, line.y, Paint { fill: glyphs.horizontal, style });
        }
        let span = (view.shown.len() as f64 * self.column_span.as_secs_f64()).round();
        let past = format!("{span}s ago ");
        let (oldest, now) = (line.right() - view.shown.len() as u16, " now");
        let ends = [(oldest, past.as_str()), (line.right().saturating_sub(now.len() as u16), now)];
        let room = view.shown.len() >= past.len() + now.len();
        for (x, text) in ends.into_iter().filter(|_| room) {
            let under = x..x + text.len() as u16;
            if !self.marks(line).any(|(mark, _)| under.contains(&mark)) {
                write(buf, (x, line.y), text, text.len() as u16, style);
            }
        }
        for (x, style) in self.marks(line) {
            put(buf, x, line.y, Paint { fill: glyphs.caret, style });
        }
    }
}

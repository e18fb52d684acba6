//! How often two kinds of calls took how long: back to back on one axis, so that the side tells them apart.
//! Must not know what the two are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::{put, write};
use crate::report::format;
use crate::tui::theme::{Paint, Theme};

/// Of an edge's label and its line.
const LABEL: u16 = 8;
/// Of a share's number.
const NUMBER: u16 = 6;
/// With less for a bar its number is left out.
const BAR_BEFORE_NUMBER: u16 = 8;

/// Rows of time, the fastest on top; the first kind's bars grow to the left of the axis, the second's to the right. A bar
/// is linear in the share of its own kind's calls; the largest of both fills a side.
pub struct MirroredHistogram<'a> {
    /// Where each row begins, in ns, and a last one for the end.
    pub edges: &'a [u64],
    /// Each kind's calls by row.
    pub counts: [&'a [u64]; 2],
    pub paints: [Paint; 2],
    pub theme: &'a Theme,
}

/// From the left: a number, a bar, the axis, a bar, a number.
struct Sides {
    number: u16,
    bar: u16,
    label: u16,
}

impl Sides {
    fn of(width: u16) -> Self {
        let label = if width >= LABEL + 4 { LABEL } else { 0 };
        let side = (width - label) / 2;
        let number = if side >= NUMBER + BAR_BEFORE_NUMBER { NUMBER } else { 0 };
        Self { number, bar: side - number, label }
    }
}

impl Widget for MirroredHistogram<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let sides = Sides::of(area.width);
        let shares = self.counts.map(shares);
        let largest = shares.iter().flatten().copied().fold(0.0, f64::max);
        let rows = self.edges.len().saturating_sub(1);
        for (row, y) in (0..rows).zip(area.y..area.bottom()) {
            let at = Rect { y, height: 1, ..area };
            let share = |kind: usize| shares[kind].get(row).copied().unwrap_or_default();
            self.label(row, &sides, at, buf);
            self.left(share(0), largest, &sides, at, buf);
            self.right(share(1), largest, &sides, at, buf);
        }
    }
}

/// Of all calls of a kind.
fn shares(counts: &[u64]) -> Vec<f64> {
    let all: u64 = counts.iter().sum();
    counts.iter().map(|count| *count as f64 / all.max(1) as f64).collect()
}

impl MirroredHistogram<'_> {
    /// In the middle, between the bars.
    fn label(&self, row: usize, sides: &Sides, at: Rect, buf: &mut Buffer) {
        let x = at.x + sides.number + sides.bar;
        let label = format::ms(self.edges[row] as f64 / 1e6);
        let (text, line) = (format::right(&label, usize::from(sides.label.saturating_sub(1))), self.theme.dim());
        let x = write(buf, (x, at.y), &text, sides.label, line);
        if sides.label > 0 {
            put(buf, x, at.y, Paint { fill: self.theme.glyphs.vertical, style: line });
        }
    }

    /// Grows away from the axis, which is at its right.
    fn left(&self, share: f64, largest: f64, sides: &Sides, at: Rect, buf: &mut Buffer) {
        let axis = at.x + sides.number + sides.bar;
        let (whole, half) = self.length(0, share / largest, sides.bar);
        (axis - whole..axis).for_each(|x| put(buf, x, at.y, self.paints[0]));
        if half {
            put(buf, axis - whole - 1, at.y, Paint { fill: self.theme.glyphs.right_half, ..self.paints[0] });
        }
        self.number(share, at.x, sides, at.y, buf);
    }

    fn right(&self, share: f64, largest: f64, sides: &Sides, at: Rect, buf: &mut Buffer) {
        let axis = at.x + sides.number + sides.bar + sides.label;
        let (whole, half) = self.length(1, share / largest, sides.bar);
        (axis..axis + whole).for_each(|x| put(buf, x, at.y, self.paints[1]));
        if half {
            put(buf, axis + whole, at.y, Paint { fill: self.theme.glyphs.left_half, ..self.paints[1] });
        }
        self.number(share, axis + sides.bar, sides, at.y, buf);
    }

    /// Whole cells, and whether a half one follows, which only a solid bar has. What is there is seen.
    fn length(&self, kind: usize, part: f64, bar: u16) -> (u16, bool) {
        if part.is_nan() || part <= 0.0 || bar == 0 {
            return (0, false);
        }
        let is_solid = self.theme.glyphs.bar.last() == Some(&self.paints[kind].fill) && self.theme.glyphs.bar.len() > 1;
        if is_solid {
            let halves = ((part * f64::from(bar) * 2.0).round() as u16).clamp(1, bar * 2);
            (halves / 2, halves % 2 == 1)
        } else {
            (((part * f64::from(bar)).round() as u16).clamp(1, bar), false)
        }
    }

    fn number(&self, share: f64, x: u16, sides: &Sides, y: u16, buf: &mut Buffer) {
        if share > 0.0 && sides.number > 0 {
            let text = format::right(&format::percent(share), usize::from(sides.number));
            write(buf, (x, y), &text, sides.number, self.theme.dim());
        }
    }
}

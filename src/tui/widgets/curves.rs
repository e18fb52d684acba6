//! Two curves of shares over time on a logarithmic axis, one solid and one dashed. Must not know what they are of.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::{LogAxis, put, time_label, write};
use crate::report::format;
use crate::tui::theme::{Paint, Theme};

/// Of a share's label.
const LABEL: u16 = 4;
/// Narrower than this, all of the width goes to the curves.
const NARROW: u16 = 24;
/// Dots in a cell of Braille, across and down.
const DOTS: (usize, usize) = (2, 4);
/// A dashed line's dots that are drawn, and with those that are not.
const DASH: (usize, usize) = (2, 4);

/// Shares of 0 to 1 upwards, time to the right. In dots of Braille, or where a terminal has none in each curve's letter,
/// with a `*` where both are.
pub struct Curves<'a> {
    /// Times in ns with the share of calls that took no longer; both rise.
    pub curves: [&'a [(u64, f64)]; 2],
    pub axis: LogAxis,
    pub styles: [Style; 2],
    pub letters: [char; 2],
    pub theme: &'a Theme,
}

impl Widget for Curves<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let gutter = if area.width < NARROW { 0 } else { LABEL + 1 };
        let below = if area.height > 2 { 2 } else { 0 };
        let plot = Rect { x: area.x + gutter, width: area.width - gutter, height: area.height - below, ..area };
        if gutter > 0 {
            self.shares(Rect { x: area.x, width: gutter, ..plot }, buf);
        }
        if below > 0 {
            self.times(plot, Rect { y: plot.bottom(), height: below, ..area }, buf);
        }
        let dots = if self.theme.has_dots() { DOTS } else { (1, 1) };
        let canvas = Canvas::of(plot, dots);
        let traced = self.curves.map(|curve| canvas.trace(curve, &self.axis));
        for (x, y) in (0..plot.height).flat_map(|y| (0..plot.width).map(move |x| (x, y))) {
            if let Some(paint) = self.cell(&traced, &canvas, (usize::from(x), usize::from(y))) {
                put(buf, plot.x + x, plot.y + y, paint);
            }
        }
    }
}

impl Curves<'_> {
    /// All, half and none, and the line beside them.
    fn shares(&self, gutter: Rect, buf: &mut Buffer) {
        let style = self.theme.dim();
        let middle = gutter.y + (gutter.height - 1) / 2;
        let mut labels = vec![(gutter.y, "100%"), (gutter.bottom() - 1, "0%")];
        if gutter.height > 4 {
            labels.push((middle, "50%"));
        }
        for y in gutter.y..gutter.bottom() {
            let label = labels.iter().find(|(at, _)| *at == y).map_or("", |(_, label)| label);
            let x = write(buf, (gutter.x, y), &format::right(label, usize::from(LABEL)), LABEL, style);
            put(buf, x, y, Paint { fill: self.theme.glyphs.vertical, style });
        }
    }

    /// The line below, and as many of its numbers as fit.
    fn times(&self, plot: Rect, below: Rect, buf: &mut Buffer) {
        let (glyphs, style) = (self.theme.glyphs, self.theme.dim());
        if plot.x > below.x {
            put(buf, plot.x - 1, below.y, Paint { fill: glyphs.corner, style });
        }
        (plot.x..plot.right()).for_each(|x| put(buf, x, below.y, Paint { fill: glyphs.horizontal, style }));
        let mut free = below.x;
        for tick in self.axis.ticks() {
            let at = self.axis.place(tick as f64).clamp(0.0, 1.0) * f64::from(plot.width - 1);
            let x = plot.x + at.round() as u16;
            let label = time_label(tick);
            let width = label.len() as u16;
            let start = x.saturating_sub(width / 2).min(below.right().saturating_sub(width)).max(below.x);
            if start >= free && start + width <= below.right() {
                put(buf, x, below.y, Paint { fill: glyphs.tick, style });
                free = write(buf, (start, below.y + 1), &label, width, style) + 1;
            }
        }
    }

    fn cell(&self, traced: &[Vec<Option<usize>>; 2], canvas: &Canvas, cell: (usize, usize)) -> Option<Paint> {
        let [first, other] = [0, 1].map(|curve| canvas.bits(&traced[curve], cell, curve));
        let style = match (first, other) {
            (0, 0) => return None,
            (_, 0) => self.styles[0],
            (0, _) => self.styles[1],
            // The terminal's own colour: it is neither's.
            _ => Style::new(),
        };
        let fill = match (self.theme.has_dots(), first, other) {
            (true, ..) => char::from_u32(0x2800 + u32::from(first | other)).unwrap_or(' '),
            (false, _, 0) => self.letters[0],
            (false, 0, _) => self.letters[1],
            (false, ..) => '*',
        };
        Some(Paint { fill, style })
    }
}

/// Dots of a plot.
struct Canvas {
    columns: usize,
    rows: usize,
    /// In a cell.
    dots: (usize, usize),
}

impl Canvas {
    fn of(plot: Rect, dots: (usize, usize)) -> Self {
        Self { columns: usize::from(plot.width) * dots.0, rows: usize::from(plot.height) * dots.1, dots }
    }

    /// Row by row, how far along its curve a dot is; `None` where the curve does not go.
    fn trace(&self, curve: &[(u64, f64)], axis: &LogAxis) -> Vec<Option<usize>> {
        let mut dots = vec![None; self.columns * self.rows];
        if curve.is_empty() {
            return dots;
        }
        let (mut length, mut before) = (0, None);
        for column in 0..self.columns {
            let time = axis.at((column as f64 + 0.5) / self.columns as f64);
            let until = curve.partition_point(|(ns, _)| *ns as f64 <= time);
            let share = until.checked_sub(1).map_or(0.0, |at| curve[at].1).clamp(0.0, 1.0);
            let height = (share * (self.rows - 1) as f64).round() as usize;
            // A step upwards is drawn through: a curve has no gaps.
            for up in before.map_or(height, |before: usize| (before + 1).min(height))..=height {
                dots[(self.rows - 1 - up) * self.columns + column] = Some(length);
                length += 1;
            }
            before = Some(height);
        }
        dots
    }

    /// Which dots of a cell are drawn, as Braille numbers them; the other curve is dashed.
    fn bits(&self, dots: &[Option<usize>], (x, y): (usize, usize), curve: usize) -> u8 {
        const BRAILLE: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let is_drawn = |along: usize| curve == 0 || self.dots == (1, 1) || along % DASH.1 < DASH.0;
        let mut bits = 0;
        for (down, across) in (0..self.dots.1).flat_map(|down| (0..self.dots.0).map(move |across| (down, across))) {
            let at = (y * self.dots.1 + down) * self.columns + x * self.dots.0 + across;
            if dots.get(at).copied().flatten().is_some_and(is_drawn) {
                bits |= BRAILLE[down][across];
            }
        }
        bits
    }
}

//! The last values of one series, in one row. Must not know their unit.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::put;
use crate::tui::theme::{Paint, Theme};

/// The newest value at the right. Nothing measured is blank, zero a faint ground line, anything above it higher.
pub struct Sparkline<'a> {
    pub values: &'a [Option<f64>],
    /// What fills a cell; without it, the largest value shown.
    pub max: Option<f64>,
    pub style: Style,
    pub theme: &'a Theme,
}

impl Widget for Sparkline<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let shown = &self.values[self.values.len().saturating_sub(usize::from(area.width))..];
        let max = self.max.unwrap_or_else(|| shown.iter().flatten().copied().fold(0.0, f64::max));
        let spark = self.theme.glyphs.spark;
        let first = area.right() - shown.len() as u16;
        for (x, value) in (first..).zip(shown) {
            let Some(value) = value.filter(|value| !value.is_nan()) else { continue };
            let paint = if value <= 0.0 {
                Paint { fill: spark[0], style: self.theme.dim() }
            } else {
                let above = spark.len() - 1;
                let height = (value / max * above as f64).ceil() as usize;
                Paint { fill: spark[height.clamp(1, above)], style: self.style }
            };
            put(buf, x, area.y, paint);
        }
    }
}

//! A share of 1 between its name and its number. Must not know what it is a share of.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::{Segment, StackedBar, write};
use crate::report::format;
use crate::tui::theme::{Paint, Theme};

/// `local  ████████▌      55.1%`, in one row. The number stays when there is no room for the bar, then the name.
pub struct Bar<'a> {
    pub label: &'a str,
    /// Cells, the same for bars one below the other.
    pub label_width: u16,
    pub share: f64,
    pub value: &'a str,
    pub value_width: u16,
    pub paint: Paint,
    pub theme: &'a Theme,
}

impl Widget for Bar<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let value_width = self.value_width.min(area.width);
        let label_width = self.label_width.min((area.width - value_width).saturating_sub(1));
        let label = format::clipped(self.label, usize::from(label_width));
        write(buf, (area.x, area.y), &label, label_width, Style::new());
        let value = format::right(self.value, usize::from(value_width));
        write(buf, (area.right() - value_width, area.y), &value, value_width, Style::new());
        let bar = Rect {
            x: area.x + label_width + 1,
            width: (area.width - value_width).saturating_sub(label_width + 2),
            height: 1,
            ..area
        };
        let segments = [Segment { share: self.share, paint: self.paint }];
        StackedBar { segments: &segments, glyphs: self.theme.glyphs }.render(bar, buf);
    }
}

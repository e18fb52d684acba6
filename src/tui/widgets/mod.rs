//! Pictures of numbers: slices in, cells out. Each draws at any size, and what is there is seen however small it is.
//! Must not know the application, or where numbers come from.

mod axis;
mod bar;
mod curves;
mod heatmap;
mod log_axis;
mod log_histogram;
mod mirrored_histogram;
mod sparkline;
mod stacked_bar;

pub use axis::{ONE_TWO_FIVE_NS, time_label};
pub use bar::Bar;
pub use curves::Curves;
pub use heatmap::{Heatmap, Mark};
pub use log_axis::LogAxis;
pub use log_histogram::{Bucket, LogHistogram};
pub use mirrored_histogram::MirroredHistogram;
pub use sparkline::Sparkline;
pub use stacked_bar::{Segment, StackedBar};

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::theme::Paint;

/// One cell, if it is on the buffer.
fn put(buf: &mut Buffer, x: u16, y: u16, paint: Paint) {
    if let Some(cell) = buf.cell_mut((x, y)) {
        cell.set_char(paint.fill).set_style(paint.style);
    }
}

/// Text of at most `width` cells; returns where it ends.
fn write(buf: &mut Buffer, (x, y): (u16, u16), text: &str, width: u16, style: Style) -> u16 {
    if !buf.area.contains((x, y).into()) {
        return x;
    }
    buf.set_stringn(x, y, text, usize::from(width), style).0
}

#[cfg(test)]
mod tests;

//! Heatmap: how long calls took, second by second, with marks where settings changed.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::{focus, frame};
use crate::metrics::{Bands, Point};
use crate::report::format;
use crate::tui::app::App;
use crate::tui::command::Pane;
use crate::tui::theme::Theme;
use crate::tui::widgets::{Heatmap, Mark};

/// Cells of the border, the labels and the axis.
const BESIDE: u16 = 9;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let shown = app.shown();
    let points = newest(shown.series.points(), usize::from(area.width.saturating_sub(BESIDE)));
    let span: f64 = points.iter().map(|point| point.seconds).sum();
    let block = frame("Heatmap", &format!("service, last {span:.0}s"), focus(app, Pane::Heatmap), theme);
    let block = match &shown.epoch.changed[..] {
        [] => block,
        changed => {
            let text = format!("{} epoch {}: {}", theme.glyphs.caret, shown.epoch.number, changed.join(", "));
            let room = usize::from(area.width.saturating_sub(4));
            block.title_bottom(Line::from(format!(" {} ", format::clipped(&text, room))).right_aligned())
        }
    };
    let inner = block.inner(area);
    block.render(area, buf);
    let columns: Vec<_> = points.iter().map(|point| point.bands.counts()).collect();
    let edges: Vec<_> = (1..Bands::COUNT).map(|band| Bands::lower_edge_ns(band) as u64).collect();
    let column_span = Duration::from_secs_f64(span / points.len().max(1) as f64);
    Heatmap { columns: &columns, edges: &edges, marks: &marks(points, theme), column_span, theme }.render(inner, buf);
}

fn newest(points: &[Point], most: usize) -> &[Point] {
    &points[points.len().saturating_sub(most)..]
}

/// Where an epoch begins.
fn marks(points: &[Point], theme: &Theme) -> Vec<Mark> {
    let pairs = points.windows(2).enumerate().filter(|(_, pair)| pair[0].epoch != pair[1].epoch);
    pairs.map(|(i, _)| Mark { column: i + 1, style: theme.mark() }).collect()
}

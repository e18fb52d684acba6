//! One row of several parts. Must not know what the parts are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::widgets::Widget;

use super::put;
use crate::tui::theme::{Glyphs, Paint};

#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Of the whole width. Shares that sum to more than 1 are scaled down to 1.
    pub share: f64,
    pub paint: Paint,
}

/// Parts side by side from the left, to a fraction of a cell where paints are solid and coloured. Each part above 0
/// is seen; when there are more parts than cells, the largest are.
pub struct StackedBar<'a> {
    pub segments: &'a [Segment],
    pub glyphs: &'a Glyphs,
}

/// A segment's end, in steps of a cell.
type Ends = Vec<(usize, Paint)>;

impl Widget for StackedBar<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let seen = largest(self.segments, usize::from(area.width));
        let steps = if fractions_show(&seen, self.glyphs) { self.glyphs.bar.len() } else { 1 };
        let ends = ends(&seen, usize::from(area.width), steps);
        let mut first = 0;
        for cell in 0..usize::from(area.width) {
            let from = cell * steps;
            first += ends[first..].iter().take_while(|(end, _)| *end <= from).count();
            let Some(&(end, paint)) = ends.get(first) else { return };
            let paint = match ends.get(first + 1) {
                _ if end >= from + steps => paint,
                next => parted(paint, self.glyphs.bar[end - from - 1], next.map(|(_, paint)| paint.style)),
            };
            put(buf, area.x + cell as u16, area.y, paint);
        }
    }
}

/// A cell that a segment fills in part, the next one's colour behind the rest.
fn parted(paint: Paint, fill: char, next: Option<Style>) -> Paint {
    let behind = next.and_then(|style| style.fg).unwrap_or(Color::Reset);
    Paint { fill, style: paint.style.bg(behind) }
}

fn largest(segments: &[Segment], cells: usize) -> Vec<Segment> {
    let mut seen: Vec<_> = segments.iter().copied().filter(|segment| segment.share > 0.0).collect();
    while seen.len() > cells {
        let least = (0..seen.len()).min_by(|&a, &b| seen[a].share.total_cmp(&seen[b].share));
        seen.remove(least.unwrap_or_default());
    }
    seen
}

/// A fraction of a cell can be drawn if it looks like the rest of its segment and the next shows behind it.
fn fractions_show(segments: &[Segment], glyphs: &Glyphs) -> bool {
    let solid = segments.iter().all(|segment| glyphs.bar.last() == Some(&segment.paint.fill));
    solid && (segments.len() < 2 || segments.iter().all(|segment| segment.paint.style.fg.is_some()))
}

/// If two segments have one cell to themselves, it is parted as they are to each other.
fn share_cell(ends: &mut Ends, pair: &[Segment], steps: usize) {
    let start = ends.len().checked_sub(2).map_or(0, |before| ends[before].0);
    let alone = |end: usize| start.is_multiple_of(steps) && end < start + steps;
    if let Some((end, _)) = ends.last_mut().filter(|(end, _)| alone(*end)) {
        let share = pair[0].share / (pair[0].share + pair[1].share);
        *end = start + ((share * steps as f64).round() as usize).clamp(1, steps - 1);
    }
}

/// Ends rounded to a step, moved right by less than a cell where one cell would have to show three segments, and left
/// where segments that follow would find no cell.
fn ends(segments: &[Segment], width: usize, steps: usize) -> Ends {
    let sum: f64 = segments.iter().map(|segment| segment.share).sum();
    let scale = (width * steps) as f64 / sum.max(1.0);
    let (mut ideal, mut end) = (0.0, 0_usize);
    let mut out = Vec::with_capacity(segments.len());
    for (i, segment) in segments.iter().enumerate() {
        ideal += segment.share * scale;
        let cell_end = end.next_multiple_of(steps);
        let room = (width - (segments.len() - 1 - i)) * steps;
        let mut next = (ideal.round() as usize).max(end + 1);
        if end < cell_end && next < cell_end {
            next = cell_end;
            share_cell(&mut out, &segments[i - 1..=i], steps);
        }
        end = next.min(room);
        out.push((end, segment.paint));
    }
    out
}

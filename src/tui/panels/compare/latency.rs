//! Latency: how often calls of each arm took how long, back to back on one logarithmic axis.

use hdrhistogram::Histogram;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::Widget;

use super::{Shown, axis};
use crate::report::format::{compact, left, right};
use crate::tui::panels::lines;
use crate::tui::theme::Theme;
use crate::tui::widgets::MirroredHistogram;

pub fn draw(arms: &[Shown; 2], theme: &Theme, area: Rect, buf: &mut Buffer) {
    let [names, picture] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let half = usize::from(names.width) / 2;
    let [first, other] = arms.each_ref().map(|arm| format!("{} n {}", arm.name(), compact(arm.facts.succeeded as f64)));
    let styles = arms.each_ref().map(|arm| theme.arm(arm.side).style);
    let rest = usize::from(names.width) - half;
    lines(names, buf, [vec![(left(&first, half), styles[0]), (right(&other, rest), styles[1])]]);

    let rows = usize::from(picture.height);
    let edges = axis(arms, rows).edges(rows);
    let counts = arms.each_ref().map(|arm| arm.times().map(|times| counts(times, &edges)).unwrap_or_default());
    let histogram = MirroredHistogram {
        edges: &edges,
        counts: counts.each_ref().map(Vec::as_slice),
        paints: arms.each_ref().map(|arm| theme.arm(arm.side)),
        theme,
    };
    histogram.render(picture, buf);
}

/// Of rows between edges; what is faster than the first or slower than the last is in the outermost.
fn counts(times: &Histogram<u64>, edges: &[u64]) -> Vec<u64> {
    let mut counts = vec![0; edges.len().saturating_sub(1)];
    let last = counts.len().saturating_sub(1);
    for value in times.iter_recorded() {
        let row = edges.partition_point(|edge| *edge <= value.value_iterated_to()).saturating_sub(1).min(last);
        if let Some(count) = counts.get_mut(row) {
            *count += value.count_since_last_iteration();
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_in_a_row() {
        let mut times = Histogram::<u64>::new(3).unwrap();
        [1, 10, 19, 20, 39, 500].into_iter().for_each(|value| times.record(value).unwrap());
        assert_eq!(counts(&times, &[10, 20, 40]), [3, 3]);
        assert!(counts(&times, &[10]).is_empty());
    }
}

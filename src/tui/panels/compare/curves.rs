//! Cumulative: the share of calls that took no longer than so long, both arms on one logarithmic axis.

use hdrhistogram::Histogram;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::{Shown, axis};
use crate::tui::panels::lines;
use crate::tui::theme::Theme;
use crate::tui::widgets::Curves;

/// Enough that an axis over equal times is wide enough to read.
const STEPS: usize = 20;

pub fn draw(arms: &[Shown; 2], theme: &Theme, area: Rect, buf: &mut Buffer) {
    let [legend, picture] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let styles = arms.each_ref().map(|arm| theme.arm(arm.side).style);
    let [first, other] = arms.each_ref().map(Shown::name);
    let (solid, dashed) = if theme.has_dots() { (" solid", " dashed") } else { ("", ", * both") };
    let words = vec![(first, styles[0]), (solid.to_owned(), theme.dim()), ("  ".to_owned(), Style::new())];
    lines(legend, buf, [[words, vec![(other, styles[1]), (dashed.to_owned(), theme.dim())]].concat()]);

    let curves = arms.each_ref().map(|arm| arm.times().map(curve).unwrap_or_default());
    let picture_of = Curves {
        curves: curves.each_ref().map(Vec::as_slice),
        axis: axis(arms, STEPS),
        styles,
        letters: arms.each_ref().map(|arm| arm.letter),
        theme,
    };
    picture_of.render(picture, buf);
}

fn curve(times: &Histogram<u64>) -> Vec<(u64, f64)> {
    let (mut below, all) = (0, times.len() as f64);
    let points = times.iter_recorded().map(|value| {
        below += value.count_since_last_iteration();
        (value.value_iterated_to(), below as f64 / all)
    });
    points.collect()
}

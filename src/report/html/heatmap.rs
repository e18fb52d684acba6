//! How service times were spread, second by second. Must not know the page.

use std::fmt::Write;

use super::plot::{Look, UPWARD};
use super::scale::{Scale, Tick, short_ms};
use super::series::{over_time, unmeasured};
use crate::report::heatmap::{Heatmap, HeatmapColumn};
use crate::report::shape::Report;
use crate::report::text::format::{count, ms, seconds};

/// From few calls to many: of one hue, each darker than the one before on light ground and lighter on dark, so that
/// they are told apart without seeing colours.
const LEVELS: [Look; 6] = ["heat h1", "heat h2", "heat h3", "heat h4", "heat h5", "heat h6"];
/// Fewer bands than these would make cells too high to be told from bars.
const LEAST_BANDS: usize = 4;
/// Labels that the axis has room for.
const MOST_TICKS: usize = 6;

/// Nothing without answers.
pub fn chart(report: &Report, x: Scale) -> Option<String> {
    let heatmap = &report.heatmap;
    let cells = || heatmap.columns.iter().flat_map(HeatmapColumn::cells);
    let (lowest, highest) = (cells().map(|(band, _)| band).min()?, cells().map(|(band, _)| band).max()?);
    let largest = cells().map(|(_, count)| count).max()?;
    let top = (highest + 1).max(lowest + LEAST_BANDS);
    // Bands are steps of a logarithm already.
    let y = Scale::linear((lowest as f64, top as f64), UPWARD);
    let every = (top - lowest).div_ceil(MOST_TICKS).next_power_of_two();
    let edges = (lowest..=top).filter(|band| band % every == 1 % every);
    let ticks: Vec<Tick> =
        edges.filter_map(|band| Some((band as f64, short_ms(*heatmap.band_from_ms.get(band)?)))).collect();
    let mut legend = legend(largest);
    let wide = heatmap.columns.first().map_or(0.0, |column| column.seconds);
    let last = legend.last_mut()?;
    last.1 += &format!(" calls a cell of {}", seconds(wide.round().max(1.0)));
    let marks = cells_of(heatmap, largest, x, y) + &unmeasured(report, x, "veil");
    Some(over_time("Heatmap of service time (log)", report, x, (y, ticks), legend, marks))
}

/// A call is seen beside the fullest cell: levels go by the root of the share of it.
fn level(count: u64, largest: u64) -> usize {
    let share = (count as f64 / largest.max(1) as f64).sqrt();
    ((share * LEVELS.len() as f64).ceil() as usize).clamp(1, LEVELS.len()) - 1
}

/// Each look with the counts that have it.
fn legend(largest: u64) -> Vec<(Look, String)> {
    let most = |level: usize| {
        let share = (level + 1) as f64 / LEVELS.len() as f64;
        if level + 1 == LEVELS.len() { largest } else { (share * share * largest as f64).floor() as u64 }
    };
    let mut from = 1;
    let mut keys = Vec::new();
    for (i, look) in LEVELS.iter().enumerate() {
        let to = most(i);
        match to.cmp(&from) {
            std::cmp::Ordering::Less => continue,
            std::cmp::Ordering::Equal => keys.push((*look, count(from))),
            std::cmp::Ordering::Greater => keys.push((*look, format!("{}–{}", count(from), count(to)))),
        }
        from = to + 1;
    }
    keys
}

fn cells_of(heatmap: &Heatmap, largest: u64, x: Scale, y: Scale) -> String {
    let mut out = String::new();
    for column in &heatmap.columns {
        let (from, to) = (column.at_s, column.at_s + column.seconds);
        let (left, width) = (x.at(from), x.at(to) - x.at(from));
        for (band, calls) in column.cells() {
            let look = LEVELS[level(calls, largest)];
            let (bottom, top) = (y.at(band as f64), y.at(band as f64 + 1.0));
            let height = bottom - top;
            let _ = write!(
                out,
                r#"<rect class="{look}" x="{left:.2}" y="{top:.2}" width="{width:.2}" height="{height:.2}">"#
            );
            let times = times(heatmap, band);
            let _ = writeln!(out, "<title>{from:.0}-{to:.0}s, {times}: {} calls</title></rect>", count(calls));
        }
    }
    out
}

fn times(heatmap: &Heatmap, band: usize) -> String {
    let edge = |band: usize| heatmap.band_from_ms.get(band).map(|from| ms(*from));
    match (edge(band), edge(band + 1)) {
        (Some(from), Some(to)) => format!("{from} to {to}"),
        (from, _) => format!("{} and more", from.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legend_says_of_each_look_which_counts_have_it() {
        for largest in [1, 2, 3, 5, 36, 1_000] {
            let keys = legend(largest);
            for calls in 1..=largest {
                let look = LEVELS[level(calls, largest)];
                let (_, said) = keys.iter().find(|(key, _)| *key == look).expect("it is in the legend");
                let said: Vec<u64> = said.split('–').map(|n| n.replace(',', "").parse().unwrap()).collect();
                assert!((said[0]..=said[said.len() - 1]).contains(&calls), "{calls} of {largest}: {said:?}");
            }
        }
    }
}

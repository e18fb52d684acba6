//! How service times were spread over the run: latency bands by time, in columns few enough to be kept and drawn.
//! Must not know how it is drawn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metrics::{Bands, Point};

/// More points of the series than these share columns.
const COLUMNS: usize = 120;

/// Service times of successes, counted by latency band and by when the calls finished; warm-up and drain included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heatmap {
    /// Where each band begins, in milliseconds: four a decade. It ends where the next one begins, the last one never.
    pub band_from_ms: Vec<f64>,
    /// In their order, 120 at most.
    pub columns: Vec<HeatmapColumn>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HeatmapColumn {
    /// Seconds since the load's start, warm-up included, at the column's beginning.
    pub at_s: f64,
    /// How long it lasts.
    pub seconds: f64,
    /// Index of the band that the first of `counts` is of; those below hold no call, and those after the last neither.
    pub first_band: usize,
    pub counts: Vec<u64>,
}

impl Heatmap {
    pub fn of(series: &[Point]) -> Self {
        let a_column = series.len().div_ceil(COLUMNS).max(1);
        Self {
            band_from_ms: (0..Bands::COUNT).map(|band| Bands::lower_edge_ns(band) / 1e6).collect(),
            columns: series.chunks(a_column).filter_map(HeatmapColumn::of).collect(),
        }
    }
}

impl HeatmapColumn {
    fn of(points: &[Point]) -> Option<Self> {
        let first = points.first()?;
        let mut counts = [0_u64; Bands::COUNT];
        for (band, count) in points.iter().flat_map(|point| point.bands.counts().iter().enumerate()) {
            counts[band] += u64::from(*count);
        }
        let first_band = counts.iter().position(|count| *count > 0).unwrap_or(0);
        let end = counts.iter().rposition(|count| *count > 0).map_or(first_band, |last| last + 1);
        let seconds = points.iter().map(|point| point.seconds).sum();
        Some(Self { at_s: first.at_s, seconds, first_band, counts: counts[first_band..end].to_vec() })
    }

    /// Bands that hold calls, with how many.
    pub fn cells(&self) -> impl Iterator<Item = (usize, u64)> {
        let bands = self.counts.iter().enumerate().map(|(i, count)| (self.first_band + i, *count));
        bands.filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;

    use super::*;

    fn second(at: u32, times_ms: &[u64]) -> Point {
        let mut histogram = Histogram::new(2).unwrap();
        times_ms.iter().for_each(|ms| histogram.record(ms * 1_000_000).unwrap());
        Point { at_s: at.into(), seconds: 1.0, bands: Bands::of(&histogram), ..Point::default() }
    }

    #[test]
    fn a_second_is_a_column_and_each_call_is_in_the_band_of_its_time() {
        let heatmap = Heatmap::of(&[second(0, &[20, 25, 400]), second(1, &[])]);
        let cells: Vec<_> = heatmap.columns[0].cells().collect();
        assert_eq!(cells.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [2, 1]);
        for ((band, _), ms) in cells.iter().zip([20.0, 400.0]) {
            assert!(heatmap.band_from_ms[*band] <= ms && ms < heatmap.band_from_ms[band + 1], "{ms}");
        }
        assert_eq!((heatmap.columns[1].at_s, heatmap.columns[1].counts.len()), (1.0, 0));
    }

    #[test]
    fn an_hour_takes_no_more_columns_than_two_minutes_and_loses_no_call() {
        let series: Vec<_> = (0..3_600).map(|at| second(at, &[u64::from(at % 50) + 1, 900])).collect();
        let heatmap = Heatmap::of(&series);
        assert_eq!(heatmap.columns.len(), 120);
        assert_eq!(heatmap.columns.iter().flat_map(|column| &column.counts).sum::<u64>(), 7_200);
        assert!(heatmap.columns.iter().all(|column| column.seconds == 30.0));
        let json = serde_json::to_string_pretty(&heatmap).unwrap();
        assert!(json.len() < 60_000, "{}", json.len());
    }
}

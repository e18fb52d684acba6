//! Latency by percentile, on an axis that gives each further nine the same room. Must not know the page.

use super::plot::{ACROSS, Look, Plot, UPWARD, line};
use super::scale::{Scale, decades, short_ms, ticks};
use crate::report::shape::Report;
use crate::report::text::format::{count, ms};

const CURVES: [(&str, Look); 3] = [("response", "line a"), ("service", "line b"), ("ttft", "line c")];
const TICKS: [(f64, &str); 5] = [(1.0, "0"), (10.0, "p90"), (100.0, "p99"), (1e3, "p99.9"), (1e4, "p99.99")];
/// Points in a nine.
const STEPS: u32 = 20;

pub fn chart(report: &Report) -> Option<String> {
    let curves: Vec<_> =
        CURVES.iter().filter_map(|(name, look)| Some((*name, *look, super::recorded(report, name)?))).collect();
    let most_calls = curves.iter().map(|(.., histogram)| histogram.len()).max()?;
    // No percentile beyond what so many calls can tell.
    let last = (most_calls as f64).clamp(10.0, 1e4);
    let at = |histogram: &hdrhistogram::Histogram<u64>, step: u32| {
        let beyond = 10f64.powf(f64::from(step) / f64::from(STEPS));
        let known = beyond <= last.min(histogram.len() as f64);
        known.then(|| (beyond, histogram.value_at_quantile(1.0 - 1.0 / beyond).max(1_000) as f64 / 1e6))
    };
    let places = |histogram| (0..=STEPS * 4).filter_map(move |step| at(histogram, step));
    let values: Vec<f64> = curves.iter().flat_map(|(.., histogram)| places(histogram).map(|(_, ms)| ms)).collect();
    let decades =
        decades(values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(0.001, f64::max));
    let x = Scale::log((1.0, last), ACROSS);
    let y = Scale::log((decades[0], decades[decades.len() - 1]), UPWARD);
    let marks = curves
        .iter()
        .map(|(_, look, histogram)| line(look, places(histogram).map(|(beyond, ms)| Some((x.at(beyond), y.at(ms))))));
    let marks = marks.collect();
    let legend = curves.iter().map(|(name, look, histogram)| (*look, format!("{name} n={}", count(histogram.len()))));
    let said: Vec<_> = curves
        .iter()
        .map(|(name, _, h)| format!("{name} p99 {}", ms(h.value_at_quantile(0.99) as f64 / 1e6)))
        .collect();
    let plot = Plot {
        title: "Latency by percentile".into(),
        description: format!("latency on a logarithmic axis; {}", said.join(", ")),
        x_label: "percentile, as 1/(1-p) (log)",
        x: (x, TICKS.iter().filter(|(at, _)| *at <= last).map(|(at, label)| (*at, (*label).to_owned())).collect()),
        y: (y, ticks(&decades, short_ms)),
        legend: legend.collect(),
        marks,
    };
    Some(plot.figure())
}

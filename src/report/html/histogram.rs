//! How many answers took how long, by who answered. Must not know the page.

use std::fmt::Write;

use hdrhistogram::Histogram;

use super::plot::{ACROSS, Look, Plot, UPWARD};
use super::scale::{Scale, decades, round_steps, short_ms, ticks};
use crate::report::shape::Report;
use crate::report::text::format::{compact, count};

/// Tier, its look, and what the legend says; the same in every chart.
pub const TIERS: [(&str, Look); 5] =
    [("local", "bar c"), ("redis", "bar e"), ("shared", "bar d"), ("gateway", "bar b"), ("model", "bar a")];

/// Bars in a factor of ten.
const A_DECADE: i32 = 10;

/// A tier's look, name and times.
type Tier = (&'static str, Look, Histogram<u64>);

pub fn chart(report: &Report) -> Option<String> {
    let tiers = TIERS.iter().filter_map(|(name, look)| Some((*name, *look, super::recorded(report, &service(name))?)));
    let tiers: Vec<Tier> = tiers.collect();
    let nanos = |pick: fn(&Histogram<u64>) -> u64| tiers.iter().map(move |(.., histogram)| pick(histogram));
    // A log axis has no 0: it begins at 1 µs, below which no answer comes.
    let (least, most) = (nanos(Histogram::min).min()?.max(1_000), nanos(Histogram::max).max()?.max(1_000));
    let decades = decades(least as f64 / 1e6, most as f64 / 1e6);
    let bars = Bars::of(&decades, A_DECADE);
    let counts: Vec<Vec<u64>> = tiers.iter().map(|(.., histogram)| bars.counts(histogram)).collect();
    let highest = (0..bars.count()).map(|bar| counts.iter().map(|tier| tier[bar]).sum::<u64>()).max()?;
    let steps = round_steps(highest as f64);
    let y = Scale::linear((0.0, steps[steps.len() - 1]), UPWARD);
    let legend = tiers.iter().map(|(tier, look, histogram)| (*look, format!("{tier} n={}", count(histogram.len()))));
    let legend: Vec<_> = legend.collect();
    let said: Vec<_> = legend.iter().map(|(_, name)| name.as_str()).collect();
    let plot = Plot {
        title: "Service time by tier".into(),
        description: format!("answers by service time on a logarithmic axis; {}", said.join(", ")),
        x_label: "service time (log), 10 bars a decade",
        x: (Scale::log((decades[0], decades[decades.len() - 1]), ACROSS), ticks(&decades, short_ms)),
        y: (y, ticks(&steps, compact)),
        marks: tiers_stacked(&tiers, &counts, y),
        legend,
    };
    Some(plot.figure())
}

fn service(tier: &str) -> String {
    format!("service.{tier}")
}

fn tiers_stacked(tiers: &[Tier], counts: &[Vec<u64>], y: Scale) -> String {
    let mut marks = String::new();
    let bars = counts.first().map_or(0, Vec::len);
    let width = (ACROSS.1 - ACROSS.0) / bars as f64;
    for bar in 0..bars {
        let left = ACROSS.0 + bar as f64 * width;
        let mut below = 0;
        for ((_, look, _), tier) in tiers.iter().zip(counts).filter(|(_, tier)| tier[bar] > 0) {
            let (bottom, top) = (y.at(below as f64), y.at((below + tier[bar]) as f64));
            let height = bottom - top;
            let _ = writeln!(
                marks,
                r#"<rect class="{look}" x="{left:.1}" y="{top:.2}" width="{width:.1}" height="{height:.2}"/>"#
            );
            below += tier[bar];
        }
    }
    marks
}

/// The bars of a log axis.
pub struct Bars {
    a_decade: i32,
    /// The first one begins at 10^(`first` / `a_decade`) ms.
    first: i32,
    count: usize,
}

impl Bars {
    /// Of an axis that goes through these powers of ten.
    pub fn of(decades: &[f64], a_decade: i32) -> Self {
        let first = decades[0].log10().round() as i32 * a_decade;
        Self { a_decade, first, count: (decades.len() - 1) * a_decade as usize }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Values of each bar; what lies beyond the axis is the last one's.
    pub fn counts(&self, histogram: &Histogram<u64>) -> Vec<u64> {
        let mut counts = vec![0; self.count];
        for value in histogram.iter_recorded() {
            let ms = value.value_iterated_to().max(1) as f64 / 1e6;
            let bar = (ms.log10() * f64::from(self.a_decade)).floor() as i32 - self.first;
            counts[bar.clamp(0, self.count as i32 - 1) as usize] += value.count_at_value();
        }
        counts
    }
}

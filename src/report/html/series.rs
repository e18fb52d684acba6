//! The run over time: latency, calls, hit rate, connections; warm-up and epochs marked. Must not know the page.

use std::fmt::Write;

use super::heatmap;
use super::plot::{ACROSS, Look, Plot, UPWARD, line};
use super::scale::{Scale, Tick, decades, round_steps, short_ms, ticks};
use crate::metrics::Point;
use crate::report::shape::Report;
use crate::report::text::format::compact;

type Figure = fn(&Point) -> Option<f64>;

/// Figures of a unit over time, from 0.
struct Chart {
    title: &'static str,
    lines: &'static [(&'static str, Look, Figure)],
    /// The axis ends there, or where the largest value asks for.
    at_most: Option<f64>,
    label: fn(f64) -> String,
}

const CHARTS: [Chart; 3] = [
    Chart {
        title: "Calls a second",
        lines: &[
            ("succeeded", "line a", |point| per_second(point.succeeded, point)),
            ("failed", "line b", |point| per_second(point.failed, point)),
        ],
        at_most: None,
        label: compact,
    },
    Chart {
        title: "Hit rate",
        lines: &[("answered by a cache", "line c", hit_rate)],
        at_most: Some(1.0),
        label: |value| format!("{:.0}%", value * 100.0),
    },
    Chart {
        title: "In flight and connections",
        lines: &[
            ("calls in flight", "line a", |point| Some(point.in_flight as f64)),
            ("connections", "line b", |point| Some(point.connections as f64)),
        ],
        at_most: None,
        label: compact,
    },
];

fn per_second(n: u64, point: &Point) -> Option<f64> {
    (point.seconds > 0.0).then(|| n as f64 / point.seconds)
}

/// As the run's own: the answers that no model made for their call, of the successes.
fn hit_rate(point: &Point) -> Option<f64> {
    crate::metrics::ratio(point.succeeded - point.model.min(point.succeeded), point.succeeded)
}

pub fn charts(report: &Report) -> Vec<String> {
    let Some(end) = report.series.last().map(|point| point.at_s + point.seconds).filter(|end| *end > 0.0) else {
        return Vec::new();
    };
    let x = Scale::linear((0.0, end), ACROSS);
    let latencies = [latency(report, x), heatmap::chart(report, x)].into_iter().flatten();
    latencies.chain(CHARTS.iter().map(|chart| chart.figure(report, x))).collect()
}

impl Chart {
    fn figure(&self, report: &Report, x: Scale) -> String {
        let values = self.lines.iter().flat_map(|(.., figure)| report.series.iter().filter_map(figure));
        let most = self.at_most.unwrap_or_else(|| values.fold(0.0, f64::max));
        let steps = round_steps(most);
        let y = Scale::linear((0.0, steps[steps.len() - 1]), UPWARD);
        let lines = self.lines.iter().map(|(_, look, figure)| {
            line(look, report.series.iter().map(|point| Some((x.at(middle(point)), y.at(figure(point)?)))))
        });
        let legend: Vec<_> = self.lines.iter().map(|(name, look, _)| (*look, (*name).to_owned())).collect();
        let y_ticks = ticks(&steps, self.label);
        over_time(self.title, report, x, (y, y_ticks), legend, lines.collect())
    }
}

/// The area between median and p99 of each second.
fn latency(report: &Report, x: Scale) -> Option<String> {
    let both = |point: &Point| Some((point.p50_ms?.max(0.001), point.p99_ms?.max(0.001)));
    let bounds: Vec<_> = report.series.iter().filter_map(both).collect();
    let least = bounds.iter().map(|(p50, _)| *p50).reduce(f64::min)?;
    let most = bounds.iter().map(|(_, p99)| *p99).reduce(f64::max)?;
    let decades = decades(least, most);
    let y = Scale::log((decades[0], decades[decades.len() - 1]), UPWARD);
    let place = |point: &Point, figure: Figure| {
        both(point)?;
        Some((x.at(middle(point)), y.at(figure(point)?)))
    };
    let (p50, p99): (Figure, Figure) = (|point| point.p50_ms, |point| point.p99_ms);
    let mut marks = String::new();
    for stretch in report.series.split(|point| both(point).is_none()).filter(|stretch| !stretch.is_empty()) {
        let there = stretch.iter().map(|point| place(point, p50));
        let back = stretch.iter().rev().map(|point| place(point, p99));
        marks += &line("area a", there.chain(back));
    }
    marks += &line("line b", report.series.iter().map(|point| place(point, p99)));
    marks += &line("line a", report.series.iter().map(|point| place(point, p50)));
    let legend = vec![("line a", "p50".to_owned()), ("line b", "p99".to_owned())];
    let y_ticks = ticks(&decades, short_ms);
    Some(over_time("Service time (log)", report, x, (y, y_ticks), legend, marks))
}

/// A chart over the seconds of the run, in which warm-up, drain and epochs are marked.
pub fn over_time(
    title: &str,
    report: &Report,
    x: Scale,
    y: (Scale, Vec<Tick>),
    mut legend: Vec<(Look, String)>,
    lines: String,
) -> String {
    let end = report.series.last().map_or(0.0, |point| point.at_s + point.seconds);
    let mut steps = round_steps(end);
    steps.retain(|step| *step <= end);
    let outside = unmeasured(report, x, "outside");
    if !outside.is_empty() {
        legend.push(("outside", "warm-up, drain".into()));
    }
    let names: Vec<_> = legend.iter().map(|(_, name)| name.as_str()).collect();
    let plot = Plot {
        title: title.into(),
        description: format!("over {} seconds; {}", compact(end), names.join(", ")),
        x_label: "seconds since the start",
        x: (x, ticks(&steps, compact)),
        y,
        marks: outside + &lines + &epochs(report, x),
        legend,
    };
    plot.figure()
}

fn middle(point: &Point) -> f64 {
    point.at_s + point.seconds / 2.0
}

/// Seconds too short to be seen: the window and its last point need not end in the same instant.
const HAIR: f64 = 0.01;

/// What lies before and after the measured window, in this look.
pub fn unmeasured(report: &Report, x: Scale, look: Look) -> String {
    let warmup = report.series.iter().rfind(|point| point.warmup).map_or(0.0, |last| last.at_s + last.seconds);
    let end = report.series.last().map_or(0.0, |point| point.at_s + point.seconds);
    let (top, height) = (UPWARD.1, UPWARD.0 - UPWARD.1);
    let mut out = String::new();
    for (from, to) in
        [(0.0, warmup), (warmup + report.run.measured_s, end)].into_iter().filter(|(from, to)| to - from > HAIR)
    {
        let (left, width) = (x.at(from), x.at(to) - x.at(from));
        let _ = writeln!(
            out,
            r#"<rect class="{look}" x="{left:.1}" y="{top:.1}" width="{width:.1}" height="{height:.1}"/>"#
        );
    }
    out
}

fn epochs(report: &Report, x: Scale) -> String {
    let mut out = String::new();
    for pair in report.series.windows(2).filter(|pair| pair[0].epoch != pair[1].epoch) {
        let (at, top, bottom) = (x.at(pair[1].at_s), UPWARD.1, UPWARD.0);
        for look in ["beneath", "epoch"] {
            let _ = writeln!(out, r#"<path class="{look}" d="M{at:.1} {bottom:.1}V{top:.1}"/>"#);
        }
        let (left, below, epoch) = (at + 3.0, top + 9.0, pair[1].epoch);
        let _ = writeln!(out, r#"<text class="over" x="{left:.1}" y="{below:.1}">epoch {epoch}</text>"#);
    }
    out
}

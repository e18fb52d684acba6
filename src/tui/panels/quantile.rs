//! Quantiles that are said only of samples enough.

use crate::metrics::{Tally, Time};
use crate::report::Metric;

/// Of response times, in milliseconds, by its name (`p99`); what is missing (`n<299`) where samples are too few.
pub fn quantile(tally: &Tally, name: &str) -> Result<f64, String> {
    let needed = Metric::by_name(name).map_or(1, |metric| metric.samples_needed());
    let summary = tally.times.summary(Time::Response).filter(|summary| summary.count >= needed);
    summary.and_then(|summary| summary.figure(name)).ok_or_else(|| format!("n<{needed}"))
}

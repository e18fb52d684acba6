//! What is asked of a diff: which metrics, and how much worse each may be. Must not know the reports.

use thiserror::Error;

use crate::compare::Scale;
use crate::profile::expect::{Unit, full_name, unit_of};
use crate::profile::nearest;
use crate::report::block_metrics;

/// Which metrics decide, what makes no difference, and whether unlike runs are compared all the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// By full name; empty: the usual ones.
    pub metrics: Vec<String>,
    pub tolerances: Tolerances,
    pub unlike: Unlike,
}

/// What becomes of runs that were not asked the same question, or are unsound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unlike {
    #[default]
    Refused,
    /// `--force`: compared all the same, and said to be.
    Compared,
}

/// How much worse makes no difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tolerances {
    /// Of metrics by their names; the last one of a name counts.
    named: Vec<(String, f64)>,
    /// Of all others that are compared by ratio.
    by_ratio: Option<f64>,
}

#[derive(Debug, Error, PartialEq)]
pub enum AskedError {
    #[error("--metric {name}: {why}")]
    Metric { name: String, why: String },
    #[error("--tolerance {text}: {why}")]
    Tolerance { text: String, why: String },
}

impl Asked {
    /// Of `--metric` and `--tolerance` as they are written.
    pub fn parse(metrics: &[String], tolerances: &[String]) -> Result<Self, AskedError> {
        let mut asked = Self::default();
        for name in metrics {
            let full = kept_by_blocks(name).map_err(|why| AskedError::Metric { name: name.clone(), why })?;
            if !asked.metrics.contains(&full) {
                asked.metrics.push(full);
            }
        }
        for text in tolerances {
            asked.tolerances.take(text).map_err(|why| AskedError::Tolerance { text: text.clone(), why })?;
        }
        Ok(asked)
    }
}

impl Tolerances {
    fn take(&mut self, text: &str) -> Result<(), String> {
        let Some((name, value)) = text.split_once('=') else {
            self.by_ratio = Some(amount(Scale::Ratio, Unit::Ratio, text)?);
            return Ok(());
        };
        let name = kept_by_blocks(name.trim())?;
        let (scale, unit) = (scale_of(&name), unit_of(&name).unwrap_or(Unit::Number));
        self.named.push((name, amount(scale, unit, value)?));
        Ok(())
    }

    /// In the unit of a change on the metric's scale: 0.05 is 5% of a ratio, 5 points of a share, 0.05 ms of a wait.
    pub fn of(&self, metric: &str) -> f64 {
        match (self.named(metric), scale_of(metric)) {
            (Some(value), _) => value,
            (None, Scale::Ratio) => self.by_ratio.unwrap_or_else(|| usual_ratio(metric)),
            (None, Scale::Additive) => usual_difference(metric),
        }
    }

    /// A latency's change by no more milliseconds makes no difference, whatever its ratio is, unless the metric was named.
    pub fn least_ms(&self, metric: &str) -> Option<f64> {
        let is_latency = unit_of(metric) == Some(Unit::Time) && scale_of(metric) == Scale::Ratio;
        (is_latency && self.named(metric).is_none()).then_some(LEAST_MS)
    }

    fn named(&self, metric: &str) -> Option<f64> {
        self.named.iter().rev().find(|(name, _)| name == metric).map(|(_, value)| *value)
    }
}

/// What the machine's own scheduling does: a median that a local cache answers in 60 us is 30% off in one of two equal
/// runs, and three times as long in one of twenty.
const LEAST_MS: f64 = 0.25;

/// Tails vary more from run to run.
fn usual_ratio(metric: &str) -> f64 {
    let is_tail = ["p95", "p99"].iter().any(|stat| metric.ends_with(stat));
    if is_tail { 0.10 } else { 0.05 }
}

/// A point of a share, half a point of errors, a millisecond of a wait.
fn usual_difference(metric: &str) -> f64 {
    match unit_of(metric) {
        Some(Unit::Time) => 1.0,
        _ if metric.starts_with("errors") => 0.005,
        Some(Unit::Ratio) => 0.01,
        _ => 0.0,
    }
}

/// Every metric of blocks has one.
pub fn scale_of(metric: &str) -> Scale {
    Scale::of(metric).unwrap_or(Scale::Additive)
}

fn amount(scale: Scale, unit: Unit, text: &str) -> Result<f64, String> {
    let unit = if scale == Scale::Ratio { Unit::Ratio } else { unit };
    match unit.parse(text.trim())? {
        amount if amount < 0.0 => Err(format!("{} is below 0; write how much worse makes no difference", text.trim())),
        amount => Ok(amount),
    }
}

/// The full name of a metric that reports keep a figure a block of.
fn kept_by_blocks(name: &str) -> Result<String, String> {
    let full = full_name(name).map_err(|why| why.trim_start_matches(": ").trim_start().to_owned())?;
    let kept = block_metrics();
    if kept.contains(&full) {
        return Ok(full);
    }
    let (family, _) = full.rsplit_once('.').unwrap_or((&full, ""));
    let of_family: Vec<_> = kept.iter().filter_map(|name| name.strip_prefix(family)?.strip_prefix('.')).collect();
    Err(match (of_family.is_empty(), nearest(&full, kept.iter().map(String::as_str))) {
        (false, _) => format!("blocks keep no {full}; of {family} they keep {}", of_family.join(", ")),
        (true, Some(near)) => format!("blocks keep no {full}; they keep {near}"),
        (true, None) => format!("blocks keep no {full}; they keep response.p99, errors, hit_rate, qps and more"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(metrics: &[&str], tolerances: &[&str]) -> Result<Asked, String> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Asked::parse(&owned(metrics), &owned(tolerances)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_named_tolerance_goes_before_the_one_of_all_and_that_before_the_usual() {
        let usual = Tolerances::default();
        assert_eq!([usual.of("response.p50"), usual.of("response.p99"), usual.of("qps")], [0.05, 0.1, 0.05]);
        assert_eq!([usual.of("errors"), usual.of("hit_rate"), usual.of("pool_wait.p99")], [0.005, 0.01, 1.0]);
        let asked = parsed(&[], &["3%", "p99=20%", "errors=2%", "pool_wait.p99=5ms", "p99=15%"]).unwrap().tolerances;
        assert_eq!([asked.of("response.p50"), asked.of("response.p99"), asked.of("errors")], [0.03, 0.15, 0.02]);
        assert_eq!([asked.of("hit_rate"), asked.of("pool_wait.p99")], [0.01, 5.0]);
    }

    #[test]
    fn a_fraction_of_a_millisecond_is_no_difference_of_latencies_unless_it_is_asked_for() {
        let asked = parsed(&[], &["2%", "response.p99=5%"]).unwrap().tolerances;
        assert_eq!([asked.least_ms("response.p50"), asked.least_ms("ttft.p95")], [Some(LEAST_MS); 2]);
        for other in ["response.p99", "pool_wait.p99", "qps", "errors", "cost.cny_per_1k"] {
            assert_eq!(asked.least_ms(other), None, "{other}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_answered_with_what_can() {
        let refused = |metric: &str| parsed(&[metric], &[]).unwrap_err();
        assert!(refused("response.max").contains("of response they keep mean, p50, p90, p95, p99"));
        assert!(refused("hitrate").contains("did you mean hit_rate?"));
        assert!(refused("lag.p99").contains("blocks keep no lag.p99"));
        let refused = |tolerance: &str| parsed(&[], &[tolerance]).unwrap_err();
        assert!(refused("p99=80ms").contains("--tolerance p99=80ms: takes a share such as 1%"));
        assert!(refused("5").contains("write \"5%\""));
        assert!(refused("errors=-1%").contains("is below 0"));
        assert!(refused("latency=5%").contains("there is no metric latency"));
    }

    #[test]
    fn a_metric_asked_twice_is_judged_once() {
        assert_eq!(parsed(&["p99", "response.p99", "errors"], &[]).unwrap().metrics, ["response.p99", "errors"]);
    }
}

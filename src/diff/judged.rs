//! Blocks of two reports -> what became of each metric.

use schemars::JsonSchema;
use serde::Serialize;

use super::DiffError;
use super::asked::{Asked, scale_of};
use super::{shares, whole};
use crate::compare::{Interval, Scale, Shift, ShiftError, Wanted};
use crate::metrics::RESOLUTION;
use crate::profile::expect::{self, unit_of};
use crate::report::{BlockFacts, Metric, Report, Unit, Verdict, format};

/// What decides unless metrics are named.
const USUAL: [&str; 9] = [
    "response.p50",
    "response.p95",
    "response.p99",
    "ttft.p50",
    "ttft.p95",
    "qps",
    "errors",
    "hit_rate",
    "cost.cny_per_1k",
];

/// A longer run than so many times the present one is no advice.
const MOST_TIMES: f64 = 100.0;

/// A metric of both runs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Compared {
    pub metric: String,
    pub unit: Unit,
    /// What `change`, `interval` and `tolerance` are.
    pub changes_by: ChangesBy,
    /// Of each whole run, in its unit; the change is that of their blocks.
    pub base: Option<f64>,
    pub new: Option<f64>,
    pub change: Option<f64>,
    /// Of the change, at 95%.
    pub interval: Option<Interval>,
    pub tolerance: f64,
    /// In milliseconds, where these are more of the base's latency than the ratio would be: `tolerance` is what they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_ms: Option<f64>,
    pub verdict: Outcome,
    /// Runs so many times as long would probably decide it; only of an inconclusive one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longer: Option<f64>,
    /// Why it could not be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undecided: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangesBy {
    /// new / base - 1
    Ratio,
    /// new - base, in the metric's unit
    Difference,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole interval is beyond the tolerance, on the good side.
    Better,
    /// The whole interval is within the tolerance.
    Same,
    /// At worst within the tolerance, and perhaps better than that.
    NoWorse,
    /// The whole interval is beyond the tolerance, on the bad side.
    Regression,
    /// The interval reaches over the tolerance: the noise is wider.
    Inconclusive,
    Undecided,
}

impl Outcome {
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Better | Self::Same | Self::NoWorse => Verdict::Passed,
            Self::Regression => Verdict::Failed,
            Self::Inconclusive => Verdict::Inconclusive,
            Self::Undecided => Verdict::Invalid,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::NoWorse => "no worse",
            Self::Regression => "REGRESSION",
            Self::Inconclusive => "inconclusive",
            Self::Undecided => "undecided",
        }
    }

    /// Of a change for the worse, with its interval.
    fn of(worse: Interval, tolerance: f64) -> Self {
        match worse {
            Interval { low, .. } if low > tolerance => Self::Regression,
            Interval { high, .. } if high < -tolerance => Self::Better,
            Interval { low, high } if high <= tolerance && low >= -tolerance => Self::Same,
            Interval { high, .. } if high <= tolerance => Self::NoWorse,
            _ => Self::Inconclusive,
        }
    }
}

/// What became of the metrics that were asked for, or of the usual ones; and which of these are left out for want of
/// calls, in words.
pub fn all(base: &Report, new: &Report, asked: &Asked) -> Result<(Vec<Compared>, Vec<String>), DiffError> {
    if !asked.metrics.is_empty() {
        return Ok((asked.metrics.iter().map(|metric| compared(base, new, metric, asked)).collect(), Vec::new()));
    }
    let (mut all, mut left_out) = (Vec::new(), Vec::new());
    for metric in USUAL.into_iter().filter(|metric| is_told_by([base, new], metric)) {
        match [base, new].iter().find_map(|report| too_few(&report.blocks, metric)) {
            Some(why) => left_out.push(format!("{metric}: {why}")),
            None => all.push(compared(base, new, metric, asked)),
        }
    }
    if all.is_empty() {
        return Err(DiffError::NothingToJudge("no block of either run has a figure".to_owned()));
    }
    Ok((all, left_out))
}

/// Of the usual ones: what has samples, and no rate that the plan sets.
fn is_told_by(reports: [&Report; 2], metric: &str) -> bool {
    let has = |report: &Report| report.blocks.figures.contains_key(metric);
    let is_open = |report: &Report| report.profile.pointer("/load/mode") == Some(&"open".into());
    reports.into_iter().any(has) && !(metric == "qps" && reports.into_iter().any(is_open))
}

fn compared(base: &Report, new: &Report, metric: &str, asked: &Asked) -> Compared {
    let by = scale_of(metric);
    let of_base = whole::figure(base, metric);
    let (tolerance, tolerance_ms) = tolerance(metric, of_base, asked);
    let mut compared = Compared {
        metric: metric.to_owned(),
        unit: Metric::by_name(metric).map_or(Unit::Count, |metric| metric.unit()),
        changes_by: if by == Scale::Ratio { ChangesBy::Ratio } else { ChangesBy::Difference },
        base: of_base,
        new: whole::figure(new, metric),
        change: None,
        interval: None,
        tolerance,
        tolerance_ms,
        verdict: Outcome::Undecided,
        longer: None,
        undecided: None,
    };
    match shift(&base.blocks, &new.blocks, metric) {
        Ok(shift) => compared.judge(&shift),
        Err(why) => compared.undecided = Some(why),
    }
    compared
}

/// And in milliseconds, if it is these that count.
fn tolerance(metric: &str, of_base: Option<f64>, asked: &Asked) -> (f64, Option<f64>) {
    let by_ratio = asked.tolerances.of(metric);
    let least = asked.tolerances.least_ms(metric).zip(of_base.filter(|base| *base > 0.0));
    match least.map(|(ms, base)| (ms / base, ms)) {
        Some((share, ms)) if share > by_ratio => (share, Some(ms)),
        _ => (by_ratio, None),
    }
}

impl Compared {
    fn judge(&mut self, shift: &Shift) {
        let interval = self.as_exact_as_read(shift.interval);
        self.change = Some(shift.change);
        self.interval = Some(interval);
        let (change, worse) = match Wanted::of(&self.metric) {
            Wanted::Less => (shift.change, interval),
            Wanted::More => (-shift.change, Interval { low: -interval.high, high: -interval.low }),
        };
        self.verdict = Outcome::of(worse, self.tolerance);
        if self.verdict == Outcome::Inconclusive {
            self.longer = times_as_long(change, worse, self.tolerance);
        }
    }

    /// Latencies of blocks are known to a bucket of their histograms, and to the same one in both runs.
    fn as_exact_as_read(&self, interval: Interval) -> Interval {
        let room = match (unit_of(&self.metric), self.changes_by) {
            (Some(expect::Unit::Time), ChangesBy::Ratio) => RESOLUTION,
            (Some(expect::Unit::Time), ChangesBy::Difference) => {
                RESOLUTION * self.base.unwrap_or(0.0).max(self.new.unwrap_or(0.0))
            }
            _ => 0.0,
        };
        Interval { low: interval.low - room, high: interval.high + room }
    }
}

/// An interval shrinks as 1 / sqrt(length): how long until the end that decides is on one side of the tolerance.
fn times_as_long(change: f64, worse: Interval, tolerance: f64) -> Option<f64> {
    let (reach, room) = match change < tolerance {
        true => (worse.high - change, tolerance - change),
        false => (change - worse.low, change - tolerance),
    };
    let times = (reach / room).powi(2);
    (times.is_finite() && times <= MOST_TIMES).then_some(times)
}

/// Whether blocks of the same number cover the same part of the plan: as many, and each begins no further than a good half
/// of a block from where the other run's does (where a late tick moves the border of a block of two ticks).
pub fn are_pairs(base: &BlockFacts, new: &BlockFacts) -> bool {
    let ends = |blocks: &BlockFacts| {
        let ends = blocks.seconds.iter().scan(0.0, |end, seconds| {
            *end += seconds;
            Some(*end)
        });
        ends.collect::<Vec<f64>>()
    };
    let mut off = ends(base).into_iter().zip(ends(new)).zip(&base.seconds).take(base.len().saturating_sub(1));
    base.len() == new.len() && off.all(|((base, new), seconds)| (base - new).abs() < 0.6 * seconds)
}

fn shift(base: &BlockFacts, new: &BlockFacts, metric: &str) -> Result<Shift, String> {
    let [of_base, of_new] = [("base", base), ("new", new)].map(|(which, blocks)| {
        if let Some(why) = too_few(blocks, metric) {
            return Err(format!("{why} in the {which} run"));
        }
        let figures = figures(blocks, metric);
        if figures.iter().all(Option::is_none) { Err(format!("no data in the {which} run")) } else { Ok(figures) }
    });
    let (of_base, of_new) = (of_base?, of_new?);
    let shift = if are_pairs(base, new) {
        let pairs: Vec<_> = of_base.into_iter().zip(of_new).filter_map(|(base, new)| base.zip(new)).collect();
        Shift::of_pairs(&pairs, scale_of(metric))
    } else {
        let told = |figures: Vec<Option<f64>>| figures.into_iter().flatten().collect::<Vec<_>>();
        Shift::of(&told(of_base), &told(of_new), scale_of(metric))
    };
    shift.map_err(|why| match why {
        ShiftError::TooFew { .. } => format!("{why}: run for longer"),
        _ => why.to_string(),
    })
}

/// A part of a whole that never came is 0 wherever the whole was.
fn figures(blocks: &BlockFacts, metric: &str) -> Vec<Option<f64>> {
    let whole = match metric.split_once('.') {
        Some((whole @ ("errors" | "hit_rate"), _)) => blocks.figures.get(whole).map(|whole| zeros(whole)),
        Some(("cache_errors", _)) => Some(vec![Some(0.0); blocks.len()]),
        _ => None,
    };
    shares::weighed(blocks.figures.get(metric).cloned().or(whole).unwrap_or_default(), blocks, metric)
}

fn zeros(of: &[Option<f64>]) -> Vec<Option<f64>> {
    of.iter().map(|value| value.map(|_| 0.0)).collect()
}

/// A percentile of a block needs one call beyond it at least.
fn too_few(blocks: &BlockFacts, metric: &str) -> Option<String> {
    let Metric::Time { time, quantile: Some(quantile), .. } = Metric::by_name(metric)? else { return None };
    let mut counts: Vec<u64> = blocks.samples.get(time.name())?.iter().copied().filter(|count| *count > 0).collect();
    counts.sort_unstable();
    let (typical, needed) = (counts.get(counts.len() / 2)?, (1.0 / (1.0 - quantile)).round() as u64);
    (*typical < needed).then(|| {
        let stat = metric.rsplit('.').next().unwrap_or(metric);
        format!("too few calls a block (n = {}, {stat} needs {needed})", format::count(*typical))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(low: f64, high: f64) -> Outcome {
        Outcome::of(Interval { low, high }, 0.05)
    }

    #[test]
    fn a_regression_is_beyond_the_tolerance_for_certain_and_a_pass_within_it() {
        assert_eq!(outcome(0.051, 0.2), Outcome::Regression);
        assert_eq!(outcome(0.05, 0.2), Outcome::Inconclusive);
        assert_eq!(outcome(-0.2, 0.051), Outcome::Inconclusive);
        assert_eq!(outcome(-0.05, 0.05), Outcome::Same);
        assert_eq!(outcome(-0.2, 0.05), Outcome::NoWorse);
        assert_eq!(outcome(-0.2, -0.06), Outcome::Better);
    }

    #[test]
    fn an_inconclusive_metric_says_how_much_longer_a_run_would_decide_it() {
        // 1% +- 8% within 5%: half as wide, of four times the length.
        let times = times_as_long(0.01, Interval { low: -0.07, high: 0.09 }, 0.05);
        assert!((times.unwrap() - 4.0).abs() < 1e-9);
        // 8% +- 6%: the low end has 3% to go.
        let times = times_as_long(0.08, Interval { low: 0.02, high: 0.14 }, 0.05);
        assert!((times.unwrap() - 4.0).abs() < 1e-9);
        assert_eq!(times_as_long(0.05, Interval { low: 0.0, high: 0.1 }, 0.05), None);
    }
}

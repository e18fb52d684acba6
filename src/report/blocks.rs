//! A run's blocks and their figures, a column a metric: what `gatebench diff` holds runs against each other by.
//! Must not know what is made of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::figures::{ERROR_KINDS, Figures, Metric};
use crate::cost::Pricer;
use crate::metrics::{Stretch, Time, even_quantile};

/// The measured window cut into some twenty blocks that follow each other and last equally long, a second or more where
/// the run is long enough; the last may have half of that more or less. Each list has a value a block. Calls are in the
/// block in which they ended, those that ended after the window in the last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BlockFacts {
    pub seconds: Vec<f64>,
    pub sent: Vec<u64>,
    pub succeeded: Vec<u64>,
    pub failed: Vec<u64>,
    /// Values that latencies are made of, by their names.
    pub samples: BTreeMap<String, Vec<u64>>,
    /// By metric, in its unit, to 5 digits; `null` in a block without samples. Metrics without any are absent, and so are
    /// kinds of errors and tiers of hits that never came. Percentiles are exact to 0.8%.
    pub figures: BTreeMap<String, Vec<Option<f64>>>,
}

/// The times that blocks keep.
const TIMES: [Time; 13] = [
    Time::Response,
    Time::Service,
    Time::ServiceLocal,
    Time::ServiceRedis,
    Time::ServiceShared,
    Time::ServiceGateway,
    Time::ServiceModel,
    Time::Ttft,
    Time::InterToken,
    Time::PoolWait,
    Time::LimitWait,
    Time::Connect,
    Time::Batch,
];

/// And what of each.
const STATS: [&str; 5] = ["mean", "p50", "p90", "p95", "p99"];

const SINGLES: [&str; 14] = [
    "qps",
    "goodput",
    "errors",
    "hit_rate",
    "hit_rate.local",
    "hit_rate.redis",
    "hit_rate.shared",
    "hit_rate.gateway",
    "fallback_rate",
    "amplification",
    "reuse",
    "cost.usd_per_1k",
    "cost.cny_per_1k",
    "cache_errors.redis",
];

/// The metrics that blocks keep, where they have samples.
pub fn block_metrics() -> Vec<String> {
    let times = TIMES.iter().flat_map(|time| STATS.map(|stat| format!("{}.{stat}", time.name())));
    let kinds = ERROR_KINDS.iter().map(|kind| format!("errors.{kind}"));
    times.chain(SINGLES.map(str::to_owned)).chain(kinds).collect()
}

impl BlockFacts {
    pub fn of(blocks: &[Stretch], pricer: &Pricer) -> Self {
        let bills: Vec<_> = blocks.iter().map(|block| pricer.bill(&block.tally.ledger)).collect();
        let figures: Vec<_> = blocks.iter().zip(&bills).map(|(block, bill)| Figures::of_stretch(block, bill)).collect();
        let column = |name: String| {
            let metric = Metric::by_name(&name)?;
            let values: Vec<_> = figures.iter().map(|figures| value(&metric, figures).map(rounded)).collect();
            is_told(&name, &values).then_some((name, values))
        };
        let samples = |time: Time| {
            let counts: Vec<_> = blocks.iter().map(|block| block.tally.times.count(time)).collect();
            counts.iter().any(|count| *count > 0).then(|| (time.name().to_owned(), counts))
        };
        Self {
            seconds: blocks.iter().map(|block| rounded(block.seconds)).collect(),
            sent: blocks.iter().map(|block| block.tally.sent).collect(),
            succeeded: blocks.iter().map(|block| block.tally.succeeded).collect(),
            failed: blocks.iter().map(|block| block.tally.failed).collect(),
            samples: TIMES.into_iter().filter_map(samples).collect::<BTreeMap<_, _>>(),
            figures: block_metrics().into_iter().filter_map(column).collect(),
        }
    }

    pub fn len(&self) -> usize {
        self.seconds.len()
    }

    /// As in a report of a version that kept none.
    pub fn is_empty(&self) -> bool {
        self.seconds.is_empty()
    }
}

fn value(metric: &Metric, figures: &Figures) -> Option<f64> {
    match metric {
        Metric::Time { time, quantile: Some(quantile), .. } => {
            even_quantile(figures.tally.times.get(*time)?, *quantile).map(|nanos| nanos / 1e6)
        }
        _ => metric.value(figures),
    }
}

/// Parts of a whole that never came, such as an error's kind, are left out; an absent one is 0.
fn is_told(name: &str, values: &[Option<f64>]) -> bool {
    let is_part = ["errors.", "hit_rate.", "cache_errors."].iter().any(|whole| name.starts_with(whole));
    values.iter().flatten().any(|value| !is_part || *value != 0.0)
}

/// To 5 significant digits.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    format!("{value:.4e}").parse().unwrap_or(value)
}

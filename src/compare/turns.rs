//! What an arm did so far: a block's figures are taken when it ends, then its calls are added to the arm's.
//! Must not know the other arms.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::conduct::Turn;
use super::shape::{ArmFacts, BlockFacts, ConnectionFacts, Phases};
use crate::cost::{PriceBook, Pricer, Spend};
use crate::metrics::{Block, Tally, Time};
use crate::profile::Profile;
use crate::profile::expect::{Expectation, STATS, metrics, unit_of};
use crate::report::{ERROR_KINDS, Figures, Metric, invalid_because, judge};

/// Of an arm, in the order they were run.
pub struct Turns {
    name: String,
    set: BTreeMap<String, String>,
    pricer: Pricer,
    expectations: Vec<Expectation>,
    blocks: Vec<BlockFacts>,
    /// By round, the figures of its two blocks' calls together.
    pooled: Vec<BTreeMap<String, f64>>,
    /// The first block of a round that is not whole.
    alone: Option<Arc<Block>>,
    tally: Tally,
    seconds: f64,
    planned: u64,
    dropped: u64,
    abandoned: u64,
    peak: u64,
}

impl Turns {
    /// `profile` is what the arm runs, `set` the keys that make it differ.
    pub fn new(name: impl Into<String>, set: BTreeMap<String, String>, profile: &Profile) -> Self {
        Self {
            name: name.into(),
            set,
            pricer: Pricer::new(profile, PriceBook::builtin()),
            expectations: profile.expectations(),
            blocks: Vec::new(),
            pooled: Vec::new(),
            alone: None,
            tally: Tally::new(3),
            seconds: 0.0,
            planned: 0,
            dropped: 0,
            abandoned: 0,
            peak: 0,
        }
    }

    pub fn push(&mut self, turn: &Turn) {
        let block = &*turn.block;
        let figures = Figures::of_block(block);
        self.blocks.push(BlockFacts {
            at: turn.at,
            at_s: turn.began.as_secs_f64(),
            seconds: block.seconds,
            succeeded: block.tally.succeeded,
            failed: block.tally.failed,
            figures: all_figures(&figures),
            samples: samples(&block.tally),
        });
        self.seconds += block.seconds;
        self.planned += block.planned;
        self.dropped += block.dropped;
        self.abandoned += block.abandoned;
        self.peak = self.peak.max(block.gauges.peak);
        self.tally.merge(&block.tally);
        match self.alone.take() {
            None => self.alone = Some(turn.block.clone()),
            Some(first) => {
                let mut both = first.tally.clone();
                both.merge(&block.tally);
                self.pooled.push(times(&both));
            }
        }
    }

    pub fn blocks(&self) -> &[BlockFacts] {
        &self.blocks
    }

    /// Of the `round`-th round's two blocks together; of times alone.
    pub(super) fn pooled(&self, round: usize, metric: &str) -> Option<f64> {
        self.pooled.get(round)?.get(metric).copied()
    }

    /// `spent` is everything, warm-up included.
    pub(super) fn facts(&self, spent: Spend) -> ArmFacts {
        let tally = &self.tally;
        let bill = self.pricer.bill(&tally.ledger);
        let (seconds, planned, dropped, abandoned) = (self.seconds, self.planned, self.dropped, self.abandoned);
        let figures = Figures { tally, seconds, planned, dropped, abandoned, bill: &bill };
        let invalid_because = if self.blocks.is_empty() { Vec::new() } else { invalid_because(&figures) };
        let kinds = ERROR_KINDS.map(|kind| (kind.to_owned(), figures.errors_of(kind)));
        ArmFacts {
            name: self.name.clone(),
            set: self.set.clone(),
            valid: invalid_because.is_empty(),
            invalid_because,
            sent: tally.sent,
            succeeded: tally.succeeded,
            failed: tally.failed,
            dropped,
            blocks: self.blocks.clone(),
            phases_ms: Phases::of(tally),
            connections: ConnectionFacts { opened: tally.opened, reused: tally.reused, peak: self.peak },
            usd_per_1k: bill.usd_per_1k,
            cny_per_1k: bill.cny_per_1k,
            spent_usd: spent.usd,
            spent_cny: spent.cny,
            errors: kinds.into_iter().filter(|(_, count)| *count > 0).collect(),
            error_examples: crate::report::examples(tally),
            expectations: self.expectations.iter().map(|expectation| judge(expectation, &figures)).collect(),
            histograms: crate::report::histograms(&tally.times),
            tally: Arc::new(tally.clone()),
        }
    }
}

/// Metrics that are no figure of a distribution.
static SINGLES: LazyLock<Vec<(String, Metric)>> = LazyLock::new(|| {
    let metric = |name: String| Metric::by_name(&name).map(|metric| (name, metric));
    metrics().into_iter().filter_map(metric).filter(|(_, metric)| !matches!(metric, Metric::Time { .. })).collect()
});

fn all_figures(of: &Figures) -> BTreeMap<String, f64> {
    let singles = SINGLES.iter().filter_map(|(name, metric)| Some((name.clone(), metric.value(of)?)));
    times(of.tally).into_iter().chain(singles).collect()
}

/// One summary a kind of time: a walk through its histogram a figure would be nine times the work.
fn times(tally: &Tally) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::new();
    for time in Time::ALL {
        let Some(summary) = tally.times.summary(time) else { continue };
        let named = STATS.iter().filter_map(|stat| Some((format!("{}.{stat}", time.name()), summary.figure(stat)?)));
        figures.extend(named.filter(|(name, _)| unit_of(name).is_some()));
    }
    figures
}

fn samples(tally: &Tally) -> BTreeMap<String, u64> {
    let counts = Time::ALL.map(|time| (time.name(), tally.times.count(time)));
    let told = |name: &str| unit_of(&format!("{name}.p50")).is_some();
    counts.into_iter().filter(|(name, n)| *n > 0 && told(name)).map(|(name, n)| (name.to_owned(), n)).collect()
}

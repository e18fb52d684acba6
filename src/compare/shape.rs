//! The comparison as JSON has it: `gatebench.compare/1`, a part of the contract with users.
//! Must not know how its figures come about.
//!
//! Durations are milliseconds (seconds in a key that ends in `_s`), money carries its currency in the key, shares are 0 to
//! 1, times are RFC 3339 UTC. A figure that cannot be told is `null`.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::effect::{Effect, Scale};
use super::signed_rank::Interval;
use super::verdict::{Verdict, Wanted};
use crate::metrics::{Stop, Tally};
use crate::report::{Judged, Unit};

/// Arms that took turns under the same load.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Comparison {
    pub schema: &'static str,
    /// The version that wrote it.
    pub gatebench: &'static str,
    /// `release` or `debug`.
    pub build: &'static str,
    /// What all arms share, before their own keys; defaults filled in, without secrets.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub profile: serde_json::Value,
    pub run: RunFacts,
    pub plan: PlanFacts,
    /// The first one is what the others are held against.
    pub arms: Vec<ArmFacts>,
    /// Of each metric a row for each arm but the first; metrics without samples in an arm are left out.
    pub metrics: Vec<Row>,
    /// Until every interval asked for is as narrow as `plan.until`, or every verdict asked for is told; `None` where no
    /// number of rounds would do. 0 when it is so.
    pub more_rounds: Option<usize>,
    /// The time these would take.
    pub more_s: Option<f64>,
}

impl Comparison {
    pub const SCHEMA: &str = "gatebench.compare/1";
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunFacts {
    pub started_at: String,
    /// Warm-ups, blocks and what is between them.
    pub duration_s: f64,
    /// Blocks that ended, of all arms.
    pub blocks: usize,
    /// Whole rounds: two blocks of each arm. Only these are in `metrics`.
    pub rounds: usize,
    /// The generator kept up in every arm, so that the differences are the stack's.
    pub valid: bool,
    pub invalid_because: Vec<String>,
    pub warnings: Vec<String>,
    pub interrupted: bool,
    /// Every interval asked for was narrow enough before the last block (`plan.until`).
    pub ended_early: bool,
    pub stop: Stop,
    /// Why no further call could succeed, and the mend; only with `stop` = "hopeless".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_up_because: Option<String>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlanFacts {
    /// Of each arm, at most.
    pub blocks: u32,
    pub block_s: f64,
    pub cool_down_s: f64,
    /// One pool and cache for all arms, instead of one each.
    pub shared: bool,
    /// The share of intervals that hold the truth.
    pub confidence: f64,
    /// The width of every interval asked for at which the comparison ends early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<f64>,
    /// What makes no difference, for metrics without a tolerance of their own.
    pub tolerance: f64,
    /// Asked for by name; empty: the usual ones that say something.
    pub metrics: Vec<String>,
    /// A tolerance or `until` was asked for, so that an inconclusive metric among those asked for ends with exit code 4.
    pub demands_a_verdict: bool,
}

/// What one arm did over all its blocks.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ArmFacts {
    pub name: String,
    /// The keys that it sets, and their values as TOML.
    pub set: BTreeMap<String, String>,
    pub valid: bool,
    pub invalid_because: Vec<String>,
    pub sent: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub dropped: u64,
    /// In the order they were run.
    pub blocks: Vec<BlockFacts>,
    pub phases_ms: Phases,
    pub connections: ConnectionFacts,
    /// `None` without successes.
    pub usd_per_1k: Option<f64>,
    pub cny_per_1k: Option<f64>,
    /// Warm-up included.
    pub spent_usd: f64,
    pub spent_cny: f64,
    /// Failed calls by kind.
    pub errors: BTreeMap<String, u64>,
    pub error_examples: BTreeMap<String, String>,
    /// The profile's, held against this arm.
    pub expectations: Vec<Judged>,
    /// Base64 of HdrHistogram's V2 encoding, values in nanoseconds; of each metric that has values.
    pub histograms: BTreeMap<String, String>,
    /// All calls of all blocks: what charts are drawn of.
    #[serde(skip)]
    #[schemars(skip)]
    pub tally: Arc<Tally>,
}

impl ArmFacts {
    /// The real client's transport (reqwest) does not tell which connection a request went over.
    pub fn knows_its_connections(&self) -> bool {
        self.tally.requests == 0 || self.connections.opened + self.connections.reused > 0
    }
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BlockFacts {
    /// Its place among the blocks of all arms, from 0.
    pub at: usize,
    /// From the comparison's start to the block's.
    pub at_s: f64,
    /// What rates are divided by.
    pub seconds: f64,
    pub succeeded: u64,
    pub failed: u64,
    /// By the metrics' names; those without samples are absent.
    pub figures: BTreeMap<String, f64>,
    /// What distributions are made of, by the kind of time.
    pub samples: BTreeMap<String, u64>,
}

/// Where a call's time goes: means over the calls that succeeded. They add up to the mean of `service`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Phases {
    /// Caches, keys, single flight: before the first attempt; of a call that no route answered, all of it.
    pub local: f64,
    /// Attempts that failed, and the pauses after them.
    pub retries: f64,
    /// Of the attempt that succeeded, like all below.
    pub limit_wait: f64,
    pub pool_wait: f64,
    /// DNS, TCP and TLS of a connection opened for the call.
    pub connect: f64,
    /// From the request to the first token; of an answer that was not streamed, to its end.
    pub first_token: f64,
    /// From the first token to the last byte.
    pub generation: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct ConnectionFacts {
    pub opened: u64,
    pub reused: u64,
    /// The most at once.
    pub peak: u64,
}

/// One metric of one arm, against the first arm.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Row {
    pub metric: String,
    pub unit: Unit,
    /// The arm's place in `arms`; never 0.
    pub arm: usize,
    /// The first arm's level: the median over its rounds.
    pub a: f64,
    /// The other arm's: with a ratio `a` times it, so that drift that both arms had is left out; else the median over its
    /// rounds.
    pub b: f64,
    /// In the metric's unit, from the differences of the rounds: of what has no ratio not always `b` - `a`.
    pub difference: f64,
    /// b / a; `None` for what may be zero.
    pub ratio: Option<f64>,
    /// Of the difference; `None` with fewer than 6 rounds.
    pub interval: Option<Interval>,
    /// Of the ratio.
    pub ratio_interval: Option<Interval>,
    /// What makes no difference: of the ratio - 1, or of the difference where there is no ratio.
    pub tolerance: f64,
    pub verdict: Word,
    /// Rounds it rests on.
    pub rounds: usize,
    /// A round's two blocks are taken together: one alone has too few samples for this percentile.
    pub pooled: bool,
    /// The comparison's word, its end and its exit code take this metric into account.
    pub asked_for: bool,
    /// Why there is no interval, or what it leaves out, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_because: Option<String>,
}

impl Row {
    /// The verdict with its number: what else an inconclusive one would take.
    pub fn judged(&self) -> Verdict {
        let (scale, change, interval) = match self.ratio {
            Some(ratio) => {
                (Scale::Ratio, ratio - 1.0, self.ratio_interval.map(|ratios| ratios.map(|ratio| ratio - 1.0)))
            }
            None => (Scale::Additive, self.difference, self.interval),
        };
        let effect = Effect { scale, first: self.a, other: self.b, change, interval, rounds: self.rounds };
        Verdict::of(&effect, Wanted::of(&self.metric), self.tolerance)
    }
}

/// [`super::Verdict`] without its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    Better,
    Worse,
    NoDifference,
    Inconclusive,
}

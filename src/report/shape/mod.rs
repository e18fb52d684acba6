//! The report as JSON has it: `gatebench.report/1`, a part of the contract with users.
//! Must not know how its figures come about.
//!
//! Durations are milliseconds (seconds in a key that ends in `_s`), money carries its currency in the key, shares and
//! rates of the kind "part of a whole" are 0 to 1, times are RFC 3339 UTC. A figure without samples is `null`.

mod money;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blocks::BlockFacts;
use super::heatmap::Heatmap;
use crate::metrics::{Point, Stop, Summary};
use crate::sim::Stats;
pub use money::*;

/// The report of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    pub schema: String,
    /// The version that wrote it.
    pub gatebench: String,
    /// As run, defaults filled in, without secrets; `gatebench schema profile` describes it.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub profile: serde_json::Value,
    pub run: RunFacts,
    pub load: LoadFacts,
    pub latency_ms: Latencies,
    pub served_by: Tiers,
    pub hit_rate: Option<f64>,
    /// Answered by another model than asked / successes.
    pub fallback_rate: Option<f64>,
    /// By the model that made the answer, now or when it was stored.
    pub models: BTreeMap<String, ModelShare>,
    /// Failed calls by kind: `429`, `timeout`, `connect`, `auth`, `5xx`, `stream`, `pool`, `other`; absent kinds are 0.
    pub errors: BTreeMap<String, u64>,
    /// What the first failure of each kind said.
    pub error_examples: BTreeMap<String, String>,
    pub cache_errors: CacheErrors,
    pub attempts: Attempts,
    pub amplification: Option<f64>,
    pub connections: Connections,
    pub tokens: TokenFacts,
    pub cost: CostFacts,
    pub expectations: Vec<Judged>,
    pub epochs: Vec<EpochFacts>,
    pub events: Vec<EventFacts>,
    pub series: Vec<Point>,
    /// The series' service times; of older reports there is none.
    #[serde(default)]
    pub heatmap: Heatmap,
    /// What `gatebench diff` compares; empty in reports of versions that kept none.
    #[serde(default)]
    pub blocks: BlockFacts,
    /// Base64 of HdrHistogram's V2 encoding (not deflated), values in nanoseconds; of each metric that has values.
    pub histograms: BTreeMap<String, String>,
    /// What each simulated route of this run counted itself, warm-up included, by route.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub simulated: BTreeMap<String, Stats>,
    pub environment: Environment,
}

impl Report {
    pub const SCHEMA: &str = "gatebench.report/1";
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunFacts {
    pub started_at: String,
    /// First call to last answer, warm-up and drain included.
    pub duration_s: f64,
    /// The measured window: what rates are divided by.
    pub measured_s: f64,
    /// The generator kept up, so the figures are the stack's.
    pub valid: bool,
    pub invalid_because: Vec<String>,
    /// What casts doubt on the figures of a run that is valid all the same.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Of a closed loop with calls enough to tell.
    #[serde(default)]
    pub littles_law: Option<LittlesLaw>,
    /// Of a run beyond 1,000 calls a second to routes, on a machine that is calibrated.
    #[serde(default)]
    pub generator: Option<GeneratorFacts>,
    pub interrupted: bool,
    pub stop: Stop,
    /// Why no further call could succeed, and the mend; only with `stop` = "hopeless".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up_because: Option<String>,
    /// Which expectations could not hold any more, and when that was seen; only with `stop` = "aborted".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aborted_because: Option<String>,
    /// Calls in flight that a run that was ended early no longer awaited; they are in no other figure.
    pub abandoned: u64,
    /// Routes over TLS whose certificate nobody checked (`insecure`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub insecure_routes: Vec<String>,
}

/// Little's law, N = X (R + Z), over the measured window: users' time that is in no call and in no think time is the
/// generator's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LittlesLaw {
    /// N: users that were there, mean over the window.
    pub users: f64,
    /// X: calls that ended in the window, failed ones too, a second.
    pub calls_per_s: f64,
    /// R: from send to the end, a call; of calls across the window's borders the part within.
    pub service_ms: f64,
    /// Z: think time, a call; likewise.
    pub think_ms: f64,
    /// X (R + Z).
    pub accounted: f64,
    /// `accounted` / `users` - 1.
    pub deviation: f64,
    /// Within 2%.
    pub holds: bool,
}

/// The run beside what this machine can generate, by its calibration (`gatebench calibrate`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GeneratorFacts {
    /// Calls to routes that finished in the busiest second, warm-up included.
    pub busiest_per_s: f64,
    /// The most calls of such a kind over as many replicas.
    pub capacity_per_s: f64,
    /// `busiest_per_s` / `capacity_per_s`; warned about beyond 0.7.
    pub used: f64,
    pub calibrated_at: String,
}

/// Counts of the measured window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadFacts {
    pub planned: u64,
    pub sent: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub dropped: u64,
    /// Calls due in the warm-up: sent, and in no figure of measured calls. With `sent` they are all there were.
    #[serde(default)]
    pub warmup: u64,
    /// Of `sent`, those that ended after the window: in all figures but `qps` and `goodput`.
    #[serde(default)]
    pub drained: u64,
    /// Successes that ended in the measured window / its seconds.
    pub qps: Option<f64>,
    /// Successes within the profile's latency expectations, a second.
    pub goodput: Option<f64>,
    /// Sent / planned.
    pub achieved: Option<f64>,
}

/// The first eight are always there, `null` without samples; the others only with samples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latencies {
    pub response: Option<Summary>,
    pub service: Option<Summary>,
    pub ttft: Option<Summary>,
    pub inter_token: Option<Summary>,
    pub pool_wait: Option<Summary>,
    pub limit_wait: Option<Summary>,
    pub connect: Option<Summary>,
    pub lag: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Summary>,
    /// Of whole batches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<Summary>,
    #[serde(rename = "service.local", skip_serializing_if = "Option::is_none")]
    pub service_local: Option<Summary>,
    #[serde(rename = "service.redis", skip_serializing_if = "Option::is_none")]
    pub service_redis: Option<Summary>,
    #[serde(rename = "service.shared", skip_serializing_if = "Option::is_none")]
    pub service_shared: Option<Summary>,
    #[serde(rename = "service.gateway", skip_serializing_if = "Option::is_none")]
    pub service_gateway: Option<Summary>,
    #[serde(rename = "service.model", skip_serializing_if = "Option::is_none")]
    pub service_model: Option<Summary>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    pub count: u64,
    /// Of the successes.
    pub share: Option<f64>,
}

/// Who answered the successful calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tiers {
    pub local: Share,
    pub redis: Share,
    pub shared: Share,
    pub gateway: Share,
    pub model: Share,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelShare {
    pub count: u64,
    /// Of the successes.
    pub share: Option<f64>,
    /// Counts by route, when the run's answers came over more than one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<String, u64>,
}

/// Each was a miss, never a failed call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CacheErrors {
    pub redis: BTreeMap<String, u64>,
    /// What the first of each kind said, and how to mend it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub examples: BTreeMap<String, String>,
}

/// A count without and with warm-up and drain. The total is what a server's own counter agrees with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    pub measured: u64,
    pub total: u64,
}

/// Requests handed to a connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempts {
    pub measured: u64,
    pub total: u64,
    /// Attempts of which nothing was sent (no connection, or no time left), so that no server saw them.
    /// `amplification` counts them too.
    pub unsent: Counted,
    /// Failed ones by kind, those included that a retry or another hop made good.
    pub failed: BTreeMap<String, u64>,
    /// All attempts, warm-up and drain included, by the route they asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<String, RouteAttempts>,
}

/// What one route was asked, to be held against its server's own counters: `sent` is what it counts as requests, and
/// `succeeded` with all of `failed` is `sent`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteAttempts {
    /// Requests handed to a connection: what the route's server counts. (Through reqwest also those whose time ran
    /// out while it connected, which it cannot tell apart.)
    pub sent: u64,
    pub succeeded: u64,
    /// By status (`429`, `503`) or by what broke: `connect` (no head of an answer came), `stream` (its body broke),
    /// `timeout` (we gave up), `other`.
    pub failed: BTreeMap<String, u64>,
    /// Attempts of which nothing was sent, by kind: they got no connection, or had no time left when they got one.
    pub unsent: BTreeMap<String, u64>,
    /// `sent` by model.
    pub models: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Connections {
    pub opened: Counted,
    pub reused: Counted,
    /// Attempts on a kept connection / attempts.
    pub reuse: Option<f64>,
    /// Kept connections that turned out closed by the server when a request was sent on them. It went out again on a
    /// fresh connection, and counts once among the attempts.
    #[serde(default)]
    pub stale: u64,
    /// Most open at once, summed over replicas.
    pub peak: u64,
    /// By cause; absent causes are 0.
    pub closed: BTreeMap<String, u64>,
}

/// An expectation and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// As written.
    pub expect: String,
    /// In the metric's own unit.
    pub actual: Option<f64>,
    pub unit: Unit,
    /// Samples it is made of, where that is what it is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<u64>,
    /// False also when it could not be judged.
    pub passed: bool,
    /// Why it could not be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undecided: Option<String>,
    /// What the metric could still have become at best, in its own unit, when the run was aborted for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_best: Option<f64>,
}

/// What a metric is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Unit {
    #[serde(rename = "ms")]
    Ms,
    /// 0 to 1.
    #[serde(rename = "ratio")]
    Ratio,
    #[serde(rename = "per_s")]
    PerSecond,
    #[serde(rename = "CNY")]
    Cny,
    #[serde(rename = "USD")]
    Usd,
    #[serde(rename = "count")]
    Count,
    /// A factor, such as attempts a call.
    #[serde(rename = "factor")]
    Factor,
}

/// The measured calls of one epoch: a stretch of the run under the same settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EpochFacts {
    pub epoch: u32,
    /// What changed at its beginning, in words.
    pub changed: Vec<String>,
    pub seconds: f64,
    pub sent: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub qps: Option<f64>,
    pub hit_rate: Option<f64>,
    pub errors: Option<f64>,
    pub response_ms: Option<Summary>,
    pub ttft_ms: Option<Summary>,
    pub cost_usd: f64,
    pub cost_cny: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventFacts {
    /// Since the load's start, warm-up included.
    pub at_s: f64,
    pub kind: String,
    pub text: String,
}

/// Where it ran. No host name: reports are passed on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    pub os: String,
    pub arch: String,
    pub cpus: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// `release` or `debug`: figures of a debug build say little.
    pub build: String,
}

//! TOML -> [`Profile`]: what a run is asked to do, with every default filled in.
//! Must not know the stack at work: it holds values, checks them, and says where a wrong one stands.
//!
//! ```text
//! file or built-in --parse--> Profile --validate--> Profile as run
//!        ^-- --set edits the TOML first
//! ```

mod builtin;
mod compare;
mod dialect;
mod draft;
mod edit;
mod edit_list;
pub mod expect;
mod forms;
mod load;
mod nearest;
mod presets;
mod problem;
mod routes;
mod schema;
mod shape;
mod simulated;
mod stack;
#[cfg(test)]
mod tests;
mod tuned;
pub mod units;
mod unsaid;
pub mod validate;
mod workload;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use builtin::{BUILTINS, Builtin};
pub use compare::{Arm, Compare, ComparedAt, Percent, Tolerance};
pub use dialect::{Dialect, PromptCaching};
pub use draft::{Draft, Loaded, ProfileError, Source, adhoc, load};
pub use load::{Arrivals, Load, Mode, Stage};
pub use nearest::{nearest, suggestion};
pub use problem::{KeyPath, Located, Override, Problem};
pub use routes::{Drift, Fault, FaultKind, GatewayCache, HeaderKind, PromptCache, Route, Simulated, TlsVersion};
pub use schema::schema;
pub use shape::full_key;
pub use stack::{
    Cache, CacheField, Client, FallbackOn, Hop, Http, Jitter, LocalCache, Pool, RedisCache, Retry, RetryStale, Stack,
    Trigger, WhenFull,
};
pub use tuned::{WriteError, Written};
pub use units::{Money, Spread};
pub use validate::Prices;
pub use workload::{Batch, BatchMode, CachePolicy, Class, Prompts, TraceFormat, Workload};

/// A whole run: load, workload, client stack, routes, money and limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    pub description: String,
    /// The same seed gives the same sequence of prompts and due times.
    pub seed: u64,
    /// Conditions on metrics, such as `response.p99 < 800ms`; a failed one ends the run with exit code 99.
    pub expect: Vec<String>,
    pub load: Load,
    pub workload: Workload,
    pub stack: Stack,
    pub routes: BTreeMap<String, Route>,
    pub cost: Cost,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare: Option<Compare>,
    pub limits: Limits,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            description: String::new(),
            seed: 7,
            expect: Vec::new(),
            load: Load::default(),
            workload: Workload::default(),
            stack: Stack::default(),
            routes: BTreeMap::new(),
            cost: Cost::default(),
            compare: None,
            limits: Limits::default(),
        }
    }
}

impl Profile {
    /// Model and route of each hop a call may take, in order: `workload.model` on `stack.route` (already resolved),
    /// then those of `stack.fallback`.
    pub fn chain(&self) -> impl Iterator<Item = (&str, &str)> {
        let home = self.stack.route.as_str();
        let rest =
            self.stack.fallback.iter().map(move |hop| (hop.model.as_str(), hop.route.as_deref().unwrap_or(home)));
        std::iter::once((self.workload.model.as_str(), home)).chain(rest)
    }

    /// Validation has parsed each of `expect` before.
    pub fn expectations(&self) -> Vec<expect::Expectation> {
        self.expect.iter().filter_map(|text| expect::Expectation::parse(text).ok()).collect()
    }

    /// Routes over TLS whose certificate nobody checks.
    pub fn unchecked_routes(&self) -> impl Iterator<Item = &str> {
        let secured = |route: &Route| route.base_url.as_deref().is_some_and(|url| url.starts_with("https:"));
        self.routes.iter().filter(move |(_, route)| route.insecure && secured(route)).map(|(name, _)| name.as_str())
    }
}

/// What the tokens cost, and the volume the bill is projected to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cost {
    pub calls_per_day: u64,
    /// Market exchange rate, to show one currency in the other.
    pub cny_per_usd: f64,
    /// Prices of models the built-in book lacks, or that differ from it.
    pub prices: BTreeMap<String, Price>,
}

impl Default for Cost {
    fn default() -> Self {
        Self { calls_per_day: 5_000_000, cny_per_usd: 7.3, prices: BTreeMap::new() }
    }
}

/// USD per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub input: f64,
    /// Price of input tokens the provider's prompt cache served; without it they cost `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<f64>,
    /// Price of input tokens written to the provider's prompt cache; without it they cost `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
    pub output: f64,
}

/// What a run may not exceed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// `"¥50"` or `"$5"`: a run against paid routes stops before it costs more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Money>,
}

//! Tokens and what they cost, as a report has them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenFacts {
    /// Of answers made by a model in the measured window, cached ones included.
    pub input: u64,
    /// Of `input`, those the providers' prompt caches served.
    pub cached_input: u64,
    /// Of `input`, those written to the providers' prompt caches.
    #[serde(default)]
    pub cache_write: u64,
    /// Of `cache_write`, those kept for an hour, which has its own price.
    #[serde(default)]
    pub cache_write_1h: u64,
    pub output: u64,
    /// Input and output of failed attempts that were billed all the same.
    pub lost: u64,
    /// Input and output that answers from caches did not cost.
    pub avoided: u64,
    /// Answers whose tokens were counted here, since the server sent no usage.
    pub estimated_answers: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostFacts {
    pub usd: f64,
    pub cny: f64,
    pub usd_per_1k: Option<f64>,
    pub cny_per_1k: Option<f64>,
    /// What was paid for all calls, warm-up and drain included; the figures beside it are of measured calls.
    #[serde(default)]
    pub total_usd: f64,
    #[serde(default)]
    pub total_cny: f64,
    /// The newest date among the prices in use.
    pub prices_as_of: String,
    pub market_cny_per_usd: f64,
    /// Models without a price: their tokens were counted as free.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpriced: Vec<String>,
    pub projection: ProjectionFacts,
    pub saved: SavedFacts,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectionFacts {
    pub calls_per_day: u64,
    pub usd_per_day: f64,
    pub cny_per_day: f64,
    pub cny_per_month: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SavedFacts {
    pub currency: String,
    pub by_cache: f64,
    pub by_fallback: f64,
    pub by_exchange: f64,
}

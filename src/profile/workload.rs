//! `[workload]`: which prompts, how long, how often repeated.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{Spread, duration};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Workload {
    pub model: String,
    pub prompts: Prompts,
    /// Tokens of a prompt.
    pub input_tokens: Spread<u32>,
    /// Tokens of an answer, as asked for in the prompt's text; `max_tokens` bounds them.
    pub output_tokens: Spread<u32>,
    pub stream: bool,
    pub temperature: f64,
    pub max_tokens: u32,
    pub batch: Batch,
    /// Kinds of request with prompts and cache policies of their own; empty: one kind.
    pub classes: Vec<Class>,
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            model: "gpt-4.1".into(),
            prompts: Prompts::default(),
            input_tokens: Spread::LogNormal { median: 220, p95: 900 },
            output_tokens: Spread::LogNormal { median: 60, p95: 180 },
            stream: true,
            temperature: 0.0,
            max_tokens: 500,
            batch: Batch::default(),
            classes: Vec::new(),
        }
    }
}

/// Where prompts come from, and so how often one repeats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Prompts {
    /// `distinct` prompts; the k-th most popular is asked with weight k^-exponent.
    Zipf {
        #[serde(default = "Prompts::default_distinct")]
        distinct: u64,
        #[serde(default = "Prompts::default_exponent")]
        exponent: f64,
    },
    /// No prompt repeats.
    Unique,
    /// One prompt, always.
    Fixed,
    /// A JSONL file: a line is a list of messages, or an object with `messages` (and `tools`, `response_format`,
    /// `top_p`, `seed`). Lines are asked in order, again from the top at the end.
    File { path: PathBuf },
    /// A traffic trace: sizes and shared prefixes of real requests, asked in order.
    Trace { path: PathBuf, format: TraceFormat },
}

impl Prompts {
    fn default_distinct() -> u64 {
        500
    }

    fn default_exponent() -> f64 {
        1.0
    }
}

impl Default for Prompts {
    fn default() -> Self {
        Self::Zipf { distinct: Self::default_distinct(), exponent: Self::default_exponent() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TraceFormat {
    /// JSONL with `timestamp`, `input_length`, `output_length`, `hash_ids` (blocks of 512 tokens).
    Mooncake,
}

/// Calls issued together; the time of the whole batch is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Batch {
    pub size: u32,
    pub mode: BatchMode,
}

impl Default for Batch {
    fn default() -> Self {
        Self { size: 1, mode: BatchMode::Gather }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BatchMode {
    /// Issued together.
    Gather,
    /// One after another.
    Serial,
}

/// A kind of request: its share of the traffic, its prompts, its cache policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Class {
    pub name: String,
    /// Weight among the classes; they need not sum to 1.
    pub share: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<Prompts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<Spread<u32>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<Spread<u32>>,
    #[serde(default)]
    pub cache: CachePolicy,
}

/// Which cache tiers a class may use: `true`, `false`, or a table with a TTL of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CachePolicy {
    pub local: bool,
    pub redis: bool,
    /// Replaces the TTL of the local and the Redis tier for this class.
    #[serde(with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self { local: true, redis: true, ttl: None }
    }
}

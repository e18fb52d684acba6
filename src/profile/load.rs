//! `[load]`: how many requests, when, and for how long.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::duration;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Load {
    pub mode: Mode,
    /// Requests a second (open loop).
    pub rate: f64,
    pub arrivals: Arrivals,
    /// Users that each wait for their answer (closed loop).
    pub users: u32,
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub think_time: Duration,
    /// Measured time, after the warm-up. Without it: `requests`, or the sum of the stages, or 20 s.
    #[serde(with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<super::schema::DurationText>")]
    pub duration: Option<Duration>,
    /// Measured requests; the run ends with the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Sent and shown, but not counted.
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub warmup: Duration,
    /// Open loop: an arrival beyond it is dropped and counted.
    pub max_in_flight: usize,
    /// Linear ramps, one after the other, from the start value; the last value holds.
    pub stages: Vec<Stage>,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            mode: Mode::Open,
            rate: 60.0,
            arrivals: Arrivals::Poisson,
            users: 32,
            think_time: Duration::ZERO,
            duration: None,
            requests: None,
            warmup: Duration::from_secs(3),
            max_in_flight: 4096,
            stages: Vec::new(),
        }
    }
}

impl Load {
    pub const DEFAULT_DURATION: Duration = Duration::from_secs(20);

    /// The measured time asked for; `None` when the run is bounded by `requests` alone.
    pub fn measured(&self) -> Option<Duration> {
        match (self.duration, self.requests, self.stages.is_empty()) {
            (Some(duration), _, _) => Some(duration),
            (None, Some(_), _) => None,
            (None, None, false) => Some(self.stages.iter().map(|s| s.duration).sum()),
            (None, None, true) => Some(Self::DEFAULT_DURATION),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Arrivals do not wait for answers.
    Open,
    /// `users` wait for theirs.
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Arrivals {
    Poisson,
    Constant,
}

/// A linear ramp to its target: `rate` in an open loop, `users` in a closed one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub duration: Duration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<u32>,
}

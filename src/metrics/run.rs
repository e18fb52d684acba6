//! A run when it is over: all that a report is made of.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::epoch::Epoch;
use super::series::Series;
use super::snapshot::{Event, Gauges};
use super::stretches::Stretch;
use super::tally::Tally;
use crate::profile::Profile;

/// Why the load ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stop {
    /// The plan was carried out.
    Finished,
    /// `limits.budget` was reached.
    Budget,
    /// SIGINT.
    Interrupted,
    /// A person ended the load on the screen, or took a report while it ran.
    Quit,
    /// SIGTERM.
    Terminated,
    /// No further call could succeed: the route cannot be reached, or refuses the key.
    Hopeless,
    /// An expectation could not hold any more (`--abort-on-fail`).
    Aborted,
}

#[derive(Debug)]
pub struct Run {
    pub profile: Arc<Profile>,
    pub started_at: jiff::Timestamp,
    /// Load's start to the last answer, warm-up and drain included.
    pub duration: Duration,
    /// The measured window: what rates are divided by.
    pub measured_window: Duration,
    pub stop: Stop,
    /// Why no further call could succeed, in words.
    pub given_up: Option<String>,
    /// Arrivals due in the measured window; of a closed loop, calls sent.
    pub planned: u64,
    /// Of them, dropped beyond `max_in_flight`.
    pub dropped: u64,
    /// Calls whose intended start lies in the measured window. 3 significant digits.
    pub measured: Tally,
    /// Every call, warm-up included.
    pub total: Tally,
    /// In flight when an interrupted run would wait no longer; in no other figure.
    pub abandoned: u64,
    pub gauges: Gauges,
    pub series: Series,
    /// The measured window, cut: their measured calls are those of `measured`.
    pub blocks: Vec<Stretch>,
    pub epochs: Vec<Epoch>,
    /// What each simulated route counted itself.
    pub simulated: Vec<(String, crate::sim::Stats)>,
    pub events: Vec<Event>,
}

//! A stretch of the run under one set of settings. Figures of two epochs are never mixed.

use std::sync::Arc;
use std::time::Duration;

use super::tally::Tally;
use crate::cost::Bill;
use crate::profile::Profile;

#[derive(Clone, Debug)]
pub struct Epoch {
    /// 0, 1, 2, …
    pub number: u32,
    /// What changed at its beginning, in words; empty for the first.
    pub changed: Vec<String>,
    /// The settings it ran under.
    pub profile: Arc<Profile>,
    /// Since the load's start.
    pub began: Duration,
    /// Seconds of the measured window it held.
    pub seconds: f64,
    /// Measured calls that were begun in it. 2 significant digits.
    pub tally: Arc<Tally>,
    /// Measured successes that ended while it lasted, whichever epoch they were begun in.
    pub ended: u64,
    /// Arrivals due in its part of the measured window (open loop), or measured calls sent.
    pub planned: u64,
    /// Of them, dropped beyond `max_in_flight`.
    pub dropped: u64,
    /// What its calls cost.
    pub bill: Bill,
}

impl Epoch {
    /// Successes that ended in it, a second; `None` before any of its time is measured.
    pub fn qps(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.ended as f64 / self.seconds)
    }
}

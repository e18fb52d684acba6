//! A stretch of load between two pauses.

use super::snapshot::Gauges;
use super::tally::Tally;
use crate::cost::Bill;

/// What a load did from a resume to the pause after it, with all that was in flight then awaited.
#[derive(Clone, Debug)]
pub struct Block {
    /// Of the calls begun in it, and of those alone. 3 significant digits.
    pub tally: Tally,
    /// What rates are divided by.
    pub seconds: f64,
    /// Arrivals due in it; of a closed loop, calls sent.
    pub planned: u64,
    /// Of them, dropped beyond `max_in_flight`.
    pub dropped: u64,
    /// No longer awaited after the grace; in no other figure.
    pub abandoned: u64,
    /// Of the calls begun in it.
    pub bill: Bill,
    /// At its end.
    pub gauges: Gauges,
}

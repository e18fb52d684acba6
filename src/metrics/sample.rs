//! One call as the recorder takes it: its outcome, and the three clocks around it.

use std::time::{Duration, Instant};

use crate::stack::Outcome;

#[derive(Clone, Debug)]
pub struct Sample {
    /// The number of the settings it ran under.
    pub epoch: u32,
    /// The number of its replica's settings when it ended.
    pub ended_in: u32,
    /// Its intended start lies in the measured window.
    pub measured: bool,
    /// Its end lies in the measured window: what throughput counts, whenever the call began.
    pub in_window: bool,
    /// Of its service time (`sent` to its end) what lies in the measured window.
    pub service_in_window: Duration,
    /// When the plan wanted it to start.
    pub intended: Instant,
    /// When it was handed to the stack.
    pub sent: Instant,
    pub outcome: Outcome,
}

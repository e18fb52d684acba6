//! What readers see while load runs: one immutable picture a tick.

use std::sync::Arc;
use std::time::Duration;

use super::epoch::Epoch;
use super::series::Series;
use super::tally::Tally;
use crate::cost::Bill;
use crate::profile::Profile;
use crate::route::Closing;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Sent and shown, not counted.
    Warmup,
    Measure,
    /// No more is sent; what is in flight is awaited.
    Drain,
    Done,
}

/// The state of the stack now, summed over replicas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    pub in_flight: u64,
    /// Calls waiting for the limiter.
    pub limit_waiting: u64,
    pub users: u64,
    /// Closed loop: how long users were there in the measured window and for how much of it they thought, summed over
    /// them.
    pub user_time: Duration,
    pub think_time: Duration,
    pub open: u64,
    pub idle: u64,
    pub pool_waiting: u64,
    /// Most connections open at once: exact within a replica, summed over all replicas there were.
    pub peak: u64,
    /// Since the load's start, warm-up included.
    pub opened: u64,
    pub reused: u64,
    /// Kept connections that turned out closed by the server and were replaced.
    pub stale: u64,
    pub closed: [u64; Closing::ALL.len()],
}

impl Gauges {
    /// What stays of one that is gone: the counts since the start.
    pub fn of_the_past(self) -> Self {
        Self { in_flight: 0, limit_waiting: 0, users: 0, open: 0, idle: 0, pool_waiting: 0, ..self }
    }

    pub fn plus(mut self, other: &Self) -> Self {
        self.in_flight += other.in_flight;
        self.limit_waiting += other.limit_waiting;
        self.users += other.users;
        self.user_time += other.user_time;
        self.think_time += other.think_time;
        self.open += other.open;
        self.idle += other.idle;
        self.pool_waiting += other.pool_waiting;
        self.peak += other.peak;
        self.opened += other.opened;
        self.reused += other.reused;
        self.stale += other.stale;
        for (mine, theirs) in self.closed.iter_mut().zip(other.closed) {
            *mine += theirs;
        }
        self
    }
}

/// Something worth a line: a setting changed, a fallback took over, Redis went away.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub at: Duration,
    pub kind: &'static str,
    pub text: String,
}

/// What finished in the last seconds, [`Recent::SECONDS`] at most, of calls begun in this epoch; warm-up included.
#[derive(Clone, Debug)]
pub struct Recent {
    pub tally: Arc<Tally>,
    /// How long these seconds lasted.
    pub seconds: f64,
}

impl Recent {
    pub const SECONDS: usize = 10;
}

#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Since the load's start, warm-up included.
    pub elapsed: Duration,
    pub phase: Phase,
    /// Nothing is sent until the load is resumed.
    pub paused: bool,
    /// The profile as it runs now, live changes included.
    pub profile: Arc<Profile>,
    /// Arrivals due so far in the measured window (open loop), or calls sent.
    pub planned: u64,
    pub dropped: u64,
    /// Everything that finished in the last whole second.
    pub second: Arc<Tally>,
    pub recent: Recent,
    pub epoch: Epoch,
    /// The epochs before, the oldest first.
    pub past: Arc<Vec<Epoch>>,
    /// Measured calls of the whole run.
    pub measured: Arc<Tally>,
    /// All calls, warm-up included.
    pub total: Arc<Tally>,
    /// Seconds of the measured window that have passed.
    pub measured_s: f64,
    pub gauges: Gauges,
    /// Of measured calls.
    pub bill: Bill,
    /// Of all calls: what has been paid, the warm-up's share included.
    pub spent: Bill,
    pub series: Arc<Series>,
    pub events: Arc<Vec<Event>>,
}

impl Snapshot {
    /// Of `planned`, those dropped; [`Snapshot::dropped`] counts the warm-up's too.
    pub fn dropped_measured(&self) -> u64 {
        self.past.iter().chain([&self.epoch]).map(|epoch| epoch.dropped).sum()
    }
}

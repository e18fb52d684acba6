//! What the engine's threads share: the clock of the run, a few counters, and the word to stop.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use super::keys::Keys;
use super::purse::Purse;
use crate::profile::Load;
use crate::stack::Outcome;

/// Until when load runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The profile's duration or requests.
    Planned,
    /// Somebody stops it: stages and the simulated routes' planned faults begin anew after [`crate::plan::period`].
    Stopped,
    /// As `Stopped`, but it stands until [`super::Handle::block`] lets it run for a while, and then stands again. All of
    /// it is measured.
    Blocks,
}

/// The measured window on the clock of this run, which stands still in a pause: after one, all of it lies later by the
/// time the pause took.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The load's start; the warm-up begins.
    pub start: Instant,
    /// The warm-up's end.
    pub measure: Instant,
    /// No call is due at or after it; `None`: bounded by `requests` alone, or not at all.
    pub end: Option<Instant>,
    /// Measured calls asked for.
    pub requests: Option<u64>,
    /// Since when the load is paused, or from when on it will be: a block's end is known when it begins.
    pub paused: Option<Instant>,
    /// How long it stood between blocks so far: no time for what local caches hold.
    pub stood: Duration,
}

impl Window {
    pub fn new(start: Instant, load: &Load, until: Until) -> Self {
        let measure = start + load.warmup;
        match until {
            Until::Planned => {
                let end = load.measured().map(|time| measure + time);
                Self { start, measure, end, requests: load.requests, paused: None, stood: Duration::ZERO }
            }
            Until::Stopped => Self { start, measure, end: None, requests: None, paused: None, stood: Duration::ZERO },
            Until::Blocks => {
                Self { start, measure: start, end: None, requests: None, paused: Some(start), stood: Duration::ZERO }
            }
        }
    }

    /// What is due at `at` waits until the load goes on.
    pub fn holds(&self, at: Instant) -> bool {
        self.paused.is_some_and(|paused| at >= paused)
    }

    /// The window after its pause, and how long that was; `None` unless it has one.
    pub fn resumed(&self, now: Instant) -> Option<(Self, Duration)> {
        let pause = now.saturating_duration_since(self.paused?);
        let window = Self {
            start: self.start + pause,
            measure: self.measure + pause,
            end: self.end.map(|end| end + pause),
            requests: self.requests,
            paused: None,
            stood: self.stood,
        };
        Some((window, pause))
    }

    /// What the standing clock shows at `at`.
    pub fn clock(&self, at: Instant) -> Instant {
        self.paused.map_or(at, |paused| at.min(paused))
    }

    /// Since the load's start, pauses left out.
    pub fn elapsed(&self, now: Instant) -> Duration {
        self.clock(now).saturating_duration_since(self.start)
    }

    pub fn is_measured(&self, intended: Instant) -> bool {
        self.clock(intended) >= self.measure
    }

    pub fn is_over(&self, at: Instant) -> bool {
        self.end.is_some_and(|end| self.clock(at) >= end)
    }

    pub fn contains(&self, at: Instant) -> bool {
        self.is_measured(at) && !self.is_over(at)
    }

    /// Time of the measured window that has passed at `now`.
    pub fn measured(&self, now: Instant) -> Duration {
        self.clipped(now).saturating_duration_since(self.measure)
    }

    /// `at`, or the window's end or the pause's begin if that was sooner.
    pub fn clipped(&self, at: Instant) -> Instant {
        let at = self.clock(at);
        self.end.map_or(at, |end| end.min(at))
    }
}

/// Counters are written rarely enough (once a call at most) that a shared cache line is no bottleneck.
#[derive(Debug, Default)]
pub struct Control {
    stop: AtomicBool,
    paced: AtomicBool,
    /// Pauses asked for that no clock shows yet.
    pauses_to_come: AtomicU64,
    /// Number of the next call.
    next_call: AtomicU64,
    /// Measured calls begun, to end a run of `requests`.
    pub measured_calls: AtomicU64,
    /// Open loop: calls handed to replicas and not yet done.
    pub in_flight: AtomicU64,
    /// Open loop: calls due in the measured window, and of all calls due, those dropped; the second of each pair
    /// counts measured ones only.
    pub planned: AtomicU64,
    pub dropped: AtomicU64,
    pub dropped_measured: AtomicU64,
    /// Only of a load with a budget.
    pub purse: Option<Purse>,
    keys: Keys,
    /// Why no further call is begun, in words.
    given_up: OnceLock<String>,
}

/// The plan's counters at one moment, as [`Control`] has them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub begun: u64,
    pub planned: u64,
    pub dropped: u64,
    pub dropped_measured: u64,
}

impl Control {
    pub fn new(purse: Option<Purse>, keys: Keys) -> Self {
        Self { purse, keys, ..Self::default() }
    }

    /// Asks all to begin no more calls.
    pub fn stop(&self) {
        // Whoever sees this sees why, if the load was given up.
        self.stop.store(true, Release);
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.load(Acquire)
    }

    /// A call is over. If it shows that no further one can succeed, all are asked to begin no more.
    pub fn learn_from(&self, outcome: &Outcome) {
        self.purse.iter().for_each(|purse| purse.settle(outcome));
        if let Some(why) = self.keys.note(outcome) {
            self.give_up(why);
        }
    }

    /// The first reason counts.
    pub fn give_up(&self, why: String) {
        let _ = self.given_up.set(why);
        self.stop();
    }

    pub fn given_up(&self) -> Option<&str> {
        self.given_up.get().map(String::as_str)
    }

    /// Nothing begins until the pause has reached the run's clock. A process that is stopped at once (Ctrl-Z) would
    /// else make up for all that time when it goes on.
    pub fn ask_for_pause(&self) {
        self.pauses_to_come.fetch_add(1, Relaxed);
    }

    /// The clocks of a pause asked for are on their way.
    pub fn pause_has_come(&self) {
        // Whoever sees this sees them in its queue.
        self.pauses_to_come.fetch_sub(1, Release);
    }

    pub fn is_pause_to_come(&self) -> bool {
        self.pauses_to_come.load(Acquire) > 0
    }

    /// The pacer hands out no further arrival.
    pub fn end_pacing(&self) {
        // Whoever sees this sees every arrival in the replicas' queues.
        self.paced.store(true, Release);
    }

    pub fn is_paced_out(&self) -> bool {
        self.paced.load(Acquire)
    }

    /// Of calls counted in, `n` do not take place after all.
    pub fn forgo(&self, n: u32, measured: bool) {
        self.purse.iter().for_each(|purse| purse.give_back(n));
        if measured {
            self.planned.fetch_sub(u64::from(n), Relaxed);
        }
    }

    /// Whether `n` calls may be paid for.
    pub fn affords(&self, n: u32) -> bool {
        self.purse.as_ref().is_none_or(|purse| purse.begin(n))
    }

    /// The budget allows no further call.
    pub fn is_spent(&self) -> bool {
        self.purse.as_ref().is_some_and(Purse::is_refused)
    }

    pub fn counts(&self) -> Counts {
        let dropped = self.dropped.load(Relaxed);
        Counts {
            begun: self.next_call.load(Relaxed).saturating_sub(dropped),
            planned: self.planned.load(Relaxed),
            dropped,
            dropped_measured: self.dropped_measured.load(Relaxed),
        }
    }

    /// Numbers of the next `n` calls.
    pub fn take_calls(&self, n: u32) -> u64 {
        self.next_call.fetch_add(u64::from(n), Relaxed)
    }

    /// Counts `n` measured calls in; `false` when `limit` was reached before.
    pub fn begin_measured(&self, n: u32, limit: Option<u64>) -> bool {
        let before = self.measured_calls.fetch_add(u64::from(n), Relaxed);
        limit.is_none_or(|limit| before < limit)
    }
}

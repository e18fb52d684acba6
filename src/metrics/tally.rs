//! Counters and histograms over a set of calls: an interval, an epoch, a run.

use std::collections::BTreeMap;
use std::time::Duration;

use super::lanes::Lanes;
use super::ledger::Ledger;
use super::phases::Phases;
use super::sample::Sample;
use super::times::{Time, Times};
use crate::profile::expect::LatencyBounds;
use crate::route::{Connection, FailureKind};
use crate::stack::{CacheError, Outcome, Served, ServedBy, Try};

#[derive(Clone, Debug)]
pub struct Tally {
    pub times: Times,
    /// Where the service time of successes went.
    pub phases: Phases,
    pub sent: u64,
    pub succeeded: u64,
    pub failed: u64,
    /// Successes whose end lies in the measured window. In an overloaded open loop many answers come after it: they
    /// are successes, but no throughput.
    pub completed: u64,
    /// Calls, failed ones too, whose end lies in the measured window, and the measured ones whose end comes after it.
    pub ended: u64,
    pub drained: u64,
    /// The part of all calls' service times that lies in the measured window, whenever they began and ended.
    pub service_in_window: Duration,
    /// Of `completed`, those within the latency bounds of the profile's expectations.
    pub good: u64,
    /// Successes, in the order of [`ServedBy::ALL`].
    pub served_by: [u64; ServedBy::ALL.len()],
    pub failures: BTreeMap<FailureKind, u64>,
    /// What the first failure of each kind said.
    pub examples: BTreeMap<FailureKind, String>,
    /// In the order of [`CacheError::ALL`].
    pub cache_errors: [u64; CacheError::ALL.len()],
    /// What the first of each kind said.
    pub cache_examples: [Option<String>; CacheError::ALL.len()],
    /// Attempts at routes, those that got no connection included.
    pub attempts: u64,
    /// Attempts that failed, those included that a retry or another hop made good.
    pub failed_attempts: BTreeMap<FailureKind, u64>,
    /// All of them, by the lane they asked.
    pub lanes: Lanes,
    /// Attempts whose request was handed to a connection: what a server's counter agrees with.
    pub requests: u64,
    /// Calls that got past the caches and single flight.
    pub reached_chain: u64,
    pub opened: u64,
    pub reused: u64,
    /// Answers whose tokens we counted, since the server sent no usage.
    pub estimated_usage: u64,
    pub ledger: Ledger,
}

impl Tally {
    /// `significant_digits`: 2 for intervals (a merge of them is 7 times cheaper), 3 for totals.
    pub fn new(significant_digits: u8) -> Self {
        Self {
            times: Times::new(significant_digits),
            phases: Phases::default(),
            sent: 0,
            succeeded: 0,
            failed: 0,
            completed: 0,
            ended: 0,
            drained: 0,
            service_in_window: Duration::ZERO,
            good: 0,
            served_by: [0; _],
            failures: BTreeMap::new(),
            examples: BTreeMap::new(),
            cache_errors: [0; _],
            cache_examples: Default::default(),
            attempts: 0,
            failed_attempts: BTreeMap::new(),
            lanes: Lanes::default(),
            requests: 0,
            reached_chain: 0,
            opened: 0,
            reused: 0,
            estimated_usage: 0,
            ledger: Ledger::default(),
        }
    }

    pub fn record(&mut self, sample: &Sample) {
        let outcome = &sample.outcome;
        self.sent += 1;
        self.times.record(Time::Lag, sample.sent.saturating_duration_since(sample.intended));
        self.reached_chain += u64::from(outcome.reached_chain);
        for error in &outcome.cache_errors {
            self.cache_errors[*error as usize] += 1;
        }
        for attempt in &outcome.tries {
            self.record_try(attempt, outcome);
        }
        match &outcome.result {
            Ok(served) => self.record_success(sample, served),
            Err(failure) => {
                self.failed += 1;
                *self.failures.entry(failure.kind).or_default() += 1;
                self.examples.entry(failure.kind).or_insert_with(|| failure.detail.clone());
            }
        }
    }

    /// How a call lies to the borders of the measured window, which need not hold its intended start.
    pub fn record_in_window(&mut self, sample: &Sample, bounds: &LatencyBounds) {
        self.service_in_window += sample.service_in_window;
        if sample.in_window {
            self.ended += 1;
            self.record_completion(sample, bounds);
        } else if sample.measured {
            self.drained += 1;
        }
    }

    fn record_completion(&mut self, sample: &Sample, bounds: &LatencyBounds) {
        let Ok(served) = &sample.outcome.result else { return };
        let within = |time: Option<Duration>, bound: Option<Duration>| match (time, bound) {
            (Some(time), Some(bound)) => time < bound,
            _ => true,
        };
        let done = sample.outcome.done;
        let good = within(Some(done.saturating_duration_since(sample.intended)), bounds.response)
            && within(Some(done.saturating_duration_since(sample.sent)), bounds.service)
            && within(ttft(sample, served), bounds.ttft)
            && within(inter_token(served), bounds.inter_token);
        self.completed += 1;
        self.good += u64::from(good);
    }

    /// The time of a whole batch.
    pub fn record_batch(&mut self, time: Duration) {
        self.times.record(Time::Batch, time);
    }

    fn record_try(&mut self, attempt: &Try, outcome: &Outcome) {
        self.attempts += 1;
        if let Some(kind) = attempt.failed {
            *self.failed_attempts.entry(kind).or_default() += 1;
        }
        self.lanes.record(attempt);
        self.requests += u64::from(attempt.sent);
        self.times.record(Time::LimitWait, attempt.limit_wait);
        if let Some(wait) = attempt.pool_wait {
            self.times.record(Time::PoolWait, wait);
        }
        match attempt.connection {
            Some(Connection::Opened(connect)) => {
                self.opened += 1;
                self.times.record(Time::Connect, connect.total);
                self.times.record(Time::Dns, connect.dns);
                self.times.record(Time::Tcp, connect.tcp);
                self.times.record(Time::Tls, connect.tls);
            }
            Some(Connection::Reused) => self.reused += 1,
            None => {}
        }
        if let Some(usage) = &attempt.lost {
            self.ledger.row(&outcome.asked, &attempt.lane).lost.add(usage);
        }
    }

    fn record_success(&mut self, sample: &Sample, served: &Served) {
        let outcome = &sample.outcome;
        let response = outcome.done.saturating_duration_since(sample.intended);
        let service = outcome.done.saturating_duration_since(sample.sent);
        self.succeeded += 1;
        self.served_by[served.by as usize] += 1;
        self.phases += Phases::of(sample, served);
        self.times.record(Time::Response, response);
        self.times.record(Time::Service, service);
        self.times.record(by_tier(served.by), service);
        if !outcome.tries.is_empty() {
            self.times.record(Time::Routed, service);
        }
        if let Some(ttft) = ttft(sample, served) {
            self.times.record(Time::Ttft, ttft);
        }
        if let Some(inter_token) = inter_token(served) {
            self.times.record(Time::InterToken, inter_token);
        }
        self.estimated_usage += u64::from(served.usage.estimated);
        let row = self.ledger.row(&outcome.asked, &served.lane);
        if served.by == ServedBy::Model {
            row.answers += 1;
            row.billed.add(&served.usage);
        } else {
            row.avoided_answers += 1;
            row.avoided.add(&served.usage);
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.times.merge(&other.times);
        self.phases += other.phases;
        self.sent += other.sent;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.completed += other.completed;
        self.ended += other.ended;
        self.drained += other.drained;
        self.service_in_window += other.service_in_window;
        self.good += other.good;
        for (mine, theirs) in self.served_by.iter_mut().zip(other.served_by) {
            *mine += theirs;
        }
        for (kind, count) in &other.failures {
            *self.failures.entry(*kind).or_default() += count;
        }
        for (kind, example) in &other.examples {
            self.examples.entry(*kind).or_insert_with(|| example.clone());
        }
        for (mine, theirs) in self.cache_errors.iter_mut().zip(other.cache_errors) {
            *mine += theirs;
        }
        for (mine, theirs) in self.cache_examples.iter_mut().zip(&other.cache_examples) {
            if mine.is_none() {
                mine.clone_from(theirs);
            }
        }
        self.attempts += other.attempts;
        for (kind, count) in &other.failed_attempts {
            *self.failed_attempts.entry(*kind).or_default() += count;
        }
        self.lanes.merge(&other.lanes);
        self.requests += other.requests;
        self.reached_chain += other.reached_chain;
        self.opened += other.opened;
        self.reused += other.reused;
        self.estimated_usage += other.estimated_usage;
        self.ledger.merge(&other.ledger);
    }

    pub fn finished(&self) -> u64 {
        self.succeeded + self.failed
    }

    /// Answered without a model call / successes; `None` without successes.
    pub fn hit_rate(&self) -> Option<f64> {
        let hits: u64 = self.succeeded - self.served_by[ServedBy::Model as usize];
        ratio(hits, self.succeeded)
    }

    /// Failed / finished; `None` when nothing finished.
    pub fn error_rate(&self) -> Option<f64> {
        ratio(self.failed, self.finished())
    }
}

/// `None` when there is nothing to divide by.
pub fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Send -> first generated token.
fn ttft(sample: &Sample, served: &Served) -> Option<Duration> {
    served.first_token.map(|first| first.saturating_duration_since(sample.sent))
}

/// (last token - first token) / (output tokens - 1).
fn inter_token(served: &Served) -> Option<Duration> {
    match (served.first_token, served.last_token, served.usage.output) {
        (Some(first), Some(last), output @ 2..) => Some(last.saturating_duration_since(first) / (output - 1)),
        _ => None,
    }
}

fn by_tier(by: ServedBy) -> Time {
    match by {
        ServedBy::Local => Time::ServiceLocal,
        ServedBy::Redis => Time::ServiceRedis,
        ServedBy::Shared => Time::ServiceShared,
        ServedBy::Gateway => Time::ServiceGateway,
        ServedBy::Model => Time::ServiceModel,
    }
}

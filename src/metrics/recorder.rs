//! A replica's own recorder: no lock, no allocation a sample, constant memory.

use std::time::Duration;

use super::sample::Sample;
use super::tally::Tally;
use crate::profile::expect::LatencyBounds;
use crate::stack::CacheError;

/// What a replica hands over at a tick: everything since the last one, by epoch.
#[derive(Debug)]
pub struct Recording {
    pub epoch: u32,
    /// Successes that ended in the measured window while this epoch lasted, whichever one they were begun in.
    pub ended: u64,
    /// Measured calls.
    pub measured: Tally,
    /// Warm-up calls.
    pub warmup: Tally,
}

/// Records each sample twice: into the interval (2 digits) that a tick hands over, and into the run's total
/// (3 digits) that stays here until the end, or the end of a block.
#[derive(Debug)]
pub struct Recorder {
    bounds: LatencyBounds,
    intervals: Vec<Recording>,
    total: Tally,
}

impl Recorder {
    pub fn new(bounds: LatencyBounds) -> Self {
        Self { bounds, intervals: Vec::new(), total: Tally::new(3) }
    }

    pub fn record(&mut self, sample: &Sample) {
        let bounds = self.bounds;
        if sample.measured {
            self.total.record(sample);
        }
        self.interval(sample.epoch, sample.measured).record(sample);
        self.total.record_in_window(sample, &bounds);
        // Of a warm-up call too: what ends in the window, or runs into it, is in the window's figures.
        self.interval(sample.epoch, true).record_in_window(sample, &bounds);
        if sample.in_window {
            self.recording(sample.ended_in).ended += u64::from(sample.outcome.result.is_ok());
        }
    }

    pub fn record_batch(&mut self, epoch: u32, measured: bool, time: Duration) {
        if measured {
            self.total.record_batch(time);
        }
        self.interval(epoch, measured).record_batch(time);
    }

    /// Of a cache write that no call waited for.
    pub fn record_cache_error(&mut self, epoch: u32, measured: bool, error: CacheError) {
        if measured {
            self.total.cache_errors[error as usize] += 1;
        }
        self.interval(epoch, measured).cache_errors[error as usize] += 1;
    }

    /// What the first cache error of its class said, to those that were counted.
    pub fn record_cache_example(&mut self, error: CacheError, said: &str) {
        let recorded = self.intervals.iter_mut().flat_map(|recording| [&mut recording.measured, &mut recording.warmup]);
        for tally in recorded.chain([&mut self.total]) {
            if tally.cache_errors[error as usize] > 0 {
                tally.cache_examples[error as usize].get_or_insert_with(|| said.to_owned());
            }
        }
    }

    /// What was recorded since the last call.
    pub fn take_intervals(&mut self) -> Vec<Recording> {
        std::mem::take(&mut self.intervals)
    }

    /// All measured calls since the last time.
    pub fn take_total(&mut self) -> Tally {
        std::mem::replace(&mut self.total, Tally::new(3))
    }

    fn interval(&mut self, epoch: u32, measured: bool) -> &mut Tally {
        let recording = self.recording(epoch);
        if measured { &mut recording.measured } else { &mut recording.warmup }
    }

    /// Samples in flight when an epoch begins still belong to the one before, so two or so are open at a time.
    fn recording(&mut self, epoch: u32) -> &mut Recording {
        let at = self.intervals.iter().rposition(|r| r.epoch == epoch).unwrap_or_else(|| {
            self.intervals.push(Recording { epoch, ended: 0, measured: Tally::new(2), warmup: Tally::new(2) });
            self.intervals.len() - 1
        });
        &mut self.intervals[at]
    }
}

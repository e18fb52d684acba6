//! The last seconds of the epoch under way, one tally each.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::gathering::SECOND;
use crate::metrics::{Recent, Recording, Tally};

/// On the run's clock, which stands still in a pause: what ends in one is in the second that the pause came into.
pub struct Recently {
    /// Of the second under way.
    began: Instant,
    under_way: Tally,
    seconds: VecDeque<(Tally, f64)>,
    /// Of all whole seconds, made when one comes.
    merged: Arc<Tally>,
}

impl Recently {
    /// Of an epoch that begins at `began`.
    pub fn new(began: Instant) -> Self {
        Self { began, under_way: Tally::new(2), seconds: VecDeque::new(), merged: Arc::new(Tally::new(2)) }
    }

    pub fn add(&mut self, recording: &Recording) {
        self.under_way.merge(&recording.warmup);
        self.under_way.merge(&recording.measured);
    }

    /// The run goes on after a pause.
    pub fn resume(&mut self, pause: Duration) {
        self.began += pause;
    }

    /// All that was recorded before `clock` has been added: closes the second under way if that is its end.
    pub fn tick(&mut self, clock: Instant) {
        let lasted = clock.saturating_duration_since(self.began);
        if lasted < SECOND {
            return;
        }
        self.began = clock;
        if self.seconds.len() == Recent::SECONDS {
            self.seconds.pop_front();
        }
        self.seconds.push_back((std::mem::replace(&mut self.under_way, Tally::new(2)), lasted.as_secs_f64()));
        let mut merged = Tally::new(2);
        self.seconds.iter().for_each(|(tally, _)| merged.merge(tally));
        self.merged = Arc::new(merged);
    }

    pub fn picture(&self) -> Recent {
        Recent { tally: self.merged.clone(), seconds: self.seconds.iter().fold(0.0, |sum, (_, seconds)| sum + seconds) }
    }
}

//! The measured window in stretches (the `blocks` of a report), from what replicas hand over at ticks.

use std::time::Duration;

use crate::metrics::{Stretch, Stretches, Tally};

/// A tick that comes a little early is still one.
const TICK: Duration = Duration::from_millis(180);

/// On the measured window's clock, which stands still before it, in a pause and after it: what comes in meanwhile belongs
/// to the tick under way.
pub struct Cutting {
    stretches: Stretches,
    /// Of the tick under way.
    began: Duration,
    under_way: Tally,
}

impl Cutting {
    pub fn new() -> Self {
        Self { stretches: Stretches::default(), began: Duration::ZERO, under_way: Tally::new(2) }
    }

    pub fn add(&mut self, measured: &Tally) {
        self.under_way.merge(measured);
    }

    /// All that was recorded until `clock` has been added.
    pub fn tick(&mut self, clock: Duration) {
        let lasted = clock.saturating_sub(self.began);
        if lasted < TICK {
            return;
        }
        self.began = clock;
        let tally = std::mem::replace(&mut self.under_way, Tally::new(2));
        self.stretches.push(Stretch { seconds: lasted.as_secs_f64(), tally });
    }

    /// The window, which is `clock` long: its end may turn out to be before the last tick's.
    pub fn cut(&self, clock: Duration) -> Vec<Stretch> {
        let seconds = clock.as_secs_f64() - self.began.as_secs_f64();
        self.stretches.cut(Stretch { seconds, tally: self.under_way.clone() })
    }
}

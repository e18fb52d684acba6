//! Due times of an open loop.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::{Ramp, mix};
use crate::profile;

/// Due times since the load's start, ascending. A Poisson process of varying rate is a unit-rate one read on the
/// clock of the ramp's area (time change theorem), so stages need no thinning.
#[derive(Clone, Debug)]
pub struct Arrivals {
    ramp: Ramp,
    kind: profile::Arrivals,
    /// Arrivals at a time: the calls of a batch are due together.
    batch: f64,
    /// Area up to the last arrival.
    area: f64,
    rng: SmallRng,
}

impl Arrivals {
    /// Arrivals after `from`; each stands for `batch` calls, so that the rate stays one of calls.
    pub fn new(ramp: Ramp, kind: profile::Arrivals, batch: u32, seed: u64, from: Duration) -> Self {
        let area = ramp.area(from);
        Self { ramp, kind, batch: f64::from(batch), area, rng: SmallRng::seed_from_u64(mix(&[seed, 0xa77])) }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    /// `None` when the rate fell to 0 for good.
    fn next(&mut self) -> Option<Duration> {
        let step = match self.kind {
            profile::Arrivals::Constant => 1.0,
            // Exp(1); 1 - u lies in (0, 1], so the logarithm is finite
            profile::Arrivals::Poisson => -(1.0 - self.rng.random::<f64>()).ln(),
        };
        self.area += step * self.batch;
        self.ramp.time_of(self.area)
    }
}

#[cfg(test)]
pub(crate) mod distribution;

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(kind: profile::Arrivals, seed: u64) -> Arrivals {
        Arrivals::new(Ramp::constant(200.0), kind, 1, seed, Duration::ZERO)
    }

    #[test]
    fn the_same_seed_gives_the_same_due_times_and_another_seed_others() {
        let take = |seed| arrivals(profile::Arrivals::Poisson, seed).take(1000).collect::<Vec<_>>();
        assert_eq!(take(7), take(7));
        assert_ne!(take(7), take(8));
    }

    #[test]
    fn constant_arrivals_are_evenly_spaced() {
        let due: Vec<_> = arrivals(profile::Arrivals::Constant, 1).take(4).collect();
        assert_eq!(due, [5, 10, 15, 20].map(Duration::from_millis));
    }

    #[test]
    fn a_batch_is_one_arrival_and_the_rate_stays_one_of_calls() {
        let due = Arrivals::new(Ramp::constant(100.0), profile::Arrivals::Constant, 10, 1, Duration::ZERO).nth(9);
        assert_eq!(due, Some(Duration::from_secs(1)));
    }
}

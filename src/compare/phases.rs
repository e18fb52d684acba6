//! Where an arm's time went, of its mean call.

use std::time::Duration;

use super::shape::Phases;
use crate::metrics::Tally;

impl Phases {
    /// All zero without successes.
    pub fn of(tally: &Tally) -> Self {
        let calls = tally.succeeded.max(1) as f64;
        let mean = |sum: Duration| sum.as_secs_f64() * 1000.0 / calls;
        let sums = &tally.phases;
        Self {
            local: mean(sums.local),
            retries: mean(sums.retries),
            limit_wait: mean(sums.limit_wait),
            pool_wait: mean(sums.pool_wait),
            connect: mean(sums.connect),
            first_token: mean(sums.first_token),
            generation: mean(sums.generation),
        }
    }
}

//! Where the time of successful calls went, summed over them. Must not know the single call: a histogram a phase would
//! tell no more of a difference between two stacks than the means do.
//!
//! ```text
//! sent |local|retries|limit wait|pool wait|connect|first token|generation| done
//!            '- first attempt    '- all of the last attempt, which succeeded
//! ```

use std::ops::AddAssign;
use std::time::Duration;

use super::sample::Sample;
use crate::stack::{Outcome, Served};

/// They add up to the sum of the service times, to the nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Before the first attempt; of a call that no route answered, all of it.
    pub local: Duration,
    /// Attempts that failed, the pauses after them and the cache look-ups of further hops.
    pub retries: Duration,
    pub limit_wait: Duration,
    pub pool_wait: Duration,
    /// Of a connection opened for the call.
    pub connect: Duration,
    /// From the request to the first token; of an answer that was not streamed, to its end. Where the transport does not
    /// tell waits and connects apart (reqwest), those too.
    pub first_token: Duration,
    /// From the first token to the last byte.
    pub generation: Duration,
}

impl Phases {
    /// Of one call that succeeded.
    pub fn of(sample: &Sample, served: &Served) -> Self {
        let Outcome { done, tries, .. } = &sample.outcome;
        let mut left = done.saturating_duration_since(sample.sent);
        let (Some(first), Some(last)) = (tries.first(), tries.last()) else {
            return Self { local: left, ..Self::default() };
        };
        // What is measured apart may overlap by a little: nothing is taken twice.
        let mut take = |time: Duration| {
            let taken = time.min(left);
            left -= taken;
            taken
        };
        let local = take(first.began.saturating_duration_since(sample.sent));
        if last.failed.is_some() {
            // Another hop's cache answered.
            return Self { local, retries: left, ..Self::default() };
        }
        Self {
            local,
            retries: take(last.began.saturating_duration_since(first.began)),
            limit_wait: take(last.limit_wait),
            pool_wait: take(last.pool_wait.unwrap_or_default()),
            connect: take(last.connecting()),
            generation: take(served.first_token.map_or(Duration::ZERO, |first| done.saturating_duration_since(first))),
            first_token: left,
        }
    }

    pub fn sum(&self) -> Duration {
        let Self { local, retries, limit_wait, pool_wait, connect, first_token, generation } = *self;
        local + retries + limit_wait + pool_wait + connect + first_token + generation
    }
}

impl AddAssign for Phases {
    fn add_assign(&mut self, other: Self) {
        self.local += other.local;
        self.retries += other.retries;
        self.limit_wait += other.limit_wait;
        self.pool_wait += other.pool_wait;
        self.connect += other.connect;
        self.first_token += other.first_token;
        self.generation += other.generation;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use smallvec::{SmallVec, smallvec};

    use super::*;
    use crate::chat::{Lane, Usage};
    use crate::route::{Connect, Connection, FailureKind};
    use crate::stack::{ServedBy, Try};

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    struct Call {
        sent: Instant,
    }

    impl Call {
        fn attempt(&self, began: u64, failed: Option<FailureKind>) -> Try {
            let connect = Connect { total: ms(5), tcp: ms(2), tls: ms(3), ..Connect::default() };
            Try {
                began: self.sent + ms(began),
                lane: Lane { model: "m".into(), route: "r".into() },
                limit_wait: ms(3),
                pool_wait: Some(ms(4)),
                connection: Some(Connection::Opened(connect)),
                sent: true,
                failed,
                lost: None,
            }
        }

        /// That took 100 ms.
        fn phases(&self, by: ServedBy, tries: SmallVec<[Try; 1]>, first_token: Option<u64>) -> Phases {
            let lane = Lane { model: "m".into(), route: "r".into() };
            let first_token = first_token.map(|at| self.sent + ms(at));
            let served =
                Served { by, lane: lane.clone(), usage: Usage::default(), first_token, last_token: first_token };
            let outcome = Outcome {
                done: self.sent + ms(100),
                asked: lane,
                result: Ok(served.clone()),
                reached_chain: !tries.is_empty(),
                tries,
                cache_errors: smallvec![],
            };
            let sample = Sample {
                epoch: 0,
                ended_in: 0,
                measured: true,
                in_window: true,
                service_in_window: ms(100),
                intended: self.sent - ms(7),
                sent: self.sent,
                outcome,
            };
            let phases = Phases::of(&sample, &served);
            assert_eq!(phases.sum(), ms(100), "{phases:?}");
            phases
        }
    }

    fn call() -> Call {
        Call { sent: Instant::now() }
    }

    #[test]
    fn a_streamed_answer_takes_its_time_until_the_first_token_and_from_there_to_the_last_byte() {
        let call = call();
        let phases = call.phases(ServedBy::Model, smallvec![call.attempt(2, None)], Some(60));
        let waits = Phases { local: ms(2), limit_wait: ms(3), pool_wait: ms(4), connect: ms(5), ..Phases::default() };
        assert_eq!(phases, Phases { first_token: ms(60 - 14), generation: ms(40), ..waits });
    }

    #[test]
    fn an_answer_in_one_piece_has_no_generation_of_its_own() {
        let call = call();
        let phases = call.phases(ServedBy::Gateway, smallvec![call.attempt(2, None)], None);
        assert_eq!((phases.first_token, phases.generation), (ms(86), ms(0)));
    }

    #[test]
    fn all_between_the_first_attempt_and_the_one_that_succeeded_went_into_retries() {
        let call = call();
        let refused = call.attempt(2, Some(FailureKind::Status(503)));
        let phases = call.phases(ServedBy::Model, smallvec![refused, call.attempt(50, None)], Some(80));
        assert_eq!((phases.local, phases.retries, phases.generation), (ms(2), ms(48), ms(20)));
        assert_eq!((phases.limit_wait, phases.pool_wait, phases.connect), (ms(3), ms(4), ms(5)));
    }

    #[test]
    fn a_call_that_no_route_answered_was_local_but_for_the_attempts_it_made() {
        let call = call();
        for by in [ServedBy::Local, ServedBy::Redis, ServedBy::Shared] {
            assert_eq!(call.phases(by, smallvec![], None).local, ms(100));
        }
        let refused = call.attempt(2, Some(FailureKind::Status(429)));
        let phases = call.phases(ServedBy::Redis, smallvec![refused], None);
        assert_eq!((phases.local, phases.retries), (ms(2), ms(98)));
    }

    #[test]
    fn times_that_overlap_still_add_up() {
        let call = call();
        let phases = call.phases(ServedBy::Model, smallvec![call.attempt(95, None)], Some(97));
        assert_eq!((phases.local, phases.limit_wait, phases.pool_wait), (ms(95), ms(3), ms(2)));
    }
}

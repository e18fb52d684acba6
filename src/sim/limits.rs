//! The provider's limits: concurrency, requests and tokens a minute, as token buckets refilled continuously.
//! Must not know HTTP; the clock comes in from outside.

use std::time::{Duration, Instant};

use crate::profile::Simulated;

/// The state of one route's limits.
pub(super) struct Limits {
    in_progress: u32,
    requests: Bucket,
    tokens: Bucket,
}

/// Where a request leaves the limits that are set.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    pub(super) requests: Option<Level>,
    pub(super) tokens: Option<Level>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) limit: u64,
    pub(super) remaining: u64,
    /// Until the bucket is full again.
    pub(super) reset: Duration,
}

/// Why a request was refused, and when to come again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Excess {
    pub(super) of: Limit,
    pub(super) limit: u64,
    pub(super) used: u64,
    pub(super) retry_after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Concurrency,
    Requests,
    Tokens,
}

/// Nothing tells when another request will end, so a client over the concurrency limit is asked to wait this long.
const CONCURRENCY_RETRY: Duration = Duration::from_secs(1);

impl Limits {
    pub(super) fn new(now: Instant) -> Self {
        Self { in_progress: 0, requests: Bucket::new(now), tokens: Bucket::new(now) }
    }

    /// Admits a request of so many tokens, input and output, or refuses it. An admitted one must be
    /// [released](Self::release).
    pub(super) fn admit(&mut self, spec: &Simulated, tokens: u64, now: Instant) -> Result<(), Excess> {
        self.requests.refill(f64::from(spec.requests_per_minute), now);
        self.tokens.refill(spec.tokens_per_minute as f64, now);
        if spec.concurrency_limit > 0 && self.in_progress >= spec.concurrency_limit {
            let limit = u64::from(spec.concurrency_limit);
            let used = u64::from(self.in_progress);
            return Err(Excess { of: Limit::Concurrency, limit, used, retry_after: CONCURRENCY_RETRY });
        }
        if spec.requests_per_minute > 0 {
            self.requests.check(1.0).map_err(|wait| self.requests.excess(Limit::Requests, wait))?;
        }
        if spec.tokens_per_minute > 0 {
            self.tokens.check(tokens as f64).map_err(|wait| self.tokens.excess(Limit::Tokens, wait))?;
            self.tokens.level -= tokens as f64;
        }
        if spec.requests_per_minute > 0 {
            self.requests.level -= 1.0;
        }
        self.in_progress += 1;
        Ok(())
    }

    pub(super) fn release(&mut self) {
        self.in_progress -= 1;
    }

    pub(super) fn standing(&self, spec: &Simulated) -> Standing {
        Standing {
            requests: (spec.requests_per_minute > 0).then(|| self.requests.level()),
            tokens: (spec.tokens_per_minute > 0).then(|| self.tokens.level()),
        }
    }
}

/// Holds a minute's worth, and fills by it in a minute.
struct Bucket {
    capacity: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    fn new(now: Instant) -> Self {
        Self { capacity: 0.0, level: 0.0, at: now }
    }

    /// A changed limit keeps what is used up: the level moves with the capacity.
    fn refill(&mut self, per_minute: f64, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.level += per_minute - self.capacity;
        self.capacity = per_minute;
        self.level = (self.level + elapsed * per_minute / 60.0).clamp(0.0, per_minute);
    }

    /// The time until `need` is there, if it is not. More than the bucket ever holds waits for a full one.
    fn check(&self, need: f64) -> Result<(), Duration> {
        if self.level >= need {
            return Ok(());
        }
        let missing = need - self.level;
        Err(Duration::from_secs_f64(missing * 60.0 / self.capacity))
    }

    fn level(&self) -> Level {
        Level {
            limit: self.capacity as u64,
            remaining: self.level as u64,
            reset: Duration::from_secs_f64((self.capacity - self.level) * 60.0 / self.capacity),
        }
    }

    fn excess(&self, of: Limit, retry_after: Duration) -> Excess {
        let limit = self.capacity as u64;
        Excess { of, limit, used: limit - self.level as u64, retry_after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(set: impl FnOnce(&mut Simulated)) -> Simulated {
        let mut spec = Simulated::preset("local").unwrap();
        set(&mut spec);
        spec
    }

    #[test]
    fn requests_a_minute_are_admitted_at_once_and_then_as_the_bucket_refills() {
        let spec = spec(|s| s.requests_per_minute = 60);
        let start = Instant::now();
        let mut limits = Limits::new(start);
        assert_eq!((0..100).filter(|_| limits.admit(&spec, 1, start).is_ok()).count(), 60);
        let refused = limits.admit(&spec, 1, start + Duration::from_millis(250)).unwrap_err();
        assert_eq!((refused.of, refused.limit, refused.used), (Limit::Requests, 60, 60));
        assert_eq!(refused.retry_after.as_millis(), 750);
        assert!(limits.admit(&spec, 1, start + Duration::from_millis(1001)).is_ok());
    }

    #[test]
    fn a_request_refused_for_its_tokens_takes_no_request_from_the_other_bucket() {
        let spec = spec(|s| (s.requests_per_minute, s.tokens_per_minute) = (10, 600));
        let now = Instant::now();
        let mut limits = Limits::new(now);
        limits.admit(&spec, 500, now).unwrap();
        let refused = limits.admit(&spec, 200, now).unwrap_err();
        assert_eq!((refused.of, refused.retry_after), (Limit::Tokens, Duration::from_secs(10)));
        let standing = limits.standing(&spec);
        assert_eq!(standing.requests.unwrap().remaining, 9);
        assert_eq!(standing.tokens.unwrap().remaining, 100);
        assert_eq!(standing.tokens.unwrap().reset, Duration::from_secs(50));
    }

    #[test]
    fn a_released_request_makes_room_under_the_concurrency_limit() {
        let spec = spec(|s| s.concurrency_limit = 2);
        let now = Instant::now();
        let mut limits = Limits::new(now);
        limits.admit(&spec, 1, now).unwrap();
        limits.admit(&spec, 1, now).unwrap();
        assert_eq!(limits.admit(&spec, 1, now).unwrap_err().of, Limit::Concurrency);
        limits.release();
        limits.admit(&spec, 1, now).unwrap();
    }
}

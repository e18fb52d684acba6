//! Whether a failed attempt is tried again on the same lane, and after what pause: a plain function of the settings,
//! the failure, the time left and the rng, so that it runs in virtual time too.
//! Must not know how to sleep, or what the next hop is (`fallback`).

use std::time::Duration;

use rand::{Rng, RngExt};

use crate::profile::{Jitter, Retry, Trigger};
use crate::route::{Failure, FailureKind};

/// What follows a failed attempt on its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryDecision {
    /// Once more, after this pause.
    Retry { delay: Duration },
    /// No more on this lane: the next hop, or the call has failed.
    Stop,
}

/// Failures of the request itself: the same request fails everywhere and always.
const FINAL: [u16; 4] = [400, 401, 403, 404];

/// Decides after the `attempt`-th attempt (from 1) of a lane failed, with `remaining` time until the call's deadline.
///
/// The pause is the jittered exponential delay, but at least what Retry-After asks (where it is respected). A
/// Retry-After beyond `max`, and a pause that leaves no time for an attempt, stop at once.
pub fn after_failure(
    retry: &Retry,
    attempt: u32,
    failure: &Failure,
    remaining: Duration,
    rng: &mut impl Rng,
) -> RetryDecision {
    if attempt >= retry.attempts || failure.permanent || !is_listed(&retry.on, failure.kind) {
        return RetryDecision::Stop;
    }
    let asked = failure.retry_after.filter(|_| retry.respect_retry_after).unwrap_or_default();
    if asked > retry.max {
        return RetryDecision::Stop;
    }
    let delay = asked.max(jittered(exponential(retry, attempt), retry.jitter, rng));
    if delay < remaining { RetryDecision::Retry { delay } } else { RetryDecision::Stop }
}

/// Whether a list of triggers names this failure. A request that is wrong in itself is never named, and neither is a
/// shortage of our own (pool), for which there is no trigger.
pub(super) fn is_listed(triggers: &[Trigger], kind: FailureKind) -> bool {
    let trigger = match kind {
        FailureKind::Status(code) if FINAL.contains(&code) => return false,
        FailureKind::Status(code) => Trigger::Status(code),
        FailureKind::Connect => Trigger::Connect,
        FailureKind::Timeout => Trigger::Timeout,
        FailureKind::Stream => Trigger::Stream,
        FailureKind::Pool | FailureKind::Other => return false,
    };
    triggers.contains(&trigger)
}

/// `min(max, base * factor^(attempt - 1))`.
fn exponential(retry: &Retry, attempt: u32) -> Duration {
    // An infinite power would make 0 * inf = NaN out of a base of zero.
    let growth = retry.factor.powf(f64::from(attempt.saturating_sub(1))).min(f64::MAX);
    let seconds = retry.base.as_secs_f64() * growth;
    Duration::try_from_secs_f64(seconds).map_or(retry.max, |delay| delay.min(retry.max))
}

fn jittered(delay: Duration, jitter: Jitter, rng: &mut impl Rng) -> Duration {
    match jitter {
        Jitter::Full => delay.mul_f64(rng.random()),
        Jitter::Equal => delay / 2 + (delay / 2).mul_f64(rng.random()),
        Jitter::Quarter => delay - (delay / 4).mul_f64(rng.random()),
        Jitter::None => delay,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    const AMPLE: Duration = Duration::from_secs(3600);

    fn failed(kind: FailureKind) -> Failure {
        Failure { kind, retry_after: None, permanent: false, billed: None, detail: String::new() }
    }

    fn asking(wait: Duration) -> Failure {
        Failure { retry_after: Some(wait), ..failed(FailureKind::Status(429)) }
    }

    fn plain() -> Retry {
        Retry { jitter: Jitter::None, ..Retry::default() }
    }

    fn decide(retry: &Retry, attempt: u32, failure: &Failure, remaining: Duration) -> RetryDecision {
        after_failure(retry, attempt, failure, remaining, &mut SmallRng::seed_from_u64(7))
    }

    fn delay(retry: &Retry, attempt: u32, failure: &Failure) -> Option<Duration> {
        match decide(retry, attempt, failure, AMPLE) {
            RetryDecision::Retry { delay } => Some(delay),
            RetryDecision::Stop => None,
        }
    }

    #[test]
    fn delays_grow_by_the_factor_up_to_the_maximum_and_none_follows_the_last_attempt() {
        let retry = Retry { attempts: 8, ..plain() };
        let delays: Vec<_> = (1..=8).map(|n| delay(&retry, n, &failed(FailureKind::Status(503)))).collect();
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(delays, [ms(500), ms(1000), ms(2000), ms(4000), ms(8000), ms(8000), ms(8000), None]);
    }

    #[test]
    fn a_single_attempt_is_never_retried() {
        for attempts in [0, 1] {
            assert_eq!(delay(&Retry { attempts, ..plain() }, 1, &failed(FailureKind::Timeout)), None);
        }
    }

    #[test]
    fn only_listed_failures_are_retried() {
        let retry = plain();
        for kind in [FailureKind::Status(429), FailureKind::Status(500), FailureKind::Connect, FailureKind::Timeout] {
            assert!(delay(&retry, 1, &failed(kind)).is_some(), "{kind:?}");
        }
        for kind in [FailureKind::Status(529), FailureKind::Stream, FailureKind::Pool, FailureKind::Other] {
            assert_eq!(delay(&retry, 1, &failed(kind)), None, "{kind:?}");
        }
    }

    #[test]
    fn a_wrong_request_is_not_retried_even_if_listed() {
        let retry = Retry { on: FINAL.map(Trigger::Status).into(), ..plain() };
        for code in FINAL {
            assert_eq!(delay(&retry, 1, &failed(FailureKind::Status(code))), None, "{code}");
        }
    }

    #[test]
    fn an_exhausted_quota_is_not_retried_though_it_is_a_429() {
        let quota = Failure { permanent: true, ..failed(FailureKind::Status(429)) };
        assert_eq!(delay(&plain(), 1, &quota), None);
    }

    #[test]
    fn retry_after_is_the_least_wait_and_the_backoff_wins_where_longer() {
        assert_eq!(delay(&plain(), 1, &asking(Duration::from_secs(3))), Some(Duration::from_secs(3)));
        assert_eq!(delay(&plain(), 2, &asking(Duration::from_millis(10))), Some(Duration::from_secs(1)));
        assert_eq!(delay(&plain(), 1, &asking(Duration::ZERO)), Some(Duration::from_millis(500)));
    }

    #[test]
    fn a_retry_after_beyond_max_stops_at_once_and_one_of_exactly_max_does_not() {
        assert_eq!(delay(&plain(), 1, &asking(Duration::from_secs(8))), Some(Duration::from_secs(8)));
        assert_eq!(delay(&plain(), 1, &asking(Duration::from_millis(8001))), None);
    }

    #[test]
    fn an_ignored_retry_after_changes_nothing() {
        let retry = Retry { respect_retry_after: false, ..plain() };
        assert_eq!(delay(&retry, 1, &asking(Duration::from_secs(60))), Some(Duration::from_millis(500)));
    }

    #[test]
    fn a_pause_that_reaches_the_deadline_stops() {
        let failure = failed(FailureKind::Status(503));
        let (pause, more) = (Duration::from_millis(500), Duration::from_millis(501));
        assert_eq!(decide(&plain(), 1, &failure, pause), RetryDecision::Stop);
        assert_eq!(decide(&plain(), 1, &failure, more), RetryDecision::Retry { delay: pause });
        assert_eq!(decide(&plain(), 1, &failure, Duration::ZERO), RetryDecision::Stop);
    }

    #[test]
    fn a_base_of_zero_retries_at_once_however_steep_the_factor() {
        let retry = Retry { attempts: u32::MAX, base: Duration::ZERO, factor: 1e300, ..plain() };
        assert_eq!(delay(&retry, 1_000_000, &failed(FailureKind::Connect)), Some(Duration::ZERO));
    }

    #[test]
    fn jitter_spreads_the_delay_over_its_whole_range() {
        let mut rng = SmallRng::seed_from_u64(7);
        let whole = Duration::from_secs(1);
        let mut spread = |jitter| {
            let draws: Vec<_> = (0..2000).map(|_| jittered(whole, jitter, &mut rng).as_secs_f64()).collect();
            let mean = draws.iter().sum::<f64>() / draws.len() as f64;
            (draws.iter().copied().fold(1.0, f64::min), mean, draws.iter().copied().fold(0.0, f64::max))
        };
        let (least, mean, most) = spread(Jitter::Full);
        assert!(least < 0.02 && (0.47..0.53).contains(&mean) && most > 0.98, "{least} {mean} {most}");
        let (least, mean, most) = spread(Jitter::Equal);
        assert!((0.5..0.51).contains(&least) && (0.73..0.77).contains(&mean) && most > 0.99, "{least} {mean} {most}");
        let (least, mean, most) = spread(Jitter::Quarter);
        assert!((0.75..0.755).contains(&least) && (0.86..0.89).contains(&mean) && most > 0.99, "{least} {mean} {most}");
    }

    proptest! {
        #[test]
        fn whatever_the_settings_a_retry_fits_its_bounds(
            attempts in 0u32..12, attempt in 1u32..14, base_ms in 0u64..100_000, factor in 0.0f64..1e12,
            max_ms in 0u64..100_000, jitter in prop::sample::select(vec![Jitter::Full, Jitter::Equal, Jitter::Quarter, Jitter::None]),
            retry_after_ms in prop::option::of(0u64..200_000), respect_retry_after: bool, remaining_ms in 0u64..200_000,
            seed: u64,
        ) {
            let max = Duration::from_millis(max_ms);
            let base = Duration::from_millis(base_ms);
            let retry = Retry { attempts, base, factor, max, jitter, respect_retry_after, ..Retry::default() };
            let retry_after = retry_after_ms.map(Duration::from_millis);
            let failure = Failure { retry_after, ..failed(FailureKind::Status(429)) };
            let remaining = Duration::from_millis(remaining_ms);
            let decide = || after_failure(&retry, attempt, &failure, remaining, &mut SmallRng::seed_from_u64(seed));
            if let RetryDecision::Retry { delay } = decide() {
                prop_assert!(attempt < attempts && delay <= max && delay < remaining);
                prop_assert!(!respect_retry_after || delay >= retry_after.unwrap_or_default());
            }
            prop_assert_eq!(decide(), decide(), "the same rng gives the same decision");
        }
    }
}

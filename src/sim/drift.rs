//! A network that is now better and now worse: round trips and first tokens wander around what they are set to.
//! Must not know what is delayed. A pure function of time, so that every route of this process drifts alike: arms that
//! are compared meet the same network at the same moment, as they would outside.

use std::f64::consts::{E, SQRT_2, TAU};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::profile::Drift;

/// When this process had its first simulated route.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Waves whose lengths have no common multiple, so that their sum never repeats: how many go into a period, how high
/// each is, and where it begins.
const WAVES: [(f64, f64, f64); 3] = [(1.0, 0.5, 0.0), (SQRT_2, 0.3, 1.3), (1.0 / E, 0.2, 4.1)];

/// What a delay is multiplied by, so long after the start: within `1 - share` and `1 + share`.
fn factor(share: f64, period: Duration, at: Duration) -> f64 {
    let periods = at.as_secs_f64() / period.as_secs_f64();
    let swing: f64 = WAVES.iter().map(|(speed, height, phase)| height * (TAU * speed * periods + phase).sin()).sum();
    1.0 + share * swing
}

/// The drift of a route, which may change while it serves; it is asked for every piece of bytes, so without a lock.
#[derive(Default)]
pub(super) struct Swing {
    /// Bits of an f64; 0.0: none.
    share: AtomicU64,
    period_ns: AtomicU64,
}

impl Swing {
    pub(super) fn set(&self, drift: Option<Drift>) {
        LazyLock::force(&START);
        let share = drift.map_or(0.0, |drift| drift.share.0);
        let period = drift.map_or(Duration::ZERO, |drift| drift.period);
        self.period_ns.store(u64::try_from(period.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.share.store(share.to_bits(), Ordering::Relaxed);
    }

    /// `delay` as it is now.
    pub(super) fn applied(&self, delay: Duration) -> Duration {
        let share = f64::from_bits(self.share.load(Ordering::Relaxed));
        let period = Duration::from_nanos(self.period_ns.load(Ordering::Relaxed));
        if share == 0.0 || period.is_zero() {
            return delay;
        }
        delay.mul_f64(factor(share, period, START.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::profile::{Percent, Simulated, Spread};
    use crate::sim::provider::Provider;

    const PERIOD: Duration = Duration::from_secs(30);

    /// Of ten minutes, by the second.
    fn ten_minutes() -> impl Iterator<Item = f64> {
        (0..600).map(|s| factor(0.2, PERIOD, Duration::from_secs(s)))
    }

    #[test]
    fn a_delay_wanders_within_its_share_and_uses_most_of_it() {
        let (low, high) = ten_minutes().fold((f64::MAX, 0.0_f64), |(low, high), f| (low.min(f), high.max(f)));
        assert!((0.8..0.83).contains(&low) && (1.17..=1.2).contains(&high), "{low} to {high}");
        let mean = ten_minutes().sum::<f64>() / 600.0;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
    }

    #[test]
    fn it_wanders_slowly_and_is_another_after_half_a_period() {
        let seconds: Vec<f64> = ten_minutes().collect();
        let steps = seconds.windows(2).map(|two| (two[1] - two[0]).abs());
        assert!(steps.fold(0.0, f64::max) < 0.05, "a second is a thirtieth of the period");
        let halves = seconds.iter().zip(&seconds[15..]).map(|(now, then)| (then - now).abs());
        assert!(halves.sum::<f64>() / 585.0 > 0.1, "no plateau");
    }

    #[test]
    fn it_never_repeats() {
        let near =
            |at: u64| (factor(0.2, PERIOD, PERIOD * at as u32) - factor(0.2, PERIOD, Duration::ZERO)).abs() < 0.002;
        assert!((1..8).all(|periods| !near(periods)));
    }

    /// With an hour from high to high, what a test takes is a moment.
    #[test]
    fn round_trips_and_first_tokens_of_all_routes_drift_alike() {
        let mut spec = Simulated::preset("local").unwrap();
        (spec.rtt, spec.ttft) = (PERIOD, Spread::Fixed(PERIOD));
        spec.drift = Some(Drift { share: Percent(0.2), period: Duration::from_secs(3600) });
        let routes = [1, 2].map(|seed| Provider::new("route", spec.clone(), seed));
        let of = |route: &Arc<Provider>| {
            let draw = route.draw(&spec, &route.weather(&spec, "m"));
            [route.distance.rtt(), draw.ttft].map(|delay| delay.as_secs_f64() / PERIOD.as_secs_f64())
        };
        let all: Vec<f64> = routes.iter().flat_map(of).collect();
        assert!(all.iter().all(|now| (1.01..1.2).contains(now) && (now - all[0]).abs() < 0.01), "{all:?}");
        routes[0].set(Simulated { drift: None, ..spec });
        assert_eq!(routes[0].distance.rtt(), PERIOD);
    }

    #[test]
    fn without_a_drift_a_delay_stays_what_it_is() {
        let swing = Swing::default();
        swing.set(None);
        assert_eq!(swing.applied(PERIOD), PERIOD);
    }
}

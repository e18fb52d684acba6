//! How far another arm's figure is from the first one's, over rounds.

use thiserror::Error;

use super::round::Round;
use super::signed_rank::{Interval, SignedRank};
use crate::profile::expect::{Unit, unit_of};

/// How a metric's values are held against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Latencies, rates a second, money: one is so much slower in proportion. Noise and drift multiply, so the logarithms
    /// are what differs by rounds.
    Ratio,
    /// Shares, counts and waits, which may well be zero: one is so much higher, in the metric's unit.
    Additive,
}

/// What another arm changes in a metric, as rounds show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    pub scale: Scale,
    /// The first arm's level, in the metric's unit: the median over its rounds.
    pub first: f64,
    /// The other's. Of a ratio it is the first one's at the change, without the drift that both arms had; else the median
    /// over its own rounds, since a difference added to next to nothing would say 99.9% of what is all, or be below zero.
    pub other: f64,
    /// By `scale`: other / first - 1, or other - first in the metric's unit.
    pub change: f64,
    /// Of the change, at `CONFIDENCE`. `None` with fewer than `LEAST_ROUNDS`.
    pub interval: Option<Interval>,
    pub rounds: usize,
}

#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum EffectError {
    #[error("there is no whole round yet; a round is two blocks of each arm")]
    NoRound,
    #[error("round {round} has a block with {value}; a ratio needs values above 0")]
    NotPositive { round: usize, value: f64 },
    #[error("round {round} has a block with {value}, which is no number; leave the round out")]
    NotFinite { round: usize, value: f64 },
}

impl Scale {
    /// `None` where there is no such metric.
    pub fn of(metric: &str) -> Option<Self> {
        const MAY_BE_ZERO: [&str; 6] = ["cache_errors.", "load.", "cost.saved", "pool_wait.", "limit_wait.", "lag."];
        let is_zero_at_times = MAY_BE_ZERO.iter().any(|prefix| metric.starts_with(prefix));
        let unit = unit_of(metric)?;
        Some(if unit == Unit::Ratio || is_zero_at_times { Self::Additive } else { Self::Ratio })
    }

    /// A block's value on the scale on which arms differ by a difference.
    fn taken(self, value: f64) -> f64 {
        match self {
            Self::Ratio => value.ln(),
            Self::Additive => value,
        }
    }

    fn level(self, taken: f64) -> f64 {
        match self {
            Self::Ratio => taken.exp(),
            Self::Additive => taken,
        }
    }

    fn change(self, taken: f64) -> f64 {
        match self {
            Self::Ratio => taken.exp_m1(),
            Self::Additive => taken,
        }
    }
}

impl Effect {
    /// Each round gives one difference, of the means of its two blocks (of logarithms, for a ratio).
    pub fn of(rounds: &[Round], scale: Scale) -> Result<Self, EffectError> {
        (1..).zip(rounds).try_for_each(|(number, round)| checked(round, number, scale))?;
        let mean = |blocks: [f64; 2]| f64::midpoint(scale.taken(blocks[0]), scale.taken(blocks[1]));
        let differences: Vec<f64> = rounds.iter().map(|round| mean(round.other) - mean(round.first)).collect();
        let ranks = SignedRank::of(&differences).ok_or(EffectError::NoRound)?;
        let level = |blocks: fn(&Round) -> [f64; 2]| {
            scale.level(median(rounds.iter().map(|round| mean(blocks(round))).collect()))
        };
        let (first, change) = (level(|round| round.first), scale.change(ranks.middle()));
        let other = match scale {
            Scale::Ratio => first * (1.0 + change),
            Scale::Additive => level(|round| round.other),
        };
        Ok(Self {
            scale,
            first,
            other,
            change,
            interval: ranks.interval().map(|interval| interval.map(|taken| scale.change(taken))),
            rounds: rounds.len(),
        })
    }

    /// other / first; what may be zero has none.
    pub fn ratio(&self) -> Option<f64> {
        (self.scale == Scale::Ratio).then_some(1.0 + self.change)
    }

    /// other - first in the metric's unit: the change at the first arm's level.
    pub fn difference(&self) -> f64 {
        self.at_level(self.change)
    }

    pub fn difference_interval(&self) -> Option<Interval> {
        self.interval.map(|interval| interval.map(|change| self.at_level(change)))
    }

    fn at_level(&self, change: f64) -> f64 {
        match self.scale {
            Scale::Ratio => self.first * change,
            Scale::Additive => change,
        }
    }
}

fn checked(round: &Round, number: usize, scale: Scale) -> Result<(), EffectError> {
    for value in round.first.into_iter().chain(round.other) {
        if !value.is_finite() {
            return Err(EffectError::NotFinite { round: number, value });
        }
        if scale == Scale::Ratio && value <= 0.0 {
            return Err(EffectError::NotPositive { round: number, value });
        }
    }
    Ok(())
}

/// Of one value or more.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::expect::metrics;

    /// 12 blocks an arm, a little apart from each other.
    fn rounds(first: f64, other: f64) -> Vec<Round> {
        (0..6)
            .map(|i| f64::from(i).mul_add(0.001, 1.0))
            .map(|by| Round { first: [first; 2], other: [other * by; 2] })
            .collect()
    }

    #[test]
    fn a_steady_drift_changes_no_ratio() {
        let growing = |at: i32| 1.03_f64.powi(at);
        let rounds: Vec<_> = (0..6)
            .map(|round| [0, 1, 2, 3].map(|block| growing(4 * round + block)))
            .map(|by| Round { first: [40.0 * by[0], 40.0 * by[3]], other: [50.0 * by[1], 50.0 * by[2]] })
            .collect();
        let effect = Effect::of(&rounds, Scale::Ratio).unwrap();
        assert!((effect.ratio().unwrap() - 1.25).abs() < 1e-12, "{effect:?}");
        assert!(effect.interval.unwrap().width() < 1e-12, "{effect:?}");
    }

    #[test]
    fn latencies_differ_by_a_ratio_at_the_first_arms_level() {
        let effect = Effect::of(&rounds(312.0, 38.0), Scale::Ratio).unwrap();
        let ratio = effect.ratio().unwrap();
        assert!((ratio / (38.0 * 1.0025 / 312.0) - 1.0).abs() < 1e-5, "{ratio}");
        assert!((effect.difference() - 312.0 * (ratio - 1.0)).abs() < 1e-9);
        assert!((effect.first - 312.0).abs() < 1e-9 && (effect.other - 312.0 * ratio).abs() < 1e-9);
        let interval = effect.difference_interval().unwrap();
        assert!(interval.low < effect.difference() && effect.difference() < interval.high, "{interval:?}");
    }

    #[test]
    fn shares_differ_by_points_and_may_be_zero() {
        let rounds = [Round { first: [0.0, 0.0], other: [0.25, 0.75] }; 6];
        let effect = Effect::of(&rounds, Scale::Additive).unwrap();
        assert_eq!((effect.first, effect.difference(), effect.other, effect.ratio()), (0.0, 0.5, 0.5, None));
        let refused = Effect::of(&rounds, Scale::Ratio).unwrap_err();
        assert_eq!(refused, EffectError::NotPositive { round: 1, value: 0.0 });
    }

    #[test]
    fn no_share_is_said_to_be_another_than_was_measured() {
        let errors = [0.0, 0.0, 0.0, 0.06, 0.06, 0.06, 0.06].map(|first| Round { first: [first; 2], other: [0.0; 2] });
        let effect = Effect::of(&errors, Scale::Additive).unwrap();
        assert!(effect.difference() < 0.0 && effect.other == 0.0, "{effect:?}");
        let hits = [0.1, 0.2, 0.19, 0.24].map(|first| Round { first: [first; 2], other: [1.0; 2] });
        assert_eq!(Effect::of(&hits, Scale::Additive).unwrap().other, 1.0);
    }

    #[test]
    fn fewer_than_six_rounds_have_an_effect_but_no_interval() {
        assert_eq!(Effect::of(&[], Scale::Additive), Err(EffectError::NoRound));
        assert_eq!(Effect::of(&rounds(1.0, 2.0)[..5], Scale::Ratio).unwrap().interval, None);
    }

    #[test]
    fn a_block_without_a_figure_names_its_round() {
        let mut rounds = rounds(1.0, 2.0);
        rounds[3].other[1] = f64::INFINITY;
        let refused = Effect::of(&rounds, Scale::Additive).unwrap_err();
        assert_eq!(refused, EffectError::NotFinite { round: 4, value: f64::INFINITY });
    }

    #[test]
    fn every_metric_has_a_scale() {
        assert!(metrics().iter().all(|metric| Scale::of(metric).is_some()));
        for additive in
            ["hit_rate.redis", "errors.429", "load.failed", "cache_errors.redis", "cost.saved", "pool_wait.p50"]
        {
            assert_eq!(Scale::of(additive), Some(Scale::Additive), "{additive}");
        }
        for ratio in ["response.p99", "service.local.p50", "qps", "goodput", "cost.cny_per_1k"] {
            assert_eq!(Scale::of(ratio), Some(Scale::Ratio), "{ratio}");
        }
        assert_eq!(Scale::of("hitrate"), None);
    }
}

//! How far two runs are apart that were made at different times, by the figures of their blocks.
//!
//! Where blocks of the same number cover the same part of the same plan they are pairs, and what the plan does to both
//! (a cache that fills, a ramp, a fault) cancels. Else the runs are two samples. Blocks of one run follow each other and
//! are alike, which makes them say less than as many independent ones: the interval is widened for it. What no interval
//! can hold is a level that moved *between* the runs; from inside them it looks like an effect. That is what arms that
//! take turns are for.
//! Source: Hollander, Wolfe & Chicken, Nonparametric Statistical Methods (3rd ed., 2014), sections 3.1 to 3.3, 4.1 to 4.3.

use thiserror::Error;

use super::effect::Scale;
use super::rank_sum::RankSum;
use super::serial::Inflation;
use super::signed_rank::{Interval, NORMAL_QUANTILE, SignedRank};

/// Fewer blocks of a run say too little of how alike they are.
pub const LEAST_BLOCKS: usize = 8;

/// What a run's figure changed by against an earlier one's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    pub scale: Scale,
    /// By `scale`: other / first - 1, or other - first in the metric's unit.
    pub change: f64,
    /// Of the change, at `CONFIDENCE`.
    pub interval: Interval,
}

#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum ShiftError {
    #[error("{blocks} blocks with a figure are too few; {LEAST_BLOCKS} are needed of each run")]
    TooFew { blocks: usize },
    #[error("a block has {0}, which is no number")]
    NotFinite(f64),
    #[error("the first run's figure is 0, of which there is no ratio")]
    NoRatio,
}

impl Shift {
    /// Of pairs of blocks in their order, first and other: by each pair's difference. Ratios differ by the median of the
    /// differences' Walsh averages, shares and waits by their mean, for the reasons that [`Shift::of`] has.
    pub fn of_pairs(pairs: &[(f64, f64)], scale: Scale) -> Result<Self, ShiftError> {
        let (first, other): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        checked(&first)?;
        checked(&other)?;
        let is_positive = first.iter().chain(&other).all(|value| *value > 0.0);
        let differences =
            |taken: fn(f64) -> f64| first.iter().zip(&other).map(move |(one, two)| taken(*two) - taken(*one));
        match scale {
            Scale::Ratio if is_positive => Ok(Self::of_logarithms(&differences(f64::ln).collect::<Vec<_>>())),
            Scale::Ratio => {
                Self::of_mean(&differences(|value| value).collect::<Vec<_>>()).in_proportion_to(mean(&first))
            }
            Scale::Additive => Ok(Self::of_mean(&differences(|value| value).collect::<Vec<_>>())),
        }
    }

    /// Of pairs.
    fn of_logarithms(differences: &[f64]) -> Self {
        let ranks = SignedRank::of(differences).expect("there are finite ones");
        let interval = ranks.interval().expect("there are as many as it takes");
        Self::by_ratio(ranks.middle(), interval, Inflation::of(&[differences]))
    }

    /// Of pairs.
    fn of_mean(differences: &[f64]) -> Self {
        let reach = NORMAL_QUANTILE * variance_of_mean(differences).sqrt() * Inflation::of(&[differences]).of_width();
        let change = mean(differences);
        Self { scale: Scale::Additive, change, interval: Interval { low: change - reach, high: change + reach } }
    }

    /// Of two samples: `first` and `other` are the figures of each run's blocks in their order.
    ///
    /// Ratios differ by the median of all pairs' differences (Hodges-Lehmann, of logarithms), which a few odd blocks do
    /// not move. Shares and waits differ by their means: errors that come in a few blocks of many would be odd blocks.
    pub fn of(first: &[f64], other: &[f64], scale: Scale) -> Result<Self, ShiftError> {
        checked(first)?;
        checked(other)?;
        if first.iter().chain(other).all(|value| *value == first[0]) {
            return Ok(Self { scale, change: 0.0, interval: Interval { low: 0.0, high: 0.0 } });
        }
        let inflation = Inflation::of(&[first, other]);
        let is_positive = first.iter().chain(other).all(|value| *value > 0.0);
        match scale {
            Scale::Additive => Ok(Self::of_means(first, other, inflation)),
            Scale::Ratio if is_positive => Ok(Self::of_ratios(first, other, inflation)),
            Scale::Ratio => Self::of_means(first, other, inflation).in_proportion_to(mean(first)),
        }
    }

    fn of_ratios(first: &[f64], other: &[f64], inflation: Inflation) -> Self {
        let logarithms = |values: &[f64]| values.iter().map(|value| value.ln()).collect::<Vec<_>>();
        let ranks = RankSum::of(&logarithms(first), &logarithms(other));
        Self::by_ratio(ranks.middle(), ranks.interval(), inflation)
    }

    /// From logarithms. Where neighbours are much alike it may reach beyond all differences that were seen: these are of one
    /// stay of a level that wanders.
    fn by_ratio(middle: f64, interval: Interval, inflation: Inflation) -> Self {
        let interval = interval.map(|end| middle + (end - middle) * inflation.of_width());
        Self { scale: Scale::Ratio, change: middle.exp_m1(), interval: interval.map(f64::exp_m1) }
    }

    fn of_means(first: &[f64], other: &[f64], inflation: Inflation) -> Self {
        let change = mean(other) - mean(first);
        let deviation = (variance_of_mean(first) + variance_of_mean(other)).sqrt();
        let reach = NORMAL_QUANTILE * deviation * inflation.of_width();
        let interval = Interval { low: change - reach, high: change + reach };
        Self { scale: Scale::Additive, change, interval }
    }

    /// A ratio of figures of which some are 0, which have no logarithm: the means' difference at the first run's level. No
    /// figure is below 0, so that none falls by more than all of it.
    fn in_proportion_to(self, level: f64) -> Result<Self, ShiftError> {
        match self {
            Self { change: 0.0, interval: Interval { low: 0.0, high: 0.0 }, .. } => {
                Ok(Self { scale: Scale::Ratio, ..self })
            }
            _ if level <= 0.0 => Err(ShiftError::NoRatio),
            Self { change, interval, .. } => {
                let interval = interval.map(|end| (end / level).max(-1.0));
                Ok(Self { scale: Scale::Ratio, change: change / level, interval })
            }
        }
    }
}

fn checked(values: &[f64]) -> Result<(), ShiftError> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(ShiftError::NotFinite(*value)),
        None if values.len() < LEAST_BLOCKS => Err(ShiftError::TooFew { blocks: values.len() }),
        None => Ok(()),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The variance of the mean, were the values independent.
fn variance_of_mean(values: &[f64]) -> f64 {
    let (n, mean) = (values.len() as f64, mean(values));
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0) / n
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten blocks within 1% of `level`, in no order.
    fn around(level: f64) -> Vec<f64> {
        [0.3, -0.8, 0.9, -0.1, 0.6, -0.5, 0.1, -0.9, 0.8, -0.4].map(|off| level * (1.0 + off / 100.0)).to_vec()
    }

    fn holds(interval: Interval, value: f64) -> bool {
        interval.low <= value && value <= interval.high
    }

    #[test]
    fn latencies_differ_by_a_ratio_that_one_odd_block_does_not_move() {
        let mut slower = around(125.0);
        slower[4] = 4000.0;
        let shift = Shift::of(&around(100.0), &slower, Scale::Ratio).unwrap();
        assert!((0.24..0.26).contains(&shift.change), "{shift:?}");
        assert!(holds(shift.interval, 0.25) && shift.interval.low > 0.2, "{shift:?}");
    }

    #[test]
    fn errors_of_a_few_blocks_are_in_a_shares_change() {
        let mut few = [0.0; 20];
        (few[3], few[9], few[15]) = (0.2, 0.1, 0.3);
        let shift = Shift::of(&[0.0; 20], &few, Scale::Additive).unwrap();
        assert!((shift.change - 0.03).abs() < 1e-12, "{shift:?}");
        assert!(holds(shift.interval, 0.0) && shift.interval.high > 0.05, "{shift:?}");
    }

    #[test]
    fn what_is_the_same_in_every_block_of_both_runs_has_not_changed() {
        for (scale, value) in [(Scale::Additive, 0.0), (Scale::Ratio, 0.0), (Scale::Ratio, 4.2)] {
            let shift = Shift::of(&[value; 8], &[value; 9], scale).unwrap();
            assert_eq!((shift.change, shift.interval), (0.0, Interval { low: 0.0, high: 0.0 }));
        }
    }

    #[test]
    fn a_block_without_throughput_is_a_part_of_the_mean() {
        let mut stalled = around(100.0);
        stalled[2] = 0.0;
        let shift = Shift::of(&around(100.0), &stalled, Scale::Ratio).unwrap();
        assert!((shift.change + 0.1).abs() < 0.01, "{shift:?}");
        assert_eq!(Shift::of(&[0.0; 8], &around(1.0), Scale::Ratio), Err(ShiftError::NoRatio));
    }

    #[test]
    fn a_level_that_wanders_slowly_may_be_beyond_every_difference_that_was_seen() {
        let climbing: Vec<_> = (0..8).map(|at| (100.0, 100.5 + 0.2 * f64::from(at))).collect();
        let shift = Shift::of_pairs(&climbing, Scale::Ratio).unwrap();
        assert!(shift.interval.low < 0.0 && shift.interval.high > 0.02, "{shift:?}");
    }

    #[test]
    fn nothing_falls_by_more_than_all_of_it() {
        let mut once = [0.0; 10];
        once[3] = 5.0;
        for shift in [
            Shift::of(&once, &[0.0; 10], Scale::Ratio).unwrap(),
            Shift::of_pairs(&once.map(|first| (first, 0.0)), Scale::Ratio).unwrap(),
        ] {
            assert_eq!((shift.change, shift.interval.low), (-1.0, -1.0));
            assert!(shift.interval.high > 0.0, "{shift:?}");
        }
    }

    #[test]
    fn blocks_that_follow_each_others_lead_say_less() {
        let in_order = |mut blocks: Vec<f64>| {
            blocks.sort_by(f64::total_cmp);
            blocks
        };
        let width = |blocks: &[f64]| Shift::of(blocks, blocks, Scale::Ratio).unwrap().interval.width();
        assert!(width(&in_order(around(100.0))) > 1.5 * width(&around(100.0)));
    }

    #[test]
    fn what_the_plan_does_to_both_runs_cancels_in_pairs_alone() {
        // A cache that fills: the level falls to a third.
        let filling = |level: f64| (0..20).map(move |at| level * 3.0_f64.powf(-f64::from(at) / 20.0));
        let (first, other): (Vec<f64>, Vec<f64>) = (filling(90.0).collect(), filling(99.0).collect());
        let pairs: Vec<_> = first.iter().copied().zip(other.iter().copied()).collect();
        let paired = Shift::of_pairs(&pairs, Scale::Ratio).unwrap();
        assert!((paired.change - 0.1).abs() < 1e-9 && paired.interval.width() < 1e-9, "{paired:?}");
        assert!(Shift::of(&first, &other, Scale::Ratio).unwrap().interval.width() > 0.3);
        let shares: Vec<_> = (0..20).map(|at| (f64::from(at) / 40.0, f64::from(at) / 40.0 + 0.02)).collect();
        let paired = Shift::of_pairs(&shares, Scale::Additive).unwrap();
        assert!((paired.change - 0.02).abs() < 1e-9 && paired.interval.width() < 1e-9, "{paired:?}");
    }

    #[test]
    fn pairs_of_equal_values_have_not_changed_and_zeros_are_taken_in_proportion() {
        for (scale, value) in [(Scale::Additive, 0.0), (Scale::Ratio, 0.0), (Scale::Ratio, 4.2)] {
            let shift = Shift::of_pairs(&[(value, value); 8], scale).unwrap();
            assert_eq!((shift.change, shift.interval), (0.0, Interval { low: 0.0, high: 0.0 }));
        }
        let mut pairs = [(10.0, 11.0); 10];
        pairs[2] = (0.0, 1.0);
        let shift = Shift::of_pairs(&pairs, Scale::Ratio).unwrap();
        assert!((shift.change - 1.0 / 9.0).abs() < 1e-9, "{shift:?}");
        assert_eq!(Shift::of_pairs(&[(0.0, 1.0); 8], Scale::Ratio), Err(ShiftError::NoRatio));
    }

    #[test]
    fn too_few_blocks_and_no_numbers_are_refused() {
        let of = |first: &[f64]| Shift::of(first, &around(1.0), Scale::Additive);
        assert_eq!(of(&[1.0; LEAST_BLOCKS - 1]), Err(ShiftError::TooFew { blocks: LEAST_BLOCKS - 1 }));
        assert_eq!(of(&[f64::INFINITY; LEAST_BLOCKS]), Err(ShiftError::NotFinite(f64::INFINITY)));
    }
}

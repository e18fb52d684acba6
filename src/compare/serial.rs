//! How much less a run's blocks say than as many independent ones would, because each is like the one before it.

use super::signed_rank::NORMAL_QUANTILE;

/// A block keeps no more of the one before it: beyond that, a run is a single sample of its level, and says nothing.
const MOST_KEPT: f64 = 0.95;

/// The variance of a mean of blocks, as a multiple of what independent ones would have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inflation {
    variance: f64,
    /// Of `reach` beyond the normal distribution's, for what so few blocks leave unknown.
    uncertainty: f64,
}

impl Inflation {
    /// Of series of the same kind, which are told apart by their order alone: what is measured is the correlation of
    /// ranks between neighbours, so that a few odd blocks do not hide it.
    pub fn of(series: &[&[f64]]) -> Self {
        let blocks: usize = series.iter().map(|values| values.len()).sum();
        let kept = series.iter().map(|values| neighbours(values) * values.len() as f64).sum::<f64>() / blocks as f64;
        // Around a mean of its own, a series of n looks less alike by about (1 + 4 r) / n (Marriott and Pope, 1954).
        let n = blocks as f64 / series.len() as f64;
        let kept = (kept + (1.0 + 4.0 * kept) / n).clamp(0.0, MOST_KEPT);
        let variance = of_first_order(kept, n);
        // One for each mean, and one for how alike they are.
        let free = (blocks as f64 / variance - series.len() as f64 - 1.0).max(1.0);
        Self { variance, uncertainty: student(free) / student(f64::INFINITY) }
    }

    /// By how much an interval for independent blocks has to be stretched.
    pub fn of_width(self) -> f64 {
        self.variance.sqrt() * self.uncertainty
    }
}

/// Correlation of ranks between each value and the next; 0 of equal values.
fn neighbours(values: &[f64]) -> f64 {
    let ranks = ranks(values);
    let middle = (ranks.len() as f64 - 1.0) / 2.0;
    let spread: f64 = ranks.iter().map(|rank| (rank - middle).powi(2)).sum();
    let shared: f64 = ranks.windows(2).map(|pair| (pair[0] - middle) * (pair[1] - middle)).sum();
    if spread > 0.0 { shared / spread } else { 0.0 }
}

/// From 0; equal values have the mean of the ranks that they take.
fn ranks(values: &[f64]) -> Vec<f64> {
    let below = |value: f64| values.iter().filter(|other| **other < value).count();
    let equal = |value: f64| values.iter().filter(|other| **other == value).count();
    values.iter().map(|value| below(*value) as f64 + (equal(*value) as f64 - 1.0) / 2.0).collect()
}

/// Of a mean of `n` values that each keep `kept` of the one before: an autoregression of first order.
fn of_first_order(kept: f64, n: f64) -> f64 {
    let lags = (1..n as usize).scan(1.0, |power, lag| {
        *power *= kept;
        Some((1.0 - lag as f64 / n) * *power)
    });
    1.0 + 2.0 * lags.sum::<f64>()
}

/// Student's quantile where the normal distribution's is `NORMAL_QUANTILE`, of `free` degrees of freedom.
/// Source: Abramowitz and Stegun, 26.7.5.
fn student(free: f64) -> f64 {
    let z = NORMAL_QUANTILE;
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / free + second / free.powi(2) + third / free.powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_the_ranks_that_they_take() {
        assert_eq!(ranks(&[5.0, 1.0, 5.0, 9.0]), [1.5, 0.0, 1.5, 3.0]);
        assert_eq!(neighbours(&[2.0; 6]), 0.0);
    }

    #[test]
    fn a_long_series_that_keeps_half_is_inflated_to_three_times_the_variance() {
        // (1 + r) / (1 - r)
        assert!((of_first_order(0.5, 10_000.0) - 3.0).abs() < 1e-3);
        assert_eq!(of_first_order(0.0, 20.0), 1.0);
    }

    #[test]
    fn students_quantiles_are_those_of_the_tables() {
        for (free, quantile) in [(5.0, 2.571), (10.0, 2.228), (30.0, 2.042), (f64::INFINITY, 1.96)] {
            assert!((student(free) - quantile).abs() < 4e-3, "{free}: {}", student(free));
        }
    }

    #[test]
    fn a_series_that_alternates_is_not_taken_to_say_more_than_an_independent_one() {
        let alternating: Vec<f64> = (0..20).map(|i| f64::from(i % 2)).collect();
        assert_eq!(Inflation::of(&[&alternating, &alternating]).variance, 1.0);
    }
}

//! The middle of a few differences and an interval for it, by signed ranks: no assumption but that they are independent
//! and spread symmetrically around it.
//! Source: Hollander, Wolfe & Chicken, Nonparametric Statistical Methods (3rd ed., 2014), sections 3.2 and 3.3.

use schemars::JsonSchema;
use serde::Serialize;

/// Share of intervals that hold the truth.
pub const CONFIDENCE: f64 = 0.95;
/// With fewer rounds even the range of all differences holds the truth less often than `CONFIDENCE`: in 1 - 2^(1-n).
pub const LEAST_ROUNDS: usize = 6;

/// The tail on either side.
pub(super) const TAIL: f64 = (1.0 - CONFIDENCE) / 2.0;
/// The standard normal distribution's quantile at `1 - TAIL`.
pub(super) const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;
/// Up to as many differences the null distribution is exact; the normal approximation's cut is beside it by one Walsh
/// average of 5,050 at most there.
const EXACT_UP_TO: usize = 100;

/// Both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    pub fn map(self, scale: impl Fn(f64) -> f64) -> Self {
        Self { low: scale(self.low), high: scale(self.high) }
    }
}

/// The Walsh averages of `n` differences: the means of all pairs, each difference paired with itself as well; ascending.
#[derive(Clone, Debug)]
pub struct SignedRank {
    walsh: Vec<f64>,
    n: usize,
}

impl SignedRank {
    /// `None` without differences, or with one that is no finite number.
    pub fn of(differences: &[f64]) -> Option<Self> {
        if differences.is_empty() || differences.iter().any(|difference| !difference.is_finite()) {
            return None;
        }
        let pairs =
            differences.iter().enumerate().flat_map(|(i, one)| differences[i..].iter().map(move |two| (one, two)));
        let mut walsh: Vec<f64> = pairs.map(|(one, two)| f64::midpoint(*one, *two)).collect();
        walsh.sort_unstable_by(f64::total_cmp);
        Some(Self { walsh, n: differences.len() })
    }

    /// The Hodges-Lehmann estimate: the median of the Walsh averages.
    pub fn middle(&self) -> f64 {
        let half = self.walsh.len() / 2;
        if self.walsh.len() % 2 == 1 { self.walsh[half] } else { f64::midpoint(self.walsh[half - 1], self.walsh[half]) }
    }

    /// Holds the truth in at least `CONFIDENCE`: the values that the signed-rank test does not refuse. `None` with fewer
    /// than `LEAST_ROUNDS` differences. Nothing is dropped for ties or zeros; they only make it hold the truth more often.
    pub fn interval(&self) -> Option<Interval> {
        let cut = if self.n <= EXACT_UP_TO { exact_cut(self.n, TAIL) } else { normal_cut(self.n) };
        let low = cut.checked_sub(1)?;
        Some(Interval { low: self.walsh[low], high: self.walsh[self.walsh.len() - cut] })
    }
}

/// The greatest `c` with P(T+ <= c - 1) <= `tail`, where T+ is the sum of a random subset of the ranks `1..=n`: the
/// interval goes from the c-th least Walsh average to the c-th greatest. 0 where there is none.
fn exact_cut(n: usize, tail: f64) -> usize {
    let most = n * (n + 1) / 2;
    let mut chance = vec![0.0; most + 1];
    chance[0] = 1.0;
    // A rank is in the subset or not, with even chances; downwards, so that no rank counts twice.
    for rank in 1..=n {
        for sum in (0..=most).rev() {
            let with = if sum >= rank { chance[sum - rank] } else { 0.0 };
            chance[sum] = f64::midpoint(chance[sum], with);
        }
    }
    let up_to = chance.iter().scan(0.0, |below, chance| {
        *below += chance;
        Some(*below)
    });
    up_to.take_while(|below| *below <= tail).count()
}

/// `exact_cut` at `TAIL` from the normal distribution with T+'s mean and variance, corrected for continuity.
fn normal_cut(n: usize) -> usize {
    let n = n as f64;
    let (mean, variance) = (n * (n + 1.0) / 4.0, n * (n + 1.0) * (2.0 * n + 1.0) / 24.0);
    (mean - 0.5 - NORMAL_QUANTILE * variance.sqrt()).floor() as usize + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_those_that_scipys_exact_test_gives() {
        // One more than the greatest T+ whose p-value is 0.025 at most, in scipy 1.17.1's
        // scipy.stats.wilcoxon(..., alternative="less", method="exact") on ranks that sum up to it.
        let cuts = [(5, 0), (6, 1), (7, 3), (8, 4), (10, 9), (12, 14), (20, 53), (30, 138), (50, 435), (100, 1956)];
        for (n, cut) in cuts {
            assert_eq!(exact_cut(n, TAIL), cut, "{n} differences");
        }
    }

    #[test]
    fn an_interval_is_what_scipys_exact_test_does_not_refuse() {
        // scipy.stats.wilcoxon(d - shift, method="exact").pvalue > 0.05 for shifts of 0.00753 to 0.03943 in steps of
        // 0.0001, and for no others; numpy's median of the Walsh averages is 0.0235.
        let d = [0.031, -0.012, 0.048, 0.022, 0.057, -0.004, 0.019, 0.036, 0.011, 0.027];
        let ranks = SignedRank::of(&d).unwrap();
        let interval = ranks.interval().unwrap();
        assert!(0.00743 < interval.low && interval.low <= 0.00753, "{interval:?}");
        assert!(0.03943 <= interval.high && interval.high < 0.03953, "{interval:?}");
        assert!((ranks.middle() - 0.0235).abs() < 1e-12, "{}", ranks.middle());
    }

    #[test]
    fn six_differences_are_the_fewest_with_an_interval() {
        let differences = [0.3, -0.1, 0.2, 0.5, 0.4, 0.1];
        assert_eq!(SignedRank::of(&differences[..LEAST_ROUNDS - 1]).unwrap().interval(), None);
        let six = SignedRank::of(&differences).unwrap().interval();
        assert_eq!(six, Some(Interval { low: -0.1, high: 0.5 }));
    }

    #[test]
    fn the_normal_approximation_is_beside_the_exact_cut_where_it_takes_over() {
        let (exact, normal) = (exact_cut(EXACT_UP_TO, TAIL), normal_cut(EXACT_UP_TO));
        assert!(exact.abs_diff(normal) <= 1, "{exact} and {normal}");
    }

    #[test]
    fn equal_differences_leave_an_interval_of_no_width() {
        let equal = SignedRank::of(&[0.0; 8]).unwrap();
        assert_eq!((equal.middle(), equal.interval()), (0.0, Some(Interval { low: 0.0, high: 0.0 })));
    }

    #[test]
    fn what_is_no_finite_number_has_no_middle() {
        assert!(SignedRank::of(&[]).is_none());
        assert!(SignedRank::of(&[0.1, f64::NAN]).is_none());
        assert!(SignedRank::of(&[0.1, f64::INFINITY]).is_none());
    }
}

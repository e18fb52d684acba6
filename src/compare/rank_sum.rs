//! The middle of all differences between two samples and an interval for it, by the ranks of their values among each
//! other (Mann and Whitney; the interval is Moses'): no assumption but that one sample is the other, shifted.
//! Source: Hollander, Wolfe & Chicken, Nonparametric Statistical Methods (3rd ed., 2014), sections 4.2 and 4.3.

use super::signed_rank::{Interval, NORMAL_QUANTILE, TAIL};

/// Up to as many values in either sample the null distribution is exact; the normal approximation's cut is beside it by
/// one difference of 256 at most there.
const EXACT_UP_TO: usize = 16;

/// The differences of all pairs, other - first, ascending; of samples of one value and more.
#[derive(Clone, Debug)]
pub struct RankSum {
    differences: Vec<f64>,
    sizes: [usize; 2],
}

impl RankSum {
    pub fn of(first: &[f64], other: &[f64]) -> Self {
        let pairs = first.iter().flat_map(|one| other.iter().map(move |two| two - one));
        let mut differences: Vec<f64> = pairs.collect();
        differences.sort_unstable_by(f64::total_cmp);
        Self { differences, sizes: [first.len(), other.len()] }
    }

    /// The Hodges-Lehmann estimate: the median of the differences.
    pub fn middle(&self) -> f64 {
        let half = self.differences.len() / 2;
        match self.differences.len() % 2 {
            1 => self.differences[half],
            _ => f64::midpoint(self.differences[half - 1], self.differences[half]),
        }
    }

    /// Holds the truth in at least `CONFIDENCE` if the values are independent. From four values each; of fewer it is the
    /// range of all differences, which holds it less often.
    pub fn interval(&self) -> Interval {
        let [first, other] = self.sizes;
        let cut = if first.max(other) <= EXACT_UP_TO { exact_cut(first, other) } else { normal_cut(first, other) };
        let low = cut.saturating_sub(1);
        Interval { low: self.differences[low], high: self.differences[self.differences.len() - 1 - low] }
    }
}

/// The greatest `c` with P(U <= c - 1) <= `TAIL`, where U counts the pairs in which the first sample's value is the
/// greater one, of samples of the same distribution: the interval goes from the c-th least difference to the c-th
/// greatest. 0 where there is none.
fn exact_cut(first: usize, other: usize) -> usize {
    let up_to = chances(first, other).into_iter().scan(0.0, |below, chance| {
        *below += chance;
        Some(*below)
    });
    up_to.take_while(|below| *below <= TAIL).count()
}

/// Of each U. The greatest value of all is one of the first sample's with the chance `i / (i + j)`, and then above all
/// `j` others.
fn chances(first: usize, other: usize) -> Vec<f64> {
    let size = first * other + 1;
    let certain = || {
        let mut none = vec![0.0; size];
        none[0] = 1.0;
        none
    };
    // By how many of the first sample, of so many others as have been taken up.
    let mut of = vec![certain(); first + 1];
    for j in 1..=other {
        for i in 1..=first {
            let share = i as f64 / (i + j) as f64;
            let without = std::mem::take(&mut of[i]);
            let with = |u: usize| if u >= j { of[i - 1][u - j] } else { 0.0 };
            of[i] = (0..size).map(|u| share * with(u) + (1.0 - share) * without[u]).collect();
        }
    }
    of.swap_remove(first)
}

/// `exact_cut` from the normal distribution with U's mean and variance, corrected for continuity.
fn normal_cut(first: usize, other: usize) -> usize {
    let (m, n) = (first as f64, other as f64);
    let (mean, variance) = (m * n / 2.0, m * n * (m + n + 1.0) / 12.0);
    (mean - 0.5 - NORMAL_QUANTILE * variance.sqrt()).floor().max(-1.0) as usize + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_one_more_than_the_tables_of_mann_and_whitneys_test_at_5_percent() {
        // Critical values of U, two-sided: Siegel, Nonparametric Statistics (1956), table K.
        let critical =
            [(4, 4, 0), (5, 5, 2), (6, 6, 5), (8, 8, 13), (10, 10, 23), (10, 12, 29), (15, 15, 64), (20, 20, 127)];
        for (first, other, critical) in critical {
            assert_eq!(exact_cut(first, other), critical + 1, "{first} and {other}");
            assert_eq!(exact_cut(other, first), critical + 1, "{other} and {first}");
        }
        assert_eq!(exact_cut(3, 3), 0);
    }

    #[test]
    fn the_chances_of_all_counts_of_pairs_are_one_and_even_around_the_middle() {
        let chances = chances(7, 5);
        assert!((chances.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for u in 0..chances.len() {
            assert!((chances[u] - chances[35 - u]).abs() < 1e-15, "{u}");
        }
        // One order of 792 puts all of one below all of the other.
        assert!((chances[0] - 1.0 / 792.0).abs() < 1e-15);
    }

    #[test]
    fn the_normal_approximation_is_beside_the_exact_cut_where_it_takes_over() {
        let (exact, normal) = (exact_cut(EXACT_UP_TO, EXACT_UP_TO), normal_cut(EXACT_UP_TO, EXACT_UP_TO));
        assert!(exact.abs_diff(normal) <= 1, "{exact} and {normal}");
    }

    #[test]
    fn the_middle_and_the_interval_are_those_of_all_differences() {
        let ranks = RankSum::of(&[1.0, 2.0, 3.0, 4.0], &[11.0, 12.0, 14.0, 18.0]);
        assert_eq!((ranks.middle(), ranks.interval()), (10.5, Interval { low: 7.0, high: 17.0 }));
    }
}

//! A stretch of time on a logarithmic axis. Must not know which way it runs, or what is drawn along it.

use super::ONE_TWO_FIVE_NS;

/// Each step of an axis with steps is longer than the one before by 1% at least, so that three digits tell them apart.
const LEAST_STEP: f64 = 1.01;

/// From a time to a longer one, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogAxis {
    from: f64,
    to: f64,
}

impl LogAxis {
    /// Holds both times, and as many steps as can be told apart; a span that is too short grows around its middle.
    pub fn over(from_ns: u64, to_ns: u64, steps: usize) -> Self {
        let (from, to) = (from_ns.max(1) as f64, to_ns.max(1) as f64);
        let least = LEAST_STEP.powi(i32::try_from(steps).unwrap_or(i32::MAX).min(4_000));
        let missing = (least / (to / from)).max(1.0).sqrt();
        Self { from: from / missing, to: to * missing }
    }

    /// The time at a share of the way.
    pub fn at(&self, share: f64) -> f64 {
        self.from * (self.to / self.from).powf(share)
    }

    /// How far along a time is: 0 to 1 within the axis.
    pub fn place(&self, ns: f64) -> f64 {
        (ns.max(1.0) / self.from).ln() / (self.to / self.from).ln()
    }

    /// Where steps of equal length on the axis begin and end.
    pub fn edges(&self, steps: usize) -> Vec<u64> {
        (0..=steps).map(|step| self.at(step as f64 / steps.max(1) as f64).round() as u64).collect()
    }

    /// The numbers 1, 2, 5, 10, … on it; where there are fewer than two, its ends.
    pub fn ticks(&self) -> Vec<u64> {
        let within = |ns: &u64| (0.0..=1.0).contains(&self.place(*ns as f64));
        let round: Vec<_> = ONE_TWO_FIVE_NS.into_iter().filter(within).collect();
        if round.len() > 1 { round } else { vec![self.from.ceil() as u64, self.to.floor() as u64] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_time_is_where_its_logarithm_is() {
        let axis = LogAxis::over(MS, 100 * MS, 10);
        assert!((axis.place(10.0 * MS as f64) - 0.5).abs() < 1e-12);
        assert_eq!(axis.at(0.5).round() as u64, 10 * MS);
        assert_eq!(axis.edges(2), [MS, 10 * MS, 100 * MS]);
        assert_eq!(axis.ticks(), [1, 2, 5, 10, 20, 50, 100].map(|ms| ms * MS));
    }

    #[test]
    fn equal_times_have_steps_around_them_that_three_digits_tell_apart() {
        let edges = LogAxis::over(312 * MS, 312 * MS, 10).edges(10);
        assert!(edges[5].abs_diff(312 * MS) <= 1, "{edges:?}");
        assert!(edges.windows(2).all(|pair| pair[1] as f64 >= pair[0] as f64 * 1.009_9), "{edges:?}");
    }

    #[test]
    fn an_axis_between_round_numbers_names_its_ends() {
        let axis = LogAxis::over(31 * MS, 48 * MS, 10);
        assert_eq!(axis.ticks().len(), 2);
    }
}

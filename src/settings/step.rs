//! The next value of a stepper. Must not know what it is a value of.

/// How far one step goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Linear(f64),
    /// 1, 2, 5, 10, 20, 50 … and 0 below `from`.
    OneTwoFive {
        from: f64,
    },
    /// About a tenth of the value, on round numbers.
    Tenth,
}

impl Step {
    /// `by` steps from `value`, up or down.
    pub fn steps(self, value: f64, by: i32) -> f64 {
        (0..by.unsigned_abs()).fold(value, |value, _| if by > 0 { self.up(value) } else { self.down(value) })
    }

    fn up(self, value: f64) -> f64 {
        match self {
            Self::Linear(step) => round((value / step + NEARLY).floor() * step + step),
            Self::OneTwoFive { from } if value < from => from,
            Self::OneTwoFive { .. } => series(value, |candidate| candidate > value * (1.0 + NEARLY)),
            Self::Tenth => Self::Linear(grid(value)).up(value),
        }
    }

    fn down(self, value: f64) -> f64 {
        match self {
            Self::Linear(step) => round((value / step - NEARLY).ceil() * step - step),
            Self::OneTwoFive { from } if value <= from * (1.0 + NEARLY) => 0.0,
            Self::OneTwoFive { .. } => 1.0 / series(1.0 / value, |candidate| candidate > 1.0 / value * (1.0 + NEARLY)),
            // The grid of what lies just below, so that a step down undoes a step up.
            Self::Tenth => Self::Linear(grid(value * (1.0 - NEARLY))).down(value),
        }
    }
}

const NEARLY: f64 = 1e-9;

/// The first of 1, 2, 5, 10 … that fits; its reciprocals are of the same kind (1/2 = 5/10).
fn series(near: f64, fits: impl Fn(f64) -> bool) -> f64 {
    let decade = near.log10().floor() as i32;
    let candidates = (decade..=decade + 1).flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(decade)));
    candidates.into_iter().find(|candidate| fits(*candidate)).unwrap_or(near)
}

/// The largest of 1, 2, 5, 10 … that is at most a tenth of the value.
fn grid(value: f64) -> f64 {
    if value < 1.0 {
        return 0.1;
    }
    let tenth = value / 10.0;
    let decade = 10_f64.powi(tenth.log10().floor() as i32);
    [5.0, 2.0, 1.0]
        .map(|digit| digit * decade)
        .into_iter()
        .find(|grid| *grid <= tenth * (1.0 + NEARLY))
        .unwrap_or(decade)
}

/// Without the dust of binary fractions.
fn round(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(step: Step, from: f64, by: i32) -> Vec<f64> {
        let one = by.signum();
        (0..by.abs())
            .scan(from, |value, _| {
                *value = (step.steps(*value, one) * 1e6).round() / 1e6;
                Some(*value)
            })
            .collect()
    }

    #[test]
    fn one_two_five_goes_by_round_numbers_down_to_zero_and_back() {
        let step = Step::OneTwoFive { from: 1.0 };
        assert_eq!(walk(step, 64.0, 3), [100.0, 200.0, 500.0]);
        assert_eq!(walk(step, 64.0, -6), [50.0, 20.0, 10.0, 5.0, 2.0, 1.0]);
        assert_eq!(walk(step, 1.0, -2), [0.0, 0.0]);
        assert_eq!(walk(step, 0.0, 2), [1.0, 2.0]);
        assert_eq!(walk(Step::OneTwoFive { from: 0.001 }, 0.01, 3), [0.02, 0.05, 0.1]);
        assert_eq!(step.steps(1.0, 10), 2000.0);
    }

    #[test]
    fn a_tenth_keeps_to_a_grid_and_comes_back() {
        assert_eq!(walk(Step::Tenth, 60.0, 3), [65.0, 70.0, 75.0]);
        assert_eq!(walk(Step::Tenth, 130.0, -4), [120.0, 110.0, 100.0, 95.0]);
        assert_eq!(walk(Step::Tenth, 95.0, 2), [100.0, 110.0]);
        assert_eq!(walk(Step::Tenth, 0.5, 1), [0.6]);
    }

    #[test]
    fn linear_steps_land_on_multiples() {
        assert_eq!(walk(Step::Linear(0.1), 1.0, 2), [1.1, 1.2]);
        assert_eq!(walk(Step::Linear(0.1), 1.15, -1), [1.1]);
        assert_eq!(walk(Step::Linear(1.0), 3.0, -2), [2.0, 1.0]);
    }
}

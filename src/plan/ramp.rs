//! A level over time: a start value that holds through the warm-up, then linear stages; the last value holds, or all
//! of it repeats.

use std::time::Duration;

use crate::profile::{Load, Mode};

/// Piecewise linear, in seconds since the load's start.
#[derive(Clone, Debug, PartialEq)]
pub struct Ramp {
    /// Where a piece begins: its time, the level there, the area (level x time) up to there.
    knots: Vec<Knot>,
    period: Option<Period>,
}

/// After its length all begins anew, with this area more.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Period {
    length: f64,
    area: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Knot {
    at: f64,
    level: f64,
    area: f64,
}

impl Ramp {
    /// The rate of an open loop, or the users of a closed one.
    pub fn of(load: &Load) -> Self {
        let (start, target): (f64, fn(&crate::profile::Stage) -> Option<f64>) = match load.mode {
            Mode::Open => (load.rate, |stage| stage.rate),
            Mode::Closed => (f64::from(load.users), |stage| stage.users.map(f64::from)),
        };
        let mut ramp = Self::constant(start);
        let mut at = load.warmup.as_secs_f64();
        if !load.stages.is_empty() {
            ramp.push(at, start);
        }
        for stage in &load.stages {
            at += stage.duration.as_secs_f64();
            let level = target(stage).unwrap_or_else(|| ramp.last().level);
            ramp.push(at, level);
        }
        ramp
    }

    pub fn constant(level: f64) -> Self {
        Self { knots: vec![Knot { at: 0.0, level, area: 0.0 }], period: None }
    }

    /// What comes first is played again and again, the warm-up's part as well. `period` is longer than 0.
    pub fn repeating(self, period: Duration) -> Self {
        let length = period.as_secs_f64();
        Self { period: Some(Period { length, area: self.area_once(length) }), ..self }
    }

    fn last(&self) -> Knot {
        *self.knots.last().expect("a ramp has a start")
    }

    fn push(&mut self, at: f64, level: f64) {
        let last = self.last();
        let area = last.area + (at - last.at) * (last.level + level) / 2.0;
        self.knots.push(Knot { at, level, area });
    }

    pub fn level(&self, at: Duration) -> f64 {
        let at = at.as_secs_f64();
        self.level_once(self.period.map_or(at, |period| at % period.length))
    }

    /// Level x time up to `at`: of a rate, the expected number of arrivals.
    pub fn area(&self, at: Duration) -> f64 {
        let at = at.as_secs_f64();
        let Some(period) = self.period else { return self.area_once(at) };
        let (times, rest) = divide(at, period.length);
        times * period.area + self.area_once(rest)
    }

    /// Over the time from `from` to `to`.
    pub fn mean(&self, from: Duration, to: Duration) -> f64 {
        match to.saturating_sub(from).as_secs_f64() {
            0.0 => self.level(from),
            time => (self.area(to) - self.area(from)) / time,
        }
    }

    /// The time by which the area is reached; `None` if it never is (the last level is 0, or all that repeats is).
    pub fn time_of(&self, area: f64) -> Option<Duration> {
        let seconds = match self.period {
            Some(period) if period.area > 0.0 => {
                let (times, rest) = divide(area, period.area);
                times * period.length + self.time_once(rest)?
            }
            _ => self.time_once(area)?,
        };
        Some(Duration::from_secs_f64(seconds))
    }

    fn level_once(&self, at: f64) -> f64 {
        let next = self.knots.partition_point(|knot| knot.at <= at);
        let from = self.knots[next - 1];
        match self.knots.get(next) {
            Some(to) => from.level + (to.level - from.level) * (at - from.at) / (to.at - from.at),
            None => from.level,
        }
    }

    fn area_once(&self, at: f64) -> f64 {
        let from = self.knots[self.knots.partition_point(|knot| knot.at <= at) - 1];
        from.area + (at - from.at) * (from.level + self.level_once(at)) / 2.0
    }

    fn time_once(&self, area: f64) -> Option<f64> {
        let next = self.knots.partition_point(|knot| knot.area <= area);
        let from = self.knots[next - 1];
        let wanted = area - from.area;
        let slope = self.knots.get(next).map_or(0.0, |to| (to.level - from.level) / (to.at - from.at));
        // level t + slope t^2 / 2 = wanted, in the form that keeps its digits when slope is near 0
        let root = (from.level * from.level + 2.0 * slope * wanted).max(0.0).sqrt();
        let denominator = from.level + root;
        if wanted <= 0.0 {
            return Some(from.at);
        }
        (denominator > 0.0).then(|| from.at + 2.0 * wanted / denominator)
    }
}

/// How many times, and what is left: exactly, so that it is less than `by`.
fn divide(whole: f64, by: f64) -> (f64, f64) {
    let rest = whole % by;
    (((whole - rest) / by).round(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Stage;

    fn ramp(stages: &[(u64, f64)]) -> Ramp {
        let stages = stages
            .iter()
            .map(|(s, rate)| Stage { duration: Duration::from_secs(*s), rate: Some(*rate), users: None })
            .collect();
        Ramp::of(&Load { rate: 10.0, warmup: Duration::from_secs(2), stages, ..Load::default() })
    }

    #[test]
    fn a_ramp_holds_its_start_through_the_warm_up_then_rises_linearly_and_holds_its_end() {
        let ramp = ramp(&[(10, 110.0), (5, 0.0)]);
        let level = |s| ramp.level(Duration::from_secs_f64(s));
        assert_eq!([level(0.0), level(2.0), level(7.0), level(12.0)], [10.0, 10.0, 60.0, 110.0]);
        assert!((level(14.5) - 55.0).abs() < 1e-9);
        assert_eq!(level(100.0), 0.0);
    }

    #[test]
    fn time_is_the_inverse_of_area() {
        let ramp = ramp(&[(10, 110.0), (4, 110.0), (5, 20.0)]);
        for tenth in 0..300 {
            let at = Duration::from_millis(tenth * 100);
            let back = ramp.time_of(ramp.area(at)).unwrap();
            assert!(back.abs_diff(at) < Duration::from_micros(1), "{at:?} {back:?}");
        }
    }

    #[test]
    fn the_mean_over_a_time_is_that_of_its_levels() {
        let (ramp, s) = (ramp(&[(10, 110.0)]), Duration::from_secs);
        assert!((ramp.mean(s(2), s(12)) - 60.0).abs() < 1e-9 && (ramp.mean(s(0), s(7)) - 195.0 / 7.0).abs() < 1e-9);
        assert_eq!((ramp.mean(s(7), s(7)), Ramp::constant(32.0).mean(s(3), s(4))), (60.0, 32.0));
    }

    #[test]
    fn a_ramp_down_to_zero_ends_the_arrivals() {
        let ramp = ramp(&[(10, 0.0)]);
        assert!(ramp.time_of(20.0 + 49.9).is_some());
        assert_eq!(ramp.time_of(20.0 + 50.1), None);
    }

    #[test]
    fn a_repeating_ramp_plays_the_same_levels_in_every_period() {
        let once = ramp(&[(10, 110.0), (4, 110.0), (5, 0.0)]);
        let period = Duration::from_secs(21);
        let repeating = once.clone().repeating(period);
        for tenth in 0..210 {
            let at = Duration::from_millis(tenth * 100);
            for times in 0..4 {
                assert!((repeating.level(at + period * times) - once.level(at)).abs() < 1e-9, "{at:?}");
                let area = once.area(at) + f64::from(times) * once.area(period);
                assert!((repeating.area(at + period * times) - area).abs() < 1e-6, "{at:?}");
            }
        }
    }

    #[test]
    fn time_is_the_inverse_of_area_in_every_period() {
        // Cut in the middle of a stage, at its end, and some time after it.
        for period in [9, 12, 30] {
            let ramp = ramp(&[(10, 110.0)]).repeating(Duration::from_secs(period));
            for tenth in 0..1000 {
                let at = Duration::from_millis(tenth * 100);
                let back = ramp.time_of(ramp.area(at)).unwrap();
                assert!(back.abs_diff(at) < Duration::from_micros(1), "{at:?} {back:?}");
            }
        }
    }

    #[test]
    fn a_repeating_ramp_down_to_zero_begins_anew_where_it_would_have_ended() {
        let ramp = ramp(&[(10, 0.0), (5, 0.0)]).repeating(Duration::from_secs(17));
        let area = ramp.area(Duration::from_secs(17));
        for period in 0..1000 {
            let begins = f64::from(period) * 17.0;
            let after = |more| ramp.time_of(f64::from(period) * area + more).unwrap().as_secs_f64();
            assert!((after(1.0) - begins - 0.1).abs() < 1e-6, "{}", after(1.0));
            assert!((11.0..=12.0).contains(&(after(area - 0.1) - begins)), "{}", after(area - 0.1));
        }
    }

    #[test]
    fn a_repeating_ramp_that_is_always_zero_never_arrives() {
        assert_eq!(Ramp::constant(0.0).repeating(Duration::from_secs(5)).time_of(1.0), None);
    }
}

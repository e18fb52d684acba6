//! Values -> places on an axis, and the ticks that label it. Must not know what is drawn.

use crate::report::text::format::ms;

/// Maps `from..to` onto `start..end` of the drawing.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    kind: Kind,
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Linear,
    Log,
}

impl Scale {
    pub fn linear((from, to): (f64, f64), (start, end): (f64, f64)) -> Self {
        Self { kind: Kind::Linear, from, to, start, end }
    }

    /// Of values above 0.
    pub fn log((from, to): (f64, f64), (start, end): (f64, f64)) -> Self {
        Self { kind: Kind::Log, from: from.log10(), to: to.log10(), start, end }
    }

    /// What lies outside is drawn on the border.
    pub fn at(&self, value: f64) -> f64 {
        let value = match self.kind {
            Kind::Linear => value,
            Kind::Log => value.max(f64::MIN_POSITIVE).log10(),
        };
        let share = ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        self.start + share * (self.end - self.start)
    }
}

/// A place on an axis and what stands there.
pub type Tick = (f64, String);

/// Round values from 0 up to the first that is not below `max`, in steps of 1, 2 or 5.
pub fn round_steps(max: f64) -> Vec<f64> {
    let max = if max.is_finite() && max > 0.0 { max } else { 1.0 };
    let raw = max / 4.0;
    let decade = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * decade).into_iter().find(|step| *step >= raw * 0.999).unwrap_or(raw);
    (0..=(max / step * 0.999).ceil() as u32).map(|i| f64::from(i) * step).collect()
}

/// The powers of ten that hold `least..=most`, two at least.
pub fn decades(least: f64, most: f64) -> Vec<f64> {
    let first = least.log10().floor() as i32;
    let last = (most.log10().ceil() as i32).max(first + 1);
    (first..=last).map(|power| 10f64.powi(power)).collect()
}

pub fn ticks(values: &[f64], label: fn(f64) -> String) -> Vec<Tick> {
    values.iter().map(|value| (*value, label(*value))).collect()
}

/// Round milliseconds for an axis: `10ms`, not `10.0ms`.
pub fn short_ms(value: f64) -> String {
    ms(value).replace(".00", "").replace(".0", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_steps_reach_the_largest_value() {
        assert_eq!(round_steps(4.0), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(round_steps(70.0), [0.0, 20.0, 40.0, 60.0, 80.0]);
        assert_eq!(round_steps(0.0).first(), Some(&0.0));
        assert!(round_steps(1_234.0).last().is_some_and(|last| *last >= 1_234.0));
    }

    #[test]
    fn a_log_axis_gives_each_decade_the_same_room() {
        let scale = Scale::log((1.0, 1000.0), (0.0, 300.0));
        for (value, place) in [(1.0, 0.0), (10.0, 100.0), (100.0, 200.0), (0.0, 0.0), (1e9, 300.0)] {
            assert!((scale.at(value) - place).abs() < 1e-9, "{value}");
        }
        assert_eq!(decades(0.5, 20.0), [0.1, 1.0, 10.0, 100.0]);
        assert_eq!(decades(1.0, 1.0), [1.0, 10.0]);
    }

    #[test]
    fn ticks_are_short() {
        assert_eq!([0.1, 1.0, 10.0, 100.0, 10_000.0].map(short_ms), ["100µs", "1ms", "10ms", "100ms", "10s"]);
    }
}

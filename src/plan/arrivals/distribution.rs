//! Whether arrivals are a Poisson process: tests of their gaps and counts, each with its critical value by formula.
//!
//! | test | of a Poisson process | beyond this it is none |
//! |---|---|---|
//! | Kolmogorov-Smirnov distance of the gaps from an exponential of the planned rate | 0 | sqrt(-ln(level / 2) / 2) / (sqrt n + 0.12 + 0.11 / sqrt n) (Stephens, 1974) |
//! | dispersion of counts: variance / mean over bins | 1 | z sqrt(2 / (bins - 1)) off (a chi square's normal limit) |
//! | mean gap | 1 | z / sqrt n off |
//! | autocorrelation of neighbouring gaps | 0 | z / sqrt n |

use std::time::Duration;

use super::*;
use crate::plan::Ramp;

/// Chance that a Poisson process is refused by one test, and its two-sided normal quantile.
const LEVEL: f64 = 0.001;
const Z: f64 = 3.29;
/// Arrivals expected in a bin.
const BIN: f64 = 10.0;

/// Due times read on the clock on which the planned rate is 1, so that a ramp's are held against the same law.
pub struct Unit(Vec<f64>);

impl Unit {
    pub fn of(due: impl IntoIterator<Item = Duration>, ramp: &Ramp) -> Self {
        Self(due.into_iter().map(|due| ramp.area(due)).collect())
    }

    fn gaps(&self) -> Vec<f64> {
        self.0.windows(2).map(|two| two[1] - two[0]).collect()
    }

    /// Which tests refuse it.
    pub fn refused_by(&self) -> Vec<String> {
        let n = self.0.len() as f64 - 1.0;
        let tests = [
            ("gaps", self.distance(), (-(LEVEL / 2.0).ln() / 2.0).sqrt() / (n.sqrt() + 0.12 + 0.11 / n.sqrt())),
            ("rate", (mean(&self.gaps()) - 1.0).abs(), Z / n.sqrt()),
            ("counts", (self.dispersion() - 1.0).abs(), Z * (2.0 / (n / BIN - 1.0)).sqrt()),
            ("neighbours", self.autocorrelation().abs(), Z / n.sqrt()),
        ];
        let refused = tests.into_iter().filter(|(_, off, most)| off > most);
        refused.map(|(name, off, most)| format!("{name}: {off:.4} off, {most:.4} is allowed")).collect()
    }

    fn distance(&self) -> f64 {
        let mut gaps = self.gaps();
        gaps.sort_by(f64::total_cmp);
        let n = gaps.len() as f64;
        let off = gaps.iter().enumerate().map(|(i, gap)| {
            let (truth, i) = (1.0 - (-gap).exp(), i as f64);
            (truth - i / n).max((i + 1.0) / n - truth)
        });
        off.fold(0.0, f64::max)
    }

    fn dispersion(&self) -> f64 {
        let start = self.0[0];
        let bins = ((self.0[self.0.len() - 1] - start) / BIN) as usize;
        let mut counts = vec![0.0; bins];
        for at in &self.0 {
            if let Some(count) = counts.get_mut(((at - start) / BIN) as usize) {
                *count += 1.0;
            }
        }
        let mean = mean(&counts);
        counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / (bins as f64 - 1.0) / mean
    }

    fn autocorrelation(&self) -> f64 {
        let gaps = self.gaps();
        let mean = mean(&gaps);
        let with_next: f64 = gaps.windows(2).map(|two| (two[0] - mean) * (two[1] - mean)).sum();
        with_next / gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

const N: usize = 20_000;

fn due(kind: profile::Arrivals, ramp: &Ramp, seed: u64) -> impl Iterator<Item = Duration> {
    Arrivals::new(ramp.clone(), kind, 1, seed, Duration::ZERO).take(N)
}

#[test]
fn poisson_arrivals_are_a_poisson_process_by_each_test_with_each_seed() {
    let ramp = Ramp::constant(250.0);
    for seed in 0..20 {
        let refused = Unit::of(due(profile::Arrivals::Poisson, &ramp, seed), &ramp).refused_by();
        assert!(refused.is_empty(), "seed {seed}: {refused:?}");
    }
}

#[test]
fn poisson_arrivals_follow_a_ramp_as_a_poisson_process_of_its_rate() {
    let stage =
        |seconds, rate| profile::Stage { duration: Duration::from_secs(seconds), rate: Some(rate), users: None };
    let load = profile::Load {
        rate: 10.0,
        warmup: Duration::from_secs(1),
        stages: vec![stage(40, 500.0), stage(20, 20.0), stage(1, 300.0)],
        ..profile::Load::default()
    };
    let ramp = Ramp::of(&load);
    for seed in 0..10 {
        let refused = Unit::of(due(profile::Arrivals::Poisson, &ramp, seed), &ramp).refused_by();
        assert!(refused.is_empty(), "seed {seed}: {refused:?}");
        let as_if_constant = Unit::of(due(profile::Arrivals::Poisson, &ramp, seed), &Ramp::constant(250.0));
        assert!(!as_if_constant.refused_by().is_empty());
    }
}

/// What the tests are worth: each refuses what the others may let pass.
#[test]
fn what_is_no_poisson_process_is_refused() {
    let unit = |step: &dyn Fn(usize, f64) -> f64| {
        let mut rng = SmallRng::seed_from_u64(3);
        let mut at = 0.0;
        let steps = (0..N).map(|i| {
            at += step(i, -(1.0 - rng.random::<f64>()).ln());
            at
        });
        Unit(steps.collect()).refused_by()
    };
    let by = |refused: &[String], test: &str| refused.iter().any(|why| why.starts_with(test));
    assert!(unit(&|_, exponential| exponential).is_empty());
    assert!(by(&unit(&|_, _| 1.0), "gaps"), "constant arrivals");
    assert!(by(&unit(&|_, exponential| exponential * 1.03), "rate"), "a rate that is 3% too low");
    assert!(by(&unit(&|_, exponential| exponential.min(4.0)), "gaps"), "a timer that cuts long gaps");
    let by_the_millisecond = |i, _: f64| if i % 4 == 0 { 4.0 } else { 0.0 };
    assert!(by(&unit(&by_the_millisecond), "gaps"), "a timer that wakes for several at once");
    let bursts = |i: usize, exponential: f64| exponential * if i % 400 < 200 { 1.3 } else { 0.7 };
    assert!(by(&unit(&bursts), "counts"), "a rate that swings");
    let last = std::cell::Cell::new(1.0);
    let catching_up = |_, exponential: f64| (exponential + 0.1 * (1.0 - last.replace(exponential))).max(0.0);
    assert!(by(&unit(&catching_up), "neighbours"), "a gap that makes up for the one before");
}

#[test]
fn constant_arrivals_are_exact_to_the_nanosecond_however_many() {
    let ramp = Ramp::constant(128.0);
    let exact = (1..=N as u64).map(|i| Duration::from_nanos(i * 7_812_500));
    assert!(due(profile::Arrivals::Constant, &ramp, 1).eq(exact), "no error adds up");
    let thirds = Ramp::constant(300.0);
    for (i, due) in (1_u32..).zip(due(profile::Arrivals::Constant, &thirds, 1)) {
        let truth = Duration::from_secs(1) * i / 300;
        assert!(due.abs_diff(truth) <= Duration::from_nanos(2), "{i}: {due:?} is not {truth:?}");
    }
}

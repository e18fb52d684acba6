//! What can still become of a run: never a run that passes is called hopeless, and what is hopeless is seen.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::range::{self, Range, Rest};
use super::*;
use crate::cost::{Bill, PriceBook, Pricer};
use crate::metrics::{Sample, ServedBy, Tally};
use crate::profile::expect::{self, LatencyBounds, Op};
use crate::report::judge;
use crate::report::tests::synthetic::{Calls, attempt, ms, profile};
use crate::route::{Connection, FailureKind};

/// A run of which all is known: its calls in the order in which they end, evenly over its time.
struct Told {
    calls: Vec<Sample>,
    seconds: f64,
}

/// Calls, by how many in a thousand fail, and those answered by a cache, and how long the others take.
fn told(seed: u64, n: usize, failing: u32, cached: u32) -> Told {
    let (mut rng, make) = (SmallRng::seed_from_u64(seed), Calls::new());
    let call = |_| {
        let dice = rng.random_range(0..1000);
        let service = ms(1.0 + 400.0 * rng.random::<f64>().powi(4));
        if dice < failing {
            make.failed(FailureKind::Status(503))
        } else if dice < failing + cached {
            make.answered(ServedBy::Local, &make.asked, ms(0.02), vec![])
        } else {
            make.answered(ServedBy::Model, &make.asked, service, vec![attempt(&make.asked, Connection::Reused)])
        }
    };
    Told { calls: (0..n).map(call).collect(), seconds: 10.0 }
}

impl Told {
    /// As it stands after `n` calls, in as many digits as pictures have, or reports.
    fn tally(&self, n: usize, digits: u8) -> Tally {
        let mut tally = Tally::new(digits);
        let bounds = LatencyBounds { response: Some(ms(200.0)), ..LatencyBounds::default() };
        for sample in &self.calls[..n] {
            tally.record(sample);
            tally.record_in_window(sample, &bounds);
        }
        tally
    }

    fn with_figures<T>(&self, n: usize, digits: u8, look: impl FnOnce(&Figures) -> T) -> T {
        let tally = self.tally(n, digits);
        let bill = bill(&tally);
        let seconds = self.seconds * n as f64 / self.calls.len() as f64;
        let planned = n as u64;
        look(&Figures { tally: &tally, seconds, planned, dropped: 0, abandoned: 0, bill: &bill })
    }

    fn rest(&self, figures: &Figures) -> Rest {
        let planned = self.calls.len() as u64;
        Rest {
            planned: Some(planned),
            calls: Some(planned - figures.tally.finished()),
            in_flight: 0,
            attempts_a_call: 6,
            seconds: Range { from: self.seconds, to: self.seconds },
        }
    }

    /// After how many calls an expectation is given up, looked at ten times.
    fn given_up(&self, expectation: &Expectation) -> Option<usize> {
        let n = self.calls.len();
        (1..=10).map(|tenth| n * tenth / 10).find(|seen| {
            self.with_figures(*seen, 2, |figures| at_best(expectation, figures, &self.rest(figures)).is_some())
        })
    }
}

fn parsed(text: &str) -> Expectation {
    Expectation::parse(text).unwrap()
}

fn bill(tally: &Tally) -> Bill {
    Pricer::new(&profile(), PriceBook::builtin()).bill(&tally.ledger)
}

#[test]
fn no_range_ever_leaves_out_what_the_metric_becomes_in_the_end() {
    for (seed, failing, cached) in [(1, 0, 0), (2, 10, 300), (3, 200, 500), (4, 1000, 0), (5, 30, 900)] {
        let run = told(seed, 400, failing, cached);
        for name in expect::metrics() {
            let metric = Metric::by_name(&name).unwrap();
            let Some(became) = run.with_figures(400, 3, |end| metric.value(end)) else { continue };
            for seen in [0, 1, 40, 200, 399, 400] {
                let Range { from, to } = run.with_figures(seen, 2, |now| range::of(&metric, now, &run.rest(now)));
                assert!(from <= became && became <= to, "{name} after {seen}: {became} is not in {from}..{to}");
            }
        }
    }
}

/// Held against values beside what they become, so that whichever way a range is wrong shows.
#[test]
fn a_run_that_passes_is_never_given_up() {
    let metrics =
        ["response.p50", "service.p99", "response.mean", "response.max", "errors", "hit_rate", "qps", "cost.usd"];
    let beside = [(Op::Less, 1.0005), (Op::AtMost, 1.0), (Op::Greater, 0.9995), (Op::AtLeast, 1.0), (Op::Equal, 1.0)];
    for seed in 0..6 {
        let run = told(seed, 400, 10, 100);
        for (metric, (op, factor)) in metrics.iter().flat_map(|metric| beside.map(|beside| (metric, beside))) {
            let became = run.with_figures(400, 3, |end| Metric::by_name(metric).unwrap().value(end)).unwrap();
            let (unit, text) = (expect::unit_of(metric).unwrap(), format!("{metric} {op:?}"));
            let value = became * factor;
            let expectation = Expectation { metric: (*metric).to_owned(), op, value, unit, text };
            assert!(run.with_figures(400, 3, |end| judge(&expectation, end).passed), "{expectation} {value}");
            assert_eq!(run.given_up(&expectation), None, "{expectation} {value}, seed {seed}");
        }
    }
}

#[test]
fn what_cannot_hold_any_more_is_seen_as_soon_as_the_rest_cannot_mend_it() {
    // Of 400 calls, 20% fail and 40% come from the cache.
    let run = told(7, 400, 200, 400);
    let seen = |text| run.given_up(&parsed(text)).unwrap_or_else(|| panic!("{text} is not given up"));
    assert!(seen("errors < 1%") <= 40);
    assert!(seen("errors.5xx <= 10%") <= 240);
    assert!(seen("load.failed <= 3") <= 40);
    assert!(seen("hit_rate < 10%") <= 160);
    assert!(seen("hit_rate > 90%") <= 160);
    assert!(seen("qps > 38") <= 200);
    assert!(seen("goodput >= 39") <= 160);
    assert!(seen("max < 100ms") <= 40);
    assert!(seen("p50 < 0.01ms") <= 320);
    assert!(seen("p50 > 500ms") <= 320);
    assert!(seen("p90 < 40ms") <= 240);
    assert!(seen("mean < 1ms") <= 80);
    assert!(seen("min > 1ms") <= 40);
    assert!(seen("cost.usd < $0.001") <= 40);
    assert!(seen("cost.cny_per_1k < ¥0.05") <= 120);
    assert!(run.given_up(&parsed("errors < 90%")).is_none() && run.given_up(&parsed("max < 500ms")).is_none());
}

#[test]
fn of_an_unknown_number_of_calls_only_what_never_comes_down_is_given_up() {
    let run = told(8, 400, 200, 400);
    let lost = |text: &str| {
        run.with_figures(200, 2, |figures| {
            let rest = Rest { planned: None, calls: None, ..run.rest(figures) };
            at_best(&parsed(text), figures, &rest).is_some()
        })
    };
    for text in ["max < 1ms", "min > 1s", "load.failed < 5", "cost.cny < ¥0.0001"] {
        assert!(lost(text), "{text}");
    }
    for text in ["errors < 1%", "p99 < 1ms", "mean < 1ms", "qps > 1000", "hit_rate > 90%", "cost.cny_per_1k < ¥0.01"] {
        assert!(!lost(text), "{text}");
    }
}

#[test]
fn a_quantile_that_too_few_calls_are_planned_for_is_left_to_the_end() {
    assert_eq!(told(9, 200, 0, 0).given_up(&parsed("p99 < 0.001ms")), None);
    assert!(told(9, 300, 0, 0).given_up(&parsed("p99 < 0.001ms")).is_some());
}

#[test]
fn what_is_hopeless_is_told_with_when_it_was_seen() {
    let all = vec![("errors < 1%".to_owned(), 0.02), ("max < 1s".to_owned(), 1_200.0)];
    let hopeless = Hopeless { all, at_s: 12.0, of_s: 60.0, calls: (70, Some(300)) };
    assert_eq!(hopeless.words(), "errors < 1%, max < 1s cannot hold any more after 12.0s of 60.0s");
    let by_requests = Hopeless { of_s: f64::INFINITY, ..hopeless };
    assert!(by_requests.words().ends_with("after 12.0s, 70 of 300 calls"));
}

#[test]
fn the_plan_bounds_what_is_still_to_come() {
    let mut profile = profile();
    profile.load.requests = Some(300);
    profile.stack.retry.attempts = 3;
    let outlook = Outlook::of(&profile, Vec::new());
    told(1, 100, 0, 0).with_figures(100, 2, |figures| {
        let rest = outlook.rest(&Figures { dropped: 20, seconds: 4.0, ..*figures });
        assert_eq!((rest.calls, rest.attempts_a_call), (Some(180), 6));
        assert_eq!(rest.seconds, Range { from: 4.0, to: f64::INFINITY });
    });
    profile.load.requests = None;
    profile.load.duration = Some(Duration::from_secs(30));
    assert_eq!(Outlook::of(&profile, Vec::new()).seconds, Range { from: 30.0, to: 30.0 });
    profile.limits.budget = Some(crate::profile::Money::Cny(5.0));
    assert_eq!(Outlook::of(&profile, Vec::new()).seconds.from, 0.0);
}

//! The statistics of a comparison on series whose truth is known: 400 of them, of fixed seeds.

mod apart;
mod series;

use apart::{BLOCKS, Steady};
use gatebench::compare::Verdict;
use series::{DRIFTS, Network, ROUNDS, effect, is_narrow, share, stopped, verdict};

const SERIES: usize = 400;
const SEED: u64 = 5;

fn is_alarm(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Better | Verdict::Worse)
}

#[test]
fn equal_arms_raise_false_alarms_in_5_of_100_comparisons_whatever_the_drift() {
    for drift in DRIFTS {
        let mut network = Network::new(drift, SEED);
        let alarms =
            share(SERIES, &mut network, |network| is_alarm(verdict(&effect(&network.interleaved(ROUNDS, 1.0)))));
        // Chance takes 5% of 400 to 2.9% and 7.1% in 19 of 20 cases.
        assert!((0.02..=0.075).contains(&alarms), "{}: {alarms}", drift.name);
    }
}

#[test]
fn arms_one_after_the_other_raise_them_in_most() {
    for drift in DRIFTS {
        let mut network = Network::new(drift, SEED);
        let alarms = share(SERIES, &mut network, |network| network.alarms_one_after_the_other(2 * ROUNDS));
        assert!(alarms > 0.5, "{}: {alarms}", drift.name);
    }
}

#[test]
fn an_arm_that_is_5_percent_slower_is_found_within_40_blocks() {
    for drift in DRIFTS {
        let mut network = Network::new(drift, SEED);
        let found = share(SERIES, &mut network, |network| {
            verdict(&effect(&network.interleaved(ROUNDS, 1.05))) == Verdict::Worse
        });
        assert!(found >= 0.9, "{}: {found}", drift.name);
    }
}

#[test]
fn intervals_hold_the_true_ratio_in_95_of_100_comparisons() {
    let mut network = Network::new(DRIFTS[2], SEED);
    let held = share(SERIES, &mut network, |network| {
        let interval = effect(&network.interleaved(ROUNDS, 1.05)).interval.unwrap();
        interval.low <= 0.05 && 0.05 <= interval.high
    });
    assert!((0.925..=0.98).contains(&held), "{held}");
}

#[test]
fn stopping_early_by_the_width_alone_raises_no_more_false_alarms_but_by_the_verdict_does() {
    let mut network = Network::new(DRIFTS[2], SEED);
    let mut early = 0;
    let by_width = share(SERIES, &mut network, |network| {
        let seen = stopped(&network.interleaved(3 * ROUNDS, 1.0), |effect| is_narrow(effect, 0.05));
        early += usize::from(seen.rounds < 3 * ROUNDS);
        is_alarm(verdict(&seen))
    });
    assert!(by_width <= 0.075, "{by_width}");
    assert!(early > SERIES / 2, "{early} of {SERIES} stopped early");
    let by_verdict = share(SERIES, &mut network, |network| {
        let rounds = network.interleaved(3 * ROUNDS, 1.0);
        is_alarm(verdict(&stopped(&rounds, |effect| is_alarm(verdict(effect)))))
    });
    assert!(by_verdict > 0.1, "{by_verdict}");
}

#[test]
fn equal_runs_at_different_times_raise_few_false_alarms_while_the_level_stays() {
    for kept in [0.0, 0.3, 0.5] {
        let alarms = Steady::new(kept, SEED).seen(2_000, |steady| steady.shift(BLOCKS, 1.0));
        assert!((0.01..=0.075).contains(&alarms), "{kept}: {alarms}");
        let alarms = Steady::new(kept, SEED).seen(2_000, |steady| steady.paired(BLOCKS, 1.0));
        assert!((0.01..=0.085).contains(&alarms), "{kept}, in pairs: {alarms}");
    }
}

#[test]
fn a_run_that_is_10_percent_slower_is_found() {
    let found = Steady::new(0.5, SEED).seen(SERIES, |steady| steady.shift(BLOCKS, 1.1));
    assert!(found >= 0.8, "{found}");
    let found = Steady::new(0.5, SEED).seen(SERIES, |steady| steady.paired(BLOCKS, 1.1));
    assert!(found >= 0.6, "{found}");
}

#[test]
fn a_level_that_moved_between_two_runs_looks_like_an_effect() {
    let between = Steady::new(0.5, SEED).seen(SERIES, |steady| steady.shift(BLOCKS, 1.2));
    assert!(between > 0.95, "{between}");
}

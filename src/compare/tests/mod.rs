//! What is made of the blocks of synthetic arms.

pub(crate) mod synthetic;

use std::collections::BTreeSet;

use self::synthetic::{LEVELS, comparison, of, profile, taken, tally};
use super::{Judging, Word};
use crate::metrics::{Stop, Tally};
use crate::profile::{Percent, Profile, Tolerance};

#[test]
fn a_faster_arm_is_better_by_the_difference_of_the_two_and_drift_is_not_in_it() {
    let comparison = comparison();
    let row = comparison.row("response.p50", 1).unwrap();
    assert_eq!((row.verdict, row.rounds, row.asked_for, row.pooled), (Word::Better, 6, true, false));
    let ratio = row.ratio.unwrap();
    assert!((ratio / (38.0 / 312.0) - 1.0).abs() < 0.005, "{ratio}");
    let interval = row.ratio_interval.unwrap();
    assert!(interval.low <= ratio && ratio <= interval.high && interval.width() < 0.002, "{interval:?}");
    assert!((row.difference + 274.0).abs() < 12.0, "{}", row.difference);
    let leading = comparison.leading(1).unwrap();
    assert_eq!(leading.metric, "response.p50");
}

#[test]
fn what_is_asked_for_comes_first_and_every_metric_with_values_has_a_row() {
    let comparison = comparison();
    let asked: Vec<_> = comparison.metrics.iter().take_while(|row| row.asked_for).map(|row| &*row.metric).collect();
    let usual = ["response.p50", "response.p95", "ttft.p50", "qps", "errors", "cost.cny_per_1k"];
    assert_eq!(asked, usual, "a p99 of 200 calls a round says nothing, and there are no hits");
    let all: BTreeSet<_> = comparison.metrics.iter().map(|row| row.metric.as_str()).collect();
    for metric in ["service.model.mean", "inter_token.p50", "amplification", "load.failed", "cost.saved", "lag.p99"] {
        assert!(all.contains(metric), "{metric}");
    }
    assert!(!all.contains("batch.p50") && !all.contains("service.local.p50"));
}

#[test]
fn a_percentile_of_too_few_samples_takes_a_rounds_two_blocks_together_or_is_silent() {
    let profile = profile(&["direct", "gateway"]);
    let row = |calls, metric: &str| {
        let taken = taken(&profile, 6, |arm, at| tally(LEVELS[arm], calls, at));
        of(&profile, &taken).row(metric, 1).unwrap().clone()
    };
    let (whole, pooled, silent) = (row(60, "response.p95"), row(30, "response.p95"), row(29, "response.p95"));
    assert!(!whole.pooled && whole.interval.is_some() && whole.silent_because.is_none(), "{whole:?}");
    assert!(pooled.pooled && pooled.interval.is_some() && pooled.verdict == Word::Better, "{pooled:?}");
    assert_eq!((silent.interval, silent.verdict, silent.asked_for), (None, Word::Inconclusive, false));
    let why = silent.silent_because.unwrap();
    assert_eq!(why, "6 of 6 rounds had fewer than the 59 samples it takes; make blocks longer");
}

#[test]
fn a_block_without_a_value_leaves_its_round_out_and_says_so() {
    let profile = profile(&["direct", "gateway"]);
    let taken = taken(&profile, 7, |arm, at| if at == 5 { Tally::new(3) } else { tally(LEVELS[arm], 100, at) });
    let comparison = of(&profile, &taken);
    let row = comparison.row("response.mean", 1).unwrap();
    assert_eq!((row.rounds, row.silent_because.as_deref()), (6, Some("1 of 7 rounds had a block without a value")));
    // Nothing succeeded there, which a rate can tell.
    let qps = comparison.row("qps", 1).unwrap();
    assert_eq!((qps.rounds, qps.ratio), (7, None), "{qps:?}");
}

#[test]
fn what_is_the_same_is_no_difference_and_money_that_is_nothing_too() {
    let mut profile = profile(&["a", "b"]);
    profile.cost.prices = [(
        "gpt-4.1".to_owned(),
        crate::profile::Price { input: 0.0, cached_input: None, cache_write: None, output: 0.0 },
    )]
    .into();
    let taken = taken(&profile, 6, |_, at| tally(100.0, 100, at / 2 * 2));
    let comparison = of(&profile, &taken);
    for metric in ["response.p50", "qps", "errors", "cost.cny_per_1k", "load.failed"] {
        assert_eq!(comparison.row(metric, 1).unwrap().verdict, Word::NoDifference, "{metric}");
    }
    assert_eq!(comparison.more_rounds, Some(0));
}

#[test]
fn five_rounds_have_no_interval_and_need_one_more() {
    let profile = profile(&["direct", "gateway"]);
    let comparison = of(&profile, &taken(&profile, 5, |arm, at| tally(LEVELS[arm], 100, at)));
    let row = comparison.leading(1).unwrap();
    assert_eq!((row.interval, row.verdict), (None, Word::Inconclusive));
    assert_eq!(row.silent_because.as_deref(), Some("5 of the 6 rounds that an interval takes"));
    assert_eq!(comparison.more_rounds, Some(1));
    // Four blocks, 2.3 s from the beginning of one to that of the next.
    assert!((comparison.more_s.unwrap() - 9.2).abs() < 0.01, "{:?}", comparison.more_s);
    assert!(comparison.run.warnings.is_empty(), "12 blocks are planned: {:?}", comparison.run.warnings);
}

#[test]
fn too_few_rounds_are_warned_of_where_no_more_will_come() {
    let mut profile = profile(&["direct", "gateway"]);
    let mut stopped = taken(&profile, 5, |arm, at| tally(LEVELS[arm], 100, at));
    stopped.stop = Stop::Interrupted;
    let warnings = of(&profile, &stopped).run.warnings;
    assert!(warnings[0].contains("5 whole rounds"), "{warnings:?}");
    profile.compare.as_mut().unwrap().blocks = 2;
    let warnings = of(&profile, &taken(&profile, 1, |arm, at| tally(LEVELS[arm], 100, at))).run.warnings;
    assert!(warnings[0].contains("1 whole round gives"), "{warnings:?}");
}

#[test]
fn an_arm_whose_redis_fails_is_warned_of() {
    let profile = profile(&["plain", "dead"]);
    let comparison = of(
        &profile,
        &taken(&profile, 6, |arm, at| {
            let mut tally = tally(100.0, 100, at);
            if arm == 1 {
                tally.cache_errors[crate::stack::CacheError::Refused as usize] = 3;
                tally.cache_examples[crate::stack::CacheError::Refused as usize] = Some("nothing listens".into());
            }
            tally
        }),
    );
    let [warning] = &comparison.run.warnings[..] else { panic!("{:?}", comparison.run.warnings) };
    assert_eq!(warning, "arm dead: Redis failed, each time a miss (refused 36): nothing listens");
}

fn noisy(profile: &Profile) -> super::Comparison {
    let noise = [1.0, 1.2, 0.8, 1.1, 0.9, 1.05];
    of(profile, &taken(profile, 6, |arm, at| tally(100.0 * if arm == 1 { noise[at / 4] } else { 1.0 }, 100, at)))
}

#[test]
fn until_and_the_tolerance_of_the_profile_say_how_many_rounds_are_left() {
    let mut profile = profile(&["a", "b"]);
    let compare = profile.compare.as_mut().unwrap();
    compare.metrics = vec!["p50".into()];
    compare.until = Some(Percent(0.5));
    assert_eq!(noisy(&profile).more_rounds, Some(0), "40% are within 50%");
    profile.compare.as_mut().unwrap().until = Some(Percent(0.1));
    let comparison = noisy(&profile);
    // The range of six rounds is some 40% wide: four times too wide, hence 16 times the rounds.
    assert!((80..110).contains(&comparison.more_rounds.unwrap()), "{:?}", comparison.more_rounds);
    assert!(comparison.plan.demands_a_verdict);
    let compare = profile.compare.as_mut().unwrap();
    (compare.until, compare.tolerance) = (None, Some(Tolerance::Default("30%".into())));
    assert_eq!(noisy(&profile).row("response.p50", 1).unwrap().verdict, Word::NoDifference);
}

#[test]
fn every_further_arm_is_held_against_the_first() {
    let profile = profile(&["direct", "gateway", "proxy"]);
    let comparison = of(&profile, &taken(&profile, 6, |arm, at| tally(LEVELS[arm], 100, at)));
    let ratios = [1, 2].map(|arm| comparison.row("response.p50", arm).unwrap().ratio.unwrap());
    assert!((ratios[0] - 38.0 / 312.0).abs() < 0.002 && (ratios[1] - 115.0 / 312.0).abs() < 0.005, "{ratios:?}");
    assert_eq!(comparison.arms[2].set["stack.route"], "\"proxy\"");
}

#[test]
fn a_comparison_grows_block_by_block_as_if_it_had_been_made_at_once() {
    let profile = profile(&["direct", "gateway"]);
    let all = taken(&profile, 6, |arm, at| tally(LEVELS[arm], 40, at));
    let mut judging = Judging::new(&profile);
    for blocks in 0..=12 {
        let mut early = all.clone();
        early.arms.iter_mut().for_each(|arm| arm.turns.truncate(blocks));
        judging.of(&early);
    }
    let (grown, at_once) = (judging.of(&all), Judging::new(&profile).of(&all));
    assert_eq!(serde_json::to_value(&grown).unwrap(), serde_json::to_value(&at_once).unwrap());
    assert_eq!(grown.arms[0].blocks.iter().map(|block| block.succeeded).sum::<u64>(), grown.arms[0].succeeded);
}

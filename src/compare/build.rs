//! What the arms did so far -> [`Comparison`]. Must not know who runs them, or who reads it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::caveats::caveats;
use super::conduct::{Judge, Taken};
use super::rows::{Told, told};
use super::shape::*;
use super::signed_rank::{CONFIDENCE, LEAST_ROUNDS};
use super::turns::Turns;
use super::verdict::{Verdict, rounds_needed};
use crate::metrics::Stop;
use crate::profile::{Compare, Profile};
use crate::report::redacted;
use crate::stack::CacheError;

/// Makes a [`Comparison`] of what was taken so far, each time it is asked.
pub struct Judging {
    /// What all arms share, with its `[compare]`.
    profile: Profile,
    /// The keys of each arm, without secrets.
    sets: Vec<BTreeMap<String, String>>,
    arms: Vec<Turns>,
}

impl Judging {
    pub fn new(profile: &Profile) -> Self {
        let shown = redacted(profile);
        let set_of = |arm: &Value| {
            let keys = arm["set"].as_object().into_iter().flatten();
            keys.map(|(key, value)| (key.clone(), written(value))).collect()
        };
        let sets = shown["compare"]["arms"].as_array().into_iter().flatten().map(set_of).collect();
        Self { profile: profile.clone(), sets, arms: Vec::new() }
    }

    /// For whoever runs the arms.
    pub fn into_judge(mut self) -> Judge {
        Box::new(move |taken| self.of(taken))
    }

    /// Figures are taken of each block once, so that this costs some milliseconds whatever the length.
    pub fn of(&mut self, taken: &Taken) -> Comparison {
        for (i, arm) in taken.arms.iter().enumerate() {
            if i == self.arms.len() {
                let set = self.sets.get(i).cloned().unwrap_or_default();
                self.arms.push(Turns::new(&arm.name, set, &arm.profile));
            }
            let known = self.arms[i].blocks().len();
            arm.turns.iter().skip(known).for_each(|turn| self.arms[i].push(turn));
        }
        self.comparison(taken)
    }

    fn comparison(&self, taken: &Taken) -> Comparison {
        let (profile, compare) = (&self.profile, self.profile.compare.clone().unwrap_or_default());
        let arms: Vec<_> = self.arms.iter().zip(&taken.arms).map(|(turns, arm)| turns.facts(arm.spent)).collect();
        let told = told(&self.arms, taken.rounds(), &compare, profile.load.mode);
        let more_rounds = more_rounds(&told, taken.rounds(), &compare);
        Comparison {
            schema: Comparison::SCHEMA,
            gatebench: env!("CARGO_PKG_VERSION"),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
            profile: redacted(profile),
            run: run_facts(taken, &arms, &compare, caveats(&taken.arms, &compare, profile)),
            plan: plan_facts(&compare, profile),
            more_s: more_rounds.map(|more| more as f64 * round_s(&self.arms, &compare, profile)),
            more_rounds,
            metrics: told.into_iter().map(|told| told.row).collect(),
            arms,
        }
    }
}

/// As TOML has it.
fn written(value: &Value) -> String {
    toml::Value::try_from(value).map_or_else(|_| value.to_string(), |value| value.to_string())
}

impl Comparison {
    /// Of the arm at this place against the first one.
    pub fn row(&self, metric: &str, arm: usize) -> Option<&Row> {
        self.metrics.iter().find(|row| row.metric == metric && row.arm == arm)
    }

    /// What the comparison is about: the first metric asked for, of the arm at this place.
    pub fn leading(&self, arm: usize) -> Option<&Row> {
        self.metrics.iter().find(|row| row.arm == arm && row.asked_for)
    }
}

fn plan_facts(compare: &Compare, profile: &Profile) -> PlanFacts {
    PlanFacts {
        blocks: compare.blocks,
        block_s: compare.block_length(&profile.load).as_secs_f64(),
        cool_down_s: compare.cool_down.as_secs_f64(),
        shared: compare.shared,
        confidence: CONFIDENCE,
        until: compare.until.map(|until| until.0),
        tolerance: compare.tolerance(),
        metrics: compare.asked(),
        demands_a_verdict: compare.demands_a_verdict(),
    }
}

fn run_facts(taken: &Taken, arms: &[ArmFacts], compare: &Compare, caveats: Vec<String>) -> RunFacts {
    let rounds = taken.rounds();
    let doubts = arms.iter().flat_map(|arm| arm.invalid_because.iter().map(|why| format!("arm {}: {why}", arm.name)));
    let invalid_because: Vec<_> = doubts.collect();
    let mut warnings = Vec::new();
    // While one that is long enough is under way it goes without saying.
    let is_too_short = taken.stop != Stop::Finished || (compare.blocks as usize) < 2 * LEAST_ROUNDS;
    if rounds < LEAST_ROUNDS && is_too_short {
        let rounds = if rounds == 1 { "1 whole round gives".to_owned() } else { format!("{rounds} whole rounds give") };
        warnings.push(format!(
            "{rounds} no 95% interval, so every metric is inconclusive: that takes {LEAST_ROUNDS} \
             (compare.blocks of {} or more)",
            2 * LEAST_ROUNDS
        ));
    }
    warnings.extend(arms.iter().filter_map(redis_errors));
    warnings.extend(caveats);
    let unchecked: BTreeSet<_> = taken.arms.iter().flat_map(|arm| arm.profile.unchecked_routes()).collect();
    if !unchecked.is_empty() {
        let routes: Vec<_> = unchecked.into_iter().collect();
        warnings.push(format!("certificates were not checked (insecure): {}", routes.join(", ")));
    }
    RunFacts {
        started_at: taken.started_at.to_string(),
        duration_s: taken.duration.as_secs_f64(),
        blocks: taken.blocks(),
        rounds,
        valid: invalid_because.is_empty(),
        invalid_because,
        warnings,
        interrupted: matches!(taken.stop, Stop::Interrupted | Stop::Terminated),
        ended_early: taken.ended_early,
        stop: taken.stop,
        given_up_because: taken.given_up_because.clone(),
    }
}

/// An arm whose Redis fails is compared without that tier, which its figures alone do not tell.
fn redis_errors(arm: &ArmFacts) -> Option<String> {
    let errors = CacheError::ALL.map(|error| (error.name(), arm.tally.cache_errors[error as usize]));
    let kinds: Vec<_> = errors.iter().filter(|(_, n)| *n > 0).map(|(kind, n)| format!("{kind} {n}")).collect();
    let example = arm.tally.cache_examples.iter().flatten().next().map_or(String::new(), |said| format!(": {said}"));
    let name = &arm.name;
    (!kinds.is_empty()).then(|| format!("arm {name}: Redis failed, each time a miss ({}){example}", kinds.join(", ")))
}

fn more_rounds(told: &[Told], rounds: usize, compare: &Compare) -> Option<usize> {
    if rounds == 0 {
        return Some(LEAST_ROUNDS);
    }
    told.iter().filter(|told| told.row.asked_for).try_fold(0, |most, told| Some(most.max(more_for(told, compare)?)))
}

fn more_for(told: &Told, compare: &Compare) -> Option<usize> {
    let (effect, verdict) = told.effect?;
    match (compare.until, verdict) {
        (Some(until), _) => rounds_needed(&[effect], told.in_units_of_change(until.0)),
        (None, Verdict::Inconclusive { more_rounds }) => more_rounds,
        (None, _) => Some(0),
    }
}

/// What a round took so far, else what it is planned to take.
fn round_s(turns: &[Turns], compare: &Compare, profile: &Profile) -> f64 {
    let blocks = || turns.iter().flat_map(Turns::blocks);
    let (first, last) = (blocks().min_by_key(|block| block.at), blocks().max_by_key(|block| block.at));
    let a_block = match first.zip(last).filter(|(first, last)| first.at < last.at) {
        Some((first, last)) => (last.at_s - first.at_s) / (last.at - first.at) as f64,
        None => (compare.block_length(&profile.load) + compare.cool_down).as_secs_f64(),
    };
    2.0 * turns.len() as f64 * a_block
}

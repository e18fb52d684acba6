//! The rules of `[compare]`. Whether the arms' keys hold is found out by whoever can apply them.

use std::collections::HashSet;
use std::time::Duration;

use super::Findings;
use crate::profile::expect;
use crate::profile::problem::KeyPath;
use crate::profile::{Arm, Compare, ComparedAt, Load, Mode, Profile, Tolerance};

const SHORTEST_BLOCK: Duration = Duration::from_millis(100);

pub fn check(profile: &Profile, findings: &mut Findings) {
    let Some(compare) = &profile.compare else { return };
    arms(&compare.arms, findings);
    findings.range("compare.blocks", compare.blocks.into(), 2, Compare::MOST_BLOCKS.into());
    if compare.blocks > 2 && !compare.blocks.is_multiple_of(2) {
        let (fewer, more) = (compare.blocks - 1, compare.blocks.saturating_add(1));
        let message =
            format!("= {} is odd: a round has two blocks of each arm; write {fewer} or {more}", compare.blocks);
        findings.bad("compare.blocks", message);
    }
    if compare.block.is_some_and(|block| block < SHORTEST_BLOCK) {
        findings.bad("compare.block", "is below 100ms, too short for any rate; raise it");
    }
    for (i, name) in compare.metrics.iter().enumerate() {
        if let Err(why) = expect::named(name) {
            findings.wrong(KeyPath::from("compare.metrics").key(i), &why);
        }
    }
    for (key, why) in compare.tolerance.iter().flat_map(Tolerance::check) {
        let at = KeyPath::from("compare.tolerance");
        let at = if matches!(compare.tolerance, Some(Tolerance::ByMetric(_))) { at.key(key) } else { at };
        findings.wrong(at, &format!("compare.tolerance: {why}"));
    }
    if let Some(until) = compare.until.filter(|_| compare.blocks < Compare::LEAST_FOR_AN_INTERVAL) {
        let least = Compare::LEAST_FOR_AN_INTERVAL;
        findings
            .bad("compare.until", format!("= \"{until}\" needs intervals: raise compare.blocks to {least} or more"));
        findings.also(&["compare.blocks"]);
    }
    if let Some(sweep) = &compare.sweep {
        self::sweep(sweep, &profile.load, findings);
    }
}

fn arms(arms: &[Arm], findings: &mut Findings) {
    if arms.len() < 2 {
        let message = format!(
            "= {} is too few: a comparison takes two or more, such as {{ name = \"direct\", set = {{ \"stack.route\" = \
             \"direct\" }} }}, or --arm 'direct: stack.route=direct'",
            arms.len()
        );
        findings.bad("compare.arms", message);
    }
    let mut names = HashSet::new();
    for (i, arm) in arms.iter().enumerate() {
        let path = KeyPath::from("compare.arms").key(i).key("name");
        if arm.name.trim().is_empty() {
            findings.bad(path, "is empty; name the arm");
        } else if !names.insert(&arm.name) {
            findings.bad(path, format!("= \"{}\" is taken by an earlier arm; give it a name of its own", arm.name));
        }
    }
}

fn sweep(sweep: &ComparedAt, load: &Load, findings: &mut Findings) {
    if sweep.keys.is_empty() {
        findings.bad("compare.sweep.keys", "is empty; name a key such as \"load.users\"");
    }
    if sweep.values.is_empty() {
        findings.bad("compare.sweep.values", "is empty; give one value or more");
    }
    for (i, key) in sweep.keys.iter().enumerate() {
        let at = KeyPath::from("compare.sweep.keys").key(i);
        match KeyPath::parse(key) {
            Err(why) => findings.wrong(at, &format!("compare.sweep.keys: {why}")),
            Ok(path) if path.starts_with(&KeyPath::from("compare")) => {
                findings.wrong(at, "compare.sweep.keys: a key of [compare] is the same at every value; name another");
            }
            Ok(path) => without_effect(&at, &path, load, findings),
        }
    }
}

/// The load's size is set by one key in an open loop and by another in a closed one.
fn without_effect(at: &KeyPath, path: &KeyPath, load: &Load, findings: &mut Findings) {
    let (other, mode, its_own) = match load.mode {
        Mode::Open => ("load.users", "open", "load.rate"),
        Mode::Closed => ("load.rate", "closed", "load.users"),
    };
    if *path == KeyPath::from(other) {
        let message = format!(
            "compare.sweep.keys: {other} changes nothing while load.mode = \"{mode}\"; set the mode, or sweep {its_own}"
        );
        findings.wrong(at.clone(), &message);
        findings.also(&["load.mode"]);
    }
}

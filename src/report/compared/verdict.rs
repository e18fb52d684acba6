//! How a comparison ended: its verdict and the last line.

use super::super::text::Tone;
use super::super::verdict::Verdict;
use super::words;
use crate::compare::{Comparison, Word};
use crate::metrics::Stop;

/// A metric asked for that is inconclusive counts where a tolerance or `until` was asked for: who asks for no certainty
/// gets what there is.
pub fn verdict(comparison: &Comparison) -> Verdict {
    let run = &comparison.run;
    let stopped = match run.stop {
        Stop::Interrupted => Some(Verdict::Interrupted),
        Stop::Terminated => Some(Verdict::Terminated),
        Stop::Hopeless => Some(Verdict::CouldNotRun),
        Stop::Aborted => Some(Verdict::Failed),
        Stop::Finished | Stop::Budget | Stop::Quit => None,
    };
    let nothing = run.rounds == 0 || comparison.arms.iter().any(|arm| arm.succeeded == 0);
    let judged = comparison.arms.iter().flat_map(|arm| &arm.expectations).filter(|judged| !judged.passed);
    let judged = judged.map(|judged| if judged.undecided.is_some() { Verdict::Invalid } else { Verdict::Failed });
    let is_open = comparison.plan.demands_a_verdict && !untold(comparison).is_empty();
    let others = [
        stopped,
        nothing.then_some(Verdict::CouldNotRun),
        (!run.valid).then_some(Verdict::Invalid),
        is_open.then_some(Verdict::Inconclusive),
    ];
    Verdict::of_all(judged.chain(others.into_iter().flatten()))
}

/// Metrics asked for of which an arm has no word, those without any value included.
pub fn untold(comparison: &Comparison) -> Vec<&str> {
    let asked = comparison.metrics.iter().filter(|row| row.asked_for);
    let open = asked.filter(|row| row.verdict == Word::Inconclusive).map(|row| row.metric.as_str());
    let mut all: Vec<_> = open.chain(without_values(comparison)).collect();
    all.dedup();
    all
}

/// Metrics asked for by name that some arm has no value of.
pub fn without_values(comparison: &Comparison) -> impl Iterator<Item = &str> {
    let has = |metric: &&String| comparison.metrics.iter().any(|row| row.metric == **metric);
    comparison.plan.metrics.iter().filter(move |metric| !has(metric)).map(String::as_str)
}

/// The last line, with the exit code where it is not 0.
pub fn closing_words(comparison: &Comparison) -> (Tone, String) {
    let verdict = verdict(comparison);
    let (tone, words) = match verdict {
        Verdict::Passed => (Tone::Good, format!("compared; {}", held(comparison))),
        Verdict::Failed => (Tone::Bad, held(comparison)),
        Verdict::Invalid if comparison.run.valid => (Tone::Doubt, format!("cannot judge: {}", held(comparison))),
        Verdict::Invalid => (Tone::Bad, "invalid: these differences are not the stack's, see above".to_owned()),
        Verdict::CouldNotRun => (Tone::Bad, could_not_run(comparison)),
        Verdict::Interrupted => (Tone::Doubt, cut_short("interrupted", comparison.run.rounds)),
        Verdict::Terminated => (Tone::Doubt, cut_short("terminated", comparison.run.rounds)),
        Verdict::BadInput | Verdict::Inconclusive => {
            (Tone::Doubt, format!("inconclusive: {}", untold(comparison).join(", ")))
        }
    };
    let exit = if verdict == Verdict::Passed { String::new() } else { format!(" (exit {})", verdict.exit_code()) };
    (tone, words + &exit)
}

fn cut_short(how: &str, rounds: usize) -> String {
    match rounds {
        0 => format!("{how} before a whole round: two blocks of each arm"),
        _ => format!("{how}: {} until then", words::rounds(rounds)),
    }
}

fn held(comparison: &Comparison) -> String {
    let all: Vec<_> = comparison.arms.iter().flat_map(|arm| &arm.expectations).collect();
    let held = all.iter().filter(|judged| judged.passed).count();
    let undecided = all.iter().filter(|judged| judged.undecided.is_some()).count();
    match (all.len(), undecided) {
        (0, _) => "nothing was expected".to_owned(),
        (n, 0) => format!("{held} of {n} expectations held over all arms"),
        (n, _) => format!("{held} of {n} expectations held over all arms, {undecided} could not be judged"),
    }
}

fn could_not_run(comparison: &Comparison) -> String {
    if let Some(why) = &comparison.run.given_up_because {
        return format!("given up: {why}");
    }
    match comparison.arms.iter().find(|arm| arm.succeeded == 0 && !arm.blocks.is_empty()) {
        Some(arm) => format!("nothing succeeded in arm {}: all {} calls failed", arm.name, arm.failed),
        None if comparison.run.stop == Stop::Budget => "limits.budget ended it before a whole round".to_owned(),
        None => "no round came to its end".to_owned(),
    }
}

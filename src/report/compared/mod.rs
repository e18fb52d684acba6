//! Comparison -> text, Markdown, JUnit, CSV; of one, or of one at each value of a sweep.
//! Must not know how a difference is judged: what it says is what JSON says.

mod csv;
mod junit;
mod markdown;
mod sweep;
mod tables;
mod text;
mod verdict;
pub mod words;

pub use sweep::{At, ComparedSweep};
pub use text::text;
pub use verdict::{closing_words, verdict};

pub(super) use csv::csv;
pub(super) use junit::junit;
pub use markdown::{markdown, of_sweep};
pub(super) use tables::{Table, arms, metrics, phases};

use super::text::Tone;
use crate::compare::{ArmFacts, Comparison, LEAST_ROUNDS, Row, RunFacts, Word};
use crate::metrics::Stop;

/// What was compared: the arms, and the profile's description.
pub fn name(comparison: &Comparison) -> String {
    let names: Vec<_> = comparison.arms.iter().map(|arm| arm.name.as_str()).collect();
    let arms = names.join(" against ");
    match comparison.profile.pointer("/description").and_then(|text| text.as_str()) {
        None | Some("") => arms,
        Some(description) => format!("{arms}: {description}"),
    }
}

/// What ended it before its last block.
fn ended(run: &RunFacts) -> Option<&'static str> {
    Some(match run.stop {
        Stop::Finished if run.ended_early => "ended early, every interval asked for was narrow enough",
        Stop::Finished => return None,
        Stop::Budget => "stopped by limits.budget",
        Stop::Quit => "up to when it was left",
        Stop::Interrupted => "interrupted, partial",
        Stop::Terminated => "terminated, partial",
        Stop::Aborted => "aborted, partial",
        Stop::Hopeless => "given up: no further call can succeed",
    })
}

pub(super) fn tone(row: &Row) -> Tone {
    match row.verdict {
        Word::Better => Tone::Good,
        Word::Worse => Tone::Bad,
        Word::NoDifference => Tone::Plain,
        Word::Inconclusive => Tone::Doubt,
    }
}

/// Metrics asked for that leave rounds out, and why; where no metric can have an interval, a warning has said so.
pub(super) fn silent(comparison: &Comparison, arm: usize) -> impl Iterator<Item = String> {
    let few = comparison.run.rounds < LEAST_ROUNDS;
    let asked = comparison.metrics.iter().filter(move |row| row.arm == arm && row.asked_for && !few);
    asked.filter_map(|row| Some(format!("{}: {}", row.metric, row.silent_because.as_ref()?)))
}

/// What the first failed calls of an arm said.
fn examples(arm: &ArmFacts) -> impl Iterator<Item = String> {
    arm.error_examples.iter().map(|(kind, said)| format!("arm {}: first {kind}: {said}", arm.name))
}

/// The rows that are told in a sentence: what it is about, and errors where these differ, since times, rates and costs
/// are of calls that succeeded.
pub fn headlines(comparison: &Comparison, arm: usize) -> impl Iterator<Item = &Row> {
    let leading = comparison.leading(arm);
    let differs = |row: &&Row| matches!(row.verdict, Word::Better | Word::Worse);
    let errors = comparison
        .row("errors", arm)
        .filter(differs)
        .filter(move |errors| leading.is_some_and(|leading| leading.metric != errors.metric));
    leading.into_iter().chain(errors)
}

/// What casts doubt on all of it.
pub(super) fn doubts(comparison: &Comparison) -> impl Iterator<Item = (Tone, String)> {
    let run = &comparison.run;
    let invalid = run.invalid_because.iter().map(|why| (Tone::Bad, format!("INVALID: {why}")));
    let warnings = run.warnings.iter().map(|warning| (Tone::Doubt, format!("WARNING: {warning}")));
    let debug = "a debug build of gatebench: build with --release before you trust its figures";
    let debug = (comparison.build == "debug").then(|| (Tone::Doubt, debug.to_owned()));
    invalid.chain(warnings).chain(debug)
}

/// The JSON Schema of what `gatebench compare` gives: a comparison, or one at each value.
pub fn schema() -> serde_json::Value {
    #[derive(schemars::JsonSchema)]
    #[schemars(untagged)]
    #[expect(dead_code, reason = "stands for what is printed in the schema alone")]
    enum Compared {
        One(Box<Comparison>),
        AtEachValue(ComparedSweep),
    }
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Compared>()
        .to_value()
}

#[cfg(test)]
mod tests;

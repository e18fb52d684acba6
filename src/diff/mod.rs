//! Two reports of runs that were made at different times: what changed, and whether it is a regression.
//! Must not know how a run is made, or where its report is kept.
//!
//! ```text
//! Report, Report --question: were they asked the same?--> blocks --compare::Shift--> Compared, one a metric --> Diff
//!                  asked: metrics, tolerances ------------------------judged---^              |
//!                                                            text, JSON, Markdown, JUnit <----'
//! ```
//!
//! Blocks say how a run varied within itself. What drifted between the runs they cannot say: it is in every change.

mod asked;
mod files;
mod judged;
mod question;
mod shares;
mod sound;
mod text;
mod whole;

use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

pub use asked::{Asked, AskedError, Tolerances, Unlike};
pub use files::markdown;
pub use judged::{Compared, Outcome};
pub use question::Changed;

use crate::report::{Report, Verdict};
use question::Differences;
use sound::Side;

/// What a new run changed against a base.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Diff {
    pub schema: String,
    /// The version that made it.
    pub gatebench: String,
    /// Of all metrics together.
    pub verdict: Overall,
    /// What the program ends with.
    pub exit_code: u8,
    /// The verdict in a sentence.
    pub because: String,
    /// What the diff cannot tell.
    pub caution: String,
    pub base: Side,
    pub new: Side,
    /// Blocks of the same number were of the same part of the plan, and were compared in pairs; else all with all.
    pub paired: bool,
    /// Keys of the profiles that differ as they may: the stack, and the real routes.
    pub changed: Vec<Changed>,
    /// Keys that differ though they make another question of it: only with `--force`.
    pub unlike: Vec<Changed>,
    pub warnings: Vec<String>,
    pub metrics: Vec<Compared>,
    /// Of the usual metrics, percentiles with too few calls a block.
    pub left_out: Vec<String>,
}

/// The worst of the metrics' outcomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overall {
    Pass,
    Inconclusive,
    Regression,
    /// A metric that was asked for could not be judged.
    Undecided,
}

/// Why two reports cannot be held against each other.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum DiffError {
    #[error("{}", not_the_same(.0))]
    AnotherQuestion(Vec<Changed>),
    #[error(
        "the {which} report has no blocks, which gatebench {version} did not keep yet; make it again with this version"
    )]
    NoBlocks { which: &'static str, version: String },
    #[error("{}", .0.join("\n"))]
    Unsound(Vec<String>),
    #[error("there is nothing to judge: {0}")]
    NothingToJudge(String),
}

impl DiffError {
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::AnotherQuestion(_) | Self::NoBlocks { .. } => Verdict::BadInput,
            Self::Unsound(_) | Self::NothingToJudge(_) => Verdict::Invalid,
        }
    }
}

fn not_the_same(differences: &[Changed]) -> String {
    let line =
        |of: &Changed| format!("  {} was {}, is {}", of.key, question::shown(&of.base), question::shown(&of.new));
    let lines: Vec<_> = differences.iter().map(line).collect();
    format!(
        "the runs were not asked the same, so that their figures cannot be compared:\n{}\nmake both from one profile (the \
         stack may differ), or compare them all the same with --force",
        lines.join("\n")
    )
}

impl Diff {
    pub const SCHEMA: &str = "gatebench.diff/1";

    /// Holds the report of a new run against that of an earlier one.
    pub fn of(base: &Report, new: &Report, asked: &Asked) -> Result<Self, DiffError> {
        let Differences { changed, question } = Differences::between(base, new, asked);
        let both = [("base", base), ("new", new)];
        let mut warnings: Vec<_> = both.iter().flat_map(|(which, report)| sound::doubts(which, report)).collect();
        match asked.unlike {
            Unlike::Refused if !question.is_empty() => return Err(DiffError::AnotherQuestion(question)),
            Unlike::Refused if !warnings.is_empty() => return Err(DiffError::Unsound(warnings)),
            _ => {}
        }
        if let Some((which, old)) = both.iter().find(|(_, report)| report.blocks.is_empty()) {
            return Err(DiffError::NoBlocks { which, version: old.gatebench.clone() });
        }
        warnings.extend(sound::warnings(base, new));
        let (metrics, left_out) = judged::all(base, new, asked)?;
        let verdict = Overall::of(&metrics);
        Ok(Self {
            schema: Self::SCHEMA.to_owned(),
            gatebench: env!("CARGO_PKG_VERSION").to_owned(),
            verdict,
            exit_code: verdict.verdict().exit_code(),
            because: text::because(&metrics),
            caution: sound::caution(base, new),
            base: Side::of(base),
            new: Side::of(new),
            paired: judged::are_pairs(&base.blocks, &new.blocks),
            changed,
            unlike: question,
            warnings,
            metrics,
            left_out,
        })
    }

    /// Whether a run of this profile, as reports have it, can be held against the base: what can be told of that before
    /// it is made.
    pub fn foresee(base: &Report, profile: &serde_json::Value, asked: &Asked) -> Result<(), DiffError> {
        let planned = Report { profile: profile.clone(), ..base.clone() };
        let Differences { question, .. } = Differences::between(base, &planned, asked);
        let doubts = sound::doubts("base", base);
        match asked.unlike {
            Unlike::Refused if !question.is_empty() => Err(DiffError::AnotherQuestion(question)),
            Unlike::Refused if !doubts.is_empty() => Err(DiffError::Unsound(doubts)),
            _ if base.blocks.is_empty() => Err(DiffError::NoBlocks { which: "base", version: base.gatebench.clone() }),
            _ => Ok(()),
        }
    }

    pub fn verdict(&self) -> Verdict {
        self.verdict.verdict()
    }

    /// As `--json` prints it.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a diff's keys are strings");
        text.push('\n');
        text
    }
}

impl Overall {
    fn of(metrics: &[Compared]) -> Self {
        let all = Verdict::of_all(metrics.iter().map(|compared| compared.verdict.verdict()));
        match all {
            Verdict::Passed => Self::Pass,
            Verdict::Failed => Self::Regression,
            Verdict::Inconclusive => Self::Inconclusive,
            _ => Self::Undecided,
        }
    }

    fn verdict(self) -> Verdict {
        match self {
            Self::Pass => Verdict::Passed,
            Self::Regression => Verdict::Failed,
            Self::Inconclusive => Verdict::Inconclusive,
            Self::Undecided => Verdict::Invalid,
        }
    }
}

/// The diff's JSON Schema.
pub fn schema() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Diff>()
        .to_value()
}

#[cfg(test)]
mod tests;

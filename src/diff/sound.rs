//! What two reports are worth beside each other: each one's soundness, where they were made, and when.

use jiff::{Timestamp, Unit};
use schemars::JsonSchema;
use serde::Serialize;

use crate::report::{Environment, Report, format, unsound};

/// A run of the two.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Side {
    /// RFC 3339 UTC.
    pub started_at: String,
    /// The version that made it.
    pub gatebench: String,
    pub measured_s: f64,
    pub succeeded: u64,
    pub failed: u64,
    pub blocks: usize,
}

impl Side {
    pub fn of(report: &Report) -> Self {
        Self {
            started_at: report.run.started_at.clone(),
            gatebench: report.gatebench.clone(),
            measured_s: report.run.measured_s,
            succeeded: report.load.succeeded,
            failed: report.load.failed,
            blocks: report.blocks.len(),
        }
    }
}

/// Why a report's figures are not those of its settings, in words; none of a sound one.
pub fn doubts(which: &str, report: &Report) -> Vec<String> {
    let all = unsound(report).into_iter();
    all.map(|why| format!("the {which} run says nothing of its settings: it {why}")).collect()
}

/// What may make a difference of its own.
pub fn warnings(base: &Report, new: &Report) -> Vec<String> {
    let facts = |report: &Report| {
        let Environment { os, arch, cpus, kernel, build } = &report.environment;
        [
            ("gatebench", report.gatebench.clone()),
            ("build", build.clone()),
            ("CPUs", cpus.to_string()),
            ("system", format!("{os} {arch}")),
            ("kernel", kernel.clone().unwrap_or_default()),
        ]
    };
    let differ = facts(base).into_iter().zip(facts(new)).filter(|(base, new)| base != new);
    let mut warnings: Vec<_> = differ
        .map(|((name, base), (_, new))| format!("{name} was {base}, is {new}: that alone may change figures"))
        .collect();
    for (which, report) in [("base", base), ("new", new)] {
        warnings.extend(report.run.warnings.iter().map(|warning| format!("the {which} run: {warning}")));
    }
    warnings
}

/// What no diff can tell.
pub fn caution(base: &Report, new: &Report) -> String {
    let apart = match apart(base, new) {
        Some(apart) => format!("The runs began {apart} apart: what"),
        None => "The runs were made at different times: what".to_owned(),
    };
    format!(
        "{apart} drifted in between (network, provider, machine) is in every change, and no interval holds it. \
         `gatebench compare` lets both take turns, and leaves it out."
    )
}

fn apart(base: &Report, new: &Report) -> Option<String> {
    let at = |report: &Report| report.run.started_at.parse::<Timestamp>().ok();
    let seconds = at(base)?.until((Unit::Second, at(new)?)).ok()?.get_seconds().unsigned_abs();
    Some(match seconds {
        0..120 => format::seconds(seconds as f64),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    })
}

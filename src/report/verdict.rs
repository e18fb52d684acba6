//! Expectations -> what became of them -> the run's verdict and exit code.
//! Must not know how figures are measured or shown.

use super::figures::{Figures, Metric};
use super::shape::{Judged, Report, Unit};
use super::text::format;
use crate::metrics::Stop;
use crate::profile::expect::Expectation;

/// Judges an expectation. One on a metric without samples, or on a quantile of too few, is undecided: it did not
/// pass, but it did not fail on its merits either.
pub fn judge(expectation: &Expectation, figures: &Figures) -> Judged {
    let Some(metric) = Metric::by_name(&expectation.metric) else {
        let undecided = Some(format!("\"{}\" is no metric", expectation.metric));
        let expect = expectation.text.clone();
        return Judged {
            expect,
            actual: None,
            unit: Unit::Count,
            samples: None,
            passed: false,
            undecided,
            at_best: None,
        };
    };
    let samples = metric.samples(figures);
    let needed = metric.samples_needed();
    let actual = metric.value(figures);
    let undecided = match (actual, samples) {
        (None, _) => Some("no data".to_owned()),
        (_, Some(n)) if n < needed => Some(format!(
            "too few samples (n = {}, {} needs {})",
            format::count(n),
            expectation.metric.rsplit('.').next().unwrap_or(&expectation.metric),
            format::count(needed)
        )),
        _ => None,
    };
    let holds = actual.is_some_and(|actual| expectation.holds(actual));
    Judged {
        expect: expectation.text.clone(),
        actual,
        unit: metric.unit(),
        samples,
        passed: undecided.is_none() && holds,
        undecided,
        at_best: None,
    }
}

/// How a command ended. In the order of precedence: of several, the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Bad arguments or profile; nothing was sent.
    BadInput,
    Interrupted,
    Terminated,
    /// Nothing succeeded, or something could not be reached or written.
    CouldNotRun,
    /// The generator was the bottleneck, or too few samples to judge an expectation.
    Invalid,
    /// An expectation failed, or a regression.
    Failed,
    /// The noise is wider than the tolerance.
    Inconclusive,
    Passed,
}

impl Verdict {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::CouldNotRun => 1,
            Self::BadInput => 2,
            Self::Invalid => 3,
            Self::Inconclusive => 4,
            Self::Failed => 99,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The one that counts of several.
    pub fn of_all(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().min().unwrap_or(Self::Passed)
    }

    pub fn of(report: &Report) -> Self {
        let stopped = match report.run.stop {
            Stop::Interrupted => Some(Self::Interrupted),
            Stop::Terminated => Some(Self::Terminated),
            Stop::Hopeless => Some(Self::CouldNotRun),
            Stop::Aborted => Some(Self::Failed),
            Stop::Finished | Stop::Budget | Stop::Quit => None,
        };
        let nothing = (report.load.succeeded == 0 && !report.is_cut_before_answers()).then_some(Self::CouldNotRun);
        let invalid = (!report.run.valid).then_some(Self::Invalid);
        let judged = report.expectations.iter().filter(|judged| !judged.passed).map(|judged| match judged.undecided {
            // What an aborted run had too few samples for is no fault of its own.
            Some(_) if report.run.stop == Stop::Aborted => Self::Failed,
            Some(_) => Self::Invalid,
            None => Self::Failed,
        });
        Self::of_all(judged.chain(stopped).chain(nothing).chain(invalid))
    }
}

impl Report {
    /// Aborted while calls were under way, or before any: whether one would have succeeded is not known.
    fn is_cut_before_answers(&self) -> bool {
        self.run.stop == Stop::Aborted && (self.run.abandoned > 0 || self.load.failed == 0)
    }
}

/// The exit code of `gatebench run`.
pub fn exit_code(report: &Report) -> u8 {
    Verdict::of(report).exit_code()
}

//! Whether expectations can still hold, whatever the rest of a plan brings. Must not know who ends a run for it.
//!
//! Of each metric the range is told in which it must end: what has been measured stays, and all that is still to come
//! is taken to be as good as it could be at one end, as bad at the other. A range that cannot be told is everything:
//! no run is given up that could still pass.

mod range;

use crate::metrics::{Phase, Snapshot};
use crate::plan;
use crate::profile::Profile;
use crate::profile::expect::Expectation;

use super::figures::{Figures, Metric};
use super::shape::Report;
use super::text::format;
use range::{Range, Rest};

/// A plan, and what is expected of it.
#[derive(Clone, Debug)]
pub struct Outlook {
    expectations: Vec<Expectation>,
    /// Measured calls, at most, if that is known.
    calls: Option<u64>,
    /// Seconds of the measured window, at least and at most.
    seconds: Range,
    attempts_a_call: u64,
}

impl Outlook {
    pub fn of(profile: &Profile, expectations: Vec<Expectation>) -> Self {
        let (load, stack) = (&profile.load, &profile.stack);
        let most = load.measured().map_or(f64::INFINITY, |time| time.as_secs_f64());
        let may_end_early = load.requests.is_some() || profile.limits.budget.is_some();
        Self {
            expectations,
            calls: plan::measured_calls(profile),
            seconds: Range { from: if may_end_early { 0.0 } else { most }, to: most },
            attempts_a_call: u64::from(stack.retry.attempts.max(1)) * (1 + stack.fallback.len() as u64),
        }
    }

    /// What cannot hold any more while the load goes on.
    pub fn hopeless(&self, snapshot: &Snapshot) -> Option<Hopeless> {
        if snapshot.phase != Phase::Measure {
            return None;
        }
        let figures = Figures::of_snapshot(snapshot);
        let rest = self.rest(&figures);
        let all = self.expectations.iter().filter_map(|expectation| at_best(expectation, &figures, &rest)).collect();
        let hopeless = Hopeless {
            all,
            at_s: figures.seconds,
            of_s: self.seconds.to,
            calls: (figures.tally.finished(), self.calls),
        };
        (!hopeless.all.is_empty()).then_some(hopeless)
    }

    fn rest(&self, figures: &Figures) -> Rest {
        let finished = figures.tally.finished();
        Rest {
            planned: self.calls,
            calls: self.calls.map(|calls| calls.saturating_sub(figures.dropped).saturating_sub(finished)),
            in_flight: figures.abandoned,
            attempts_a_call: self.attempts_a_call,
            seconds: Range { from: self.seconds.from.max(figures.seconds), to: self.seconds.to },
        }
    }
}

/// The value nearest to holding that an expectation's metric can still reach, if that does not hold.
fn at_best(expectation: &Expectation, figures: &Figures, rest: &Rest) -> Option<(String, f64)> {
    let Range { from, to } = range::of(&Metric::by_name(&expectation.metric)?, figures, rest);
    let lost = !expectation.can_hold(from, to);
    lost.then(|| (expectation.text.clone(), expectation.best_of(from, to)))
}

/// Expectations that could not hold any more, and when that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Hopeless {
    /// As written, each with what its metric would have been at best.
    all: Vec<(String, f64)>,
    at_s: f64,
    /// Infinite without a planned time.
    of_s: f64,
    /// Finished of the planned, if that is known.
    calls: (u64, Option<u64>),
}

impl Hopeless {
    /// `errors < 1% cannot hold any more after 12.0 s of 60.0 s`.
    pub fn words(&self) -> String {
        let names: Vec<_> = self.all.iter().map(|(expect, _)| expect.as_str()).collect();
        let at = format::seconds(self.at_s);
        let when = match self.calls {
            _ if self.of_s.is_finite() => format!("{at} of {}", format::seconds(self.of_s)),
            (done, Some(all)) => format!("{at}, {} of {} calls", format::count(done), format::count(all)),
            (_, None) => at,
        };
        format!("{} cannot hold any more after {when}", names.join(", "))
    }
}

impl Report {
    /// The run was ended since these could not hold any more.
    pub fn abort(&mut self, hopeless: &Hopeless) {
        self.run.aborted_because = Some(hopeless.words());
        for judged in &mut self.expectations {
            if let Some((_, best)) = hopeless.all.iter().find(|(expect, _)| *expect == judged.expect) {
                (judged.passed, judged.undecided, judged.at_best) = (false, None, Some(*best));
            }
        }
    }
}

#[cfg(test)]
mod tests;

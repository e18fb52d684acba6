//! Whether a run's figures are the stack's, or those of a generator that could not keep up.
//! Must not know expectations: a run can be valid and fail them.

use super::figures::Figures;
use super::shape::Report;
use super::text::format;
use crate::metrics::{Stop, Tally, Time};

/// Less of the plan sent is no longer the load that was asked for.
const LEAST_ACHIEVED: f64 = 0.99;
/// Lag below this is not held against any run.
const LAG_FLOOR_MS: f64 = 5.0;
/// Of the service p50 of calls that reached a route: lag beyond it distorts what is measured.
const LAG_SHARE: f64 = 0.05;

/// Why the run says nothing about the stack, in words; empty for a valid run.
pub fn invalid_because(figures: &Figures) -> Vec<String> {
    [sent_too_little(figures), lagged(figures)].into_iter().flatten().collect()
}

/// What makes a run's figures others than those of its settings, each to be said after "the run"; none of a sound one.
pub fn unsound(report: &Report) -> Vec<String> {
    let run = &report.run;
    let stopped = match run.stop {
        Stop::Finished | Stop::Quit => None,
        Stop::Interrupted | Stop::Terminated => Some("was interrupted"),
        Stop::Aborted => Some("was aborted"),
        Stop::Budget => Some("was ended early by its budget"),
        Stop::Hopeless => Some("was given up"),
    };
    let nothing = (report.load.succeeded == 0).then_some("had no success");
    let mixed = (report.epochs.len() > 1).then_some("had its settings changed on the way");
    let invalid = run.invalid_because.iter().map(|why| format!("is invalid: {why}"));
    [stopped, nothing, mixed].into_iter().flatten().map(str::to_owned).chain(invalid).collect()
}

fn sent_too_little(figures: &Figures) -> Option<String> {
    let achieved = figures.achieved().filter(|achieved| *achieved < LEAST_ACHIEVED)?;
    let mend = match figures.dropped {
        0 => "the generator was the bottleneck; lower the load or give it more CPU".to_owned(),
        dropped => format!(
            "{} arrivals found load.max_in_flight calls in flight and were dropped; raise it or lower the rate",
            format::count(dropped)
        ),
    };
    Some(format!(
        "sent {} of {} planned calls ({}, at least 99% are needed): {mend}",
        format::count(figures.tally.sent),
        format::count(figures.planned),
        format::percent(achieved),
    ))
}

/// The lag p99 that the service times of these calls allow, in milliseconds.
pub fn lag_limit_ms(tally: &Tally) -> f64 {
    let routed_p50 = tally.times.summary(Time::Routed).map_or(0.0, |service| service.p50);
    LAG_FLOOR_MS.max(LAG_SHARE * routed_p50)
}

fn lagged(figures: &Figures) -> Option<String> {
    let lag = figures.tally.times.summary(Time::Lag)?;
    let most = lag_limit_ms(figures.tally);
    (lag.p99 > most).then(|| {
        format!(
            "lag p99 was {} of at most {} (n = {}): calls were sent late, so the generator was the bottleneck; lower \
             the load or give it more CPU",
            format::ms(lag.p99),
            format::ms(most),
            format::count(lag.count),
        )
    })
}

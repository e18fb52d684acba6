//! Little's law of a closed loop, N = X (R + Z): whether its calls and think time account for all that its users did.
//! Must not know how time is taken. Source: Little, Operations Research 9 (1961); with think time: Lazowska et al.,
//! Quantitative System Performance (1984), chapter 3.
//!
//! Calls, think time and users are all integrated over the measured window alone, so that calls across its borders,
//! ramps and the drain bring no error, and nothing has to be in a steady state. What is left is the users' time that is
//! in no call and no pause: the generator's own.

use super::shape::LittlesLaw;
use super::text::format;
use crate::metrics::Run;
use crate::profile::{BatchMode, Mode};

/// Off by more, the law does not hold.
const MOST_OFF: f64 = 0.02;
/// With fewer calls, or in less time, the start of the users' threads alone may be as much.
const LEAST_CALLS: u64 = 30;
const LEAST_SECONDS: f64 = 1.0;

/// `None` where the law says nothing: in an open loop, of calls issued together, of a run that left calls unawaited, and
/// of too few calls.
pub fn of(run: &Run) -> Option<LittlesLaw> {
    let (tally, seconds, batch) = (&run.measured, run.measured_window.as_secs_f64(), &run.profile.workload.batch);
    let is_told = run.profile.load.mode == Mode::Closed
        && (batch.size == 1 || batch.mode == BatchMode::Serial)
        && run.abandoned == 0
        && tally.ended >= LEAST_CALLS
        && seconds >= LEAST_SECONDS
        && !run.gauges.user_time.is_zero();
    if !is_told {
        return None;
    }
    let users = run.gauges.user_time.as_secs_f64() / seconds;
    let calls_per_s = tally.ended as f64 / seconds;
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e3 / tally.ended as f64;
    let (service_ms, think_ms) = (each(tally.service_in_window), each(run.gauges.think_time));
    let accounted = calls_per_s * (service_ms + think_ms) / 1e3;
    let deviation = accounted / users - 1.0;
    Some(LittlesLaw {
        users,
        calls_per_s,
        service_ms,
        think_ms,
        accounted,
        deviation,
        holds: deviation.abs() <= MOST_OFF,
    })
}

/// What a law that does not hold means.
pub fn warning(law: &LittlesLaw) -> Option<String> {
    if law.holds {
        return None;
    }
    let (users, accounted) = (format::digits3(law.users), format::digits3(law.accounted));
    let off = format::percent(law.deviation.abs());
    let meaning = match law.deviation < 0.0 {
        true => format!(
            "{off} of the users' time is in no call and no think time: the generator held them up, and without that the \
             rate would be higher"
        ),
        false => format!("that is {off} more than there were: the times or the rate of this report are wrong"),
    };
    Some(format!(
        "Little's law does not hold: calls and think time account for {accounted} of {users} users; {meaning}"
    ))
}

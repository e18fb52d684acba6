//! This machine's clocks: whether it knows the time of day, and how late it wakes.
//! Must not know who told the time.

use std::time::{Duration, Instant};

use super::finding::{Note, ms};
use super::listing::ServerClock;
use crate::report::format::ms as in_words;

/// Servers tell whole seconds, of some moment of the exchange.
const AS_GOOD_AS_THE_SAME: f64 = 2.0;
/// Tokens that expire begin to be refused.
const DOUBTFUL: f64 = 30.0;
/// Signed requests are refused, and certificates of today seem to be of tomorrow.
const WRONG: f64 = 300.0;

/// A run is invalid when its 99th percentile of lag is above this.
const LATE: Duration = Duration::from_millis(5);

pub fn wall(clocks: &[ServerClock]) -> Note {
    let skews: Vec<(&str, f64)> = clocks.iter().map(|clock| (clock.route.as_str(), skew(clock))).collect();
    let Some((route, worst)) = skews.iter().copied().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())) else {
        return Note::skip("no endpoint told the time");
    };
    let side = if worst > 0.0 { "ahead of" } else { "behind" };
    let size = humantime::format_duration(Duration::from_secs(worst.abs() as u64)).to_string();
    let mend = "set it: timedatectl set-ntp true, or the clock of the host of this virtual machine";
    let note = match worst.abs() {
        off if off > WRONG => Note::warn(
            format!("{size} {side} {route}'s: TLS, signed requests and tokens fail on that, or {route}'s is wrong"),
            mend,
        ),
        off if off > DOUBTFUL => {
            Note::warn(format!("{size} {side} {route}'s: tokens that expire may be refused"), mend)
        }
        off if off > AS_GOOD_AS_THE_SAME => Note::ok(format!("{size} {side} {route}'s, which does no harm")),
        _ => Note::ok(format!("agrees with that of {} to a second or two", names(&skews))),
    };
    note.fact("ahead_s", (worst * 10.0).round() / 10.0)
}

fn names(skews: &[(&str, f64)]) -> String {
    skews.iter().map(|(route, _)| *route).collect::<Vec<_>>().join(", ")
}

/// Seconds that this machine is ahead. A server tells whole seconds, cut off, from some moment of the exchange: half a
/// second and half the exchange are the best guess.
fn skew(clock: &ServerClock) -> f64 {
    let ahead = match clock.local.duration_since(clock.server) {
        Ok(ahead) => ahead.as_secs_f64(),
        Err(behind) => -behind.duration().as_secs_f64(),
    };
    ahead - 0.5 - clock.took.as_secs_f64() / 2.0
}

/// How late a sleeping thread wakes, which bounds how precisely arrivals are paced.
pub fn timer() -> Note {
    const SLEEPS: usize = 40;
    const NAP: Duration = Duration::from_millis(1);
    let mut late: Vec<Duration> = (0..SLEEPS)
        .map(|_| {
            let due = Instant::now() + NAP;
            std::thread::sleep(NAP);
            due.elapsed()
        })
        .collect();
    late.sort_unstable();
    judged(&Lateness { median: late[SLEEPS / 2], p90: late[SLEEPS * 9 / 10], worst: late[SLEEPS - 1] }, resolution())
}

struct Lateness {
    median: Duration,
    /// One in ten is as late: a single one that is may be bad luck.
    p90: Duration,
    worst: Duration,
}

fn judged(late: &Lateness, resolution: Duration) -> Note {
    let [median, worst, step] = [late.median, late.worst, resolution].map(|time| in_words(ms(time)));
    let detail = format!("wakes {median} late, at worst {worst}; resolves {step}");
    let note = if late.p90 > LATE {
        let mend =
            "a run whose arrivals lag by more than 5 ms is invalid: end what else is busy here, or use another machine";
        Note::warn(detail, mend)
    } else {
        Note::ok(detail)
    };
    let note = note.fact("late_ms", ms(late.median)).fact("late_p90_ms", ms(late.p90));
    note.fact("worst_ms", ms(late.worst)).fact("resolution_ms", ms(resolution))
}

/// The least step of the monotonic clock that is seen.
fn resolution() -> Duration {
    let steps = (0..1000).map(|_| {
        let start = Instant::now();
        loop {
            let step = start.elapsed();
            if !step.is_zero() {
                return step;
            }
        }
    });
    steps.min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::check::finding::{Finding, Status, Step};

    fn told(ahead: f64) -> ServerClock {
        let local = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let server = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(1_000_000.0 - ahead);
        ServerClock { route: "gateway".into(), server, local, took: Duration::from_millis(200) }
    }

    fn found(clocks: &[ServerClock]) -> Finding {
        wall(clocks).of("machine", Step::Clock)
    }

    #[test]
    fn a_clock_is_doubted_from_half_a_minute_on_whichever_side() {
        let status = |ahead| found(&[told(ahead)]).status;
        for near in [0.0, 0.9, -2.0, 29.0, -29.0] {
            assert_eq!(status(near), Status::Ok, "{near}");
        }
        for off in [31.0, -31.0, 299.0, 4000.0, -4000.0] {
            assert_eq!(status(off), Status::Warn, "{off}");
        }
        assert_eq!(found(&[told(2.0)]).detail, "agrees with that of gateway to a second or two");
        assert_eq!(found(&[told(21.0)]).detail, "20s ahead of gateway's, which does no harm");
        let said = found(&[told(0.0), told(-4000.0)]).detail;
        assert!(said.starts_with("1h 6m 40s behind gateway's: TLS"), "{said}");
        assert!(found(&[told(45.6)]).detail.starts_with("45s ahead of gateway's: tokens"));
    }

    #[test]
    fn a_server_that_tells_the_very_second_is_no_doubt() {
        let ahead = found(&[told(0.6)]).facts["ahead_s"].as_f64().unwrap();
        assert!(ahead.abs() < 0.11, "{ahead}");
    }

    #[test]
    fn without_an_endpoint_nobody_tells_the_time() {
        assert_eq!(found(&[]).status, Status::Skip);
    }

    #[test]
    fn a_machine_that_wakes_too_late_for_a_valid_run_is_warned_about() {
        let status = |p90| {
            let [median, p90] = [80, p90].map(Duration::from_micros);
            let late = Lateness { median, p90, worst: Duration::from_millis(20) };
            judged(&late, Duration::from_nanos(20)).of("machine", Step::Timer).status
        };
        assert_eq!((status(4000), status(6000)), (Status::Ok, Status::Warn));
    }
}

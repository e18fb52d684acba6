//! Which fault a route shows when: on the profile's schedule, or struck now by hand.
//! Must not know what a fault does to a request.

use std::time::{Duration, Instant};

use crate::profile::{Fault, FaultKind};

pub(super) struct Schedule {
    /// The faults' `at` counts from here.
    start: Instant,
    /// After this time the planned faults come again, each for as long as it lasts.
    repeat: Option<Duration>,
    struck: Vec<Struck>,
}

struct Struck {
    kind: FaultKind,
    model: Option<String>,
    until: Instant,
}

/// The faults that a request meets. A slow provider may fail as well.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Weather {
    pub(super) failing: Option<Failing>,
    pub(super) is_slow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Failing {
    pub(super) kind: FaultKind,
    pub(super) until: Instant,
}

impl Schedule {
    pub(super) fn starting(now: Instant) -> Self {
        Self { start: now, repeat: None, struck: Vec::new() }
    }

    pub(super) fn restart(&mut self, now: Instant, repeat: Option<Duration>) {
        self.start = now;
        self.repeat = repeat;
    }

    pub(super) fn delay(&mut self, by: Duration) {
        self.start += by;
    }

    pub(super) fn strike(&mut self, kind: FaultKind, model: Option<String>, lasts: Duration, now: Instant) {
        self.struck.retain(|fault| fault.until > now);
        self.struck.push(Struck { kind, model, until: now + lasts });
    }

    /// Of several faults the struck come before the planned ones, and then the first one listed.
    pub(super) fn weather(&self, planned: &[Fault], model: &str, now: Instant) -> Weather {
        let struck = self.struck.iter().filter(|fault| now < fault.until);
        let struck = struck.map(|fault| (fault.kind, fault.until, fault.model.as_deref()));
        let planned = planned.iter().filter_map(|f| Some((f.kind, self.struck_until(f, now)?, f.model.as_deref())));
        let mut weather = Weather { failing: None, is_slow: false };
        for (kind, until, only) in struck.chain(planned) {
            if only.is_some_and(|only| only != model) {
                continue;
            }
            match kind {
                FaultKind::Slow => weather.is_slow = true,
                kind if weather.failing.is_none() => weather.failing = Some(Failing { kind, until }),
                _ => {}
            }
        }
        weather
    }

    /// Until when a planned fault lasts that is there now. One that overlaps the end of a period goes on into the next,
    /// one planned after it never comes.
    fn struck_until(&self, fault: &Fault, now: Instant) -> Option<Instant> {
        let since = now.saturating_duration_since(self.start).checked_sub(fault.at)?;
        let since = match self.repeat {
            Some(period) if fault.at >= period => return None,
            Some(period) => Duration::from_nanos((since.as_nanos() % period.as_nanos()) as u64),
            None => since,
        };
        (since < fault.lasts).then(|| now - since + fault.lasts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn fault(at: u32, lasts: u32, kind: FaultKind, model: Option<&str>) -> Fault {
        Fault { at: SECOND * at, lasts: SECOND * lasts, kind, model: model.map(str::to_owned) }
    }

    #[test]
    fn a_planned_fault_lasts_from_its_start_to_its_end_and_only_for_its_model() {
        let start = Instant::now();
        let schedule = Schedule::starting(start);
        let planned = [fault(10, 5, FaultKind::Overloaded, Some("a"))];
        let at = |ms: u64, model| schedule.weather(&planned, model, start + Duration::from_millis(ms)).failing;
        assert_eq!(at(9_999, "a"), None);
        assert_eq!(at(10_000, "a"), Some(Failing { kind: FaultKind::Overloaded, until: start + 15 * SECOND }));
        assert_eq!(at(10_000, "b"), None);
        assert_eq!(at(15_000, "a"), None);
    }

    #[test]
    fn a_restarted_clock_brings_the_planned_faults_again() {
        let start = Instant::now();
        let mut schedule = Schedule::starting(start);
        let planned = [fault(0, 1, FaultKind::Hang, None)];
        assert!(schedule.weather(&planned, "m", start + 5 * SECOND).failing.is_none());
        schedule.restart(start + 5 * SECOND, None);
        assert!(schedule.weather(&planned, "m", start + 5 * SECOND).failing.is_some());
    }

    #[test]
    fn planned_faults_come_again_after_each_period_and_go_on_over_its_end() {
        let start = Instant::now();
        let mut schedule = Schedule::starting(start);
        schedule.restart(start, Some(10 * SECOND));
        let planned = [fault(8, 4, FaultKind::Hang, None), fault(10, 9, FaultKind::Reset, None)];
        let until = |at: u32| schedule.weather(&planned, "m", start + at * SECOND).failing.map(|fault| fault.until);
        assert_eq!([until(0), until(7), until(12), until(17), until(22)], [None; 5]);
        assert_eq!([until(8), until(11)], [Some(start + 12 * SECOND); 2]);
        assert_eq!([until(18), until(21)], [Some(start + 22 * SECOND); 2]);
    }

    #[test]
    fn delayed_faults_come_later_and_last_as_long() {
        let start = Instant::now();
        let mut schedule = Schedule::starting(start);
        schedule.delay(5 * SECOND);
        let planned = [fault(2, 1, FaultKind::Hang, None)];
        let strikes = |at: u32| schedule.weather(&planned, "m", start + at * SECOND).failing.is_some();
        assert_eq!([strikes(2), strikes(6), strikes(7), strikes(8)], [false, false, true, false]);
    }

    #[test]
    fn a_struck_fault_comes_first_and_slowness_goes_with_any() {
        let start = Instant::now();
        let mut schedule = Schedule::starting(start);
        schedule.strike(FaultKind::Reset, None, SECOND, start);
        let planned = [fault(0, 9, FaultKind::Slow, None), fault(0, 9, FaultKind::Hang, None)];
        let weather = schedule.weather(&planned, "m", start);
        assert!(weather.is_slow);
        assert_eq!(weather.failing.unwrap().kind, FaultKind::Reset);
        assert_eq!(schedule.weather(&planned, "m", start + SECOND).failing.unwrap().kind, FaultKind::Hang);
    }
}

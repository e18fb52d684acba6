//! How many measured calls a plan has, where that is known before it runs.

use super::{Arrivals, Ramp};
use crate::profile::{Mode, Profile};

/// More arrivals than these are not counted out beforehand: it would take longer than a moment.
const MOST_COUNTED: f64 = 5e6;

/// Measured calls of the plan, at most: a budget or a drop may leave some out. `None` in a closed loop without
/// `requests`, in which it is the answers that say how many there are, and for plans too long to be counted out.
pub fn measured_calls(profile: &Profile) -> Option<u64> {
    let load = &profile.load;
    let due = match load.mode {
        Mode::Open => arrivals(profile),
        Mode::Closed => None,
    };
    match (due, load.requests) {
        (Some(due), Some(requests)) => Some(due.min(requests)),
        (due, requests) => due.or(requests),
    }
}

/// Those due in the measured window, each for all calls of its batch.
fn arrivals(profile: &Profile) -> Option<u64> {
    let (load, batch) = (&profile.load, profile.workload.batch.size.max(1));
    let (begin, ramp) = (load.warmup, Ramp::of(load));
    let end = begin.checked_add(load.measured()?)?;
    if ramp.area(end) / f64::from(batch) > MOST_COUNTED {
        return None;
    }
    let all = Arrivals::new(ramp, load.arrivals, batch, profile.seed, std::time::Duration::ZERO);
    let measured = all.take_while(|due| *due < end).filter(|due| *due >= begin).count();
    Some(measured as u64 * u64::from(batch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Draft, Prices, Source};

    fn calls_of(load: &str, more: &str) -> Option<u64> {
        let text = format!("[load]\nwarmup = \"2s\"\n{load}\n{more}\n[routes.gateway]\nsimulate = \"local\"\n");
        measured_calls(&Draft::from_text(Source::Adhoc, text).finish(Prices::ANY).unwrap().profile)
    }

    #[test]
    fn an_open_loop_has_as_many_calls_as_arrivals_are_due_in_its_window() {
        let constant = "rate = 50.0\narrivals = \"constant\"\nduration = \"10s\"";
        // Due every 20 ms: at 2 s, and no more at 12 s.
        assert_eq!(calls_of(constant, ""), Some(500));
        assert_eq!(calls_of(constant, "[workload]\nbatch = { size = 5 }"), Some(500));
        let poisson = calls_of("rate = 50.0\nduration = \"10s\"", "").unwrap();
        assert!((400..600).contains(&poisson) && poisson != 500, "{poisson}");
    }

    #[test]
    fn a_number_of_requests_bounds_any_loop() {
        assert_eq!(calls_of("mode = \"closed\"\nrequests = 70", ""), Some(70));
        assert_eq!(calls_of("rate = 50.0\nrequests = 70", ""), Some(70));
        assert_eq!(calls_of("rate = 50.0\narrivals = \"constant\"\nduration = \"1s\"\nrequests = 70", ""), Some(50));
    }

    #[test]
    fn a_closed_loop_of_a_time_and_a_plan_of_a_day_are_not_counted() {
        assert_eq!(calls_of("mode = \"closed\"\nduration = \"10s\"", ""), None);
        assert_eq!(calls_of("rate = 10000.0\nduration = \"24h\"", ""), None);
    }
}

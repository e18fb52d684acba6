//! After what time a plan begins anew when its load runs until it is stopped.

use std::time::Duration;

use crate::profile::Profile;

/// The warm-up and the measured time. Of a plan bounded by `requests` alone the time until its last stage and its last
/// fault are over; `None` if it has neither, and so nothing to repeat.
pub fn period(profile: &Profile) -> Option<Duration> {
    let load = &profile.load;
    let planned = match load.measured() {
        Some(measured) => load.warmup + measured,
        None => {
            let stages: Duration = load.stages.iter().map(|stage| stage.duration).sum();
            let stages = if stages.is_zero() { stages } else { load.warmup + stages };
            let simulated = profile.routes.values().filter_map(|route| route.simulate.as_ref());
            let faults = simulated.flat_map(|simulated| &simulated.faults).map(|fault| fault.at + fault.lasts);
            faults.fold(stages, Duration::max)
        }
    };
    (!planned.is_zero()).then_some(planned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Draft, Prices, Source};

    fn period_of(load: &str, simulated: &str) -> Option<Duration> {
        let text = format!("[load]\nwarmup = \"2s\"\n{load}\n[routes.gateway]\nsimulate = {{ {simulated} }}\n");
        period(&Draft::from_text(Source::Adhoc, text).finish(Prices::ANY).unwrap().profile)
    }

    #[test]
    fn a_plan_repeats_after_its_warm_up_and_duration() {
        let fault = "faults = [{ at = \"1s\", for = \"3s\", kind = \"429\" }]";
        assert_eq!(period_of("duration = \"10s\"", fault), Some(Duration::from_secs(12)));
    }

    #[test]
    fn a_plan_of_requests_repeats_after_its_last_stage_and_fault_or_not_at_all() {
        let stage = "requests = 10\nstages = [{ duration = \"5s\", rate = 20.0 }]";
        let fault = "faults = [{ at = \"8s\", for = \"3s\", kind = \"429\" }]";
        assert_eq!(period_of(stage, ""), Some(Duration::from_secs(7)));
        assert_eq!(period_of(stage, fault), Some(Duration::from_secs(11)));
        assert_eq!(period_of("requests = 10", ""), None);
    }
}

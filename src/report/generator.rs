//! A run held against what this machine can generate.
//! Must not know how a calibration is made or kept.

use super::shape::{GeneratorFacts, Report};
use super::text::format;
use crate::calibration::{Calibration, JUDGED_FROM, MOST_USED, Shape};
use crate::metrics::{Point, Snapshot, Tally, ratio};
use crate::profile::{Mode, Profile};

/// A shorter point's rate is chance.
const LEAST_SECONDS: f64 = 0.5;

impl Report {
    /// Calls to routes in the busiest second, warm-up included; `None` if it was so little that no machine is in doubt.
    pub fn busiest_second(&self) -> Option<f64> {
        let busiest = self.series.iter().filter_map(routed_per_second).fold(0.0, f64::max);
        (busiest > JUDGED_FROM).then_some(busiest)
    }

    /// Says how much of what this machine can generate the run took, and warns if it was too much.
    pub fn hold_against(&mut self, calibration: &Calibration, shape: Shape) {
        let Some(busiest_per_s) = self.busiest_second() else { return };
        let capacity_per_s = calibration.capacity(shape);
        let used = busiest_per_s / capacity_per_s;
        let calibrated_at = calibration.measured_at.clone();
        let facts = GeneratorFacts { busiest_per_s, capacity_per_s, used, calibrated_at };
        self.run.warnings.extend(warning(&facts, shape, self.has_simulated_routes()));
        self.run.generator = Some(facts);
    }

    fn has_simulated_routes(&self) -> bool {
        !self.simulated.is_empty()
    }
}

/// Calls that went to a route and finished in the point, a second.
fn routed_per_second(point: &Point) -> Option<f64> {
    let routed = point.sent.saturating_sub(point.local + point.redis + point.shared);
    (point.seconds >= LEAST_SECONDS).then(|| routed as f64 / point.seconds)
}

/// The share of what this machine can generate that the last whole second took, if it was too much.
pub fn overused(shown: &Snapshot, calibration: &Calibration) -> Option<f64> {
    let second = shown.series.points().last().and_then(routed_per_second).filter(|rate| *rate > JUDGED_FROM)?;
    let used = second / calibration.capacity(shape(&shown.profile, &shown.recent.tally));
    (used > MOST_USED).then_some(used)
}

/// What a load of this profile asks of the generator, by the answers it had.
pub fn shape(profile: &Profile, tally: &Tally) -> Shape {
    let rows = tally.ledger.rows();
    let (tokens, answers) = rows.iter().fold((0, 0), |(t, a), row| (t + row.billed.output, a + row.answers));
    let streamed = ratio(tokens, answers).filter(|_| profile.workload.stream);
    let (mode, replicas) = (profile.load.mode, profile.stack.replicas);
    Shape { mode, replicas, streamed_tokens: streamed.unwrap_or(0.0) }
}

fn warning(facts: &GeneratorFacts, shape: Shape, is_simulated: bool) -> Option<String> {
    if facts.used <= MOST_USED {
        return None;
    }
    let replicas = if shape.replicas == 1 { "one replica".to_owned() } else { format!("{} replicas", shape.replicas) };
    let load = match shape.mode {
        Mode::Open => "an open loop",
        Mode::Closed => "a closed loop",
    };
    let simulated = match is_simulated {
        true => "; the simulated routes took their part of the same cores, so that there was less room than that",
        false => "",
    };
    Some(format!(
        "the busiest second had {} calls to routes, {} of the {} a second that {replicas} can generate of such calls in \
         {load} on this machine: beyond {} calls wait for the generator, and their times are partly its own{simulated}; spread the \
         load over more replicas or machines",
        format::digits3(facts.busiest_per_s),
        format::percent(facts.used),
        format::digits3(facts.capacity_per_s),
        format::percent(MOST_USED),
    ))
}

//! A calibration, and what follows from it for a load. Pure.

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use crate::profile::{Mode, Profile};

/// Calls to routes a second below which no machine is in doubt, so that none is calibrated for them.
pub const JUDGED_FROM: f64 = 1000.0;
/// Beyond this share of what the machine can generate, calls begin to wait for the generator.
pub const MOST_USED: f64 = 0.7;

/// The most calls a second of the whole path (plan, stack, exact pool, loopback HTTP, recorder) when nothing holds it
/// back. A call of 500 B, answered at once with 600 B that are not streamed. The responder ran on the same cores, as
/// simulated routes do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    #[serde(flatten)]
    pub machine: Machine,
    /// RFC 3339.
    pub measured_at: String,
    /// Users that ask again at once: a replica finds much to do whenever it wakes.
    pub closed: Rates,
    /// Arrivals beyond what can be sent: each takes the pacer's thread a wake-up, and the replica's another.
    pub open: Rates,
    /// CPU time of one more streamed token, as a part of such a call's.
    pub streamed_token: f64,
}

/// Calls a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// By one replica, which is one thread.
    pub one_replica: f64,
    /// By as many replicas as there are cores.
    pub all_cores: f64,
}

/// What a load asks of the generator beside its rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    pub mode: Mode,
    pub replicas: u32,
    /// Of an answer; 0 unless it is streamed.
    pub streamed_tokens: f64,
}

impl Calibration {
    /// Calls a second to routes that this machine can generate of such a load. Between one replica and all cores it is
    /// taken to grow evenly.
    pub fn capacity(&self, shape: Shape) -> f64 {
        let cores = self.machine.cores.max(1) as f64;
        let further = f64::from(shape.replicas).min(cores) - 1.0;
        let share = if further > 0.0 { further / (cores - 1.0) } else { 0.0 };
        let Rates { one_replica, all_cores } = match shape.mode {
            Mode::Closed => self.closed,
            Mode::Open => self.open,
        };
        let small_calls = one_replica + (all_cores - one_replica) * share;
        small_calls / (1.0 + self.streamed_token * shape.streamed_tokens)
    }
}

/// The highest rate that a profile plans; `None` in a closed loop, whose rate comes about.
pub fn planned_peak(profile: &Profile) -> Option<f64> {
    let load = &profile.load;
    (load.mode == Mode::Open).then(|| load.stages.iter().filter_map(|stage| stage.rate).fold(load.rate, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Stage;

    fn calibration() -> Calibration {
        Calibration {
            machine: Machine { cores: 5, ..Machine::here() },
            measured_at: "2026-11-23T02:00:00Z".into(),
            closed: Rates { one_replica: 20_000.0, all_cores: 60_000.0 },
            open: Rates { one_replica: 8_000.0, all_cores: 16_000.0 },
            streamed_token: 0.1,
        }
    }

    fn capacity(replicas: u32, streamed_tokens: f64) -> f64 {
        calibration().capacity(Shape { mode: Mode::Closed, replicas, streamed_tokens })
    }

    #[test]
    fn more_replicas_can_generate_more_until_the_cores_are_used_up() {
        assert_eq!([1, 2, 5, 64].map(|replicas| capacity(replicas, 0.0)), [20_000.0, 30_000.0, 60_000.0, 60_000.0]);
    }

    #[test]
    fn one_core_has_one_figure() {
        let one = Calibration { machine: Machine { cores: 1, ..Machine::here() }, ..calibration() };
        assert_eq!(one.capacity(Shape { mode: Mode::Closed, replicas: 3, streamed_tokens: 0.0 }), 20_000.0);
    }

    #[test]
    fn an_open_loop_has_figures_of_its_own() {
        let of = |replicas| calibration().capacity(Shape { mode: Mode::Open, replicas, streamed_tokens: 0.0 });
        assert_eq!([1, 3, 5].map(of), [8_000.0, 12_000.0, 16_000.0]);
    }

    #[test]
    fn streamed_answers_leave_room_for_fewer_calls() {
        assert_eq!(capacity(1, 10.0), 10_000.0);
    }

    #[test]
    fn the_planned_peak_is_the_highest_stage_of_an_open_loop() {
        let stage = |rate| Stage { duration: std::time::Duration::from_secs(1), rate: Some(rate), users: None };
        let mut profile = Profile::default();
        profile.load.rate = 900.0;
        profile.load.stages = vec![stage(2500.0), stage(100.0)];
        assert_eq!(planned_peak(&profile), Some(2500.0));
        profile.load.mode = Mode::Closed;
        assert_eq!(planned_peak(&profile), None);
    }
}

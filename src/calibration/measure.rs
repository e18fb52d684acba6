//! Measures a calibration: short loads of the real engine against the responder.

use std::sync::LazyLock;
use std::time::Duration;

use super::capacity::{Calibration, Rates};
use super::machine::{Glance, Machine, process_cpu};
use super::responder::{Answer, Responder, streamed_answer, whole_answer};
use crate::engine::{self, EngineError, Until};
use crate::profile::expect::LatencyBounds;
use crate::profile::{Arrivals, Load, Mode, Pool, Profile, Prompts, Retry, Route, Spread, Stack, Workload};

/// About how long it takes.
pub const TAKES: Duration = Duration::from_secs(2);

const WARMUP: Duration = Duration::from_millis(100);
const MEASURED: Duration = Duration::from_millis(300);
/// Once more, if others left so little of the machine that no call came to its end.
const PATIENTLY: Duration = Duration::from_secs(3);
/// Of each replica: enough to keep a thread busy.
const USERS: u32 = 64;
const TOKENS: u32 = 60;
/// More of the machine in other hands, and the figures are not the machine's.
const MOST_OTHERS: f64 = 0.25;
/// Replicas that one thread of the responder keeps busy: it does a fraction of their work.
const REPLICAS_A_THREAD: u32 = 4;

#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    #[error("no responder on 127.0.0.1: {0}")]
    Responder(#[from] std::io::Error),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("no call was answered in 3 s; other processes leave too little of this machine")]
    Nothing,
    #[error("{failed} of {sent} calls to our own responder failed{}", example.as_ref().map_or(String::new(), |text| format!(": {text}")))]
    Failed { failed: u64, sent: u64, example: Option<String> },
}

/// A calibration as it was just measured.
#[derive(Clone, Debug)]
pub struct Measured {
    pub calibration: Calibration,
    /// The share of the machine that other processes used meanwhile, if it was so much that another time may give more.
    pub disturbed_by: Option<f64>,
}

pub fn measure() -> Result<Measured, CalibrationError> {
    static WHOLE: LazyLock<[String; 1]> = LazyLock::new(|| [whole_answer()]);
    static STREAMED: LazyLock<Vec<String>> = LazyLock::new(|| streamed_answer(TOKENS));
    let machine = Machine::here();
    let glance = Glance::now();
    let one = Probe { replicas: 1, arrivals: None, answer: &*WHOLE };
    let all = Probe { replicas: machine.cores as u32, ..one };
    let small = one.pace()?;
    let closed = Rates { one_replica: small.per_second, all_cores: all.pace()?.per_second };
    let open = Rates {
        one_replica: one.beyond(closed.one_replica).pace()?.per_second,
        all_cores: all.beyond(closed.all_cores).pace()?.per_second,
    };
    let streamed = Probe { answer: &STREAMED, ..one }.pace()?;
    let calibration = Calibration {
        machine,
        measured_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        closed,
        open,
        streamed_token: (streamed.cpu / small.cpu - 1.0).max(0.0) / f64::from(TOKENS),
    };
    let others = glance.and_then(|glance| glance.others_since());
    Ok(Measured { calibration, disturbed_by: others.filter(|others| *others > MOST_OTHERS) })
}

/// A load that leaves the generator no pause.
#[derive(Clone, Copy)]
struct Probe {
    replicas: u32,
    /// So many a second; `None`: users that ask again at once.
    arrivals: Option<f64>,
    answer: Answer,
}

/// What the generator made of it.
#[derive(Clone, Copy, Debug)]
struct Pace {
    per_second: f64,
    /// Seconds of its CPU a call, without the responder's.
    cpu: f64,
}

impl Probe {
    /// As an open loop whose arrivals come faster than that. Those that find all its users' places taken are dropped.
    fn beyond(self, rate: f64) -> Self {
        Self { arrivals: Some(rate), ..self }
    }

    fn pace(self) -> Result<Pace, CalibrationError> {
        match self.pace_over(MEASURED) {
            Err(CalibrationError::Nothing) => self.pace_over(PATIENTLY),
            pace => pace,
        }
    }

    fn pace_over(self, time: Duration) -> Result<Pace, CalibrationError> {
        let responder = Responder::start(self.replicas.div_ceil(REPLICAS_A_THREAD) as usize, self.answer)?;
        let before = process_cpu();
        let profile = self.profile(responder.base_url(), time);
        let run = engine::start(profile, LatencyBounds::default(), Until::Planned)?.join()?;
        let answering = responder.end();
        let tally = &run.total;
        if run.measured.completed == 0 {
            return Err(CalibrationError::Nothing);
        }
        if tally.failed > 0 {
            let example = tally.examples.values().next().cloned();
            return Err(CalibrationError::Failed { failed: tally.failed, sent: tally.sent, example });
        }
        Ok(Pace {
            per_second: run.measured.completed as f64 / run.measured_window.as_secs_f64(),
            cpu: (process_cpu() - before - answering) / tally.sent as f64,
        })
    }

    fn profile(self, base_url: String, time: Duration) -> Profile {
        let users = USERS * self.replicas;
        let load = Load {
            mode: if self.arrivals.is_some() { Mode::Open } else { Mode::Closed },
            rate: self.arrivals.unwrap_or_default(),
            arrivals: Arrivals::Constant,
            users,
            max_in_flight: users as usize,
            warmup: WARMUP,
            duration: Some(time),
            ..Load::default()
        };
        let workload = Workload {
            prompts: Prompts::Unique,
            input_tokens: Spread::Fixed(100),
            output_tokens: Spread::Fixed(TOKENS),
            stream: self.answer.len() > 1,
            ..Workload::default()
        };
        let stack = Stack {
            route: "responder".into(),
            replicas: self.replicas,
            concurrency: USERS,
            single_flight: false,
            pool: Pool { max_connections: USERS, max_idle: USERS, ..Pool::default() },
            retry: Retry { attempts: 1, ..Retry::default() },
            ..Stack::default()
        };
        let route = Route { base_url: Some(base_url), ..Route::default() };
        let routes = [("responder".to_owned(), route)].into();
        Profile { load, workload, stack, routes, ..Profile::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calibration_says_what_the_engine_makes_of_a_loopback() {
        let calibration = measure().unwrap().calibration;
        assert_eq!(calibration.machine, Machine::here());
        let Calibration { closed, open, .. } = calibration;
        let rates = [closed.one_replica, closed.all_cores, open.one_replica, open.all_cores];
        assert!(rates.iter().all(|rate| (100.0..10_000_000.0).contains(rate)), "{calibration:?}");
        assert!((0.0..10.0).contains(&calibration.streamed_token), "{calibration:?}");
    }
}

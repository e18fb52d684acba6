//! `gatebench calibrate`, and the calibration that a fast run is held against.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::args::OutputArgs;
use super::{Failure, print};
use crate::calibration::{self, Cache, Calibration, CalibrationError, Machine, Measured, Rates};
use crate::engine::EngineError;
use crate::metrics::{Run, Stop};
use crate::profile::Profile;
use crate::report::{self, Report, Verdict, format};

/// `again`: whatever is kept.
pub fn run(again: Again) -> Result<u8, Failure> {
    let cache = cache();
    let kept = cache.get(&Machine::here()).filter(|_| again == Again::IfNoneIsKept);
    let calibration = match kept {
        Some(kept) => kept,
        None => match calibrate(&cache, &OutputArgs::default()) {
            Ok(calibration) => calibration,
            Err(NoCalibration::Signal(stop)) => return Ok(ended_by(stop).exit_code()),
            Err(failed) => return Err(Failure::could_not_run(failed)),
        },
    };
    let is_kept = cache.get(&calibration.machine).as_ref() == Some(&calibration);
    let place = match cache.file() {
        Some(file) if is_kept => format!("kept in {}", file.display()),
        _ => "not kept".to_owned(),
    };
    print(&(text(&calibration) + &place + "\n"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    IfNoneIsKept,
    InAnyCase,
}

fn text(calibration: &Calibration) -> String {
    let Calibration { machine, measured_at, closed, open, streamed_token } = calibration;
    let cores = machine.cores;
    let rate = |rate: f64| format::right(&format!("{}/s", format::digits3(rate)), 14);
    let line = |what: &str, of: fn(&Rates) -> f64| format!("{what:<24}{}{}\n", rate(of(closed)), rate(of(open)));
    let all = if cores == 1 { "1 replica, one core".to_owned() } else { format!("{cores} replicas, all cores") };
    format!(
        "{}, {cores} cores, gatebench {} ({}), {measured_at}\n\n\
         {:<24}{}{}\n{}{}\n\
         a streamed token takes {} of such a call's CPU time\n\n\
         Calls of 500 B through the whole path (stack, exact pool, HTTP over loopback), answered at once with 600 B by a\n\
         responder on the same cores. Runs beyond 1,000 calls/s and 70% of this are warned about.\n",
        machine.cpu,
        machine.gatebench,
        machine.build,
        "",
        format::right("closed loop", 14),
        format::right("open loop", 14),
        line("1 replica, one thread", |rates| rates.one_replica),
        line(&all, |rates| rates.all_cores),
        format::digits3(*streamed_token),
    )
}

fn cache() -> Cache {
    Cache::of_user(|name| std::env::var_os(name))
}

#[derive(Debug, thiserror::Error)]
enum NoCalibration {
    #[error(transparent)]
    Failed(#[from] CalibrationError),
    #[error(transparent)]
    Runtime(#[from] std::io::Error),
    #[error("a signal came")]
    Signal(Stop),
}

/// Measures and keeps it. What was measured on a machine that others kept busy holds for this process alone.
fn calibrate(cache: &Cache, output: &OutputArgs) -> Result<Calibration, NoCalibration> {
    let say = |text: String| {
        if !output.quiet {
            eprintln!("{text}");
        }
    };
    let once = if cache.file().is_some() { ", once a machine" } else { "" };
    let announce = || say(format!("calibrating ({} s{once})", calibration::TAKES.as_secs()));
    let Measured { calibration, disturbed_by } = measure_unless_a_signal_comes(announce)?;
    if let Some(others) = disturbed_by {
        let others = format::percent(others);
        say(format!("other processes used {others} of this machine meanwhile: this calibration is not kept"));
    } else if let Err(why) = cache.put(&calibration) {
        // The next run measures again.
        say(match cache.file() {
            Some(file) => format!("this calibration is not kept: {}: {why}; set GATEBENCH_CACHE_DIR", file.display()),
            None => "this calibration is not kept: there is no HOME; set GATEBENCH_CACHE_DIR to a folder".to_owned(),
        });
    }
    Ok(calibration)
}

/// Measures on a thread of its own: after a run, only who listens for signals hears them. A measurement that is no
/// longer awaited ends with the process.
fn measure_unless_a_signal_comes(announce: impl FnOnce()) -> Result<Measured, NoCalibration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut interrupts, mut terminations) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        announce();
        let (told, measured) = oneshot::channel();
        // Who went away needs no answer.
        let measure = move || drop(told.send(calibration::measure()));
        std::thread::Builder::new().name("calibration".into()).spawn(measure)?;
        tokio::select! {
            measured = measured => {
                let panicked = |_| CalibrationError::from(EngineError::Broken("calibration"));
                Ok(measured.map_err(panicked).flatten()?)
            }
            _ = interrupts.recv() => Err(NoCalibration::Signal(Stop::Interrupted)),
            _ = terminations.recv() => Err(NoCalibration::Signal(Stop::Terminated)),
        }
    })
}

/// The verdict of a command that had nothing but the measurement yet.
pub fn ended_by(signal: Stop) -> Verdict {
    if signal == Stop::Terminated { Verdict::Terminated } else { Verdict::Interrupted }
}

/// The calibration of this machine, once one of this command's runs has needed it.
#[derive(Debug, Default)]
pub struct Standard {
    calibration: Option<Calibration>,
    /// The signal that came instead of one.
    stopped: Option<Stop>,
}

impl Standard {
    /// What is kept; nothing is measured for it.
    pub fn kept() -> Self {
        Self { calibration: cache().get(&Machine::here()), stopped: None }
    }

    /// Before a screen that is to show it, of a load that is planned to be fast.
    pub fn prepare(&mut self, profile: &Profile, output: &OutputArgs) {
        if calibration::planned_peak(profile).is_some_and(|peak| peak > calibration::JUDGED_FROM) {
            self.need(output);
        }
    }

    /// After a load: only then is known whether it was so fast. Who ended it before its time is not kept waiting.
    pub fn judge(&mut self, report: &mut Report, run: &Run, output: &OutputArgs) {
        if report.busiest_second().is_none() {
            return;
        }
        match run.stop {
            Stop::Interrupted | Stop::Terminated | Stop::Quit | Stop::Aborted => {
                self.calibration = self.calibration.take().or_else(|| Self::kept().calibration);
            }
            Stop::Finished | Stop::Budget | Stop::Hopeless => self.need(output),
        }
        if let Some(calibration) = &self.calibration {
            report.hold_against(calibration, report::shape(&run.profile, &run.total));
        }
    }

    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// The signal that ended a measurement: nothing further is begun.
    pub fn stopped(&self) -> Option<Stop> {
        self.stopped
    }

    fn need(&mut self, output: &OutputArgs) {
        if self.calibration.is_some() {
            return;
        }
        let cache = cache();
        self.calibration = cache.get(&Machine::here()).or_else(|| match calibrate(&cache, output) {
            Ok(calibration) => Some(calibration),
            Err(NoCalibration::Signal(stop)) => {
                eprintln!("the calibration was stopped: how much of this machine the load took is not said");
                self.stopped = Some(stop);
                None
            }
            Err(error) => {
                eprintln!("warning: this machine could not be calibrated: {error}");
                None
            }
        });
    }
}

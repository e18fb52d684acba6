//! `gatebench calibrate`, and the calibration that a fast run is held against.

use super::args::OutputArgs;
use super::{Failure, print};
use crate::calibration::{self, Cache, Calibration, Machine, Measured, Rates};
use crate::metrics::{Run, Stop};
use crate::profile::Profile;
use crate::report::{self, Report, format};

/// `again`: whatever is kept.
pub fn run(again: Again) -> Result<u8, Failure> {
    let cache = cache();
    let kept = cache.get(&Machine::here()).filter(|_| again == Again::IfNoneIsKept);
    let calibration = match kept {
        Some(kept) => kept,
        None => calibrate(&cache, &OutputArgs::default()).map_err(Failure::could_not_run)?,
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

/// Measures and keeps it. What was measured on a machine that others kept busy holds for this process alone.
fn calibrate(cache: &Cache, output: &OutputArgs) -> Result<Calibration, calibration::CalibrationError> {
    let say = |text: String| {
        if !output.quiet {
            eprintln!("{text}");
        }
    };
    say(format!("calibrating ({} s, once a machine)", calibration::TAKES.as_secs()));
    let Measured { calibration, disturbed_by } = calibration::measure()?;
    match disturbed_by {
        Some(others) => {
            let others = format::percent(others);
            say(format!("other processes used {others} of this machine meanwhile: this calibration is not kept"));
        }
        // Without a place to keep it, the next run measures again.
        None => drop(cache.put(&calibration)),
    }
    Ok(calibration)
}

/// The calibration of this machine, once one of this command's runs has needed it.
#[derive(Debug, Default)]
pub struct Standard(Option<Calibration>);

impl Standard {
    /// What is kept; nothing is measured for it.
    pub fn kept() -> Self {
        Self(cache().get(&Machine::here()))
    }

    /// Before a load that is planned to be fast.
    pub fn prepare(&mut self, profile: &Profile, output: &OutputArgs) {
        if calibration::planned_peak(profile).is_some_and(|peak| peak > calibration::JUDGED_FROM) {
            self.need(output);
        }
    }

    /// After a load: a closed loop's rate is known only then. Who interrupted it is not kept waiting.
    pub fn judge(&mut self, report: &mut Report, run: &Run, output: &OutputArgs) {
        if report.busiest_second().is_none() {
            return;
        }
        match run.stop {
            Stop::Interrupted | Stop::Terminated | Stop::Quit => self.0 = self.0.take().or_else(|| Self::kept().0),
            Stop::Finished | Stop::Budget | Stop::Hopeless => self.need(output),
        }
        if let Some(calibration) = &self.0 {
            report.hold_against(calibration, report::shape(&run.profile, &run.total));
        }
    }

    pub fn calibration(&self) -> Option<&Calibration> {
        self.0.as_ref()
    }

    fn need(&mut self, output: &OutputArgs) {
        if self.0.is_some() {
            return;
        }
        let cache = cache();
        self.0 = cache.get(&Machine::here()).or_else(|| match calibrate(&cache, output) {
            Ok(calibration) => Some(calibration),
            Err(error) => {
                eprintln!("warning: this machine could not be calibrated: {error}");
                None
            }
        });
    }
}

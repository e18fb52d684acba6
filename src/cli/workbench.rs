//! `gatebench` and `gatebench tui`: the workbench on a terminal, a headless run elsewhere.

use std::io::IsTerminal;

use super::args::{OutputArgs, RunArgs, TuiArgs};
use super::calibrate::{Standard, ended_by};
use super::delivery::{style, warn};
use super::run::{headless, pricer};
use super::{Failure, load, print};
use crate::metrics::Stop;
use crate::profile::expect::latency_bounds;
use crate::report::{self, Report, Verdict, compared};
use crate::tui::theme::{Charset, Depth, Theme};
use crate::tui::{Left, Workbench, WorkbenchError};

pub fn open(args: &TuiArgs) -> Result<u8, Failure> {
    let profile = match (&args.profile, &args.load.url) {
        (None, None) => Some("quickstart"),
        (profile, _) => profile.as_deref(),
    };
    let loaded = load::load(profile, &args.load)?;
    let output = OutputArgs { no_color: args.no_color, ..OutputArgs::default() };
    let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if !is_terminal || std::env::var("TERM").is_ok_and(|term| term == "dumb") {
        let name = loaded.source.name();
        eprintln!("stdin or stdout is no terminal that can show a screen: running {name} headless (gatebench run)");
        return headless(&loaded, &RunArgs { output, ..RunArgs::default() });
    }
    warn(&loaded, &output);
    let expectations = loaded.profile.expectations();
    let bounds = latency_bounds(&expectations);
    let mut standard = Standard::kept();
    standard.prepare(&loaded.profile, &output);
    if let Some(stop) = standard.stopped() {
        return Ok(ended_by(stop).exit_code());
    }
    let calibration = standard.calibration().cloned();
    let workbench = Workbench { loaded, bounds, expectations, theme: theme(args), calibration };
    let left = workbench.open()?;
    tell(&left, &output, &mut standard)
}

fn theme(args: &TuiArgs) -> Theme {
    let charset = if args.ascii { Charset::Ascii } else { Charset::Unicode };
    match args.no_color {
        true => Theme::new(Depth::Mono, charset),
        false => Theme::fitting(|name| std::env::var(name).ok(), charset),
    }
}

/// The summary stays in the scrollback. A person who leaves has seen what there was to see: that is no failure.
fn tell(left: &Left, output: &OutputArgs, standard: &mut Standard) -> Result<u8, Failure> {
    let mut report = Report::of(&left.run, &pricer(&left.run.profile), &left.run.profile.expectations());
    standard.judge(&mut report, &left.run, output);
    print(&report::text(&report, style(output)))?;
    for comparison in &left.comparisons {
        print(&compared::text(comparison, style(output)))?;
    }
    for note in &left.notes {
        eprintln!("{note}");
    }
    let verdict = match left.why {
        Stop::Interrupted => Verdict::Interrupted,
        Stop::Terminated => Verdict::Terminated,
        _ if report.load.succeeded == 0 => Verdict::CouldNotRun,
        _ => Verdict::Passed,
    };
    Ok(verdict.exit_code())
}

impl From<WorkbenchError> for Failure {
    fn from(error: WorkbenchError) -> Self {
        match error {
            WorkbenchError::Engine(error) => error.into(),
            WorkbenchError::Terminal(error) => Self::could_not_run(format!("the terminal: {error}")),
        }
    }
}

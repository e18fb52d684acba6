//! `gatebench run`: load, progress, summary, exit code.

use std::path::PathBuf;

use console::Term;

use super::args::{OutputArgs, RunArgs};
use super::calibrate::Standard;
use super::progress::Progress;
use super::wishes::Wishes;
use super::{Failure, load, print, step_summary};
use crate::cost::{PriceBook, Pricer};
use crate::engine::{self, Until};
use crate::metrics::Run;
use crate::profile::expect::latency_bounds;
use crate::profile::{Loaded, Profile};
use crate::report::{self, Formats, Report, Style, Verdict};

pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    check_formats::<Report>(&args.out)?;
    headless(load::load(args.profile.as_deref(), &args.load)?, args)
}

/// Runs what was loaded, and delivers its report.
pub fn headless(loaded: Loaded, args: &RunArgs) -> Result<u8, Failure> {
    warn(&loaded, &args.output);
    let report = measure(&loaded.profile, &args.output, &mut Standard::default())?;
    let written = args.out.iter().map(|path| report::write(path, &report).map_err(Failure::could_not_run));
    step_summary::append(|| report::markdown::markdown(&report));
    let delivered = delivered(std::iter::once(show(&report, &args.output)).chain(written));
    Ok(Verdict::of_all([Verdict::of(&report), delivered]).exit_code())
}

/// Runs a profile; the report, held against what this machine can generate if that is in question.
pub fn measure(profile: &Profile, output: &OutputArgs, standard: &mut Standard) -> Result<Report, Failure> {
    let run = execute(profile, &mut Progress::new(output.quiet))?;
    let mut report = Report::of(&run, &pricer(&run.profile), &profile.expectations());
    standard.judge(&mut report, &run, output);
    Ok(report)
}

fn show(report: &Report, output: &OutputArgs) -> Result<(), Failure> {
    if output.json {
        print(&report::json(report))?;
    } else if !output.quiet {
        print(&report::text(report, style(output)))?;
    } else if report::exit_code(report) != 0 {
        eprintln!("{}", report::shortfall(report));
    }
    Ok(())
}

/// What became of a result's ways out. One that fails is told of and closes none of the others.
pub fn delivered(ways: impl Iterator<Item = Result<(), Failure>>) -> Verdict {
    Verdict::of_all(ways.filter_map(Result::err).map(|failure| {
        failure.tell();
        Verdict::CouldNotRun
    }))
}

/// Runs a profile to its end, or to the end a signal asks for. The second signal leaves at once.
fn execute(profile: &Profile, progress: &mut Progress) -> Result<Run, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::could_not_run)?;
    runtime.block_on(async {
        let mut wishes = Wishes::heard()?;
        let handle = engine::start(profile.clone(), latency_bounds(&profile.expectations()), Until::Planned)?;
        let mut snapshots = handle.snapshots();
        loop {
            let why = tokio::select! {
                why = wishes.next() => why,
                changed = snapshots.changed() => match changed {
                    Ok(()) => {
                        progress.show(&snapshots.borrow_and_update());
                        continue;
                    }
                    Err(_) => break,
                },
            };
            wishes.heed(why, progress, |why| handle.stop(why));
        }
        progress.clear();
        Ok(handle.join()?)
    })
}

pub fn pricer(profile: &Profile) -> Pricer {
    Pricer::new(profile, PriceBook::builtin())
}

pub fn check_formats<R: Formats>(paths: &[PathBuf]) -> Result<(), Failure> {
    paths.iter().try_for_each(|path| report::check_path::<R>(path)).map_err(Failure::bad_input)
}

pub fn warn(loaded: &Loaded, output: &OutputArgs) {
    if !output.quiet {
        for warning in &loaded.warnings {
            eprintln!("warning: {warning}");
        }
    }
}

pub fn style(output: &OutputArgs) -> Style {
    let wanted = !output.no_color && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let terminal = Term::stdout();
    if !terminal.is_term() {
        return Style::PLAIN;
    }
    let style = if wanted { Style::COLOR } else { Style::PLAIN };
    style.fitting(terminal.size().1.into())
}

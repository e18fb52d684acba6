//! `gatebench baseline`, and what a run has to do with baselines.

use std::path::Path;

use super::args::{AskedArgs, BaselineArgs, BaselineCommand, BaselineDirectory, OutputArgs};
use super::delivery::style;
use super::diff::asked;
use super::{Failure, print, step_summary};
use crate::diff::{self, Asked, Diff, Unlike};
use crate::profile::Profile;
use crate::report::baselines::{BaselineError, Baselines, Name, unfit};
use crate::report::{self, Report, Style, Verdict};

pub fn run(command: &BaselineCommand, kept: &BaselineDirectory) -> Result<u8, Failure> {
    let baselines = Baselines::at(&kept.baseline_dir);
    match command {
        BaselineCommand::List => list(&baselines, &kept.baseline_dir),
        BaselineCommand::Show { name, output } => {
            let report = baselines.load(name)?;
            print(&if output.json { report::json(&report) } else { report::text(&report, style(output)) })
        }
        BaselineCommand::Save { name, file } => {
            let report = report::read(file).map_err(Failure::bad_input)?;
            print(&format!("{}\n", baselines.save(name, &report)?))
        }
        BaselineCommand::Remove { name } => print(&format!("removed {}\n", baselines.remove(name)?.display())),
    }
}

fn list(baselines: &Baselines, directory: &Path) -> Result<u8, Failure> {
    if baselines.names()?.is_empty() {
        let how = "`gatebench run PROFILE --save-baseline NAME` keeps one";
        return print(&format!("no baselines in {}; {how}\n", directory.display()));
    }
    print(&baselines.table()?)
}

/// The baseline that a run is held against, and the one that it becomes.
pub struct Beside<'a> {
    baselines: Baselines,
    held: Option<Held<'a>>,
    becomes: Option<&'a Name>,
}

struct Held<'a> {
    name: &'a Name,
    base: Report,
    asked: Asked,
}

impl<'a> Beside<'a> {
    /// What can be told before anything is sent is told.
    pub fn of(args: &'a BaselineArgs, profile: &Profile) -> Result<Self, Failure> {
        let baselines = Baselines::at(&args.kept.baseline_dir);
        let held = match &args.baseline {
            Some(name) => Some(Held::of(name, &baselines, asked(&args.asked)?, profile)?),
            None => without(&args.asked)?,
        };
        let becomes = args.save_baseline.as_ref();
        if becomes.is_some() {
            baselines.check()?;
        }
        Ok(Self { baselines, held, becomes })
    }

    /// What becomes of a run beside its own verdict.
    pub fn settle(&self, report: &Report, output: &OutputArgs) -> Verdict {
        let held = self.held.as_ref().map_or(Verdict::Passed, |held| held.against(report, output));
        let itself = self.held.as_ref().map(|held| held.name);
        match self.becomes {
            None => held,
            // Else the next run would be held against what this one made worse.
            Some(name) if held != Verdict::Passed && itself == Some(name) => {
                eprintln!("warning: the baseline {name} stays as it is: this run did not pass against it");
                held
            }
            Some(name) => Verdict::of_all([held, self.keep(name, report, output)]),
        }
    }

    /// That a run is not fit to be kept is in its own verdict already.
    fn keep(&self, name: &Name, report: &Report, output: &OutputArgs) -> Verdict {
        match self.baselines.save(name, report) {
            Ok(saved) if !output.quiet => eprintln!("{saved}"),
            Ok(_) => {}
            Err(error @ BaselineError::Unfit(_)) => eprintln!("warning: {name} is {error}"),
            Err(error) => {
                Failure::from(error).tell();
                return Verdict::CouldNotRun;
            }
        }
        Verdict::Passed
    }
}

/// Without a baseline there is nothing that a diff could be asked.
fn without<T>(asked: &AskedArgs) -> Result<Option<T>, Failure> {
    let AskedArgs { metric, tolerance, force } = asked;
    let given = [("--metric", !metric.is_empty()), ("--tolerance", !tolerance.is_empty()), ("--force", *force)];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(Failure::bad_input(format!("{flag} is about --baseline NAME, which is not given"))),
        None => Ok(None),
    }
}

impl<'a> Held<'a> {
    fn of(name: &'a Name, baselines: &Baselines, asked: Asked, profile: &Profile) -> Result<Self, Failure> {
        let base = baselines.load(name)?;
        Diff::foresee(&base, &report::redacted(profile), &asked).map_err(|error| Failure {
            code: error.verdict().exit_code(),
            message: format!("baseline {name}: {error}"),
        })?;
        Ok(Self { name, base, asked })
    }

    fn against(&self, report: &Report, output: &OutputArgs) -> Verdict {
        let name = self.name;
        if let Some(why) = unfit(report).filter(|_| self.asked.unlike == Unlike::Refused) {
            eprintln!("warning: not held against the baseline {name}: {why}");
            return Verdict::Passed;
        }
        match Diff::of(&self.base, report, &self.asked) {
            Ok(found) => self.tell(&found, output),
            Err(error) => {
                let verdict = error.verdict();
                Failure { code: verdict.exit_code(), message: format!("baseline {name}: {error}") }.tell();
                verdict
            }
        }
    }

    /// On stdout there is the report alone, if it is JSON.
    fn tell(&self, found: &Diff, output: &OutputArgs) -> Verdict {
        step_summary::append(|| diff::markdown(found));
        let text = |style| format!("\nheld against the baseline {}\n{}", self.name, found.text(style));
        match (output.quiet, output.json) {
            (true, _) if found.verdict() == Verdict::Passed => {}
            (true, _) => eprintln!("baseline {}: {}", self.name, found.closing()),
            (false, true) => eprintln!("{}", text(Style::PLAIN)),
            (false, false) => {
                if let Err(failure) = print(&text(style(output))) {
                    failure.tell();
                    return Verdict::CouldNotRun;
                }
            }
        }
        found.verdict()
    }
}

//! `gatebench baseline`, and what a run has to do with baselines.

use std::path::Path;

use super::args::{BaselineArgs, BaselineCommand, BaselineDirectory, OutputArgs};
use super::run::style;
use super::{Failure, print};
use crate::report::baselines::{BaselineError, Baselines, Name};
use crate::report::{self, Report, Verdict};

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

/// The baseline that a run becomes.
pub struct Beside<'a> {
    baselines: Baselines,
    becomes: Option<&'a Name>,
}

impl<'a> Beside<'a> {
    /// What can be told before anything is sent is told.
    pub fn of(args: &'a BaselineArgs) -> Result<Self, Failure> {
        let baselines = Baselines::at(&args.kept.baseline_dir);
        let becomes = args.save_baseline.as_ref();
        if becomes.is_some() {
            baselines.check()?;
        }
        Ok(Self { baselines, becomes })
    }

    pub fn settle(&self, report: &Report, output: &OutputArgs) -> Verdict {
        self.becomes.map_or(Verdict::Passed, |name| self.keep(name, report, output))
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

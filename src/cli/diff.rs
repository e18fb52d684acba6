//! `gatebench diff`: two reports of earlier runs, what changed between them, exit code.

use super::args::{AskedArgs, DiffArgs, OutputArgs};
use super::delivery::{check_formats, delivered, style};
use super::{Failure, print, step_summary};
use crate::diff::{self, Asked, Diff, DiffError, Unlike};
use crate::report::{self, Verdict};

pub fn run(args: &DiffArgs) -> Result<u8, Failure> {
    check_formats::<Diff>(&args.out)?;
    let asked = asked(&args.asked)?;
    let base = report::read(&args.base).map_err(Failure::bad_input)?;
    let new = report::read(&args.new).map_err(Failure::bad_input)?;
    let found = Diff::of(&base, &new, &asked)?;
    step_summary::append(|| diff::markdown(&found));
    let written = args.out.iter().map(|path| report::write(path, &found).map_err(Failure::could_not_run));
    let delivered = delivered(std::iter::once(show(&found, &args.output)).chain(written));
    Ok(Verdict::of_all([found.verdict(), delivered]).exit_code())
}

pub fn asked(args: &AskedArgs) -> Result<Asked, Failure> {
    let mut asked = Asked::parse(&args.metric, &args.tolerance).map_err(Failure::bad_input)?;
    if args.force {
        asked.unlike = Unlike::Compared;
    }
    Ok(asked)
}

fn show(found: &Diff, output: &OutputArgs) -> Result<(), Failure> {
    if output.json {
        print(&found.json())?;
    } else if !output.quiet {
        print(&found.text(style(output)))?;
    } else if found.verdict() != Verdict::Passed {
        eprintln!("{}", found.closing());
    }
    Ok(())
}

impl From<DiffError> for Failure {
    fn from(error: DiffError) -> Self {
        Self { code: error.verdict().exit_code(), message: error.to_string() }
    }
}

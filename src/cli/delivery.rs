//! What commands share of how a result reaches its user: its files, its style, and what became of them.

use std::path::PathBuf;

use console::Term;

use super::Failure;
use super::args::OutputArgs;
use crate::profile::Loaded;
use crate::report::{self, Formats, Style, Verdict};

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

/// What became of a result's ways out. One that fails is told of and closes none of the others.
pub fn delivered(ways: impl Iterator<Item = Result<(), Failure>>) -> Verdict {
    Verdict::of_all(ways.filter_map(Result::err).map(|failure| {
        failure.tell();
        Verdict::CouldNotRun
    }))
}

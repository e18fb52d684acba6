//! Flags of `diff`, and of what runs are held against: baselines.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::OutputArgs;
use crate::report::baselines::{DIRECTORY, Name};

#[derive(Debug, Default, Args)]
pub struct DiffArgs {
    /// The earlier run's report, as --out FILE.json wrote it
    pub base: PathBuf,
    /// The report that is held against it
    pub new: PathBuf,
    #[command(flatten)]
    pub asked: AskedArgs,
    /// Write the result to FILE; the ending picks the format: .json, .md or .xml (JUnit); repeatable
    #[arg(long, value_name = "FILE")]
    pub out: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What a diff is asked.
#[derive(Debug, Default, Args)]
pub struct AskedArgs {
    /// What decides, instead of the usual metrics (response.p95, service.p50, errors.429); repeatable
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,
    /// How much worse makes no difference: of one metric (response.p99=10%; of shares in points: errors=0.5%), or of
    /// all that are compared in percent (5%); repeatable
    #[arg(long, value_name = "[METRIC=]VALUE")]
    pub tolerance: Vec<String>,
    /// Compare runs that were not asked the same, or are invalid or cut short; it is said in the result
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// List them, with what each measured
    List,
    /// Print one: its summary, or with --json its report
    Show {
        name: Name,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Keep the report in FILE (of run --out FILE.json) as one
    Save { name: Name, file: PathBuf },
    /// Delete one
    Remove { name: Name },
}

/// What a run is held against, and kept for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Baselines")]
pub struct BaselineArgs {
    /// Hold the run against the baseline NAME, as `gatebench diff` does, after it; the worse of both decides the exit
    /// code
    #[arg(long, value_name = "NAME")]
    pub baseline: Option<Name>,
    #[command(flatten)]
    pub asked: AskedArgs,
    /// Keep the report as the baseline NAME, if the run is valid and came to its end
    #[arg(long, value_name = "NAME")]
    pub save_baseline: Option<Name>,
    #[command(flatten)]
    pub kept: BaselineDirectory,
}

#[derive(Debug, Args)]
pub struct BaselineDirectory {
    /// Where baselines are kept
    #[arg(long, value_name = "DIR", env = "GATEBENCH_BASELINE_DIR", default_value = DIRECTORY, global = true)]
    pub baseline_dir: PathBuf,
}

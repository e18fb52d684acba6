//! The command line's types: what `--help` says is here.

mod compare;
mod diff;
mod help;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::profile::Dialect;
pub use compare::CompareArgs;
pub use diff::{AskedArgs, BaselineArgs, BaselineCommand, BaselineDirectory, DiffArgs};
use help::*;

/// Find the settings of your AI gateway client before you deploy: pool, caches, limits, retries, fallback, money.
///
/// gatebench drives a load profile through the client stack over real sockets and says what each setting does to
/// latency, hit rate, QPS and cost in RMB and USD. Simulated routes are the default: no key and no Redis needed.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the workbench: change settings while load runs, and see what each change does
    #[command(override_usage = TUI_USAGE)]
    Tui(TuiArgs),
    /// Run a profile headless: summary, expectations, exit code
    #[command(override_usage = RUN_USAGE)]
    Run {
        #[command(flatten)]
        args: RunArgs,
        #[command(flatten)]
        baseline: BaselineArgs,
    },
    /// Run a profile once for each value of a setting, and pick one
    #[command(override_usage = SWEEP_USAGE)]
    Sweep(RunArgs),
    /// Run the profile's arms in turn under the same load, and say what differs, with confidence intervals
    #[command(override_usage = COMPARE_USAGE, after_help = COMPARE_AFTER_HELP)]
    Compare(CompareArgs),
    /// Hold the report of a run against that of an earlier one: regression, pass or inconclusive
    #[command(after_help = DIFF_AFTER_HELP)]
    Diff(DiffArgs),
    /// Baselines: reports kept by name, to hold later runs against
    Baseline {
        #[command(subcommand)]
        command: BaselineCommand,
        #[command(flatten)]
        kept: BaselineDirectory,
    },
    /// Preflight: keys, DNS, TCP, TLS, models, one tiny call, Redis, this machine; says how to mend what is not ok
    #[command(override_usage = CHECK_USAGE, after_help = CHECK_AFTER_HELP)]
    Check(CheckArgs),
    /// Serve simulated routes on real sockets, for any tool to talk to
    Sim {
        /// A profile (its simulated routes are served), a built-in profile's name, or a preset [default: local]
        #[arg(value_name = "PROFILE|PRESET")]
        target: Option<String>,
        /// Address of the first route; further ones take the next ports (port 0: free ones)
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Change any key of the profile; repeatable
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
    },
    /// Say what this machine can generate; a run beyond 70% of it is warned about
    ///
    /// Measured once a machine, in some 2 s, when a run first makes more than 1,000 calls/s to routes, and kept in
    /// $GATEBENCH_CACHE_DIR, else $XDG_CACHE_HOME/gatebench, else ~/.cache/gatebench.
    Calibrate {
        /// Measure it again
        #[arg(long)]
        again: bool,
    },
    /// List the built-in profiles, or print one
    Profiles {
        /// The one to print; save it as a file to change it (gatebench profiles quickstart > mine.toml)
        name: Option<String>,
    },
    /// Print a JSON Schema
    Schema {
        /// Of a profile (for editors), of a report, a check, a comparison or a diff (for scripts)
        kind: SchemaKind,
    },
    /// Print shell completions
    Completions {
        /// For bash: gatebench completions bash > ~/.local/share/bash-completion/completions/gatebench
        shell: Shell,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SchemaKind {
    Profile,
    Report,
    Check,
    Compare,
    Diff,
}

#[derive(Debug, Default, Args)]
pub struct TuiArgs {
    /// A profile's path or a built-in's name [default: quickstart]
    #[arg(conflicts_with = "url")]
    pub profile: Option<String>,
    #[command(flatten)]
    pub load: LoadArgs,
    /// ASCII alone, for terminals whose box glyphs are two cells wide
    #[arg(long)]
    pub ascii: bool,
    /// No colours (NO_COLOR does the same)
    #[arg(long)]
    pub no_color: bool,
}

/// Of a run, and of a sweep: many runs.
#[derive(Debug, Default, Args)]
pub struct RunArgs {
    /// A profile's path or a built-in's name (see `gatebench profiles`)
    #[arg(required_unless_present = "url", conflicts_with = "url")]
    pub profile: Option<String>,
    #[command(flatten)]
    pub load: LoadArgs,
    /// Write the report to FILE; the ending picks the format: .json, .html, .csv (the run over time), .md or
    /// .xml (JUnit); of a sweep all but .html; repeatable
    #[arg(long, value_name = "FILE")]
    pub out: Vec<PathBuf>,
    /// End the load as soon as an expectation cannot hold any more, whatever is still to come (exit 99); never a run
    /// that could still pass. Which metrics can tell: docs/ci.md
    #[arg(long)]
    pub abort_on_fail: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Default, Args)]
pub struct CheckArgs {
    /// A profile's path or a built-in's name (see `gatebench profiles`)
    #[arg(required_unless_present = "url", conflicts_with = "url")]
    pub profile: Option<String>,
    #[command(flatten)]
    pub load: LoadArgs,
    /// Make no calls: up to GET /models nothing costs money
    #[arg(long)]
    pub no_call: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Default, Args)]
pub struct OutputArgs {
    /// Print the report as JSON on stdout, nothing else
    #[arg(long)]
    pub json: bool,
    /// No progress on stderr, no summary on stdout
    #[arg(long)]
    pub quiet: bool,
    /// No colours (NO_COLOR does the same)
    #[arg(long)]
    pub no_color: bool,
}

/// What is run, and the flags that change it. Each flag edits a key of the profile.
#[derive(Clone, Debug, Default, Args)]
pub struct LoadArgs {
    /// No profile: this endpoint, up to and with its version (http://127.0.0.1:8000/v1)
    #[arg(long, requires = "model")]
    pub url: Option<String>,
    /// The model to ask [workload.model]
    #[arg(long, short = 'm')]
    pub model: Option<String>,
    /// Environment variable with the API key, for --url [routes.NAME.api_key_env]
    #[arg(long, value_name = "NAME", requires = "url")]
    pub api_key_env: Option<String>,
    /// How the endpoint of --url is spoken to: openai (chat completions) or anthropic (messages) [default: openai; in a
    /// profile: routes.NAME.dialect]
    #[arg(long, value_name = "NAME", requires = "url", value_parser = Dialect::NAMES, hide_possible_values = true)]
    pub dialect: Option<String>,
    /// Closed loop: N users that each wait for their answer
    #[arg(long, short = 'c', value_name = "N", conflicts_with = "rate")]
    pub concurrency: Option<u32>,
    /// Open loop: R requests a second, whatever the answers take
    #[arg(long, short = 'q', value_name = "R")]
    pub rate: Option<f64>,
    /// Measured time, after the warm-up (30s, 5m)
    #[arg(long, short = 'z', value_name = "TIME", conflicts_with = "requests")]
    pub duration: Option<String>,
    /// Measured requests, instead of a time
    #[arg(long, short = 'n', value_name = "N", value_parser = whole_number)]
    pub requests: Option<i64>,
    /// A header sent with each request ('K: V'); repeatable
    #[arg(long = "header", short = 'H', value_name = "K: V")]
    pub headers: Vec<String>,
    /// Trust the certificate authorities in this PEM file too [routes.NAME.ca_file of each real route]
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// Accept any certificate: whoever sits between can read the key [routes.NAME.insecure of each real route]
    #[arg(long, short = 'k')]
    pub insecure: bool,
    /// The route to take first [stack.route]
    #[arg(long, value_name = "NAME")]
    pub route: Option<String>,
    #[arg(long, value_name = "N", value_parser = whole_number, help = "Same seed, same prompts and due times")]
    pub seed: Option<i64>,
    /// Change any key of the profile; the value is TOML, else text (stack.pool.max_connections=50); repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Fail the run if this does not hold ('p99 < 800ms', 'errors < 1%', 'cost.cny_per_1k < ¥5'); repeatable
    #[arg(long, value_name = "CONDITION")]
    pub expect: Vec<String>,
}

/// As the profile can hold one: TOML's integers are signed.
fn whole_number(text: &str) -> Result<i64, String> {
    text.parse().ok().filter(|number| *number >= 0).ok_or_else(|| format!("not a whole number from 0 to {}", i64::MAX))
}

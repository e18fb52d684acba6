//! The command line's types: what `--help` says is here.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::profile::Dialect;
use crate::report::baselines::{DIRECTORY, Name};

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

const AFTER_HELP: &str = "\
Exit codes:
    0      ran, valid, every expectation held
    1      could not run: nothing succeeded, or a file could not be written
    2      bad arguments or profile; nothing was sent
    3      invalid: the generator was the bottleneck, or too few samples
    4      inconclusive (compare, diff): the noise is wider than the tolerance
    99     an expectation failed, or a regression (diff)
    130    SIGINT (143: SIGTERM); the partial report is written

Begin with:
    gatebench                    the workbench on the quickstart
    gatebench run quickstart
    gatebench compare direct-vs-gateway
    gatebench profiles
    gatebench check PROFILE      is everything there that a run of it needs?
    gatebench run --url http://127.0.0.1:8000/v1 --model NAME -n 100";

const RUN_USAGE: &str = "\
gatebench run [OPTIONS] <PROFILE>
       gatebench run [OPTIONS] --url <URL> --model <MODEL>";

const SWEEP_USAGE: &str = "\
gatebench sweep [OPTIONS] <PROFILE> --set <KEY=V1,V2,…>
       gatebench sweep [OPTIONS] --url <URL> --model <MODEL> --set <KEY=V1,V2,…>";

const COMPARE_USAGE: &str = "\
gatebench compare [OPTIONS] <PROFILE>
       gatebench compare [OPTIONS] --url <URL> --model <MODEL> --arm <NAME: KEY=VALUE, …>";

const COMPARE_AFTER_HELP: &str = "\
The arms take turns in short blocks (A B B A …), so that a network that drifts
does so for all of them: runs one after the other differ even when nothing does.
-z is what each arm is measured for in all its blocks, unless --block says how
long one is; every block then waits for its last answers.

Exit codes:
    0      compared, valid, every expectation held in every arm
    1      could not run: nothing succeeded in an arm, or no round came to its end
    2      bad arguments or profile; nothing was sent
    3      invalid: the generator was the bottleneck, or too few samples
    4      a metric asked for is inconclusive, where --tolerance or --until (or the
           profile's) asked for a word
    99     an expectation failed in some arm
    130    SIGINT (143: SIGTERM); whole rounds until then are the result

Begin with:
    gatebench compare direct-vs-gateway
    gatebench compare quickstart --blocks 12 --block 1s
    gatebench compare pooled --arm 'small: stack.pool.max_connections=4'
    gatebench compare pooled --arm 'four: stack.pool.max_connections=4' \\
\x20       --arm 'eight: stack.pool.max_connections=8' --sweep users=1,8,64 -c 8";

const CHECK_USAGE: &str = "\
gatebench check [OPTIONS] <PROFILE>
       gatebench check [OPTIONS] --url <URL> --model <MODEL>";

const CHECK_AFTER_HELP: &str = "\
Each line is ok, warn, FAIL or skip, and says how to mend what is not ok.
For every route: its key, DNS, TCP, TLS, GET /models, and one call of 1 token,
made as a run makes it; then Redis and this machine. No step takes more than
10 s, and no key is shown.

Exit codes:
    0      ready, perhaps with warnings
    1      a route, Redis or this machine is not as a run needs it
    2      bad arguments or profile, or a key is missing; nothing was sent
    130    SIGINT (143: SIGTERM)

Begin with:
    gatebench check quickstart
    gatebench check open-provider --no-call
    gatebench check --url https://api.openai.com/v1 --model gpt-4.1-mini \\
\x20       --api-key-env OPENAI_API_KEY";

const DIFF_AFTER_HELP: &str = "\
Both runs have to be of the same question: load, workload, seed, prices and
simulated routes; the stack may differ. A metric is a regression if its 95%
interval is wholly beyond the tolerance, and passes if the interval's bad end
is within it. Without --metric these decide, where they have samples:
    response.p50 .p95 .p99, ttft.p50 .p95, qps (closed loop), errors,
    hit_rate, cost.cny_per_1k
Tolerances: 5%, 10% of p95 and p99 (of a latency 0.25 ms at least, unless it is
named), 1 point of a share, 0.5 of errors, 1 ms of a wait. Runs at different
times carry drift that no interval holds.

Exit codes:
    0      no metric is worse beyond its tolerance
    1      a file could not be written
    2      bad arguments, no report, or the runs were not asked the same
    3      a run is unsound, or a metric cannot be judged
    4      inconclusive: the noise is wider than the tolerance
    99     a regression

Begin with:
    gatebench run mine.toml --out base.json
    gatebench run mine.toml --set stack.pool.max_connections=32 --out new.json
    gatebench diff base.json new.json --tolerance response.p99=15%";

const TUI_USAGE: &str = "\
gatebench tui [OPTIONS] [PROFILE]
       gatebench tui [OPTIONS] --url <URL> --model <MODEL>";

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
pub struct CompareArgs {
    /// A profile's path or a built-in's name (see `gatebench profiles`)
    #[arg(required_unless_present = "url", conflicts_with = "url")]
    pub profile: Option<String>,
    #[command(flatten)]
    pub load: LoadArgs,
    /// An arm, instead of the profile's ('large: stack.pool.max_connections=64, stack.concurrency=64'); repeatable; one
    /// alone is held against the profile as it is
    #[arg(long, value_name = "NAME: KEY=VALUE, …")]
    pub arm: Vec<String>,
    /// Blocks of each arm, at most; an even number, 12 or more for 95% intervals [compare.blocks]
    #[arg(long, value_name = "N")]
    pub blocks: Option<u32>,
    /// Length of a block (2s) [compare.block]
    #[arg(long, value_name = "TIME")]
    pub block: Option<String>,
    /// End early when the interval of every metric asked for is no wider (5%) [compare.until]
    #[arg(long, value_name = "SHARE")]
    pub until: Option<String>,
    /// What makes no difference: 5%, or of one metric response.p99=10%; repeatable [compare.tolerance]
    #[arg(long, value_name = "SHARE|METRIC=SHARE")]
    pub tolerance: Vec<String>,
    /// A metric to ask for (response.p50); repeatable [compare.metrics]
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,
    /// The whole comparison at each value of a key (users=1,8,64); of several keys all get the same value
    /// [compare.sweep]
    #[arg(long, value_name = "KEY=V1,V2,…")]
    pub sweep: Option<String>,
    /// Write the result to FILE; the ending picks the format: .json, .html, .csv (the blocks), .md or .xml (JUnit);
    /// repeatable
    #[arg(long, value_name = "FILE")]
    pub out: Vec<PathBuf>,
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

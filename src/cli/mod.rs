//! Command line types and dispatch, nothing else.

mod args;
mod arms;
mod baseline;
mod calibrate;
mod check;
mod compare;
mod conducted;
mod delivery;
mod diff;
mod load;
mod progress;
mod run;
mod serve;
mod step_summary;
mod sweep;
mod wishes;
mod workbench;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::profile::{self, BUILTINS, Builtin};
use crate::report::baselines::BaselineError;
use crate::report::{self, Verdict};
pub use args::{CheckArgs, Cli, Command, CompareArgs, RunArgs, SchemaKind, TuiArgs};

/// Parses the command line, does what it says, and gives the exit code of the contract.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let code = dispatch(cli).unwrap_or_else(|failure| {
        failure.tell();
        failure.code
    });
    ExitCode::from(code)
}

fn dispatch(cli: Cli) -> Result<u8, Failure> {
    match cli.command {
        None => workbench::open(&TuiArgs::default()),
        Some(Command::Tui(args)) => workbench::open(&args),
        Some(Command::Run { args, baseline }) => run::run(&args, &baseline),
        Some(Command::Sweep(args)) => sweep::run(&args),
        Some(Command::Compare(args)) => compare::run(&args),
        Some(Command::Baseline { command, kept }) => baseline::run(&command, &kept),
        Some(Command::Diff(args)) => diff::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Calibrate { again }) => {
            calibrate::run(if again { calibrate::Again::InAnyCase } else { calibrate::Again::IfNoneIsKept })
        }
        Some(Command::Sim { target, listen, set }) => serve::run(target.as_deref(), listen, &set),
        Some(Command::Profiles { name }) => profiles(name.as_deref()),
        Some(Command::Schema { kind }) => {
            let schema = match kind {
                SchemaKind::Profile => profile::schema(),
                SchemaKind::Report => report::schema(),
                SchemaKind::Check => crate::check::schema(),
                SchemaKind::Compare => report::compared::schema(),
                SchemaKind::Diff => crate::diff::schema(),
            };
            print(&format!("{schema:#}\n"))
        }
        Some(Command::Completions { shell }) => {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "gatebench", &mut out);
            print(&String::from_utf8_lossy(&out))
        }
    }
}

/// Lists the built-in profiles, or prints one.
fn profiles(name: Option<&str>) -> Result<u8, Failure> {
    let Some(name) = name else {
        let list = BUILTINS.iter().map(|b| format!("{:<20} {}\n", b.name, b.about)).collect::<String>();
        return print(&list);
    };
    let found = Builtin::named(name).ok_or_else(|| {
        let hint = profile::suggestion(name, &BUILTINS.map(|b| b.name));
        Failure::bad_input(format!("no built-in profile is named \"{name}\"{hint}"))
    })?;
    print(found.text)
}

/// Writes to stdout. A reader that closed the pipe (`| head`) has what it wanted.
fn print(text: &str) -> Result<u8, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::could_not_run(format!("stdout: {error}")))
        }
        _ => Ok(0),
    }
}

/// What ends the program early: a message for stderr and an exit code.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn bad_input(message: impl ToString) -> Self {
        Self { code: 2, message: message.to_string() }
    }

    fn could_not_run(message: impl ToString) -> Self {
        Self { code: 1, message: message.to_string() }
    }

    fn tell(&self) {
        let _ = writeln!(std::io::stderr(), "{}", self.text());
    }

    fn text(&self) -> String {
        self.message.lines().map(|line| format!("error: {line}")).collect::<Vec<_>>().join("\n")
    }
}

impl From<crate::engine::EngineError> for Failure {
    fn from(error: crate::engine::EngineError) -> Self {
        if error.is_bad_input() { Self::bad_input(error) } else { Self::could_not_run(error) }
    }
}

impl From<BaselineError> for Failure {
    fn from(error: BaselineError) -> Self {
        let code = match error {
            BaselineError::Unfit(_) => Verdict::Invalid,
            BaselineError::Write(_) => Verdict::CouldNotRun,
            _ => Verdict::BadInput,
        };
        Self { code: code.exit_code(), message: error.to_string() }
    }
}

//! gatebench's own binary, as a user runs it, and its simulator in another process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};

use super::Problem;
use super::measure::{Spent, reap, spend, spend_in_any_case};

pub fn gatebench() -> Command {
    Command::new(env!("CARGO_BIN_EXE_gatebench"))
}

/// A cache of our own with a calibration in it, for all commands from here on: none reads or writes the user's, and
/// none is held up by a calibration that would then be in its CPU time.
pub fn calibrated() -> Result<TempDir, Problem> {
    let cache = tempfile::tempdir()?;
    // SAFETY: no other thread of this process runs yet.
    unsafe { std::env::set_var("GATEBENCH_CACHE_DIR", cache.path()) };
    spend(gatebench().arg("calibrate"))?;
    Ok(cache)
}

/// A finished run with its report.
pub struct Measured {
    pub spent: Spent,
    pub report: Value,
}

impl Measured {
    /// A number of the report by its JSON pointer.
    pub fn number(&self, pointer: &str) -> Result<f64, Problem> {
        let found = self.report.pointer(pointer).and_then(Value::as_f64);
        found.ok_or_else(|| format!("the report has no {pointer}").into())
    }
}

/// `gatebench run … --json`; a run that its expectations or its validity fail is still a report.
pub fn run(arguments: &[&str], sets: &[&str]) -> Result<Measured, Problem> {
    let mut command = gatebench();
    command.arg("run").args(arguments).args(["--quiet", "--json"]);
    for set in sets {
        command.args(["--set", set]);
    }
    let (spent, why) = spend_in_any_case(&mut command)?;
    let report: Value = match (serde_json::from_str(&spent.stdout), why) {
        (Ok(report), _) => report,
        (Err(_), Some(why)) => return Err(why.into()),
        (Err(error), None) => return Err(error.into()),
    };
    if let Some(invalid) = report.pointer("/run/invalid_because/0").and_then(Value::as_str) {
        println!("  INVALID: {invalid}");
    }
    Ok(Measured { spent, report })
}

/// Calls of 500 B, not streamed.
pub const SMALL_CALLS: [&str; 3] = ["workload.stream=false", "workload.input_tokens=100", "workload.output_tokens=60"];

/// `gatebench sim` in a process of its own.
pub struct Sim {
    child: Child,
    base_url: String,
    ended: bool,
    _profile: NamedTempFile,
}

impl Sim {
    /// Serves one route; `route` is the inside of its `simulate` table.
    pub fn start(route: &str) -> Result<Self, Problem> {
        let mut profile = tempfile::Builder::new().suffix(".toml").tempfile()?;
        writeln!(profile, "[stack]\nroute = \"sim\"\n[routes.sim]\nsimulate = {{ {route} }}")?;
        let mut child = gatebench().arg("sim").arg(profile.path()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line)?;
        let base_url = said["base_url"].as_str().ok_or("sim named no base_url")?.to_owned();
        Ok(Self { child, base_url, ended: false, _profile: profile })
    }

    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Ends it; what it used.
    pub fn end(mut self) -> Result<Spent, Problem> {
        self.terminate()
    }

    fn terminate(&mut self) -> Result<Spent, Problem> {
        self.ended = true;
        // SAFETY: a signal to a child that has not been waited for.
        unsafe { libc::kill(self.child.id() as libc::pid_t, libc::SIGTERM) };
        Ok(reap(&self.child)?.0)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.terminate();
        }
    }
}

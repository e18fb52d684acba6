//! Whole runs against a static nginx: CPU per 100,000 calls beside oha's and wrk's, and peak memory.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::measure::{Spent, median, spend};
use super::nginx::Nginx;
use super::table::Table;
use super::tools::{self, SMALL_CALLS};
use super::{Length, Problem};

const ROUNDS: usize = 5;
const CALLS: u32 = 100_000;
const MOST_OF_OHA: f64 = 1.3;
const MOST_MB: f64 = 60.0;

/// What the rivals post: as long as what gatebench does, but always the same.
pub fn body() -> String {
    let text = "please tell me where the parcel of my last order is ".repeat(8);
    format!(
        r#"{{"model":"gpt-4.1","messages":[{{"content":"{}","role":"user"}}],"temperature":0,"max_tokens":500}}"#,
        &text[..400]
    )
}

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    let nginx = Nginx::start()?;
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(body().as_bytes())?;
    let url = format!("{}/chat/completions", nginx.base_url());
    let (oha, wrk) = (rival("OHA"), rival("WRK"));
    let (mut ours, mut ohas, mut wrks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        if let Some(oha) = &oha {
            ohas.push(run_oha(oha, file.path(), &url)?);
        }
        ours.push(run_gatebench(&nginx, 64)?);
        if let Some(wrk) = &wrk {
            wrks.push(run_wrk(wrk, &url)?);
        }
    }
    let mine = show(table, "gatebench", &ours);
    match oha {
        Some(_) => {
            let theirs = show(table, "oha", &ohas);
            table.at_most("gatebench / oha", mine / theirs, MOST_OF_OHA, "x");
        }
        None => table.note("oha is missing: no ratio to it (cargo install oha --locked)".into()),
    }
    match wrk {
        Some(_) => {
            let theirs = show(table, "wrk", &wrks);
            table.figure("gatebench / wrk", format!("{:.2}x", mine / theirs));
        }
        None => table.note("wrk is missing: no ratio to it".into()),
    }
    table.figure("peak memory at 64 users", format!("{:.1} MB", median(ours.iter().map(|run| run.spent.peak_mb))));
    let crowded = run_gatebench(&nginx, 512)?;
    table.at_most("peak memory at 512 users", crowded.spent.peak_mb, MOST_MB, " MB");
    Ok(())
}

/// A process and how many calls it made.
struct Run {
    spent: Spent,
    calls: f64,
}

impl Run {
    fn cpu_per_100k(&self) -> f64 {
        self.spent.cpu * 1e5 / self.calls
    }
}

fn show(table: &Table, who: &str, runs: &[Run]) -> f64 {
    let cpu = median(runs.iter().map(Run::cpu_per_100k));
    let user = median(runs.iter().map(|run| run.spent.user * 1e5 / run.calls));
    let rate = median(runs.iter().map(|run| run.calls / run.spent.wall));
    table.figure(&format!("{who}: CPU per 100k calls (at {rate:.0}/s, user {user:.2} s)"), format!("{cpu:.3} s"));
    cpu
}

pub fn rival(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn run_gatebench(nginx: &Nginx, users: u32) -> Result<Run, Problem> {
    let (users, calls, url) = (users.to_string(), CALLS.to_string(), nginx.base_url());
    let room = format!("stack.concurrency={users}");
    let connections = format!("stack.pool.max_connections={users}");
    let idle = format!("stack.pool.max_idle={users}");
    // Ad-hoc: unique prompts, no caches, no single flight, no retries.
    let mut sets = vec!["load.warmup=0s", &room, &connections, &idle];
    sets.extend(SMALL_CALLS);
    let run = tools::run(&["--url", &url, "--model", "gpt-4.1", "-c", &users, "-n", &calls], &sets)?;
    let succeeded = run.number("/load/succeeded")?;
    if succeeded != f64::from(CALLS) {
        return Err(format!("{succeeded} of {CALLS} calls succeeded").into());
    }
    Ok(Run { spent: run.spent, calls: succeeded })
}

fn run_oha(oha: &Path, body: &Path, url: &str) -> Result<Run, Problem> {
    let mut command = Command::new(oha);
    command.args(["-c", "64", "-n", &CALLS.to_string(), "-m", "POST", "--no-tui", "-T", "application/json", "-D"]);
    let spent = spend(command.arg(body).arg(url))?;
    Ok(Run { spent, calls: f64::from(CALLS) })
}

fn run_wrk(wrk: &Path, url: &str) -> Result<Run, Problem> {
    let mut script = tempfile::NamedTempFile::new()?;
    write!(script, "wrk.method='POST'\nwrk.headers['Content-Type']='application/json'\nwrk.body='{}'\n", body())?;
    let mut command = Command::new(wrk);
    let spent = spend(command.args(["-t1", "-c64", "-d5s", "-s"]).arg(script.path()).arg(url))?;
    let requests = spent.stdout.lines().find_map(|line| line.trim().split_once(" requests in"));
    let calls = requests.and_then(|(count, _)| count.parse().ok()).ok_or("wrk said no number of requests")?;
    Ok(Run { spent, calls })
}

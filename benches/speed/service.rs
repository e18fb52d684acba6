//! Service times of calls to the same nginx at the same rate over as many connections: ours beside those of oha and of
//! a raw client (arrivals that wait for nobody), and of wrk (users with think time). All take turns; medians of rounds
//! are compared.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::http::{body, rival};
use super::measure::{median, spend};
use super::nginx::Nginx;
use super::raw::{self, quantile_ms};
use super::table::{Allowed, Table};
use super::tools::{self, SMALL_CALLS};
use super::{Length, Problem};

const CONNECTIONS: u32 = 16;
const RATE: f64 = 2000.0;
const THINK_MS: u32 = 8;
const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)];
const ALLOWED: Allowed = Allowed { percent: 5.0, room: 0.05 };

/// Milliseconds at [`QUANTILES`], and calls a second.
#[derive(Clone, Copy, Debug)]
struct Seen {
    times: [f64; 3],
    rate: f64,
}

pub fn measure(table: &mut Table, length: Length) -> Result<(), Problem> {
    let (rounds, seconds) = if length == Length::Long { (9, 10) } else { (5, 4) };
    let nginx = Nginx::start()?;
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(body().as_bytes())?;
    let (oha, wrk) = (rival("OHA"), rival("WRK"));
    let [mut open, mut raws, mut ohas, mut closed, mut wrks] = [const { Vec::new() }; 5];
    for _ in 0..rounds {
        raws.push(run_raw(&nginx, seconds)?);
        open.push(run_open(&nginx, seconds)?);
        if let Some(oha) = &oha {
            ohas.push(run_oha(oha, file.path(), &nginx, seconds)?);
        }
        if let Some(wrk) = &wrk {
            wrks.push(run_wrk(wrk, &nginx, seconds)?);
            closed.push(run_closed(&nginx, seconds)?);
        }
    }
    compare(table, "raw client", &open, &raws);
    match oha {
        Some(_) => compare(table, "oha", &open, &ohas),
        None => table.note("oha is missing (cargo install oha --locked)".into()),
    }
    match wrk {
        Some(_) => compare(table, "wrk, think time", &closed, &wrks),
        None => table.note("wrk is missing (apt install wrk)".into()),
    }
    Ok(())
}

fn compare(table: &Table, who: &str, ours: &[Seen], theirs: &[Seen]) {
    let rates = [ours, theirs].map(|all| median(all.iter().map(|seen| seen.rate)));
    table.figure(
        &format!("{CONNECTIONS} connections, calls/s of gatebench beside {who}"),
        format!("{:.0} {:.0}", rates[0], rates[1]),
    );
    for (i, (name, _)) in QUANTILES.iter().enumerate() {
        let [ours, theirs] = [ours, theirs].map(|all| median(all.iter().map(|seen| seen.times[i])));
        table.beside(&format!("  service {name} beside {who}"), ours, theirs, " ms", ALLOWED);
    }
}

fn run_raw(nginx: &Nginx, seconds: u64) -> Result<Seen, Problem> {
    let time = Duration::from_secs(seconds);
    let load = raw::Load { connections: CONNECTIONS, rate: RATE, time };
    let times = raw::service_times(&nginx.authority(), &body(), load)?;
    let at = QUANTILES.map(|(_, quantile)| quantile_ms(&times, quantile));
    Ok(Seen { times: at, rate: times.len() as f64 / time.as_secs_f64() })
}

fn run_open(nginx: &Nginx, seconds: u64) -> Result<Seen, Problem> {
    let rate = RATE.to_string();
    run_gatebench(nginx, seconds, &["-q", &rate], &["load.arrivals=constant"])
}

fn run_closed(nginx: &Nginx, seconds: u64) -> Result<Seen, Problem> {
    let (users, think) = (CONNECTIONS.to_string(), format!("load.think_time={THINK_MS}ms"));
    run_gatebench(nginx, seconds, &["-c", &users], &[&think])
}

fn run_gatebench(nginx: &Nginx, seconds: u64, load: &[&str], further: &[&str]) -> Result<Seen, Problem> {
    let (url, time) = (nginx.base_url(), format!("{seconds}s"));
    let connections = format!("stack.pool.max_connections={CONNECTIONS}");
    let sets = [&["load.warmup=200ms", connections.as_str()], further, &SMALL_CALLS].concat();
    let arguments = [&["--url", &*url, "--model", "gpt-4.1", "-z", &time], load].concat();
    let run = tools::run(&arguments, &sets)?;
    let [p50, p90, p99] = QUANTILES.map(|(name, _)| run.number(&format!("/latency_ms/service/{name}")));
    Ok(Seen { times: [p50?, p90?, p99?], rate: run.number("/load/qps")? })
}

/// Without `--latency-correction` its times are from the send, as our service times are.
fn run_oha(oha: &Path, body: &Path, nginx: &Nginx, seconds: u64) -> Result<Seen, Problem> {
    let mut command = Command::new(oha);
    command.args(["-c", &CONNECTIONS.to_string(), "-q", &RATE.to_string(), "-z", &format!("{seconds}s"), "-m", "POST"]);
    command.args(["--no-tui", "--output-format", "json", "-T", "application/json", "-D"]).arg(body);
    let said: Value =
        serde_json::from_str(&spend(command.arg(format!("{}/chat/completions", nginx.base_url())))?.stdout)?;
    let number =
        |pointer: String| said.pointer(&pointer).and_then(Value::as_f64).ok_or(format!("oha said no {pointer}"));
    let [p50, p90, p99] = QUANTILES.map(|(name, _)| number(format!("/latencyPercentiles/{name}")));
    Ok(Seen { times: [p50? * 1e3, p90? * 1e3, p99? * 1e3], rate: number("/summary/requestsPerSec".to_owned())? })
}

fn run_wrk(wrk: &Path, nginx: &Nginx, seconds: u64) -> Result<Seen, Problem> {
    let mut script = tempfile::NamedTempFile::new()?;
    writeln!(script, "wrk.method='POST'\nwrk.headers['Content-Type']='application/json'\nwrk.body='{}'", body())?;
    writeln!(script, "function delay() return {THINK_MS} end")?;
    let mut command = Command::new(wrk);
    command.args(["-t1", "--latency", "-c", &CONNECTIONS.to_string(), "-d", &format!("{seconds}s"), "-s"]);
    let said = spend(command.arg(script.path()).arg(format!("{}/chat/completions", nginx.base_url())))?.stdout;
    let field = |first: &str| {
        said.lines().find_map(|line| line.trim().strip_prefix(first)).ok_or(format!("wrk said no {first}"))
    };
    let times = ["50%", "90%", "99%"].map(|quantile| field(quantile).map(|text| milliseconds(text.trim())));
    let [p50, p90, p99] = times;
    let missing = || Problem::from("wrk's times cannot be read");
    let rate = field("Requests/sec:")?.trim().parse()?;
    Ok(Seen { times: [p50?.ok_or_else(missing)?, p90?.ok_or_else(missing)?, p99?.ok_or_else(missing)?], rate })
}

/// As wrk writes them: 123.00us, 1.23ms, 1.23s.
fn milliseconds(text: &str) -> Option<f64> {
    let (number, factor) = match text {
        text if text.ends_with("us") => (text.strip_suffix("us")?, 1e-3),
        text if text.ends_with("ms") => (text.strip_suffix("ms")?, 1.0),
        text => (text.strip_suffix('s')?, 1e3),
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

//! What the workbench's screen costs the load: QPS with it and without it, over time, and the screen's own CPU.
//!
//! `script` (util-linux) gives the binary a pseudo terminal of 120x36 that somebody reads.

use std::fs::read_to_string;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::measure::median;
use super::nginx::Nginx;
use super::table::Table;
use super::tools::{self, SMALL_CALLS};
use super::{Length, Problem};

const ROUNDS: usize = 3;
/// Unthrottled, 64 users.
const CLOSED: [&str; 6] = ["-c", "64", "--model", "gpt-4.1", "--url", "URL"];
const MOST_LOST: f64 = 5.0;
const MOST_OF_A_CORE: f64 = 3.0;

pub fn measure(table: &mut Table, length: Length) -> Result<(), Problem> {
    let nginx = Nginx::start()?;
    let seconds: u64 = if length == Length::Long { 300 } else { 30 };
    let (mut bare, mut shown) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(headless(&nginx, seconds)?);
        shown.push(workbench(&nginx, seconds)?);
    }
    let (bare_qps, shown_qps) = (median(bare), median(shown.iter().map(|run| run.qps)));
    table.figure("QPS without a screen", format!("{bare_qps:.0}"));
    table.figure("QPS in the workbench", format!("{shown_qps:.0}"));
    table.at_most("lost to the screen", (1.0 - shown_qps / bare_qps) * 100.0, MOST_LOST, "%");
    let decay = median(shown.iter().map(|run| (1.0 - run.late / run.early) * 100.0));
    table.at_most(&format!("lost from the first third of {seconds} s to the last"), decay, MOST_LOST, "%");
    oha(table, &nginx, seconds)?;
    let cpu = screen_cpu()?;
    table.at_most("screen's own thread at 60 requests/s", cpu * 100.0, MOST_OF_A_CORE, "% of a core");
    Ok(())
}

fn closed<'a>(url: &'a str, arguments: &mut Vec<&'a str>) {
    arguments.extend(CLOSED.map(|argument| if argument == "URL" { url } else { argument }));
}

fn headless(nginx: &Nginx, seconds: u64) -> Result<f64, Problem> {
    let (url, duration) = (nginx.base_url(), format!("{seconds}s"));
    let mut arguments = vec!["-z", &*duration];
    closed(&url, &mut arguments);
    let mut sets = vec!["load.warmup=1s"];
    sets.extend(SMALL_CALLS);
    tools::run(&arguments, &sets)?.number("/load/qps")
}

struct Shown {
    qps: f64,
    early: f64,
    late: f64,
}

/// The workbench for as long; its figures are those of the report that `x` writes.
fn workbench(nginx: &Nginx, seconds: u64) -> Result<Shown, Problem> {
    let url = nginx.base_url();
    let mut arguments = vec!["tui"];
    closed(&url, &mut arguments);
    arguments.extend(["--set", "load.warmup=1s"]);
    arguments.extend(SMALL_CALLS.iter().flat_map(|set| ["--set", set]));
    let mut terminal = Terminal::start(&[&[env!("CARGO_BIN_EXE_gatebench")][..], &arguments].concat())?;
    sleep(Duration::from_secs(seconds + 2));
    terminal.press("x")?;
    let report = terminal.exported()?;
    // The endpoint could be a paid one, so leaving asks.
    terminal.press("q")?;
    terminal.press("y")?;
    terminal.end()?;
    let points = report["series"].as_array().ok_or("the report has no series")?;
    let rates: Vec<f64> = points
        .iter()
        .filter(|point| point["warmup"] == false)
        .filter_map(|point| Some(point["succeeded"].as_f64()? / point["seconds"].as_f64()?))
        .collect();
    let third = rates.len() / 3;
    let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len().max(1) as f64;
    let qps = report["load"]["qps"].as_f64().ok_or("the report has no qps")?;
    Ok(Shown { qps, early: mean(&rates[..third]), late: mean(&rates[rates.len() - third..]) })
}

/// oha's own screen, measured side by side.
fn oha(table: &Table, nginx: &Nginx, seconds: u64) -> Result<(), Problem> {
    let Some(oha) = std::env::var("OHA").ok().filter(|path| !path.is_empty()) else { return Ok(()) };
    let (url, duration) = (format!("{}/chat/completions", nginx.base_url()), format!("{seconds}s"));
    let arguments = [&*oha, "-c", "64", "-m", "POST", "-d", "{}", "-z", &*duration, &*url];
    let plain = Command::new(&oha).args(&arguments[1..]).arg("--no-tui").output()?;
    let mut terminal = Terminal::start(&arguments)?;
    let shown = terminal.end()?;
    if let (Some(plain), Some(shown)) = (said(&String::from_utf8_lossy(&plain.stdout)), said(&shown)) {
        table.figure("for comparison: lost by oha to its screen", format!("{:.1}%", (1.0 - shown / plain) * 100.0));
    }
    Ok(())
}

fn said(summary: &str) -> Option<f64> {
    let line = summary.lines().find_map(|line| line.split_once("Requests/sec:"))?.1;
    line.split_whitespace().next()?.parse().ok()
}

/// The share of a core that the screen's thread takes on the quickstart, after its beginning.
fn screen_cpu() -> Result<f64, Problem> {
    const WATCHED: Duration = Duration::from_secs(20);
    let mut terminal = Terminal::start(&[env!("CARGO_BIN_EXE_gatebench")])?;
    sleep(Duration::from_secs(5));
    let pid = terminal.program()?;
    let ticks = || -> Result<f64, Problem> {
        let stat = read_to_string(format!("/proc/{pid}/task/{pid}/stat"))?;
        let fields: Vec<_> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        Ok(fields[11].parse::<f64>()? + fields[12].parse::<f64>()?)
    };
    let before = ticks()?;
    sleep(WATCHED);
    let spent = ticks()? - before;
    terminal.press("q")?;
    terminal.end()?;
    // SAFETY: sysconf reads a constant of the system.
    let a_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
    Ok(spent / a_second / WATCHED.as_secs_f64())
}

/// A program on a pseudo terminal, in a directory of its own.
struct Terminal {
    script: Child,
    screen: Option<std::thread::JoinHandle<String>>,
    dir: TempDir,
}

impl Terminal {
    fn start(command: &[&str]) -> Result<Self, Problem> {
        let dir = tempfile::tempdir()?;
        let quoted: Vec<_> = command.iter().map(|word| format!("'{word}'")).collect();
        let line = format!("stty cols 120 rows 36; exec {}", quoted.join(" "));
        let mut script = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .current_dir(dir.path())
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdout = script.stdout.take().ok_or("no stdout")?;
        // Whoever looks reads all the time, or the program would wait for it.
        let screen = std::thread::spawn(move || {
            let mut seen = Vec::new();
            let _ = stdout.read_to_end(&mut seen);
            String::from_utf8_lossy(&seen).into_owned()
        });
        Ok(Self { script, screen: Some(screen), dir })
    }

    fn press(&mut self, keys: &str) -> Result<(), Problem> {
        let stdin = self.script.stdin.as_mut().ok_or("no stdin")?;
        stdin.write_all(keys.as_bytes())?;
        stdin.flush()?;
        sleep(Duration::from_millis(300));
        Ok(())
    }

    /// The process of the program itself, which is the child of `script`.
    fn program(&self) -> Result<u32, Problem> {
        let script = self.script.id();
        let children = read_to_string(format!("/proc/{script}/task/{script}/children"))?;
        Ok(children.split_whitespace().next().ok_or("script started nothing")?.parse()?)
    }

    fn exported(&self) -> Result<Value, Problem> {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(path) = json_in(self.dir.path())? {
                return Ok(serde_json::from_str(&read_to_string(path)?)?);
            }
            if Instant::now() > end {
                return Err("x wrote no report".into());
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Waits for its end; everything it wrote.
    fn end(&mut self) -> Result<String, Problem> {
        self.script.wait()?;
        let screen = self.screen.take().ok_or("ended twice")?;
        screen.join().map_err(|_| "the reader failed".into())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

fn json_in(dir: &Path) -> Result<Option<PathBuf>, Problem> {
    let paths = std::fs::read_dir(dir)?.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "json")))
}

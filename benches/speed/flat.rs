//! Memory over time: what a run holds must not depend on how long it is.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::measure::{reap, resident_mb};
use super::nginx::Nginx;
use super::table::Table;
use super::tools::{SMALL_CALLS, gatebench};
use super::{Length, Problem};

/// The series gains a point of some 200 B a second up to an hour, where it is full: 0.7 MB. The rest is noise of
/// the allocator.
const MOST_GROWTH_MB: f64 = 3.0;

pub fn measure(table: &mut Table, length: Length) -> Result<(), Problem> {
    let (early, late) = match length {
        Length::Short => (10, 60),
        Length::Long => (60, 3600),
    };
    let nginx = Nginx::start()?;
    let mut command = gatebench();
    command.args(["run", "--url", &nginx.base_url(), "--model", "gpt-4.1", "-c", "64", "--quiet"]);
    command.args(["-z", &format!("{}s", late + 3), "--set", "load.warmup=0s"]);
    for set in SMALL_CALLS {
        command.args(["--set", set]);
    }
    let start = Instant::now();
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let at = |second: u64| {
        std::thread::sleep((start + Duration::from_secs(second)).saturating_duration_since(Instant::now()));
        resident_mb(child.id())
    };
    let samples = at(early).and_then(|first| Ok((first, at(late)?)));
    let (spent, succeeded) = reap(&child)?;
    let (first, last) = samples?;
    if !succeeded {
        return Err("the run failed".into());
    }
    table.figure(&format!("resident after {early} s"), format!("{first:.1} MB"));
    table.figure(&format!("resident after {late} s"), format!("{last:.1} MB"));
    table.at_most("growth", last - first, MOST_GROWTH_MB, " MB");
    table.figure("peak", format!("{:.1} MB", spent.peak_mb));
    Ok(())
}

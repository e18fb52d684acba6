//! CPU time and memory of processes, medians, and how busy the machine is.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What a process used from its start to its end.
#[derive(Clone, Debug, Default)]
pub struct Spent {
    /// User and system.
    pub cpu: f64,
    pub user: f64,
    pub wall: f64,
    /// The kernel's `ru_maxrss`: it never reads less than this process had when it started the other.
    pub peak_mb: f64,
    pub stdout: String,
}

/// Runs a command to its end, which has to be a good one.
pub fn spend(command: &mut Command) -> io::Result<Spent> {
    match spend_in_any_case(command)? {
        (spent, None) => Ok(spent),
        (_, Some(why)) => Err(io::Error::other(why)),
    }
}

/// As [`spend`]; if it ended badly, with what it said last.
pub fn spend_in_any_case(command: &mut Command) -> io::Result<(Spent, Option<String>)> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut stdout = String::new();
    if let Some(pipe) = &mut child.stdout {
        pipe.read_to_string(&mut stdout)?;
    }
    let mut stderr = String::new();
    if let Some(pipe) = &mut child.stderr {
        pipe.read_to_string(&mut stderr)?;
    }
    let (usage, succeeded) = reap(&child)?;
    let why = (!succeeded).then(|| {
        let last: Vec<_> = stderr.lines().chain(stdout.lines()).rev().take(3).collect();
        format!("{:?} failed: {}", command.get_program(), last.join("; "))
    });
    Ok((Spent { wall: start.elapsed().as_secs_f64(), stdout, ..usage }, why))
}

/// Waits for a child with its resource usage; whether it ended well.
pub fn reap(child: &Child) -> io::Result<(Spent, bool)> {
    let mut status = 0;
    // SAFETY: rusage is plain numbers, for which zero is a value; wait4 writes both through valid pointers.
    let (pid, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(child.id() as libc::pid_t, &mut status, 0, &mut usage), usage)
    };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    let (user, system) = (seconds(usage.ru_utime), seconds(usage.ru_stime));
    let spent = Spent { cpu: user + system, user, peak_mb: usage.ru_maxrss as f64 / 1024.0, ..Spent::default() };
    Ok((spent, libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0))
}

/// CPU seconds of this process so far.
pub fn own_cpu() -> f64 {
    // SAFETY: as above; getrusage writes through a valid pointer.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

fn seconds(time: libc::timeval) -> f64 {
    time.tv_sec as f64 + time.tv_usec as f64 / 1e6
}

/// Resident memory of a living process, in MB.
pub fn resident_mb(pid: u32) -> io::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kb.map(|kb| kb / 1024.0).ok_or_else(|| io::Error::other(format!("/proc/{pid}/status has no VmRSS")))
}

/// The middle one; of an even number, the lower of the two.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

pub struct Machine;

impl Machine {
    /// The share of all cores that is busy over a time in which we sleep.
    pub fn busy_for(time: Duration) -> f64 {
        let before = Self::ticks();
        std::thread::sleep(time);
        match (before, Self::ticks()) {
            (Some((busy, all)), Some((busy_then, all_then))) if all_then > all => (busy_then - busy) / (all_then - all),
            _ => f64::NAN,
        }
    }

    pub fn cores() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    pub fn load_average() -> String {
        let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
    }

    /// Busy ticks and all ticks since boot, by the first line of /proc/stat: user nice system idle iowait …
    fn ticks() -> Option<(f64, f64)> {
        let stat = std::fs::read_to_string("/proc/stat").ok()?;
        let ticks: Vec<f64> =
            stat.lines().next()?.split_whitespace().skip(1).take(8).filter_map(|n| n.parse().ok()).collect();
        let all: f64 = ticks.iter().sum();
        Some((all - ticks.get(3)? - ticks.get(4)?, all))
    }
}

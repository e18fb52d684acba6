//! Which machine this is, as far as its speed goes, and how busy others keep it.

use serde::{Deserialize, Serialize};

/// What a calibration holds for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub cpu: String,
    /// That this process may use.
    pub cores: usize,
    /// The version that measured it: another one may be faster.
    pub gatebench: String,
    /// `release` or `debug`.
    pub build: String,
}

impl Machine {
    pub fn here() -> Self {
        Self {
            cpu: cpu_model().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            gatebench: env!("CARGO_PKG_VERSION").to_owned(),
            build: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        }
    }
}

/// Linux on ARM has no model's name: there it is the architecture alone.
fn cpu_model() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let (_, model) =
        info.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == "model name"))?;
    Some(model.trim().to_owned())
}

/// CPU seconds used so far, by all and by this process.
pub struct Glance {
    all: f64,
    capacity: f64,
    own: f64,
}

impl Glance {
    /// `None` where the kernel does not tell (it is read from Linux's /proc/stat).
    pub fn now() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/stat").ok()?;
        // user nice system idle iowait irq softirq steal
        let ticks: Vec<f64> = stat.lines().next()?.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
        let idle = ticks.get(3)? + ticks.get(4)?;
        // SAFETY: reads a constant of the system.
        let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
        let capacity = ticks.iter().sum::<f64>() / per_second;
        Some(Self { all: capacity - idle / per_second, capacity, own: process_cpu() })
    }

    /// The share of the whole machine that other processes have used since.
    pub fn others_since(&self) -> Option<f64> {
        let now = Self::now()?;
        let whole = now.capacity - self.capacity;
        (whole > 0.0).then(|| ((now.all - self.all - (now.own - self.own)) / whole).max(0.0))
    }
}

/// CPU seconds of this process.
pub fn process_cpu() -> f64 {
    cpu_clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// CPU seconds of this thread.
pub fn thread_cpu() -> f64 {
    cpu_clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn cpu_clock(clock: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes one timespec through a valid pointer.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

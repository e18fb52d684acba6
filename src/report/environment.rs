//! Where a run took place, as far as it matters to its figures. Must not tell whose machine it is.

use super::shape::Environment;

pub fn here() -> Environment {
    Environment {
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|release| release.trim().to_owned()),
        build: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
    }
}

//! SIGINT and SIGTERM: the first one asks what runs to end, the second leaves at once.

use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;
use super::progress::Progress;
use crate::metrics::Stop;

/// Signals closer than this are one.
const SAME_WISH: Duration = Duration::from_millis(300);

pub struct Wishes {
    interrupts: Signal,
    terminations: Signal,
    first: Option<Instant>,
}

impl Wishes {
    /// From now on no signal ends the process by itself.
    pub fn heard() -> Result<Self, Failure> {
        Ok(Self {
            interrupts: signal(SignalKind::interrupt()).map_err(Failure::could_not_run)?,
            terminations: signal(SignalKind::terminate()).map_err(Failure::could_not_run)?,
            first: None,
        })
    }

    /// The next signal.
    pub async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupts.recv() => Stop::Interrupted,
            _ = self.terminations.recv() => Stop::Terminated,
        }
    }

    /// Asks for the end, once; says so where the progress is.
    pub fn heed(&mut self, why: Stop, progress: &Progress, stop: impl FnOnce(Stop)) {
        match self.first {
            None => {
                self.first = Some(Instant::now());
                progress.note("stopping: awaiting the calls in flight for at most 2 s; once more to leave at once");
                stop(why);
            }
            // `timeout` and CI runners signal the process and its group: that is one wish, not two.
            Some(first) if first.elapsed() < SAME_WISH => {}
            Some(_) => std::process::exit(if why == Stop::Interrupted { 130 } else { 143 }),
        }
    }
}

//! What the engine's threads say to each other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::EngineError;
use super::control::Window;
use crate::metrics::{Gauges, Recording, Stop, Tally};
use crate::plan::Workload;
use crate::profile::Profile;

/// To the conductor.
pub enum Message {
    Replica(FromReplica),
    /// `profile` as people see it; `settings` as replicas take them.
    Change {
        profile: Arc<Profile>,
        settings: Settings,
        changed: Vec<String>,
    },
    Stop(Stop),
}

impl From<FromReplica> for Message {
    fn from(message: FromReplica) -> Self {
        Self::Replica(message)
    }
}

/// To a replica, from the conductor and the pacer.
pub enum ToReplica {
    /// The load begins.
    Go(Window),
    /// A batch is due: calls `first`, `first + 1`, …
    Arrival {
        first: u64,
        size: u32,
        intended: Instant,
        measured: bool,
    },
    /// This replica's share of a closed loop's users.
    Users(u32),
    /// Hand over what was recorded.
    Report,
    Change(Settings),
    /// Begin no more calls, await those in flight for at most `grace`, and end.
    Finish {
        /// Where the measured window ends instead, if the load was ended early.
        cut: Option<Instant>,
        grace: Duration,
    },
}

pub enum FromReplica {
    Ready(Result<(), EngineError>),
    Report(Report),
    Finished(Box<Finished>),
    /// The thread ended without finishing.
    Lost,
}

/// The settings of an epoch, with the workload made of them.
#[derive(Clone)]
pub struct Settings {
    pub epoch: u32,
    pub profile: Arc<Profile>,
    pub workload: Arc<Workload>,
}

pub struct Report {
    pub replica: usize,
    pub recordings: Vec<Recording>,
    pub gauges: Gauges,
}

pub struct Finished {
    pub last: Report,
    pub total: Tally,
    /// When the last measured call was done.
    pub last_done: Option<Instant>,
    /// Calls still in flight when the grace was over.
    pub abandoned: u64,
}

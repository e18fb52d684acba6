//! What the engine's threads say to each other.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::control::Window;
use crate::metrics::{Block, Gauges, Recording, Run, Stop, Tally};
use crate::plan::{Ramp, Workload};
use crate::profile::Profile;

/// To the conductor.
pub enum Message {
    Replica(FromReplica),
    Change(Change),
    /// When it was asked for, which may be long ago if the process was stopped since.
    Pause(Instant),
    Resume(Instant),
    Block(AskedBlock),
    /// An event; if it `lasts`, its end is another one.
    Note {
        kind: &'static str,
        text: String,
        lasts: Option<Lasts>,
    },
    /// The run as it stands.
    SoFar(mpsc::Sender<Run>),
    Stop(Stop),
    /// For this reason the rest of the plan is not worth its while.
    Abort(String),
}

/// A standing load is to run for `length` from `at` on. A load that ends meanwhile gives no answer.
pub struct AskedBlock {
    pub at: Instant,
    pub length: Duration,
    pub reply: oneshot::Sender<Block>,
}

/// `profile` as people see it; `settings` as replicas take them.
pub struct Change {
    pub profile: Arc<Profile>,
    pub settings: Settings,
    pub changed: Vec<String>,
    /// Replicas that begin with it. If there are more than `stack.replicas` then, the last ones end.
    pub joining: Vec<Post>,
}

/// Until when something lasts, and what its end is called.
pub struct Lasts {
    pub until: Instant,
    pub over: String,
}

/// Where a replica is reached.
#[derive(Clone)]
pub struct Post {
    /// Never given twice in a run.
    pub number: usize,
    pub sender: UnboundedSender<ToReplica>,
}

impl Post {
    /// To a replica that is gone it says nothing: the conductor hears of its end otherwise.
    pub fn send(&self, message: ToReplica) {
        let _ = self.sender.send(message);
    }
}

/// To the pacer.
pub enum ToPacer {
    /// Another rate, arrivals or batch, with the ramp that holds from now on.
    Change(Arc<Profile>, Ramp),
    /// Paused, or going on later by the time the pause took.
    Clock(Window),
    /// After the last arrival that is due before, every replica is to hand over its block.
    Cut(Cut),
    /// Who gets arrivals from now on. It is the pacer that lets the others go, after the last arrival it gave them.
    Replicas { staying: Vec<Post>, leaving: Leaving },
}

/// Replicas that begin no more calls while the load goes on.
pub struct Leaving {
    pub replicas: Vec<Post>,
    pub grace: Duration,
}

impl Leaving {
    pub fn finish(&self) {
        for replica in &self.replicas {
            replica.send(ToReplica::Finish { grace: self.grace, cut: None });
        }
    }
}

impl From<FromReplica> for Message {
    fn from(message: FromReplica) -> Self {
        Self::Replica(message)
    }
}

/// To a replica, from the conductor and the pacer.
pub enum ToReplica {
    /// The load begins, is paused, or goes on.
    Clock(Window),
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
    Cut(Cut),
    /// Begin no more calls, await those in flight for at most `grace`, and end.
    Finish {
        /// Where the measured window ends instead on the run's clock, if the load was ended early.
        cut: Option<Instant>,
        grace: Duration,
    },
}

/// Where a block ends: await what is in flight then, for at most `grace`, and hand over what was recorded since the cut
/// before.
#[derive(Clone, Copy)]
pub struct Cut {
    pub at: Instant,
    pub grace: Duration,
}

pub enum FromReplica {
    Report(Report),
    Part(Box<Part>),
    Finished(Box<Finished>),
    /// The thread of this replica ended without finishing.
    Lost(usize),
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

/// One replica's part of a block.
pub struct Part {
    pub last: Report,
    pub tally: Tally,
    /// Of a closed loop: what its users' rounds took, from wanting to ask until wanting to ask again.
    pub rounds: Duration,
    /// Calls still in flight when the grace was over.
    pub abandoned: u64,
}

pub struct Finished {
    pub last: Report,
    pub total: Tally,
    /// When the last measured call was done.
    pub last_done: Option<Instant>,
    /// Calls still in flight when the grace was over.
    pub abandoned: u64,
}

/// What is left of the replicas that have ended.
pub struct Ended {
    pub total: Tally,
    pub last_done: Option<Instant>,
    pub abandoned: u64,
}

impl Ended {
    pub fn none() -> Self {
        Self { total: Tally::new(3), last_done: None, abandoned: 0 }
    }

    pub fn add(&mut self, total: &Tally, last_done: Option<Instant>, abandoned: u64) {
        self.total.merge(total);
        self.last_done = self.last_done.max(last_done);
        self.abandoned += abandoned;
    }
}

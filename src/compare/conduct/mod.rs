//! Runs the arms of a comparison in turn, and says how far it is.
//! Must not know the command line or the screen, nor how a difference is judged: a [`Judge`] makes the comparison of what
//! was [`Taken`].
//!
//! ```text
//! arms --own engine each (or one for all)--> warm-ups, then palindromes of blocks --> Taken --Judge--> Comparison
//!                                                       '--> watch<Progress>, five times a second
//! ```

mod driver;
mod engines;
mod herald;
mod live;
mod taken;
#[cfg(test)]
mod tests;

use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::progress::Progress;
use super::shape::Comparison;
use crate::engine::EngineError;
use crate::engine::files::TooFewFiles;
use crate::metrics::Stop;
use crate::profile::Profile;
use driver::{Calls, Driver};
use herald::Herald;
use live::fixed_differences;
pub use taken::{ArmTaken, Taken, Turn};

/// What is to be run. Arms are validated, two or more, the first one is what the others are held against.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    pub arms: Vec<(String, Profile)>,
    /// Of each arm, at most; even.
    pub blocks: u32,
    /// How long a block sends.
    pub block: Duration,
    /// Between the last answer of a block and the next block.
    pub cool_down: Duration,
    pub stacks: Stacks,
}

impl Course {
    /// Of these arms, by the profile's `[compare]`.
    pub fn of(arms: Vec<(String, Profile)>, profile: &Profile) -> Self {
        let compare = profile.compare.clone().unwrap_or_default();
        Self {
            arms,
            blocks: compare.blocks,
            block: compare.block_length(&profile.load),
            cool_down: compare.cool_down,
            stacks: if compare.shared { Stacks::Shared } else { Stacks::Own },
        }
    }

    /// Blocks of all arms, at most.
    pub fn total(&self) -> usize {
        self.blocks as usize * self.arms.len()
    }

    /// Whether its arms can be compared as is asked.
    fn check(&self) -> Result<(), ConductError> {
        let [(first, base), others @ ..] = &self.arms[..] else { return Ok(()) };
        for (arm, profile) in others {
            if profile.limits.budget != base.limits.budget {
                return Err(ConductError::Budgets { arm: arm.clone() });
            }
            let fixed = fixed_differences(base, profile);
            if self.stacks == Stacks::Shared && !fixed.is_empty() {
                let (arm, first) = (arm.clone(), first.clone());
                return Err(ConductError::NotLive { arm, first, keys: fixed.join(", ") });
            }
        }
        Ok(())
    }
}

/// Whose pools and caches an arm works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stacks {
    /// Each arm has its own, and simulated routes and a managed Redis of its own.
    Own,
    /// One for all: the arms' settings are applied to it in turn, as a hand in the workbench would.
    Shared,
}

/// Makes the comparison of what was taken so far: after every block, and at the end.
pub type Judge = Box<dyn FnMut(&Taken) -> Comparison + Send>;

#[derive(Debug, thiserror::Error)]
pub enum ConductError {
    #[error("arm \"{arm}\": {source}")]
    Arm { arm: String, source: EngineError },
    #[error(
        "arm \"{arm}\" differs from \"{first}\" in {keys}, which cannot change under load; give each arm a stack of its \
         own (compare.shared = false)"
    )]
    NotLive { arm: String, first: String, keys: String },
    #[error("arm \"{arm}\": limits.budget is one for all arms together; set it outside the arms")]
    Budgets { arm: String },
    #[error(transparent)]
    Files(#[from] TooFewFiles),
    #[error("could not start a thread: {0}; check the limit of processes (ulimit -u)")]
    Thread(#[from] std::io::Error),
    #[error("the comparison's thread ended unexpectedly; this is a bug in gatebench")]
    Broken,
}

impl ConductError {
    /// The user's input is at fault and nothing was sent.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Arm { source, .. } => source.is_bad_input(),
            Self::NotLive { .. } | Self::Budgets { .. } | Self::Files(_) => true,
            Self::Thread(_) | Self::Broken => false,
        }
    }
}

/// A comparison under way. Dropped without [`Conducted::join`], its load ends at once.
pub struct Conducted {
    progress: watch::Receiver<Progress>,
    stop: watch::Sender<Option<Stop>>,
    thread: Option<JoinHandle<Result<Comparison, ConductError>>>,
}

/// Starts a comparison on a thread of its own. Each arm warms up for its `load.warmup`, then they take turns.
pub fn start(course: Course, mut judge: Judge) -> Result<Conducted, ConductError> {
    course.check()?;
    let taken = Taken::none(&course);
    let (herald, progress) = Herald::new(&course, judge(&taken));
    let (stop, asked) = watch::channel(None);
    let calls = vec![Calls::default(); course.arms.len()];
    let driver = Driver { course, judge, herald, asked, taken, calls };
    let thread = std::thread::Builder::new().name("compare".into()).spawn(move || driver.drive())?;
    Ok(Conducted { progress, stop, thread: Some(thread) })
}

impl Conducted {
    /// How far it is; closed when there is a result, or an error.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Ends it: calls under way are awaited briefly, whole rounds so far are the result. The first reason counts.
    pub fn stop(&self, why: Stop) {
        self.stop.send_if_modified(|stop| stop.is_none() && stop.replace(why).is_none());
    }

    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits for its end. An arm that cannot start is an error, and then none has sent anything; whatever happens later
    /// is in the comparison.
    pub fn join(mut self) -> Result<Comparison, ConductError> {
        let thread = self.thread.take().expect("joined once");
        thread.join().map_err(|_| ConductError::Broken)?
    }
}

impl Drop for Conducted {
    fn drop(&mut self) {
        self.stop(Stop::Interrupted);
    }
}

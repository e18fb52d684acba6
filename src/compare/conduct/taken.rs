//! What has come of a comparison so far: the blocks of each arm, and what ended it.
//! Must not know what differs.

use std::sync::Arc;
use std::time::Duration;

use super::Course;
use crate::cost::Spend;
use crate::metrics::{Block, Stop};
use crate::profile::Profile;

/// All that a comparison is made of.
#[derive(Clone, Debug)]
pub struct Taken {
    pub started_at: jiff::Timestamp,
    /// So far: warm-ups, blocks and what is between them.
    pub duration: Duration,
    /// In the order of `Course::arms`.
    pub arms: Vec<ArmTaken>,
    /// `Finished` while it runs.
    pub stop: Stop,
    /// Why no further call of an arm could succeed, with its name; only with `Stop::Hopeless`.
    pub given_up_because: Option<String>,
    /// Every interval asked for was narrow enough before the last block.
    pub ended_early: bool,
}

#[derive(Clone, Debug)]
pub struct ArmTaken {
    pub name: String,
    pub profile: Arc<Profile>,
    /// Those that ended, in the order they were run; the warm-up is none.
    pub turns: Vec<Turn>,
    /// For all calls, warm-up included.
    pub spent: Spend,
}

/// A block, and when it was.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Its place among the blocks of all arms, from 0.
    pub at: usize,
    /// From the comparison's start to the block's.
    pub began: Duration,
    pub block: Arc<Block>,
}

impl Taken {
    /// Before anything was sent.
    pub(super) fn none(course: &Course) -> Self {
        let arm = |(name, profile): &(String, Profile)| ArmTaken {
            name: name.clone(),
            profile: Arc::new(profile.clone()),
            turns: Vec::new(),
            spent: Spend::default(),
        };
        Self {
            started_at: jiff::Timestamp::now(),
            duration: Duration::ZERO,
            arms: course.arms.iter().map(arm).collect(),
            stop: Stop::Finished,
            given_up_because: None,
            ended_early: false,
        }
    }

    /// Blocks that ended, of all arms.
    pub fn blocks(&self) -> usize {
        self.arms.iter().map(|arm| arm.turns.len()).sum()
    }

    /// Whole rounds: two blocks of each arm.
    pub fn rounds(&self) -> usize {
        self.arms.iter().map(|arm| arm.turns.len() / 2).min().unwrap_or(0)
    }
}

//! How far a comparison is, for whoever looks on. Must not know who that is.

use std::sync::Arc;
use std::time::Duration;

use super::shape::Comparison;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// An arm fills its caches and pools; nothing counts.
    WarmUp,
    Block,
    /// Calls of the block that is over are awaited, then nothing is sent for a moment.
    CoolDown,
    Done,
}

/// Published at every change of stage, and some five times a second in between.
#[derive(Clone, Debug)]
pub struct Progress {
    pub stage: Stage,
    /// The arm whose turn it is: its place in `Comparison::arms`.
    pub arm: usize,
    /// The block under way or just over, from 1; 0 in the warm-up.
    pub block: usize,
    /// Blocks of all arms, at most.
    pub blocks: usize,
    /// Of the whole comparison, 0 to 1.
    pub done: f64,
    /// Until its planned end.
    pub left: Duration,
    /// As it stands after the last whole block; before the first one its arms are empty.
    pub comparison: Arc<Comparison>,
}

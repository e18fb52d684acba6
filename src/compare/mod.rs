//! Arms that take turns ([`conduct`]), what they, or two runs, differ by, and how sure that is: pure statistics of their
//! blocks' figures. Must not know the screen; the statistics must not know how a block's figures were measured.
//!
//! ```text
//! blocks in palindromes (A B B A) -> Round -> one difference a round -> Hodges-Lehmann, signed-rank interval
//!                                                                              '-> Effect -> Verdict
//! ```
//!
//! A network drifts, so arms that run one after the other differ even when they are the same. In a palindrome every arm
//! has the same mean position in time: what drifts steadily cancels within a round, and what wanders is nearly the same
//! for both arms. Rounds are then close to independent, and that is what the interval stands on.
//!
//! Two runs that were made at different times are compared by their blocks as well (`Shift`): in pairs where they are of
//! the same part of the plan, else as two samples. What drifted between them is in the change.

mod build;
mod caveats;
pub mod conduct;
mod effect;
mod phases;
mod progress;
mod rank_sum;
mod round;
mod rows;
mod serial;
mod shape;
mod signed_rank;
mod turns;
mod two_sample;
mod verdict;

pub use build::Judging;
pub use effect::{Effect, EffectError, Scale};
pub use progress::{Progress, Stage};
pub use round::{Round, palindrome};
pub use shape::*;
pub use signed_rank::{CONFIDENCE, Interval, LEAST_ROUNDS, SignedRank};
pub use two_sample::{LEAST_BLOCKS, Shift, ShiftError};
pub use verdict::{Verdict, Wanted, rounds_needed};

#[cfg(test)]
pub(crate) mod tests;

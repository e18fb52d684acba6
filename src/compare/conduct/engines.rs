//! The loads that the arms are: an engine each, or one that takes on the settings of the arm whose turn it is.
//! Must not know whose turn it is when, or why.

use std::ops::Range;

use super::{ConductError, Course, Stacks};
use crate::cost::{PriceBook, Pricer, Spend};
use crate::engine::{self, EngineError, Fund, Handle, Until};
use crate::metrics::{Run, Stop};
use crate::profile::Profile;
use crate::profile::expect::latency_bounds;

pub enum Engines {
    Own(Vec<Handle>),
    Shared {
        handle: Box<Handle>,
        arms: Vec<(String, Profile)>,
        /// The arm whose settings it has.
        turn: usize,
    },
}

impl Engines {
    /// Starts loads that stand: nothing is sent.
    pub fn start(course: &Course) -> Result<Self, ConductError> {
        let profiles: Vec<&Profile> = course.arms.iter().map(|(_, profile)| profile).collect();
        let fund = Fund::of(profiles[0]);
        let start = |(name, profile): &(String, Profile)| {
            let bounds = latency_bounds(&profile.expectations());
            engine::start_on(fund.clone(), profile.clone(), bounds, Until::Blocks)
                .map_err(|source| ConductError::Arm { arm: name.clone(), source })
        };
        match course.stacks {
            Stacks::Own => {
                engine::files::provide(&profiles)?;
                Ok(Self::Own(course.arms.iter().map(start).collect::<Result<_, _>>()?))
            }
            Stacks::Shared => {
                profiles.iter().try_for_each(|profile| engine::files::provide(&[profile]))?;
                Ok(Self::Shared { handle: Box::new(start(&course.arms[0])?), arms: course.arms.clone(), turn: 0 })
            }
        }
    }

    /// The load of the arm whose turn it is now.
    pub fn of(&mut self, arm: usize) -> Result<&Handle, EngineError> {
        match self {
            Self::Own(handles) => Ok(&handles[arm]),
            Self::Shared { handle, arms, turn } => {
                if *turn != arm {
                    let (name, profile) = &arms[arm];
                    handle.apply(profile.clone(), vec![format!("arm {name}")])?;
                    *turn = arm;
                }
                Ok(handle)
            }
        }
    }

    /// Ends all loads; their runs, and the places of the arms that each was.
    pub fn end(self, why: Stop) -> Vec<(Range<usize>, Result<Run, EngineError>)> {
        let loads: Vec<_> = match self {
            Self::Own(handles) => handles.into_iter().enumerate().map(|(i, handle)| (i..i + 1, handle)).collect(),
            Self::Shared { handle, arms, .. } => vec![(0..arms.len(), *handle)],
        };
        // All are told before one is waited for.
        loads.iter().for_each(|(_, handle)| handle.stop(why));
        loads.into_iter().map(|(arms, handle)| (arms, handle.join())).collect()
    }
}

/// What all calls of a run cost.
pub fn spent(run: &Run) -> Spend {
    Pricer::new(&run.profile, PriceBook::builtin()).spend(&run.total.ledger)
}

//! What may happen to the workbench, and what it then asks of the world.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};
use ratatui::layout::Size;

use crate::compare::conduct::Course;
use crate::compare::{Comparison, Progress};
use crate::metrics::{Snapshot, Stop};
use crate::profile::{FaultKind, Profile};

#[derive(Clone, Debug)]
pub enum Action {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    Resize(Size),
    Snapshot(Arc<Snapshot>),
    /// No setting was touched for a moment: what was tuned may be applied.
    Settled,
    /// The engine runs with the settings it was asked to.
    Accepted,
    /// The engine would not take the settings, and runs on with those before.
    Refused(String),
    /// Something was done that was asked for.
    Done(String),
    /// Something that was asked for could not be done.
    Failed(String),
    /// How far the comparison is.
    Compared(Progress),
    /// It is over, by itself or because it was asked to end; or it could not start, in words.
    ComparisonOver(Result<Arc<Comparison>, String>),
    /// The load is over, by itself; what a person should know of it.
    Ended {
        stop: Stop,
        why: String,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Say [`Action::Settled`] in a moment, counted anew with each of these.
    Settle,
    /// Run with these settings from now on.
    Apply {
        profile: Box<Profile>,
        changed: Vec<String>,
    },
    Pause,
    Resume,
    Inject {
        route: String,
        kind: FaultKind,
        /// Every model of the route, if none is named.
        model: Option<String>,
        lasts: Duration,
    },
    /// Run these arms in turn, and say how far they are. `profile` is what they share, with its `[compare]`.
    Compare {
        course: Box<Course>,
        profile: Box<Profile>,
    },
    /// End the comparison; what there is of it stays.
    StopComparison,
    /// The tuned profile, as a file.
    Write(Box<Profile>),
    /// The report and the screen, as files.
    Export,
    Suspend,
    Quit,
}

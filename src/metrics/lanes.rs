//! Attempts by model and route: what each server's own counters can be held against.
//! Must not know calls: a call may make many attempts.

use std::collections::BTreeMap;

use crate::chat::Lane;
use crate::route::FailureKind;
use crate::stack::Try;

/// The attempts on one lane.
#[derive(Clone, Debug)]
pub struct LaneRow {
    pub lane: Lane,
    /// Requests handed to a connection: what a server counts.
    pub sent: u64,
    /// Of them, those that failed.
    pub failed: BTreeMap<FailureKind, u64>,
    /// Attempts of which nothing was sent, all of them failed.
    pub unsent: BTreeMap<FailureKind, u64>,
}

#[derive(Clone, Debug, Default)]
pub struct Lanes(Vec<LaneRow>);

impl Lanes {
    pub fn rows(&self) -> &[LaneRow] {
        &self.0
    }

    pub fn record(&mut self, attempt: &Try) {
        let row = self.row(&attempt.lane);
        row.sent += u64::from(attempt.sent);
        if let Some(kind) = attempt.failed {
            let counts = if attempt.sent { &mut row.failed } else { &mut row.unsent };
            *counts.entry(kind).or_default() += 1;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for theirs in &other.0 {
            let mine = self.row(&theirs.lane);
            mine.sent += theirs.sent;
            for (mine, theirs) in [(&mut mine.failed, &theirs.failed), (&mut mine.unsent, &theirs.unsent)] {
                theirs.iter().for_each(|(kind, count)| *mine.entry(*kind).or_default() += count);
            }
        }
    }

    /// Failed attempts that asked this model, over all routes.
    pub fn failed(&self, model: &str) -> BTreeMap<FailureKind, u64> {
        let mut sum = BTreeMap::new();
        for row in self.0.iter().filter(|row| *row.lane.model == *model) {
            row.failed.iter().chain(&row.unsent).for_each(|(kind, count)| *sum.entry(*kind).or_default() += count);
        }
        sum
    }

    /// Made when it is new. There are as many as the chain is long, so a linear search beats a map.
    fn row(&mut self, lane: &Lane) -> &mut LaneRow {
        let at = self.0.iter().position(|row| row.lane.is(lane)).unwrap_or_else(|| {
            let (failed, unsent) = (BTreeMap::new(), BTreeMap::new());
            self.0.push(LaneRow { lane: lane.clone(), sent: 0, failed, unsent });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}

//! The last seconds of the epoch under way, one tally each.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::metrics::{Recent, Tally};

pub struct Recently {
    seconds: VecDeque<(Tally, f64)>,
    /// Of all of them, made when one comes.
    merged: Arc<Tally>,
}

impl Default for Recently {
    fn default() -> Self {
        Self { seconds: VecDeque::new(), merged: Arc::new(Tally::new(2)) }
    }
}

impl Recently {
    pub fn push(&mut self, tally: Tally, seconds: f64) {
        if self.seconds.len() == Recent::SECONDS {
            self.seconds.pop_front();
        }
        self.seconds.push_back((tally, seconds));
        let mut merged = Tally::new(2);
        self.seconds.iter().for_each(|(tally, _)| merged.merge(tally));
        self.merged = Arc::new(merged);
    }

    pub fn picture(&self) -> Recent {
        Recent { tally: self.merged.clone(), seconds: self.seconds.iter().map(|(_, seconds)| seconds).sum() }
    }
}

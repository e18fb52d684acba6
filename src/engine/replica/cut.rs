//! One replica's part of a block, when that is over. Must not know the other replicas.

use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::Replica;
use crate::engine::messages::{Cut, FromReplica, Message, Part};

impl Replica {
    /// Hands over its part of a block when that is over and all that was begun in it is done.
    pub(super) async fn cut(self: Rc<Self>, cut: Cut, outbox: mpsc::Sender<Message>) {
        tokio::time::sleep_until(cut.at.into()).await;
        let _ = tokio::time::timeout(cut.grace, self.quiet()).await;
        self.stack.stores_done().await;
        let abandoned = self.in_flight.get();
        if abandoned > 0 {
            self.counts_from.set(Some(Instant::now()));
        }
        let last = self.report();
        let tally = self.recorder.borrow_mut().take_total();
        let rounds = self.rounds.take();
        let _ = outbox.send(FromReplica::Part(Box::new(Part { last, tally, rounds, abandoned })).into());
    }

    /// Returns when nothing is in flight and no user is left. It asks again and again: a bell would be on every call's
    /// way.
    async fn quiet(&self) {
        while self.in_flight.get() + self.arrived.get() + u64::from(self.living_users.get()) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

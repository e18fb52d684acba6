//! A load that runs in blocks: it stands, runs for a while, awaits what is in flight, hands over what that was, and
//! stands again. Must not know what blocks are compared with.
//!
//! ```text
//! Handle::block --> conductor: the clock goes on, and is known to stand again at the block's end
//!                     '--> pacer (open loop): the last arrival before it, then the cut --> replicas: what is in flight,
//!                     '--> replicas (closed loop): users leave at it, the cut ----------'   then their part of the block
//! ```

use std::time::Duration;

use tokio::sync::oneshot;

use super::conductor::Conductor;
use super::control::Counts;
use super::messages::{AskedBlock, Cut, Part, ToPacer, ToReplica};
use crate::metrics::{Block, Phase, Tally};
use crate::profile::Mode;

/// The block under way, as far as replicas have handed it over.
pub struct UnderWay {
    length: Duration,
    reply: oneshot::Sender<Block>,
    /// The plan's counters at its begin.
    counts: Counts,
    /// Numbers of the replicas that have not handed over their part.
    missing: Vec<usize>,
    tally: Tally,
    /// Of a closed loop: how many there are in the mean.
    users: f64,
    /// From wanting to ask until wanting to ask again, summed over users.
    rounds: Duration,
    abandoned: u64,
}

impl UnderWay {
    /// What rates are divided by. In an open loop calls are as many as are due in the block: its length. In a closed one
    /// the last call of each user ends after the block, and counts: by the length, a rate would be too high by half a
    /// call a user. A user makes n calls in the time that these n rounds took, wherever the block ends among them. So it
    /// is that time, of the mean user, and a rate is users / (response + think time).
    fn seconds(&self, mode: Mode) -> f64 {
        match mode {
            Mode::Closed if self.users > 0.0 => self.rounds.as_secs_f64() / self.users,
            _ => self.length.as_secs_f64(),
        }
    }
}

impl Conductor {
    /// Lets a standing load run for a block. One that runs already, or ends, gives no block.
    pub fn begin_block(&mut self, asked: AskedBlock) {
        let AskedBlock { at, length, reply } = asked;
        if self.phase == Phase::Drain || self.under_way.is_some() || !self.window.holds(at) {
            return;
        }
        let stood = self.go_on(at).unwrap_or_default();
        self.window.stood += stood;
        let began = self.window.elapsed(at);
        let end = at + length;
        self.window.paused = Some(end);
        self.under_way = Some(UnderWay {
            length,
            reply,
            counts: self.control.counts(),
            missing: self.replicas.iter().map(|replica| replica.number).collect(),
            tally: Tally::new(3),
            users: self.ramp.mean(began, began + length),
            rounds: Duration::ZERO,
            abandoned: 0,
        });
        self.set_clocks();
        let cut = Cut { at: end, grace: self.grace(self.serial_batch()) };
        match self.profile.load.mode {
            Mode::Open => drop(self.to_pacer.send(ToPacer::Cut(cut))),
            Mode::Closed => self.replicas.iter().for_each(|replica| replica.send(ToReplica::Cut(cut))),
        }
    }

    pub fn add_part(&mut self, part: Part) {
        let number = part.last.replica;
        self.gathering.add(part.last);
        // What is handed over to a load that ends is in its totals all the same.
        self.ended.add(&part.tally, None, 0);
        if let Some(block) = &mut self.under_way {
            block.tally.merge(&part.tally);
            block.rounds += part.rounds;
            block.abandoned += part.abandoned;
        }
        self.await_no_part_of(number);
    }

    /// It has handed over its part of the block, or is gone.
    pub fn await_no_part_of(&mut self, number: usize) {
        let Some(block) = &mut self.under_way else { return };
        block.missing.retain(|missing| *missing != number);
        if block.missing.is_empty()
            && let Some(block) = self.under_way.take()
        {
            self.hand_over(block);
        }
    }

    fn hand_over(&self, block: UnderWay) {
        let (mode, now) = (self.profile.load.mode, self.control.counts());
        let seconds = block.seconds(mode);
        let UnderWay { reply, counts: before, tally, abandoned, .. } = block;
        // Who no longer waits needs no answer.
        let _ = reply.send(Block {
            seconds,
            planned: match mode {
                Mode::Open => now.planned - before.planned,
                Mode::Closed => tally.sent + abandoned,
            },
            dropped: now.dropped_measured - before.dropped_measured,
            abandoned,
            bill: self.gathering.bill(&tally),
            gauges: self.gathering.gauges(),
            tally,
        });
    }
}

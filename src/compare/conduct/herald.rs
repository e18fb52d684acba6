//! Says how far a comparison is, and how long it still takes. Must not know what comes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Course;
use crate::compare::progress::{Progress, Stage};
use crate::compare::shape::Comparison;

pub struct Herald {
    publish: watch::Sender<Progress>,
    start: Instant,
    /// A block and the cool-down after it, as planned.
    planned: Duration,
    cool_down: Duration,
    /// How long the last answers of warm-ups were awaited: their number, and the sum.
    awaited: (u32, Duration),
    /// Of the warm-ups to come.
    warm_ups: Duration,
    /// How long turns took so far: their number, and the sum.
    took: (u32, Duration),
    turn: Turn,
}

struct Turn {
    began: Instant,
    length: Duration,
}

impl Herald {
    pub fn new(course: &Course, comparison: Comparison) -> (Self, watch::Receiver<Progress>) {
        let (start, blocks) = (Instant::now(), course.total());
        let warm_ups = course.arms.iter().map(|(_, profile)| profile.load.warmup).sum();
        let planned = course.block + course.cool_down;
        let left = warm_ups + planned * blocks as u32;
        let (stage, comparison) = (Stage::WarmUp, Arc::new(comparison));
        let first = Progress { stage, arm: 0, block: 0, blocks, done: 0.0, left, comparison };
        let (publish, progress) = watch::channel(first);
        let turn = Turn { began: start, length: Duration::ZERO };
        let (cool_down, none) = (course.cool_down, (0, Duration::ZERO));
        (Self { publish, start, planned, cool_down, awaited: none, warm_ups, took: none, turn }, progress)
    }

    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// An arm's turn begins: its warm-up (`block` 0), or a block.
    pub fn begin(&mut self, arm: usize, block: usize, length: Duration) {
        self.turn = Turn { began: Instant::now(), length };
        if block == 0 {
            self.warm_ups = self.warm_ups.saturating_sub(length);
        }
        let stage = if block == 0 { Stage::WarmUp } else { Stage::Block };
        self.tell(|progress| (progress.stage, progress.arm, progress.block) = (stage, arm, block));
    }

    /// Time passes.
    pub fn tick(&self) {
        let over = self.turn.began.elapsed() >= self.turn.length;
        self.tell(|progress| {
            if over && progress.stage == Stage::Block {
                progress.stage = Stage::CoolDown;
            }
        });
    }

    /// A turn is over, the cool-down after it included.
    pub fn end(&mut self) {
        let took = self.turn.began.elapsed();
        if self.publish.borrow().block > 0 {
            self.took.0 += 1;
            self.took.1 += took;
        } else {
            self.awaited.0 += 1;
            self.awaited.1 += took.saturating_sub(self.turn.length + self.cool_down);
        }
    }

    pub fn compared(&self, comparison: Comparison) {
        self.tell(|progress| progress.comparison = Arc::new(comparison));
    }

    pub fn done(&self) {
        self.publish.send_modify(|progress| {
            (progress.stage, progress.done, progress.left) = (Stage::Done, 1.0, Duration::ZERO);
        });
    }

    /// Blocks to come take as long as those so far, with what they awaited; before the first one, as it is planned and as
    /// long as answers of a warm-up were awaited.
    fn a_turn(&self) -> Duration {
        match (self.took, self.awaited) {
            ((0, _), (0, _)) => self.planned,
            ((0, _), (warm_ups, awaited)) => self.planned + awaited / warm_ups,
            ((turns, time), _) => time / turns,
        }
    }

    fn left(&self, progress: &Progress) -> Duration {
        let a_turn = self.a_turn();
        let under_way = if progress.block > 0 { a_turn } else { self.turn.length };
        let to_come = a_turn * (progress.blocks - progress.block) as u32;
        self.warm_ups + under_way.saturating_sub(self.turn.began.elapsed()) + to_come
    }

    fn tell(&self, change: impl FnOnce(&mut Progress)) {
        self.publish.send_modify(|progress| {
            change(progress);
            progress.left = self.left(progress);
            let (elapsed, left) = (self.elapsed().as_secs_f64(), progress.left.as_secs_f64());
            progress.done = elapsed / (elapsed + left).max(f64::MIN_POSITIVE);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::conduct::Stacks;
    use crate::compare::tests::synthetic;

    #[test]
    fn what_warm_ups_awaited_is_expected_of_blocks_until_blocks_tell() {
        let s = Duration::from_secs;
        let (blocks, block, cool_down) = (12, s(2), Duration::ZERO);
        let course = Course { arms: Vec::new(), blocks, block, cool_down, stacks: Stacks::Own };
        let (mut herald, _progress) = Herald::new(&course, synthetic::comparison());
        assert_eq!(herald.a_turn(), s(2));
        herald.awaited = (2, s(10));
        assert_eq!(herald.a_turn(), s(7));
        herald.took = (4, s(12));
        assert_eq!(herald.a_turn(), s(3));
    }
}

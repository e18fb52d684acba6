//! The way of a comparison: warm-ups, rounds of blocks, its end. Must not know how an engine runs a block.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::engines::{Engines, spent};
use super::herald::Herald;
use super::{ConductError, Course, Judge, Taken, Turn};
use crate::compare::LEAST_ROUNDS;
use crate::compare::round::palindrome;
use crate::compare::shape::Comparison;
use crate::cost::Spend;
use crate::engine::EngineError;
use crate::metrics::{Block, Stop};

/// How often it says how far it is.
const TICK: Duration = Duration::from_millis(200);
/// Failed calls after which an arm of which none has succeeded is given up.
const HOPELESS_AFTER: u64 = 5;

pub struct Driver {
    pub course: Course,
    pub judge: Judge,
    pub herald: Herald,
    /// What somebody asked for.
    pub asked: watch::Receiver<Option<Stop>>,
    pub taken: Taken,
    /// By arm, warm-ups included.
    pub calls: Vec<Calls>,
}

#[derive(Clone, Default)]
pub struct Calls {
    succeeded: u64,
    failed: u64,
    /// What the first failed one said.
    example: Option<String>,
}

/// Why no further turn is taken.
enum End {
    /// Somebody asked for it.
    Asked(Stop),
    /// The load of the arm whose turn it is ended by itself, and says why when it is joined.
    OfAnArm,
    /// None of the arm's calls succeeds.
    InVain(String),
    /// All blocks are done, or all intervals narrow.
    Complete,
    /// The arm's settings could not be applied.
    Refused(EngineError),
}

impl Driver {
    /// Runs the comparison to its end, on the thread to whose life a managed Redis is bound.
    pub fn drive(mut self) -> Result<Comparison, ConductError> {
        let mut engines = Engines::start(&self.course)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let (arm, end) = runtime.block_on(self.take_turns(&mut engines));
        self.close(engines, arm, end)?;
        let comparison = self.compare();
        self.herald.compared(comparison.clone());
        self.herald.done();
        Ok(comparison)
    }

    /// The arm whose turn was the last, and why.
    async fn take_turns(&mut self, engines: &mut Engines) -> (usize, End) {
        let (arms, total) = (self.course.arms.len(), self.course.total());
        let warm_ups = (0..arms).map(|arm| (arm, 0));
        let order = (0..total / (2 * arms)).flat_map(|round| palindrome(arms, round));
        let blocks = order.zip(1..=total);
        for (arm, block) in warm_ups.chain(blocks) {
            let taken = self.take_turn(engines, arm, block).await;
            if let Err(end) = taken {
                return (arm, end);
            }
        }
        (0, End::Complete)
    }

    async fn take_turn(&mut self, engines: &mut Engines, arm: usize, number: usize) -> Result<(), End> {
        let length = if number == 0 { self.course.arms[arm].1.load.warmup } else { self.course.block };
        self.herald.begin(arm, number, length);
        if length.is_zero() {
            return Ok(());
        }
        let began = self.herald.elapsed();
        let handle = engines.of(arm).map_err(End::Refused)?;
        let block = handle.block(length);
        let block = self.watched(block).await?.map_err(|_| End::OfAnArm)?;
        self.count(arm, &block);
        if number > 0 {
            self.taken.arms[arm].turns.push(Turn { at: number - 1, began, block: Arc::new(block) });
            let comparison = self.compare();
            let enough = self.is_enough(&comparison);
            self.herald.compared(comparison);
            if enough && number < self.course.total() {
                self.taken.ended_early = true;
                return Err(End::Complete);
            }
        }
        self.is_in_vain(arm)?;
        if number < self.course.total() {
            self.watched(tokio::time::sleep(self.course.cool_down)).await?;
        }
        self.herald.end();
        Ok(())
    }

    /// Awaits `what` while it says how far the comparison is, unless somebody asks for its end.
    async fn watched<T>(&mut self, what: impl Future<Output = T>) -> Result<T, End> {
        let (herald, asked) = (&self.herald, &mut self.asked);
        let mut ticks = tokio::time::interval(TICK);
        tokio::pin!(what);
        loop {
            tokio::select! {
                biased;
                stop = asked.wait_for(Option::is_some) => {
                    // Whoever could ask is gone: as if the load's end had been asked for.
                    return Err(End::Asked(stop.ok().and_then(|stop| *stop).unwrap_or(Stop::Interrupted)));
                }
                done = &mut what => return Ok(done),
                _ = ticks.tick() => herald.tick(),
            }
        }
    }

    fn count(&mut self, arm: usize, block: &Block) {
        let calls = &mut self.calls[arm];
        calls.succeeded += block.tally.succeeded;
        calls.failed += block.tally.failed;
        calls.example = calls.example.take().or_else(|| block.tally.examples.values().next().cloned());
        self.taken.arms[arm].spent += Spend { usd: block.bill.usd, cny: block.bill.cny };
    }

    /// An arm of which nothing succeeds has nothing to be compared.
    fn is_in_vain(&self, arm: usize) -> Result<(), End> {
        let Calls { succeeded, failed, example } = &self.calls[arm];
        if *succeeded > 0 || *failed < HOPELESS_AFTER {
            return Ok(());
        }
        let said = example.as_deref().unwrap_or_default();
        Err(End::InVain(format!("none of its {failed} calls succeeded: {said}")))
    }

    /// Only the intervals' width may end it early, and only after a whole round: see `verdict`.
    fn is_enough(&self, comparison: &Comparison) -> bool {
        let is_whole = self.taken.blocks().is_multiple_of(2 * self.course.arms.len());
        let is_asked = comparison.plan.until.is_some() && comparison.metrics.iter().any(|row| row.asked_for);
        is_whole && is_asked && self.taken.rounds() >= LEAST_ROUNDS && comparison.more_rounds == Some(0)
    }

    fn compare(&mut self) -> Comparison {
        self.taken.duration = self.herald.elapsed();
        (self.judge)(&self.taken)
    }

    /// Ends all loads, and takes from their runs what they spent and why one ended by itself.
    fn close(&mut self, engines: Engines, arm: usize, end: End) -> Result<(), ConductError> {
        let name = self.course.arms[arm].0.clone();
        self.taken.stop = if let End::Asked(why) = end { why } else { Stop::Finished };
        for (arms, run) in engines.end(self.taken.stop) {
            let run = run.map_err(|source| self.failed(arms.start, source))?;
            self.add_rest(spent(&run), arms.clone(), arm);
            if matches!(end, End::OfAnArm) && arms.contains(&arm) {
                self.taken.stop = run.stop;
                self.taken.given_up_because = run.given_up.map(|why| format!("arm \"{name}\": {why}"));
            }
        }
        match end {
            End::InVain(why) => {
                self.taken.stop = Stop::Hopeless;
                self.taken.given_up_because = Some(format!("arm \"{name}\": {why}"));
                Ok(())
            }
            End::Refused(source) => Err(self.failed(arm, source)),
            End::Asked(_) | End::OfAnArm | End::Complete => Ok(()),
        }
    }

    fn failed(&self, arm: usize, source: EngineError) -> ConductError {
        ConductError::Arm { arm: self.course.arms[arm].0.clone(), source }
    }

    /// What a load spent beyond the turns of its arms that ended was spent in the last turn of all.
    fn add_rest(&mut self, all: Spend, arms: Range<usize>, last: usize) {
        let whose = if arms.contains(&last) { last } else { arms.start };
        let counted = self.taken.arms[arms].iter().map(|arm| arm.spent);
        let rest = counted.fold(all, |rest, spent| Spend {
            usd: (rest.usd - spent.usd).max(0.0),
            cny: (rest.cny - spent.cny).max(0.0),
        });
        self.taken.arms[whose].spent += rest;
    }
}

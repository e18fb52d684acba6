//! Pairs of runs on a made-up network whose truth is known: two series of blocks that nothing pairs. Used by the tests
//! here and by the part `diff` of the benches.

use gatebench::compare::{Scale, Shift};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, StandardNormal};

/// Of a run, as a report of half a minute and more has them.
pub const BLOCKS: usize = 20;
/// Standard deviation of the logarithm of a block's figure: 5%.
const SPREAD: f64 = 0.05;

/// Runs whose level stays where it is, and whose blocks keep `kept` of the one before them.
pub struct Steady {
    kept: f64,
    rng: SmallRng,
}

impl Steady {
    pub fn new(kept: f64, seed: u64) -> Self {
        Self { kept, rng: SmallRng::seed_from_u64(seed) }
    }

    fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.rng)
    }

    /// The figures of a run's blocks around `level`.
    pub fn run(&mut self, blocks: usize, level: f64) -> Vec<f64> {
        let mut off = self.normal();
        let mut block = |_| {
            let figure = level * (SPREAD * off).exp();
            off = self.kept * off + (1.0 - self.kept * self.kept).sqrt() * self.normal();
            figure
        };
        (0..blocks).map(&mut block).collect()
    }

    /// A latency's change from one run to another one that is `slower` times as slow.
    pub fn shift(&mut self, blocks: usize, slower: f64) -> Shift {
        let (first, other) = (self.run(blocks, 100.0), self.run(blocks, 100.0 * slower));
        Shift::of(&first, &other, Scale::Ratio).expect("made-up figures are positive")
    }

    /// The same by pairs of blocks.
    pub fn paired(&mut self, blocks: usize, slower: f64) -> Shift {
        let pairs: Vec<_> = self.run(blocks, 100.0).into_iter().zip(self.run(blocks, 100.0 * slower)).collect();
        Shift::of_pairs(&pairs, Scale::Ratio).expect("made-up figures are positive")
    }

    /// Share of so many diffs whose interval leaves out zero.
    pub fn seen(&mut self, diffs: usize, mut diff: impl FnMut(&mut Self) -> Shift) -> f64 {
        let apart = |shift: Shift| shift.interval.low > 0.0 || shift.interval.high < 0.0;
        (0..diffs).filter(|_| apart(diff(self))).count() as f64 / diffs as f64
    }
}

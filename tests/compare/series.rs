//! Comparisons on a made-up network that drifts: series of blocks whose truth is known. Used by the tests here and by
//! the part `compare` of the benches.

use gatebench::compare::{Effect, Round, Scale, Verdict, Wanted, palindrome, rounds_needed};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, StandardNormal};

/// 40 blocks, 20 an arm: what a comparison of two arms may take.
pub const ROUNDS: usize = 10;
/// What a block's level keeps of the one before it.
const KEPT: f64 = 0.9;
/// Standard deviation of the logarithm of a block's figure about the network's level: 2.5%, as of a median over some
/// thousand calls.
const NOISE: f64 = 0.025;

/// How the level of both arms moves, in logarithms.
#[derive(Clone, Copy, Debug)]
pub struct Drift {
    pub name: &'static str,
    /// Standard deviation of a wandering level: an autoregression of first order, 0.9 from block to block.
    wander: f64,
    /// A block.
    trend: f64,
}

pub const DRIFTS: [Drift; 3] = [
    Drift { name: "AR(0.9) of 5%", wander: 0.05, trend: 0.0 },
    Drift { name: "+0.5% a block", wander: 0.0, trend: 0.005 },
    Drift { name: "both", wander: 0.05, trend: 0.005 },
];

pub struct Network {
    drift: Drift,
    rng: SmallRng,
}

impl Network {
    pub fn new(drift: Drift, seed: u64) -> Self {
        Self { drift, rng: SmallRng::seed_from_u64(seed) }
    }

    fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.rng)
    }

    /// Logarithms of the figures of consecutive blocks, were they all of one arm.
    fn blocks(&mut self, count: usize) -> Vec<f64> {
        let mut level = self.drift.wander * self.normal();
        let mut block = |at: usize| {
            level = KEPT * level + self.drift.wander * (1.0 - KEPT * KEPT).sqrt() * self.normal();
            level + self.drift.trend * at as f64 + NOISE * self.normal()
        };
        (0..count).map(&mut block).collect()
    }

    /// A comparison in palindromes; the other arm's figures are `slower` times as high.
    pub fn interleaved(&mut self, rounds: usize, slower: f64) -> Vec<Round> {
        let levels = self.blocks(4 * rounds);
        let turns = palindrome(2, 0).collect::<Vec<_>>().into_iter().cycle();
        let figures: Vec<f64> = levels.iter().zip(turns).map(|(level, arm)| level.exp() * [1.0, slower][arm]).collect();
        figures.chunks_exact(4).map(|of| Round { first: [of[0], of[3]], other: [of[1], of[2]] }).collect()
    }

    /// As it is usually done: all blocks of one arm, then all of the same arm again, and a test of Mann and Whitney
    /// (two-sided, 5%, normal approximation). Whether it sees a difference.
    pub fn alarms_one_after_the_other(&mut self, blocks: usize) -> bool {
        let both = self.blocks(2 * blocks);
        let (first, other) = both.split_at(blocks);
        differ(first, other)
    }
}

/// By the test of Mann and Whitney, at 5% and for two samples of one size.
pub fn differ(first: &[f64], other: &[f64]) -> bool {
    let above = first.iter().flat_map(|one| other.iter().map(move |two| one > two)).filter(|above| *above).count();
    let n = first.len() as f64;
    let (mean, deviation) = (n * n / 2.0, (n * n * (2.0 * n + 1.0) / 12.0).sqrt());
    (above as f64 - mean).abs() > 1.96 * deviation
}

/// A latency's effect after all of these rounds.
pub fn effect(rounds: &[Round]) -> Effect {
    Effect::of(rounds, Scale::Ratio).expect("made-up figures are positive")
}

/// Without a tolerance: whether the interval leaves out zero.
pub fn verdict(effect: &Effect) -> Verdict {
    Verdict::of(effect, Wanted::Less, 0.0)
}

/// Stops at the first round after which `is_enough`, and says what is then seen.
pub fn stopped(rounds: &[Round], is_enough: impl Fn(&Effect) -> bool) -> Effect {
    let mut looks = (1..rounds.len()).map(|looked| effect(&rounds[..looked]));
    looks.find(is_enough).unwrap_or_else(|| effect(rounds))
}

pub fn is_narrow(effect: &Effect, width: f64) -> bool {
    effect.interval.is_some() && rounds_needed(&[*effect], width) == Some(0)
}

/// Share of `series` comparisons of which `holds` is true; the network goes on from one to the next.
pub fn share(series: usize, network: &mut Network, mut holds: impl FnMut(&mut Network) -> bool) -> f64 {
    (0..series).filter(|_| holds(network)).count() as f64 / series as f64
}

//! Each metric of each arm against the first arm: which rounds tell of it, by how much it differs, and the word for that.
//! Must not know how blocks come about.

use super::effect::{Effect, EffectError, Scale, median};
use super::round::Round;
use super::shape::{BlockFacts, Row, Word};
use super::signed_rank::LEAST_ROUNDS;
use super::turns::Turns;
use super::verdict::{Verdict, Wanted};
use crate::profile::expect::metrics;
use crate::profile::{Compare, Mode};
use crate::report::{Metric, Unit, format};

/// A row, and what it was made of; that is absent where nothing can be told.
pub(super) struct Told {
    pub row: Row,
    pub effect: Option<(Effect, Verdict)>,
}

/// What is asked for unless the profile says so, in the order of the tables.
const ASKED: [&str; 8] =
    ["response.p50", "response.p95", "response.p99", "ttft.p50", "qps", "hit_rate", "errors", "cost.cny_per_1k"];

/// What makes no difference in a share: 1 point.
const POINTS: f64 = 0.01;
/// In a wait, in milliseconds.
const WAIT_MS: f64 = 1.0;

/// What is asked for first, then the others as the contract lists them.
pub(super) fn told(turns: &[Turns], rounds: usize, compare: &Compare, mode: Mode) -> Vec<Told> {
    let asked = compare.asked();
    let names: Vec<_> = if asked.is_empty() { ASKED.map(str::to_owned).into() } else { asked.clone() };
    let others = metrics().into_iter().filter(|metric| !names.contains(metric));
    let mut told = Vec::new();
    for metric in names.iter().cloned().chain(others) {
        for arm in 1..turns.len() {
            let two = Two { metric: &metric, first: &turns[0], other: &turns[arm], rounds };
            let Some(mut one) = two.told(arm, compare) else { continue };
            one.row.asked_for = if asked.is_empty() { is_of_use(&one, mode) } else { asked.contains(&metric) };
            told.push(one);
        }
    }
    told.sort_by_key(|told| !told.row.asked_for);
    told
}

/// Whether a metric that nobody asked for by name is worth a word.
fn is_of_use(told: &Told, mode: Mode) -> bool {
    let row = &told.row;
    let says_something = match row.metric.as_str() {
        "qps" => mode == Mode::Closed,
        "hit_rate" | "cost.cny_per_1k" => row.a != 0.0 || row.b != 0.0,
        _ => true,
    };
    ASKED.contains(&row.metric.as_str()) && told.effect.is_some() && says_something
}

/// A metric of two arms.
struct Two<'a> {
    metric: &'a str,
    first: &'a Turns,
    other: &'a Turns,
    rounds: usize,
}

/// The rounds that tell of a metric.
struct Telling {
    rounds: Vec<Round>,
    /// A round's two blocks are taken together.
    pooled: bool,
}

impl Two<'_> {
    /// `None` where an arm has no value at all.
    fn told(&self, arm: usize, compare: &Compare) -> Option<Told> {
        let scale = Scale::of(self.metric)?;
        let (a, b) = (self.median_of(self.first)?, self.median_of(self.other)?);
        let telling = self.telling();
        let effect = effect(&telling.rounds, scale).ok().filter(|_| !telling.rounds.is_empty());
        let effect = effect.map(|effect| {
            let tolerance = tolerance(self.metric, &effect, scale, compare);
            (effect, Verdict::of(&effect, Wanted::of(self.metric), tolerance))
        });
        let mut row = self.row(arm, a, b, &telling);
        if let Some((effect, verdict)) = effect {
            fill(&mut row, &effect, verdict);
            row.tolerance = tolerance(self.metric, &effect, scale, compare);
        }
        row.silent_because = self.silent_because(&telling);
        Some(Told { row, effect })
    }

    /// Without an effect: the medians of the blocks, and no word.
    fn row(&self, arm: usize, a: f64, b: f64, telling: &Telling) -> Row {
        Row {
            metric: self.metric.to_owned(),
            unit: Metric::by_name(self.metric).map_or(Unit::Count, |metric| metric.unit()),
            arm,
            a,
            b,
            difference: b - a,
            ratio: None,
            interval: None,
            ratio_interval: None,
            tolerance: 0.0,
            verdict: Word::Inconclusive,
            rounds: telling.rounds.len(),
            pooled: telling.pooled,
            asked_for: false,
            silent_because: None,
        }
    }

    fn median_of(&self, turns: &Turns) -> Option<f64> {
        let blocks = turns.blocks().iter().take(2 * self.rounds);
        let values: Vec<f64> = blocks.filter_map(|block| block.figures.get(self.metric).copied()).collect();
        (!values.is_empty()).then(|| median(values))
    }

    /// Samples that a percentile takes, and the kind of time it is of; `None` for what is no percentile.
    fn needs(&self) -> Option<(u64, &str)> {
        let metric = Metric::by_name(self.metric)?;
        matches!(metric, Metric::Time { quantile: Some(_), .. }).then_some(())?;
        Some((metric.samples_needed(), self.metric.rsplit_once('.')?.0))
    }

    /// Where one block has too few samples for a percentile, the two of a round are taken together; where these are too
    /// few as well, or a block has no value, the round is left out.
    fn telling(&self) -> Telling {
        let Some((needed, kind)) = self.needs() else {
            let rounds = (0..self.rounds).filter_map(|round| self.round_of_blocks(round)).collect();
            return Telling { rounds, pooled: false };
        };
        let n = |block: &BlockFacts| block.samples.get(kind).copied().unwrap_or(0);
        let both = |turns: &Turns, round: usize| [2 * round, 2 * round + 1].map(|at| n(&turns.blocks()[at]));
        let arms = [self.first, self.other];
        let suffice = |round: usize| arms.iter().all(|turns| both(turns, round).iter().all(|n| *n >= needed));
        if (0..self.rounds).all(suffice) {
            let rounds = (0..self.rounds).filter_map(|round| self.round_of_blocks(round)).collect();
            return Telling { rounds, pooled: false };
        }
        let together = |round: &usize| arms.iter().all(|turns| both(turns, *round).iter().sum::<u64>() >= needed);
        let pooled = |round| {
            let of = |turns: &Turns| turns.pooled(round, self.metric).map(|value| [value; 2]);
            Some(Round { first: of(self.first)?, other: of(self.other)? })
        };
        Telling { rounds: (0..self.rounds).filter(together).filter_map(pooled).collect(), pooled: true }
    }

    fn round_of_blocks(&self, round: usize) -> Option<Round> {
        let value = |turns: &Turns, at: usize| turns.blocks()[at].figures.get(self.metric).copied();
        let both = |turns: &Turns| Some([value(turns, 2 * round)?, value(turns, 2 * round + 1)?]);
        Some(Round { first: both(self.first)?, other: both(self.other)? })
    }

    fn silent_because(&self, telling: &Telling) -> Option<String> {
        let (told, all) = (telling.rounds.len(), self.rounds);
        let lacking = match self.needs() {
            Some((needed, _)) if telling.pooled => {
                format!("had fewer than the {} samples it takes; make blocks longer", format::count(needed))
            }
            _ => "had a block without a value".to_owned(),
        };
        match all - told {
            0 if told < LEAST_ROUNDS => Some(format!("{told} of the {LEAST_ROUNDS} rounds that an interval takes")),
            0 => None,
            left_out => Some(format!("{left_out} of {all} rounds {lacking}")),
        }
    }
}

/// What is zero in some block has no ratio, whatever its kind: then it differs by an amount.
fn effect(rounds: &[Round], scale: Scale) -> Result<Effect, EffectError> {
    match Effect::of(rounds, scale) {
        Err(EffectError::NotPositive { .. }) => Effect::of(rounds, Scale::Additive),
        told => told,
    }
}

/// In the unit of the effect's change.
fn tolerance(metric: &str, effect: &Effect, usual: Scale, compare: &Compare) -> f64 {
    let own = compare.tolerance_of(metric);
    let unit = Metric::by_name(metric).map(|metric| metric.unit());
    match (usual, effect.scale, unit) {
        (Scale::Ratio, Scale::Ratio, _) => own.unwrap_or(compare.tolerance()),
        (Scale::Ratio, Scale::Additive, _) => own.unwrap_or(compare.tolerance()) * effect.first.abs(),
        (_, _, Some(Unit::Ratio)) => own.unwrap_or(POINTS),
        (_, _, Some(Unit::Ms)) => own.unwrap_or(WAIT_MS),
        (_, _, Some(Unit::Cny | Unit::Usd)) => own.unwrap_or(compare.tolerance() * effect.first.abs()),
        _ => own.unwrap_or(0.0),
    }
}

fn fill(row: &mut Row, effect: &Effect, verdict: Verdict) {
    (row.a, row.b, row.difference) = (effect.first, effect.other, effect.difference());
    (row.ratio, row.interval) = (effect.ratio(), effect.difference_interval());
    if effect.scale == Scale::Ratio {
        row.ratio_interval = effect.interval.map(|interval| interval.map(|change| 1.0 + change));
    }
    row.verdict = verdict.into();
}

impl Told {
    /// A share of the first arm's level as the effect's changes are measured: itself of a ratio and of a share; of waits
    /// and counts, which may be next to nothing, at least what makes no difference.
    pub(super) fn in_units_of_change(&self, share: f64) -> f64 {
        let Some((effect, _)) = &self.effect else { return share };
        match (effect.scale, self.row.unit) {
            (Scale::Ratio, _) | (Scale::Additive, Unit::Ratio) => share,
            (Scale::Additive, _) => (share * effect.first.abs()).max(self.row.tolerance),
        }
    }
}

impl From<Verdict> for Word {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Better => Self::Better,
            Verdict::Worse => Self::Worse,
            Verdict::NoDifference => Self::NoDifference,
            Verdict::Inconclusive { .. } => Self::Inconclusive,
        }
    }
}

//! An effect in a word, and how many more rounds a surer word would take.
//!
//! Looking after every round and stopping at the first verdict would raise false alarms far beyond 5%: each look is one
//! more chance to be wrong. A comparison may stop early by its intervals' *width* alone (`rounds_needed` is 0), because
//! the width says next to nothing about which side of zero the effect is on.

use super::effect::Effect;
use super::signed_rank::LEAST_ROUNDS;

/// Which way a metric should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Less,
    More,
}

impl Wanted {
    /// What a user wants of a metric: more throughput and hits, less of all else (time, money, errors).
    pub fn of(metric: &str) -> Self {
        const MORE: [&str; 6] = ["qps", "achieved", "hit_rate", "goodput", "reuse", "cost.saved"];
        let is_more = MORE
            .iter()
            .any(|name| metric.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
        if is_more { Self::More } else { Self::Less }
    }
}

/// Of the other arm against the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The whole interval is beyond the tolerance, on the wanted side.
    Better,
    /// The same on the other side.
    Worse,
    /// The whole interval is within the tolerance.
    NoDifference,
    /// Neither. More rounds that would do, should the effect stay where it is; `None` where it is on the tolerance's edge.
    Inconclusive { more_rounds: Option<usize> },
}

impl Verdict {
    /// `tolerance` is what makes no difference, in the unit of the effect's change and on both sides of zero: 0.05 is 5%
    /// of a ratio, 5 points of a share and 0.05 ms of a wait.
    pub fn of(effect: &Effect, wanted: Wanted, tolerance: f64) -> Self {
        let Some(interval) = effect.interval else {
            return Self::Inconclusive { more_rounds: Some(LEAST_ROUNDS.saturating_sub(effect.rounds)) };
        };
        let (is_above, is_below) = (interval.low > tolerance, interval.high < -tolerance);
        match wanted {
            Wanted::Less if is_above => Self::Worse,
            Wanted::Less if is_below => Self::Better,
            Wanted::More if is_above => Self::Better,
            Wanted::More if is_below => Self::Worse,
            _ if -tolerance <= interval.low && interval.high <= tolerance => Self::NoDifference,
            _ => {
                let room = (effect.change.abs() - tolerance).abs();
                Self::Inconclusive { more_rounds: rounds_needed(&[*effect], 2.0 * room).map(|more| more.max(1)) }
            }
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoDifference => "no difference",
            Self::Inconclusive { .. } => "inconclusive",
        }
    }
}

/// How many more rounds until no interval is wider than `width` (from end to end, in the unit of the changes): the width
/// of now shrinks as 1 / sqrt(rounds), so n rounds become n (now / width)^2. 0 where that is so already; `None` where no
/// number would do. Rests on the present width alone: after 6 rounds, whose interval is the range of all differences, it
/// asks for some 2.7 times as many as it takes on average; later its chance error is some sqrt(2 / rounds) of it.
pub fn rounds_needed(effects: &[Effect], width: f64) -> Option<usize> {
    effects.iter().try_fold(0, |most, effect| Some(most.max(more_rounds(effect, width)?)))
}

fn more_rounds(effect: &Effect, width: f64) -> Option<usize> {
    let Some(interval) = effect.interval else {
        return Some(LEAST_ROUNDS.saturating_sub(effect.rounds));
    };
    let now = interval.width();
    if now <= width {
        return Some(0);
    }
    let rounds = effect.rounds as f64 * (now / width).powi(2);
    (width > 0.0 && rounds.is_finite()).then(|| (rounds.ceil() as usize).saturating_sub(effect.rounds))
}

#[cfg(test)]
mod tests {
    use super::super::effect::Scale;
    use super::super::signed_rank::Interval;
    use super::*;

    fn effect(low: f64, high: f64) -> Effect {
        let (change, interval) = (f64::midpoint(low, high), Some(Interval { low, high }));
        Effect { scale: Scale::Ratio, first: 100.0, other: 100.0 * (1.0 + change), change, interval, rounds: 10 }
    }

    #[test]
    fn a_verdict_needs_the_whole_interval_on_one_side_of_the_tolerance() {
        let word = |low, high| Verdict::of(&effect(low, high), Wanted::Less, 0.05).word();
        assert_eq!(word(0.051, 0.2), "worse");
        assert_eq!(word(-0.2, -0.051), "better");
        assert_eq!(word(-0.05, 0.05), "no difference");
        assert_eq!(word(0.01, 0.04), "no difference");
        assert_eq!(word(0.01, 0.2), "inconclusive");
        assert_eq!(word(-0.2, 0.2), "inconclusive");
    }

    #[test]
    fn more_is_better_where_more_is_wanted() {
        let word = |metric, low, high| Verdict::of(&effect(low, high), Wanted::of(metric), 0.0).word();
        for metric in ["qps", "hit_rate", "hit_rate.redis", "goodput", "reuse", "achieved", "cost.saved"] {
            assert_eq!((word(metric, 0.1, 0.2), word(metric, -0.2, -0.1)), ("better", "worse"), "{metric}");
        }
        for metric in ["response.p99", "errors", "cost.cny", "amplification", "load.dropped"] {
            assert_eq!((word(metric, 0.1, 0.2), word(metric, -0.2, -0.1)), ("worse", "better"), "{metric}");
        }
    }

    #[test]
    fn an_inconclusive_verdict_says_how_many_more_rounds_would_do() {
        let more = |effect: &Effect, tolerance| Verdict::of(effect, Wanted::Less, tolerance);
        // 4% +- 2% against 3%: half as wide takes four times the rounds.
        let half = more(&effect(0.02, 0.06), 0.03);
        assert_eq!(half, Verdict::Inconclusive { more_rounds: Some(30) });
        assert_eq!(more(&effect(-0.01, 0.01), 0.0), Verdict::Inconclusive { more_rounds: None });
        let early = Effect { interval: None, rounds: 4, ..effect(0.0, 0.0) };
        assert_eq!(more(&early, 0.1), Verdict::Inconclusive { more_rounds: Some(2) });
    }

    #[test]
    fn the_widest_interval_says_how_many_more_rounds_are_needed() {
        let effects = [effect(-0.03, 0.03), effect(-0.1, 0.1)];
        assert_eq!(rounds_needed(&effects, 0.1), Some(30));
        assert_eq!(rounds_needed(&effects[..1], 0.1), Some(0));
        assert_eq!(rounds_needed(&effects, 0.0), None);
    }
}

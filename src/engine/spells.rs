//! Spells of trouble as events: when answers begin to come from another model, calls begin to fail or Redis begins to
//! err, and when that is over. Must not know a clock: it is fed a second at a time.

use std::collections::BTreeMap;

use crate::metrics::Tally;
use crate::route::FailureKind;
use crate::stack::CacheError;

/// Seconds with calls that finished, but without any of these, after which a spell is over.
const QUIET: u32 = 3;

#[derive(Default)]
pub struct Spells(BTreeMap<Trouble, Spell>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    /// The model asked, and the one that answered instead.
    Fallback(String, String),
    Failed(FailureKind),
    Redis(CacheError),
}

#[derive(Default)]
struct Spell {
    calls: u64,
    quiet: u32,
}

pub type EventText = (&'static str, String);

impl Spells {
    /// What the second is worth telling.
    pub fn second(&mut self, tally: &Tally) -> Vec<EventText> {
        let mut events = Vec::new();
        let troubles = troubles(tally);
        if troubles.is_empty() && tally.finished() == 0 {
            // In a pause, or between rare calls: nothing shows that anything is better.
            return events;
        }
        for (trouble, calls) in &troubles {
            if !self.0.contains_key(trouble) {
                events.push(trouble.begins(*calls, tally));
            }
            let spell = self.0.entry(trouble.clone()).or_default();
            spell.calls += calls;
            spell.quiet = 0;
        }
        self.0.retain(|trouble, spell| {
            if !troubles.contains_key(trouble) {
                spell.quiet += 1;
            }
            let over = spell.quiet == QUIET;
            if over {
                events.push(trouble.is_over(spell.calls));
            }
            !over
        });
        events
    }
}

/// What went wrong in a second, and how many calls it concerned.
fn troubles(tally: &Tally) -> BTreeMap<Trouble, u64> {
    let mut troubles = BTreeMap::new();
    let elsewhere = tally.ledger.rows().iter().filter(|row| row.answers > 0 && row.lane.model != row.asked.model);
    for row in elsewhere {
        let fallback = Trouble::Fallback(row.asked.model.to_string(), row.lane.model.to_string());
        *troubles.entry(fallback).or_default() += row.answers;
    }
    troubles.extend(tally.failures.iter().map(|(kind, calls)| (Trouble::Failed(*kind), *calls)));
    let redis = CacheError::ALL.into_iter().map(|error| (error, tally.cache_errors[error as usize]));
    troubles.extend(redis.filter(|(_, calls)| *calls > 0).map(|(error, calls)| (Trouble::Redis(error), calls)));
    troubles
}

impl Trouble {
    fn begins(&self, calls: u64, tally: &Tally) -> EventText {
        match self {
            Self::Fallback(asked, answered) => {
                let its_own = tally.lanes.failed(asked);
                let causes: String = its_own.iter().map(|(kind, n)| format!(" {kind} x{n}")).collect();
                ("fallback", format!("{asked}{causes} -> {answered}"))
            }
            Self::Failed(kind) => {
                let example = tally.examples.get(kind).map(|said| format!(": {said}")).unwrap_or_default();
                ("failed", format!("{kind} x{calls}{example}"))
            }
            Self::Redis(error) => {
                let example = tally.cache_examples[*error as usize].as_deref();
                let said = example.map(|said| format!(": {said}")).unwrap_or_default();
                ("redis", format!("{} x{calls}, counted as misses{said}", error.name()))
            }
        }
    }

    fn is_over(&self, calls: u64) -> EventText {
        match self {
            Self::Fallback(asked, answered) => {
                ("fallback", format!("{answered} for {asked} is over after {}", counted(calls, "answer")))
            }
            Self::Failed(kind) => ("failed", format!("{kind} is over after {}", counted(calls, "call"))),
            Self::Redis(error) => ("redis", format!("{} is over after {calls}", error.name())),
        }
    }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::chat::Lane;
    use crate::stack::Try;

    fn failed(lane: Lane, status: u16) -> Try {
        Try {
            began: Instant::now(),
            lane,
            limit_wait: Duration::ZERO,
            pool_wait: None,
            connection: None,
            sent: true,
            failed: Some(FailureKind::Status(status)),
            lost: None,
        }
    }

    fn second(fallbacks: u64, refused: u64) -> Tally {
        let mut tally = Tally::new(2);
        tally.succeeded = 5;
        let lane = |model: &str| Lane { model: model.into(), route: "gateway".into() };
        tally.ledger.row(&lane("gpt-4.1"), &lane("gpt-4.1")).answers = 5;
        if fallbacks > 0 {
            tally.ledger.row(&lane("gpt-4.1"), &lane("gpt-4o-mini")).answers = fallbacks;
            (0..fallbacks).for_each(|_| tally.lanes.record(&failed(lane("gpt-4.1"), 429)));
            (0..7).for_each(|_| tally.lanes.record(&failed(lane("deepseek-v3.2"), 503)));
        }
        if refused > 0 {
            tally.failures.insert(FailureKind::Connect, refused);
            tally.examples.insert(FailureKind::Connect, "connection refused".into());
        }
        tally
    }

    #[test]
    fn a_spell_is_told_when_it_begins_and_when_it_has_been_quiet_for_a_while() {
        let mut spells = Spells::default();
        assert!(spells.second(&second(0, 0)).is_empty());
        assert_eq!(spells.second(&second(5, 0)), [("fallback", "gpt-4.1 429 x5 -> gpt-4o-mini".to_owned())]);
        assert!(spells.second(&second(3, 0)).is_empty());
        assert!(spells.second(&second(0, 0)).is_empty());
        assert!(spells.second(&second(1, 0)).is_empty(), "a pause of a second ends no spell");
        assert!((0..2).all(|_| spells.second(&second(0, 0)).is_empty()));
        let over = ("fallback", "gpt-4o-mini for gpt-4.1 is over after 9 answers".to_owned());
        assert_eq!(spells.second(&second(0, 0)), [over]);
        assert!(spells.second(&second(0, 0)).is_empty());
    }

    #[test]
    fn seconds_in_which_nothing_finished_end_no_spell() {
        let mut spells = Spells::default();
        spells.second(&second(0, 4));
        assert!((0..10).all(|_| spells.second(&Tally::new(2)).is_empty()));
        let events: Vec<_> = (0..3).flat_map(|_| spells.second(&second(0, 0))).collect();
        assert_eq!(events, [("failed", "connect is over after 4 calls".to_owned())]);
    }

    #[test]
    fn failed_calls_say_their_kind_and_what_the_first_one_said() {
        let mut spells = Spells::default();
        assert_eq!(spells.second(&second(0, 4)), [("failed", "connect x4: connection refused".to_owned())]);
    }
}

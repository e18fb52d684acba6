//! A comparison of two routes, made call by call through the recorder's own tally: the first answers in 312 ms, the other
//! in 38 ms, on a line that drifts.

use std::sync::Arc;
use std::time::Duration;

use crate::compare::conduct::{ArmTaken, Taken, Turn};
use crate::compare::{Comparison, Judging, palindrome};
use crate::cost::{PriceBook, Pricer, Spend};
use crate::metrics::{Block, Gauges, Stop, Tally};
use crate::profile::expect::LatencyBounds;
use crate::profile::{Arm, Compare, Mode, Profile};
use crate::report::tests::synthetic::{Calls, attempt, ms, profile as base};
use crate::route::Connection;
use crate::stack::{ServedBy, Try};

/// A call's time on the first arm and on the others, in milliseconds.
pub const LEVELS: [f64; 3] = [312.0, 38.0, 115.0];

pub fn profile(arms: &[&str]) -> Profile {
    let arm = |name: &&str| Arm { name: (*name).to_owned(), set: [("stack.route".to_owned(), (*name).into())].into() };
    let mut profile = Profile { description: "support bot, direct and through a gateway".into(), ..base() };
    profile.load.mode = Mode::Closed;
    profile.load.duration = Some(Duration::from_secs(24));
    profile.compare = Some(Compare { arms: arms.iter().map(arm).collect(), ..Compare::default() });
    profile
}

/// So many calls of one block; they get slower by a thousandth from block to block.
pub fn tally(level: f64, calls: u32, at: usize) -> Tally {
    let of = Calls::new();
    let mut tally = Tally::new(3);
    for i in 0..calls {
        let time = level * (1.0 + 0.001 * at as f64) * (1.0 + 0.0005 * f64::from(i));
        let attempt = Try { began: of.start + of.lag + ms(0.1), ..attempt(&of.asked, Connection::Reused) };
        let sample = of.answered(ServedBy::Model, &of.asked, ms(time), vec![attempt]);
        tally.record(&sample);
        tally.record_in_window(&sample, &LatencyBounds::default());
    }
    tally
}

pub fn block(tally: Tally, profile: &Profile) -> Block {
    Block {
        seconds: 2.0,
        planned: tally.sent,
        dropped: 0,
        abandoned: 0,
        bill: Pricer::new(profile, PriceBook::builtin()).bill(&tally.ledger),
        gauges: Gauges { peak: 32, ..Gauges::default() },
        tally,
    }
}

/// So many rounds of the profile's arms, each block of the calls that `calls` says.
pub fn taken(profile: &Profile, rounds: usize, calls: impl Fn(usize, usize) -> Tally) -> Taken {
    let names: Vec<_> = profile.compare.iter().flat_map(|compare| &compare.arms).map(|arm| arm.name.clone()).collect();
    let count = names.len();
    let arm = |name: String| ArmTaken {
        name,
        profile: Arc::new(profile.clone()),
        turns: Vec::new(),
        spent: Spend { usd: 0.1, cny: 0.1 },
    };
    let mut arms: Vec<_> = names.into_iter().map(arm).collect();
    for (at, arm) in (0..rounds).flat_map(|round| palindrome(count, round)).enumerate() {
        let began = Duration::from_secs(3) + Duration::from_millis(2300) * at as u32;
        let block = Arc::new(block(calls(arm, at), profile));
        arms[arm].turns.push(Turn { at, began, block });
    }
    Taken {
        started_at: "2026-11-23T02:00:00Z".parse().unwrap(),
        duration: Duration::from_secs(3) + Duration::from_millis(2300) * (2 * count * rounds) as u32,
        arms,
        stop: Stop::Finished,
        given_up_because: None,
        ended_early: false,
    }
}

pub fn of(profile: &Profile, taken: &Taken) -> Comparison {
    let mut comparison = Judging::new(profile).of(taken);
    (comparison.gatebench, comparison.build) = ("0.1.0", "release");
    comparison
}

/// Six rounds of two arms with 100 calls a block.
pub fn comparison() -> Comparison {
    let profile = profile(&["direct", "gateway"]);
    let taken = taken(&profile, 6, |arm, at| tally(LEVELS[arm], 100, at));
    of(&profile, &taken)
}

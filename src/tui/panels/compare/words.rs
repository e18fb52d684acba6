//! A comparison's figures in cells: with their sign, their unit and what they tell. Must not know where they stand.

use crate::compare::{Interval, Row, Verdict, Word};
use crate::profile::Compare;
use crate::report::compared::words;
pub use crate::report::compared::words::rounds;
use crate::report::{Unit, format};

/// More than this no profile may ask for.
const MOST_ROUNDS: usize = Compare::MOST_BLOCKS as usize / 2;

pub fn time(ms: f64) -> String {
    if ms == 0.0 { "-".to_owned() } else { format::ms(ms) }
}

pub fn difference(row: &Row) -> String {
    signed(row, row.difference)
}

/// Of the difference.
pub fn interval(row: &Row) -> Option<String> {
    let Interval { low, high } = row.interval?;
    Some(format!("{} to {}", signed(row, low), signed(row, high)))
}

/// Shares differ by points of a percent, which a cell has no room to spell out.
fn signed(row: &Row, difference: f64) -> String {
    match row.unit {
        Unit::Ratio if difference != 0.0 => format!("{}pp", words::difference(Unit::Factor, 100.0 * difference)),
        _ if difference == 0.0 => "0".to_owned(),
        unit => words::difference(unit, difference),
    }
}

/// The word, and where it says nothing yet what it would take; `rounds`: those that the comparison has.
pub fn verdict(row: &Row, rounds: usize) -> String {
    match (row.verdict, row.judged()) {
        // More blocks like these would say no more.
        (Word::Inconclusive, _) if row.interval.is_none() && row.rounds < rounds => {
            "inconclusive: few samples".to_owned()
        }
        // Two blocks of each arm a round.
        (Word::Inconclusive, Verdict::Inconclusive { more_rounds: Some(more @ 1..MOST_ROUNDS) }) => {
            format!("inconclusive: {} more blocks", format::count(2 * more as u64))
        }
        _ => words::verdict(row).to_owned(),
    }
}

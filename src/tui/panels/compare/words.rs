//! A comparison's figures in words: with their sign, their unit and what they tell. Must not know where they stand.

use crate::compare::{Interval, Row, Verdict, Word};
use crate::report::{Unit, format, quantity};

pub fn time(ms: f64) -> String {
    if ms == 0.0 { "-".to_owned() } else { format::ms(ms) }
}

/// A difference with its sign.
pub fn signed(difference: f64, shown: impl Fn(f64) -> String) -> String {
    let size = shown(difference.abs());
    match difference {
        d if d > 0.0 => format!("+{size}"),
        d if d < 0.0 => format!("-{size}"),
        _ => "0".to_owned(),
    }
}

/// In the metric's unit; of shares in points of a percent.
pub fn difference(row: &Row) -> String {
    signed(row.difference, |size| amount(size, row.unit))
}

fn amount(size: f64, unit: Unit) -> String {
    match unit {
        Unit::Ratio => format!("{}pp", format::digits3(size * 100.0)),
        // A difference of medians need not be whole.
        Unit::Count => format::digits3(size),
        // The metric's name has the currency.
        Unit::Cny | Unit::Usd => format::amount(size),
        unit => quantity(size, unit),
    }
}

pub fn level(value: f64, unit: Unit) -> String {
    if unit == Unit::Ratio { format::percent(value) } else { amount(value, unit) }
}

pub fn interval(row: &Row) -> Option<String> {
    let Interval { low, high } = row.interval?;
    let [low, high] = [low, high].map(|end| signed(end, |size| amount(size, row.unit)));
    Some(format!("{low} to {high}"))
}

pub fn word(word: Word) -> &'static str {
    match word {
        Word::Better => "better",
        Word::Worse => "worse",
        Word::NoDifference => "no difference",
        Word::Inconclusive => "inconclusive",
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
        (Word::Inconclusive, Verdict::Inconclusive { more_rounds: Some(more @ 1..) }) => {
            format!("inconclusive: {} more blocks", format::count(2 * more as u64))
        }
        (verdict, _) => word(verdict).to_owned(),
    }
}

/// What makes no difference.
pub fn tolerance(row: &Row) -> String {
    match row.ratio {
        Some(_) => format::percent(row.tolerance),
        None => amount(row.tolerance, row.unit),
    }
}

//! A difference in words: which arm is how much better, at what certainty. Must not know the page.

use super::super::shape::Unit;
use super::super::text::format::{digits3, ms, percent, seconds};
use super::super::text::in_unit;
use crate::compare::{ArmFacts, Comparison, Interval, Phases, Row, Word};
use crate::profile::Compare;

/// A value in its unit.
pub fn value(unit: Unit, value: f64) -> String {
    match unit {
        // Means and differences of counts are seldom whole.
        Unit::Count => digits3(value),
        unit => in_unit(value, unit),
    }
}

/// A difference without its sign; of shares in points.
fn amount(unit: Unit, difference: f64) -> String {
    match unit {
        Unit::Ratio => format!("{} points", points(difference.abs())),
        unit => value(unit, difference.abs()),
    }
}

fn points(share: f64) -> String {
    if share == 0.0 { "0".to_owned() } else { digits3(share * 100.0) }
}

fn sign(difference: f64) -> &'static str {
    match difference {
        d if d > 0.0 => "+",
        d if d < 0.0 => "-",
        _ => "",
    }
}

/// A difference with its sign.
pub fn difference(unit: Unit, difference: f64) -> String {
    sign(difference).to_owned() + &amount(unit, difference)
}

pub fn ratio(row: &Row) -> String {
    row.ratio.map_or("-".to_owned(), digits3)
}

/// A ratio as a factor above 1: `8.21x faster`.
pub fn factor(row: &Row, ratio: f64) -> String {
    let words = match row.unit {
        Unit::Ms => ["faster", "slower"],
        _ => ["less", "more"],
    };
    if digits3(ratio) == "1.00" {
        "the same".to_owned()
    } else if ratio < 1.0 {
        format!("{}x {}", digits3(1.0 / ratio), words[0])
    } else {
        format!("{}x {}", digits3(ratio), words[1])
    }
}

/// Of the ratio where there is one, else of the difference.
pub fn interval(row: &Row) -> String {
    match (row.ratio_interval, row.interval) {
        (Some(Interval { low, high }), _) => format!("{} to {}", digits3(low), digits3(high)),
        (None, Some(Interval { low, high })) if row.unit == Unit::Ratio => {
            let points = |share: f64| sign(share).to_owned() + &points(share.abs());
            format!("{} to {} points", points(low), points(high))
        }
        (None, Some(Interval { low, high })) => {
            format!("{} to {}", difference(row.unit, low), difference(row.unit, high))
        }
        (None, None) => "-".to_owned(),
    }
}

pub fn verdict(row: &Row) -> &'static str {
    match row.verdict {
        Word::Better => "better",
        Word::Worse => "worse",
        Word::NoDifference => "no difference",
        Word::Inconclusive => "inconclusive",
    }
}

fn tolerance(row: &Row) -> String {
    if row.ratio.is_some() { percent(row.tolerance) } else { amount(row.unit, row.tolerance) }
}

/// `gateway is 274ms faster a call than direct (response.p50; ratio 0.122, 95% 0.121 to 0.123)`
pub fn sentence(comparison: &Comparison, row: &Row) -> String {
    let (first, other) = (&comparison.arms[0].name, &comparison.arms[row.arm].name);
    let evidence = format!("({})", evidence(row));
    match (row.verdict, row.interval) {
        (Word::Better | Word::Worse, _) => format!("{other} {} than {first} {evidence}", does(row)),
        (Word::NoDifference, _) => {
            format!("no difference between {other} and {first} beyond {} {evidence}", tolerance(row))
        }
        (Word::Inconclusive, Some(_)) => format!(
            "inconclusive: whether {other} differs from {first} by more than {} cannot be told {evidence}",
            tolerance(row)
        ),
        (Word::Inconclusive, None) => format!(
            "inconclusive, without an interval: {other} {} than {first} so far {evidence}{}",
            does(row),
            row.silent_because.as_ref().map_or(String::new(), |why| format!(": {why}"))
        ),
    }
}

fn does(row: &Row) -> String {
    let amount = amount(row.unit, row.difference);
    let is_more = row.difference > 0.0;
    let kind = row.metric.split('.').next().unwrap_or_default();
    match (row.unit, kind) {
        (Unit::Ms, "response" | "service" | "ttft" | "batch" | "inter_token") => {
            let of = match kind {
                "ttft" => "to the first token",
                "inter_token" => "a token",
                "batch" => "a batch",
                _ => "a call",
            };
            format!("is {amount} {} {of}", if is_more { "slower" } else { "faster" })
        }
        (Unit::Cny | Unit::Usd, _) if row.metric.ends_with("_per_1k") => {
            format!("costs {amount} {} per 1k calls", if is_more { "more" } else { "less" })
        }
        (Unit::PerSecond, _) => format!("carries {amount} {}", if is_more { "more" } else { "less" }),
        _ => format!("has {amount} {} {}", if is_more { "more" } else { "less" }, row.metric),
    }
}

/// `response.p50; ratio 0.122, 95% 0.121 to 0.123`
fn evidence(row: &Row) -> String {
    let of = match row.ratio {
        Some(ratio) => format!("ratio {}", digits3(ratio)),
        None => difference(row.unit, row.difference),
    };
    match row.interval {
        Some(_) => format!("{}; {of}, 95% {}", row.metric, interval(row)),
        None => format!("{}; {of}", row.metric),
    }
}

/// How long a surer word would take; nothing where every one is told.
pub fn further(comparison: &Comparison) -> Option<String> {
    let asked = || comparison.metrics.iter().filter(|row| row.asked_for);
    let mut open: Vec<_> =
        asked().filter(|row| row.verdict == Word::Inconclusive).map(|row| row.metric.as_str()).collect();
    open.dedup();
    if open.is_empty() && comparison.plan.until.is_none() {
        return None;
    }
    let goal = match comparison.plan.until {
        Some(until) => format!("intervals no wider than {}", percent(until)),
        None => format!("a word on {}", open.join(", ")),
    };
    // Whole rounds alone: a block of a round that was cut short would make an odd number, which is refused.
    let blocks = |rounds: usize| 2 * (comparison.run.rounds + rounds);
    match (comparison.more_rounds, comparison.more_s) {
        (Some(0), _) => None,
        (Some(rounds), Some(s)) if blocks(rounds) <= Compare::MOST_BLOCKS as usize => Some(format!(
            "{goal} would take some {} more, if effect and noise stay as they are: --blocks {}",
            lasting(s),
            blocks(rounds)
        )),
        _ => Some(format!(
            "no number of blocks in reach would give {goal}: make blocks longer (--block), or the tolerance another one"
        )),
    }
}

pub fn rounds(count: usize) -> String {
    if count == 1 { "1 round".to_owned() } else { format!("{count} rounds") }
}

/// Seconds, minutes, hours: whichever can be read.
pub fn lasting(s: f64) -> String {
    match s {
        s if s < 90.0 => seconds(s),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// Where a call's time goes: names and means, in the order of a call.
pub fn phases(phases: &Phases) -> [(&'static str, f64); 7] {
    [
        ("caches, single flight", phases.local),
        ("failed attempts", phases.retries),
        ("limit wait", phases.limit_wait),
        ("pool wait", phases.pool_wait),
        ("connect", phases.connect),
        ("first token", phases.first_token),
        ("generation", phases.generation),
    ]
}

pub fn total(of: &Phases) -> f64 {
    phases(of).iter().map(|(_, ms)| ms).sum()
}

/// `gateway costs 7.00ms a call more than direct, most of it first token (+6.80ms), and opens 2 connections less`
pub fn where_time_goes(first: &ArmFacts, other: &ArmFacts) -> Option<String> {
    let (a, b) = (phases(&first.phases_ms), phases(&other.phases_ms));
    let whole = total(&other.phases_ms) - total(&first.phases_ms);
    if total(&first.phases_ms) == 0.0 || total(&other.phases_ms) == 0.0 {
        return None;
    }
    let by_phase = a.iter().zip(b).map(|((name, a), (_, b))| (*name, b - a));
    let (name, most) = by_phase.max_by(|one, two| (one.1 * whole.signum()).total_cmp(&(two.1 * whole.signum())))?;
    let verb = if whole > 0.0 { "costs" } else { "saves" };
    let mut words = format!("{} {verb} {} a call against {}", other.name, ms(whole.abs()), first.name);
    words += &format!(", most of it {name} ({})", difference(Unit::Ms, most));
    words += &connections(first, other);
    Some(words)
}

/// Those opened, for as many calls: in a closed loop the faster arm makes more of them, and may open more for that alone.
/// Where the warm-up opened all, those that were kept.
fn connections(first: &ArmFacts, other: &ArmFacts) -> String {
    if !(first.knows_its_connections() && other.knows_its_connections()) {
        return String::new();
    }
    let (a, b) = (first.connections, other.connections);
    let calls = |arm: &ArmFacts| (arm.succeeded + arm.failed).max(1) as f64;
    if a.opened + b.opened == 0 {
        return match b.peak as f64 - a.peak as f64 {
            0.0 => ", and keeps as many connections".to_owned(),
            more if more > 0.0 => format!(", and keeps {} more", counted(more)),
            fewer => format!(", and keeps {} fewer", counted(-fewer)),
        };
    }
    let (opened, of) = if (calls(other) / calls(first) - 1.0).abs() < 0.02 {
        (b.opened as f64 - a.opened as f64, "")
    } else {
        (1000.0 * (b.opened as f64 / calls(other) - a.opened as f64 / calls(first)), " per 1k calls")
    };
    match opened {
        0.0 => ", and opens as many connections".to_owned(),
        more if more > 0.0 => format!(", and opens {} more{of}", counted(more)),
        fewer => format!(", and saves {}{of}", counted(-fewer)),
    }
}

fn counted(n: f64) -> String {
    match n {
        1.0 => "1 connection".to_owned(),
        n if n.fract() == 0.0 => format!("{n} connections"),
        n => format!("{} connections", digits3(n)),
    }
}

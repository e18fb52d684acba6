//! The value of a sweep to pick, and why. Must not know how it is shown.

use std::cmp::Ordering;

use super::{Row, best_verdict, label};
use crate::report::text::format;
use crate::report::verdict::Verdict;

/// How far from the best a value may be and still count as good.
const P99_TOLERANCE: f64 = 1.10;
const QPS_TOLERANCE: f64 = 0.98;
const COST_TOLERANCE: f64 = 1.05;
const ERROR_TOLERANCE: f64 = 0.01;
/// More load may cost this much p99 before it is too much.
const LOADED_P99: f64 = 2.0;

/// What a sweep looks for.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    /// Of a setting: no more of it than helps.
    Least,
    /// Of load: as much as is carried.
    Most,
}

/// The best figures among the runs that count.
struct Best {
    wanted: Wanted,
    p99: f64,
    qps: f64,
    cost: f64,
    errors: f64,
}

impl Best {
    fn of(rows: &[&Row], wanted: Wanted) -> Self {
        let least = |figure: &dyn Fn(&Row) -> f64| rows.iter().map(|row| figure(row)).fold(f64::INFINITY, f64::min);
        Self {
            wanted,
            p99: least(&Row::p99),
            qps: -least(&|row| -row.qps.unwrap_or(0.0)),
            cost: least(&Row::cost),
            errors: least(&|row| row.errors),
        }
    }

    fn is_near(&self, row: &Row) -> bool {
        let fails_little = row.errors <= self.errors + ERROR_TOLERANCE;
        match self.wanted {
            Wanted::Most => fails_little && row.p99() <= self.p99 * LOADED_P99,
            Wanted::Least => {
                fails_little
                    && row.p99() <= self.p99 * P99_TOLERANCE
                    && row.qps.unwrap_or(0.0) >= self.qps * QPS_TOLERANCE
                    && row.cost() <= self.cost * COST_TOLERANCE
            }
        }
    }
}

impl Row {
    fn p99(&self) -> f64 {
        self.p99_ms.unwrap_or(f64::INFINITY)
    }

    fn cost(&self) -> f64 {
        self.cny_per_1k.unwrap_or(0.0)
    }

    /// The swept values as numbers, if they all are.
    fn numbers(&self) -> Option<Vec<f64>> {
        self.set.iter().map(|(_, value)| value.replace('_', "").parse().ok()).collect()
    }
}

pub fn pick(rows: &[Row]) -> Result<(&Row, String), &'static str> {
    let candidates: Vec<&Row> = rows.iter().filter(|row| row.verdict == Verdict::Passed).collect();
    if candidates.is_empty() {
        return Err(match best_verdict(rows) {
            Verdict::Failed => "nothing to pick: no value meets the expectations",
            Verdict::Invalid => "nothing to pick: no run is valid",
            Verdict::Interrupted | Verdict::Terminated => "nothing to pick: no run came to its end",
            _ => "nothing to pick: no run succeeded",
        });
    }
    let of_load = candidates[0].set.iter().all(|(key, _)| key.starts_with("load."));
    let best = Best::of(&candidates, if of_load { Wanted::Most } else { Wanted::Least });
    let good: Vec<&Row> = candidates.iter().copied().filter(|row| best.is_near(row)).collect();
    // Without a value that is near the best in everything: the one that fails least, then the quickest.
    let pool = if good.is_empty() { &candidates } else { &good };
    let order = |row: &Row| match (row.numbers(), best.wanted) {
        (Some(numbers), Wanted::Least) if !good.is_empty() => numbers,
        (Some(numbers), Wanted::Most) if !good.is_empty() => numbers.iter().map(|n| -n).collect(),
        _ => vec![row.errors, row.p99()],
    };
    let chosen = pool.iter().copied().min_by(|a, b| order(a).partial_cmp(&order(b)).unwrap_or(Ordering::Equal));
    let chosen = chosen.expect("there is a candidate");
    Ok((chosen, reason(rows, chosen, &best)))
}

fn reason(rows: &[Row], chosen: &Row, best: &Best) -> String {
    let mut why = format!(
        "pick {}: p99 {} (the best of the sweep is {}), {:.1} QPS, {} errors",
        label(&chosen.set),
        format::ms(chosen.p99()),
        format::ms(best.p99),
        chosen.qps.unwrap_or(0.0),
        format::percent(chosen.errors),
    );
    // The next value in the direction that was not taken: what taking it would have meant.
    let closer = |a: &&Row, b: &&Row| a.numbers().partial_cmp(&b.numbers()).unwrap_or(Ordering::Equal);
    let ran = || rows.iter().filter(|row| row.p99_ms.is_some() && row.numbers().is_some());
    let next = match best.wanted {
        Wanted::Least => ran().filter(|row| row.numbers() < chosen.numbers()).max_by(closer),
        Wanted::Most => ran().filter(|row| row.numbers() > chosen.numbers()).min_by(closer),
    };
    if let Some(next) = next.filter(|_| chosen.numbers().is_some()) {
        let p99 = format::ms(next.p99());
        why += &format!("; with {} p99 is {p99} and {} fail", label(&next.set), format::percent(next.errors));
    }
    let limits_calls = ["max_connections", "concurrency"];
    if let (Some(busy), [(key, _)]) = (chosen.busy, &chosen.set[..])
        && limits_calls.iter().any(|name| key.ends_with(name))
    {
        why += &format!(". Little's law: {busy:.1} calls are at the route at once on average (rate x time there)");
    }
    why + "."
}

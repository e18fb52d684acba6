//! Several runs side by side: a table, the knee, the value to pick and why.
//! Must not know how they were run.

use comfy_table::{CellAlignment, Table, TableStyle};
use serde::Serialize;
use serde_json::{Value, json};

use super::shape::Report;
use super::text::format;
use crate::metrics::{Stop, Summary};

/// The runs of a sweep, in their order.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    pub rows: Vec<Row>,
    /// The signal that ended it early.
    pub stopped: Option<Stop>,
}

impl Sweep {
    pub fn json(&self) -> Value {
        let pick = self.pick().map(|(row, why)| json!({ "set": set_json(&row.set), "why": why }));
        json!({
            "schema": "gatebench.sweep/1",
            "gatebench": env!("CARGO_PKG_VERSION"),
            "interrupted": self.stopped.is_some(),
            "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
            "pick": pick,
        })
    }

    pub fn text(&self) -> String {
        let why = self.pick().map_or("nothing to pick: no run succeeded".to_owned(), |(_, why)| why);
        let cut = if self.stopped.is_some() { "interrupted: values are missing\n" } else { "" };
        format!("{}\n\n{cut}{why}\n", table(&self.rows))
    }

    /// The knee: the least value whose p99, QPS, errors and cost are all near the best of the sweep; and why.
    pub fn pick(&self) -> Option<(&Row, String)> {
        pick(&self.rows).map(|(at, why)| (&self.rows[at], why))
    }
}

/// One run of a sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The swept keys and their values here.
    pub set: Vec<(String, String)>,
    valid: bool,
    invalid_because: Vec<String>,
    succeeded: u64,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    hit_rate: Option<f64>,
    qps: Option<f64>,
    errors: f64,
    cny_per_1k: Option<f64>,
    usd_per_1k: Option<f64>,
    /// Mean number of calls at a route at once, by Little's law: rate x time there, without the waits for a place.
    busy: Option<f64>,
}

impl Row {
    pub fn of(set: Vec<(String, String)>, report: &Report) -> Self {
        let latency = &report.latency_ms;
        let mean = |summary: &Option<Summary>| summary.as_ref().map_or(0.0, |s| s.mean);
        let waits = mean(&latency.pool_wait) + mean(&latency.limit_wait);
        Self {
            set,
            valid: report.run.valid,
            invalid_because: report.run.invalid_because.clone(),
            succeeded: report.load.succeeded,
            p50_ms: latency.response.as_ref().map(|s| s.p50),
            p99_ms: latency.response.as_ref().map(|s| s.p99),
            hit_rate: report.hit_rate,
            qps: report.load.qps,
            errors: report.load.failed as f64 / (report.load.failed + report.load.succeeded).max(1) as f64,
            cny_per_1k: report.cost.cny_per_1k,
            usd_per_1k: report.cost.usd_per_1k,
            busy: latency.service.as_ref().zip(report.load.qps).map(|(s, qps)| qps * (s.mean - waits).max(0.0) / 1e3),
        }
    }

    fn json(&self) -> Value {
        let mut value = serde_json::to_value(self).expect("a row's keys are strings");
        value["set"] = set_json(&self.set);
        value
    }
}

fn set_json(set: &[(String, String)]) -> Value {
    set.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect()
}

/// The swept values in words.
pub fn label(set: &[(String, String)]) -> String {
    set.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    let short = |key: &str| key.rsplit('.').next().unwrap_or(key).to_owned();
    let mut header: Vec<String> = rows[0].set.iter().map(|(key, _)| short(key)).collect();
    header.extend(["p50", "p99", "hit rate", "QPS", "errors", "RMB/1k", "USD/1k", ""].map(str::to_owned));
    table.set_header(header);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    for row in rows {
        let mut cells: Vec<String> = row.set.iter().map(|(_, value)| value.clone()).collect();
        cells.extend([
            or_dash(row.p50_ms.map(format::ms)),
            or_dash(row.p99_ms.map(format::ms)),
            or_dash(row.hit_rate.map(format::percent)),
            or_dash(row.qps.map(|qps| format!("{qps:.1}"))),
            format::percent(row.errors),
            or_dash(row.cny_per_1k.map(|cny| format!("{cny:.3}"))),
            or_dash(row.usd_per_1k.map(|usd| format!("{usd:.4}"))),
            if row.valid { String::new() } else { "invalid".into() },
        ]);
        table.add_row(cells);
    }
    let keys = rows[0].set.len();
    for column in table.column_iter_mut().skip(keys) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// How far from the best a value may be and still count as good.
const P99_TOLERANCE: f64 = 1.10;
const QPS_TOLERANCE: f64 = 0.98;
const COST_TOLERANCE: f64 = 1.05;
const ERROR_TOLERANCE: f64 = 0.01;

fn pick(rows: &[Row]) -> Option<(usize, String)> {
    let ran: Vec<usize> = (0..rows.len()).filter(|i| rows[*i].p99_ms.is_some()).collect();
    let valid: Vec<usize> = ran.iter().copied().filter(|i| rows[*i].valid).collect();
    let candidates = if valid.is_empty() { ran } else { valid };
    let best =
        |figure: &dyn Fn(&Row) -> f64| candidates.iter().map(|i| figure(&rows[*i])).fold(f64::INFINITY, f64::min);
    let p99 = |row: &Row| row.p99_ms.unwrap_or(f64::INFINITY);
    let cost = |row: &Row| row.cny_per_1k.unwrap_or(0.0);
    let (least_p99, least_cost, least_errors) = (best(&p99), best(&cost), best(&|row| row.errors));
    let most_qps = -best(&|row| -row.qps.unwrap_or(0.0));
    let is_good = |row: &Row| {
        p99(row) <= least_p99 * P99_TOLERANCE
            && row.qps.unwrap_or(0.0) >= most_qps * QPS_TOLERANCE
            && cost(row) <= least_cost * COST_TOLERANCE
            && row.errors <= least_errors + ERROR_TOLERANCE
    };
    let good: Vec<usize> = candidates.iter().copied().filter(|i| is_good(&rows[*i])).collect();
    // No value is near the best in everything: the quickest that fails least.
    let pool = if good.is_empty() { &candidates } else { &good };
    let order = |i: &usize| match numbers(&rows[*i]) {
        Some(numbers) if !good.is_empty() => numbers,
        _ => vec![rows[*i].errors, p99(&rows[*i])],
    };
    let at = *pool.iter().min_by(|a, b| order(a).partial_cmp(&order(b)).unwrap_or(std::cmp::Ordering::Equal))?;
    Some((at, reason(rows, at, &candidates, least_p99)))
}

/// The swept values as numbers, if they all are.
fn numbers(row: &Row) -> Option<Vec<f64>> {
    row.set.iter().map(|(_, value)| value.replace('_', "").parse().ok()).collect()
}

fn reason(rows: &[Row], at: usize, candidates: &[usize], least_p99: f64) -> String {
    let row = &rows[at];
    let mut why = format!(
        "pick {}: p99 {} (the best of the sweep is {}), {:.1} QPS, {} errors",
        label(&row.set),
        format::ms(row.p99_ms.unwrap_or(f64::NAN)),
        format::ms(least_p99),
        row.qps.unwrap_or(0.0),
        format::percent(row.errors),
    );
    let smaller = candidates
        .iter()
        .copied()
        .filter(|i| numbers(&rows[*i]) < numbers(row))
        .max_by(|a, b| numbers(&rows[*a]).partial_cmp(&numbers(&rows[*b])).unwrap_or(std::cmp::Ordering::Equal));
    if let Some(before) = smaller.filter(|_| numbers(row).is_some()) {
        let before = &rows[before];
        let p99 = format::ms(before.p99_ms.unwrap_or(f64::NAN));
        why += &format!("; with {} p99 is {p99} and {} fail", label(&before.set), format::percent(before.errors));
    }
    let limits_calls = ["max_connections", "concurrency"];
    if let (Some(busy), [(key, _)]) = (row.busy, &row.set[..])
        && limits_calls.iter().any(|name| key.ends_with(name))
    {
        why += &format!(". Little's law: {busy:.1} calls are at the route at once on average (rate x time there)");
    }
    why + "."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: &str, p99_ms: f64, qps: f64, errors: f64, cny: f64) -> Row {
        Row {
            set: vec![("stack.pool.max_connections".into(), value.into())],
            valid: true,
            invalid_because: Vec::new(),
            succeeded: 100,
            p50_ms: Some(p99_ms / 2.0),
            p99_ms: Some(p99_ms),
            hit_rate: Some(0.0),
            qps: Some(qps),
            errors,
            cny_per_1k: Some(cny),
            usd_per_1k: Some(cny),
            busy: Some(9.0),
        }
    }

    #[test]
    fn the_knee_is_the_least_value_that_is_near_the_best() {
        let p99s = [9000.0, 4000.0, 900.0, 155.0, 150.0, 151.0];
        let rows: Vec<Row> =
            ["2", "4", "8", "16", "32", "64"].iter().zip(p99s).map(|(v, p)| row(v, p, 60.0, 0.0, 5.0)).collect();
        let (at, why) = pick(&rows).unwrap();
        assert_eq!(rows[at].set[0].1, "16");
        assert!(why.contains("with stack.pool.max_connections = 8 p99 is 900ms"), "{why}");
        assert!(why.contains("Little's law: 9.0"), "{why}");
    }

    #[test]
    fn a_value_that_fails_more_or_costs_more_is_not_picked_for_its_speed() {
        let rows = [row("1", 100.0, 60.0, 0.2, 5.0), row("2", 101.0, 60.0, 0.0, 9.0), row("3", 102.0, 60.0, 0.0, 5.0)];
        assert_eq!(pick(&rows).unwrap().0, 2);
    }
}

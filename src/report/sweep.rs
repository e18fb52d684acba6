//! Several runs side by side: a table, the knee, the value to pick and why.
//! Must not know how they were run.

mod files;
mod knee;

use comfy_table::{CellAlignment, Table, TableStyle};
use serde::Serialize;
use serde_json::{Value, json};

use super::shape::{Judged, Report};
use super::text::{Page, Style, Tone, format};
use super::verdict::Verdict;
use crate::metrics::{Stop, Summary};
pub use files::{csv, junit};
use knee::pick;

/// The runs of a sweep, in their order.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    pub rows: Vec<Row>,
    /// The signal that ended it early.
    pub stopped: Option<Stop>,
    /// Why a run could not be made, which ended it early.
    pub error: Option<String>,
}

impl Sweep {
    pub fn json(&self) -> Value {
        let pick = self.pick().ok().map(|(row, why)| json!({ "set": set_json(&row.set), "why": why }));
        json!({
            "schema": "gatebench.sweep/1",
            "gatebench": env!("CARGO_PKG_VERSION"),
            "interrupted": self.stopped.is_some(),
            "error": self.error,
            "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
            "pick": pick,
        })
    }

    pub fn text(&self, style: Style) -> String {
        let mut page = Page::new(style);
        page.line(&table(&self.rows));
        page.gap();
        for row in &self.rows {
            let label = label(&row.set);
            if let Some(because) = &row.aborted_because {
                page.words(Tone::Bad, &format!("{label} was aborted: {because}"));
                continue;
            }
            if !row.missed.is_empty() {
                page.words(Tone::Bad, &format!("{label} misses {}", row.missed.join(", ")));
            }
            for why in row.invalid_because.iter().chain(&row.undecided) {
                page.words(Tone::Doubt, &format!("{label} is invalid: {why}"));
            }
            for warning in &row.warnings {
                page.words(Tone::Doubt, &format!("{label}: WARNING: {warning}"));
            }
        }
        if self.stopped.is_some() {
            page.words(Tone::Doubt, "interrupted: values are missing");
        }
        if let Some(error) = &self.error {
            page.words(Tone::Bad, &format!("values are missing: {error}"));
        }
        page.words(Tone::Good, &self.pick().map_or_else(str::to_owned, |(_, why)| why));
        page.finish()
    }

    /// The knee: the least value of a setting whose p99, QPS, errors and cost are all near the best of the sweep, or
    /// the most load that is carried before p99 doubles; and why. Only of values whose run passed.
    pub fn pick(&self) -> Result<(&Row, String), &'static str> {
        pick(&self.rows)
    }

    /// A value that passes is what is looked for, so that the best run counts, unless runs are missing.
    pub fn verdict(&self) -> Verdict {
        match self.stopped {
            Some(Stop::Terminated) => Verdict::Terminated,
            Some(_) => Verdict::Interrupted,
            None if self.error.is_some() => Verdict::CouldNotRun,
            None => best_verdict(&self.rows),
        }
    }
}

fn best_verdict(rows: &[Row]) -> Verdict {
    rows.iter().map(|row| row.verdict).max().unwrap_or(Verdict::CouldNotRun)
}

/// One run of a sweep.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The swept keys and their values here.
    pub set: Vec<(String, String)>,
    #[serde(skip)]
    verdict: Verdict,
    valid: bool,
    invalid_because: Vec<String>,
    /// What casts doubt on a run that is valid all the same.
    warnings: Vec<String>,
    /// Expectations that did not hold.
    missed: Vec<String>,
    /// Expectations that could not be judged, and why.
    undecided: Vec<String>,
    /// Why it was ended before its time (`--abort-on-fail`): its figures are those until then.
    aborted_because: Option<String>,
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
        let undecided = |judged: &Judged| Some(format!("{}: {}", judged.expect, judged.undecided.as_ref()?));
        let failed = |judged: &&Judged| !judged.passed && judged.undecided.is_none();
        Self {
            set,
            verdict: Verdict::of(report),
            valid: report.run.valid,
            invalid_because: report.run.invalid_because.clone(),
            warnings: report.run.warnings.clone(),
            missed: report.expectations.iter().filter(failed).map(|judged| judged.expect.clone()).collect(),
            undecided: report.expectations.iter().filter_map(undecided).collect(),
            aborted_because: report.run.aborted_because.clone(),
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

    /// How its run ended.
    fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed if self.aborted_because.is_some() => "aborted",
            Verdict::Failed => "misses",
            Verdict::Interrupted | Verdict::Terminated => "interrupted",
            Verdict::CouldNotRun | Verdict::BadInput => "failed",
            Verdict::Invalid | Verdict::Inconclusive => "invalid",
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
            if row.verdict == Verdict::Passed { "" } else { row.word() }.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: &str, p99_ms: f64, qps: f64, errors: f64, cny: f64) -> Row {
        Row {
            set: vec![("stack.pool.max_connections".into(), value.into())],
            verdict: Verdict::Passed,
            valid: true,
            invalid_because: Vec::new(),
            warnings: Vec::new(),
            missed: Vec::new(),
            undecided: Vec::new(),
            aborted_because: None,
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
        let (row, why) = pick(&rows).unwrap();
        assert_eq!(row.set[0].1, "16");
        assert!(why.contains("with stack.pool.max_connections = 8 p99 is 900ms"), "{why}");
        assert!(why.contains("Little's law: 9.0"), "{why}");
    }

    #[test]
    fn a_value_that_fails_more_or_costs_more_is_not_picked_for_its_speed() {
        let rows = [row("1", 100.0, 60.0, 0.2, 5.0), row("2", 101.0, 60.0, 0.0, 9.0), row("3", 102.0, 60.0, 0.0, 5.0)];
        assert_eq!(pick(&rows).unwrap().0.set[0].1, "3");
    }

    #[test]
    fn of_load_the_most_that_is_carried_is_picked() {
        let of =
            |rate: &str, p99| Row { set: vec![("load.rate".into(), rate.into())], ..row(rate, p99, 1.0, 0.0, 5.0) };
        let rows = [of("20", 100.0), of("40", 120.0), of("60", 190.0), of("80", 900.0)];
        let (chosen, why) = pick(&rows).unwrap();
        assert_eq!(chosen.set[0].1, "60");
        assert!(why.contains("with load.rate = 80 p99 is 900ms"), "{why}");
    }

    fn ended(verdict: Verdict) -> Row {
        Row { verdict, ..row("1", 100.0, 60.0, 0.0, 5.0) }
    }

    #[test]
    fn a_value_whose_run_did_not_pass_is_never_picked() {
        for verdict in [Verdict::Failed, Verdict::Invalid, Verdict::CouldNotRun, Verdict::Interrupted] {
            let rows = [ended(verdict), row("2", 105.0, 60.0, 0.0, 5.0)];
            assert_eq!(pick(&rows).unwrap().0.set[0].1, "2", "{verdict:?}");
            assert!(pick(&[ended(verdict)]).is_err(), "{verdict:?}");
        }
    }

    #[test]
    fn the_best_run_gives_the_exit_code() {
        use Verdict::{CouldNotRun, Failed, Invalid, Passed};
        let code = |verdicts: &[Verdict]| {
            let rows = verdicts.iter().copied().map(ended).collect();
            Sweep { rows, ..Sweep::default() }.verdict().exit_code()
        };
        assert_eq!(code(&[Failed, Passed, Invalid, CouldNotRun]), 0);
        assert_eq!(code(&[Invalid, Failed, CouldNotRun]), 99);
        assert_eq!(code(&[Invalid, CouldNotRun, Invalid]), 3);
        assert_eq!(code(&[CouldNotRun, CouldNotRun]), 1);
    }

    #[test]
    fn missing_runs_come_before_those_that_passed() {
        let sweep = Sweep { rows: vec![ended(Verdict::Passed)], ..Sweep::default() };
        let broken = Sweep { error: Some("no such file".into()), ..sweep.clone() };
        assert_eq!((broken.verdict(), &broken.json()["error"]), (Verdict::CouldNotRun, &"no such file".into()));
        assert!(broken.text(Style::PLAIN).contains("values are missing: no such file"));
        let stopped = Sweep { stopped: Some(Stop::Terminated), ..broken };
        assert_eq!(stopped.verdict(), Verdict::Terminated);
    }
}

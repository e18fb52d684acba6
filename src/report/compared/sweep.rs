//! A comparison at each value of a setting: what one value shows can mislead.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::junit::written;
use super::super::text::{Page, Style, Tone};
use super::super::verdict::Verdict;
use super::tables::Table;
use super::{text, verdict, words};
use crate::compare::{Comparison, Row};
use crate::profile::Profile;

/// In the order they were run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ComparedSweep {
    pub schema: &'static str,
    /// All of them have the value.
    pub keys: Vec<String>,
    pub points: Vec<At>,
    /// Why values are missing.
    pub error: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct At {
    pub value: String,
    /// What simulated routes are set to give, as a ratio of times of calls, of each arm but the first; where chance has no
    /// part in them, and load and stack are alike but for the route, so that nothing else makes the difference.
    pub configured: Vec<Option<f64>>,
    pub comparison: Comparison,
}

impl At {
    /// `arms` are the profiles that were compared.
    pub fn new(value: String, arms: &[(String, Profile)], comparison: Comparison) -> Self {
        let call = |(_, profile): &(String, Profile)| {
            let route = profile.routes.get(&profile.stack.route)?;
            Some(route.simulate.as_ref()?.steady_call()?.as_secs_f64())
        };
        let ratio = |other: &(String, Profile)| {
            let first = &arms[0];
            is_told_by_routes(&first.1, &other.1).then_some(())?;
            Some(call(other)? / call(first).filter(|first| *first > 0.0)?)
        };
        Self { value, configured: arms.iter().skip(1).map(ratio).collect(), comparison }
    }

    fn row(&self, metric: &str, arms: usize, configured: Configured) -> Vec<String> {
        let row = |arm| self.comparison.row(metric, arm);
        let a = row(1).map_or("-".to_owned(), |row| words::value(row.unit, row.a));
        let mut cells = vec![self.value.clone(), a];
        for arm in 1..arms {
            let told = |of: fn(&Row) -> String| row(arm).map_or("-".to_owned(), of);
            cells.push(told(|row| words::value(row.unit, row.b)));
            cells.push(told(|row| words::difference(row.unit, row.difference)));
            cells.push(told(words::ratio));
            cells.push(told(words::interval));
            cells.push(told(|row| row.ratio.map_or("-".to_owned(), |ratio| words::factor(row, ratio))));
            if configured == Configured::Told {
                let configured = self.configured.get(arm - 1).copied().flatten().zip(row(arm));
                cells.push(configured.map_or("-".to_owned(), |(ratio, row)| words::factor(row, ratio)));
            }
            cells.push(told(|row| words::verdict(row).to_owned()));
        }
        cells
    }
}

/// Arms that differ in more than their routes differ by more than the routes' delays.
fn is_told_by_routes(first: &Profile, other: &Profile) -> bool {
    let mut stack = other.stack.clone();
    stack.route.clone_from(&first.stack.route);
    stack == first.stack && other.load == first.load && other.workload == first.workload
}

/// Whether the routes say what a metric should be.
#[derive(Clone, Copy, PartialEq)]
enum Configured {
    Told,
    Unknown,
}

impl ComparedSweep {
    pub const SCHEMA: &str = "gatebench.compare_sweep/1";

    pub fn new(keys: Vec<String>) -> Self {
        Self { schema: Self::SCHEMA, keys, points: Vec::new(), error: None }
    }

    /// The keys and a value in words: `users = 8`.
    pub fn label(&self, value: &str) -> String {
        format!("{} = {value}", self.name())
    }

    /// The keys by their last parts, each once.
    fn name(&self) -> String {
        let mut names: Vec<_> = self.keys.iter().map(|key| key.rsplit('.').next().unwrap_or(key)).collect();
        names.dedup();
        names.join(", ")
    }

    /// What the comparisons are about, in the order of their tables: metrics asked for at some value.
    fn metrics(&self) -> Vec<&str> {
        let asked = self.points.iter().flat_map(|at| at.comparison.metrics.iter().filter(|row| row.asked_for));
        let mut metrics = Vec::new();
        asked.map(|row| row.metric.as_str()).for_each(|metric| {
            if !metrics.contains(&metric) {
                metrics.push(metric);
            }
        });
        metrics
    }

    /// All that went wrong counts, since a value that failed is missing in the table.
    pub fn verdict(&self) -> Verdict {
        let missing = self.error.as_ref().map(|_| Verdict::CouldNotRun);
        Verdict::of_all(self.points.iter().map(|at| verdict(&at.comparison)).chain(missing))
    }

    /// Each metric asked for, under its heading.
    pub fn tables(&self) -> Vec<(String, Table)> {
        let of = |metric| Some((format!("{metric} at each {}", self.name()), self.table(metric)?));
        self.metrics().into_iter().filter_map(of).collect()
    }

    /// A metric at each value: of the first arm, and of each other one against it.
    fn table(&self, metric: &str) -> Option<Table> {
        let arms = &self.points.first()?.comparison.arms;
        let configured = self.configured(metric);
        let mut heads = vec![self.name(), arms[0].name.clone()];
        for arm in &arms[1..] {
            let columns = [arm.name.as_str(), "difference", "ratio", "95% interval", "which is"];
            let told = (configured == Configured::Told).then_some("as configured");
            let columns = columns.into_iter().chain(told);
            heads.extend(columns.chain([Table::WORDS]).map(str::to_owned));
        }
        let rows = self.points.iter().map(|at| at.row(metric, arms.len(), configured)).collect();
        Some(Table { heads, rows })
    }

    /// Whether the routes say what this metric should be at some value.
    fn configured(&self, metric: &str) -> Configured {
        let of_calls = ["response.", "service."].iter().any(|kind| metric.starts_with(kind));
        let is_told = of_calls && self.points.iter().any(|at| at.configured.iter().any(Option::is_some));
        if is_told { Configured::Told } else { Configured::Unknown }
    }

    /// What each comparison says in short, and a table for each metric.
    pub fn text(&self, style: Style) -> String {
        let mut page = Page::new(style);
        self.points.iter().take(1).for_each(|at| super::text::title(&mut page, &at.comparison));
        for at in &self.points {
            page.gap();
            page.words(Tone::Heading, &format!("── {}", self.label(&at.value)));
            super::text::brief(&mut page, &at.comparison);
        }
        for (heading, table) in self.tables() {
            page.gap();
            page.words(Tone::Heading, &heading);
            super::text::set(&mut page, &table, Vec::new());
        }
        page.gap();
        page.words(Tone::Aside, "each comparison whole: --out FILE, .html .md or .json");
        let (tone, words) = self.closing_words();
        page.words(tone, &words);
        page.finish()
    }

    /// Each comparison whole.
    pub fn every_comparison(&self, style: Style) -> String {
        let whole = |at: &At| format!("── {}\n{}", self.label(&at.value), text(&at.comparison, style));
        self.points.iter().map(whole).collect::<Vec<_>>().join("\n")
    }

    pub fn closing_words(&self) -> (Tone, String) {
        let verdict = self.verdict();
        let count = self.points.len();
        let (tone, words) = match (verdict, &self.error) {
            (_, Some(why)) => (Tone::Bad, format!("values are missing: {why}")),
            (Verdict::Passed, _) => (Tone::Good, format!("compared at {count} values of {}", self.keys.join(", "))),
            (Verdict::Failed, _) => (Tone::Bad, "an expectation failed".to_owned()),
            (Verdict::Inconclusive, _) => (Tone::Doubt, "inconclusive at some value".to_owned()),
            (Verdict::Interrupted | Verdict::Terminated, _) => {
                (Tone::Doubt, "interrupted: values are missing".to_owned())
            }
            (Verdict::Invalid, _) => (Tone::Bad, "invalid, or not to be judged, at some value".to_owned()),
            (Verdict::CouldNotRun | Verdict::BadInput, _) => (Tone::Bad, "could not run at some value".to_owned()),
        };
        let exit = if verdict == Verdict::Passed { String::new() } else { format!(" (exit {})", verdict.exit_code()) };
        (tone, words + &exit)
    }

    pub fn json(&self) -> String {
        super::super::write::pretty(self)
    }

    pub fn csv(&self) -> String {
        super::csv::of_all(self.points.iter().map(|at| (Some(at.value.as_str()), &at.comparison)))
    }

    /// A suite a value.
    pub fn junit(&self) -> String {
        written(self.points.iter().map(|at| super::junit::suite(&at.comparison, &self.label(&at.value))))
    }
}

//! A diff -> the table and the sentences for people. Must not know the reports: what it says is what JSON says.

use comfy_table::{CellAlignment, Table, TableStyle};

use super::judged::{ChangesBy, Compared, Outcome};
use super::question::{Changed, shown};
use super::sound::Side;
use super::{Diff, Overall};
use crate::compare::Interval;
use crate::report::{Page, Style, Tone, Unit, format, in_unit};

impl Diff {
    pub fn text(&self, style: Style) -> String {
        let mut page = Page::new(style);
        page.row("base", &side(&self.base));
        page.row("new", &side(&self.new));
        changes(&mut page, "changed", &self.changed);
        changes(&mut page, "NOT ALIKE", &self.unlike);
        self.warnings.iter().for_each(|warning| page.words(Tone::Doubt, &format!("WARNING: {warning}")));
        page.gap();
        page.line(&self.table());
        page.gap();
        let missing = self.metrics.iter().filter_map(|compared| Some((compared, compared.remark()?)));
        for (compared, remark) in missing {
            page.words(Tone::Doubt, &format!("{}: {remark}", compared.metric));
        }
        self.left_out.iter().for_each(|why| page.words(Tone::Aside, &format!("not judged: {why}")));
        page.words(Tone::Aside, &self.caution);
        page.words(self.tone(), &self.closing());
        page.finish()
    }

    fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        table.set_header(HEADS);
        for compared in &self.metrics {
            table.add_row(compared.cells());
        }
        for column in table.column_iter_mut().skip(1).take(5) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }

    pub fn tone(&self) -> Tone {
        match self.verdict {
            Overall::Pass => Tone::Good,
            Overall::Regression => Tone::Bad,
            Overall::Inconclusive | Overall::Undecided => Tone::Doubt,
        }
    }

    /// The last line: the verdict, why, and the exit code if it is not 0.
    pub fn closing(&self) -> String {
        let word = match self.verdict {
            Overall::Pass => "passed",
            Overall::Regression => "REGRESSION",
            Overall::Inconclusive => "inconclusive",
            Overall::Undecided => "undecided",
        };
        let code = if self.exit_code == 0 { String::new() } else { format!(" (exit {})", self.exit_code) };
        format!("{word}: {}{code}", self.because)
    }
}

pub const HEADS: [&str; 7] = ["metric", "base", "new", "change", "95% interval", "tolerance", "verdict"];

impl Compared {
    pub fn cells(&self) -> [String; 7] {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let figure = |value: Option<f64>| or_dash(value.map(|value| in_unit(value, self.unit)));
        let interval = self.interval.map(|Interval { low, high }| format!("{} to {}", self.by(low), self.by(high)));
        [
            self.metric.clone(),
            figure(self.base),
            figure(self.new),
            or_dash(self.change.map(|change| self.by(change))),
            or_dash(interval),
            self.tolerance_ms.map_or_else(|| self.by(self.tolerance), |ms| signed(ms, "ms")).replace('+', "±"),
            self.verdict.word().to_owned(),
        ]
    }

    /// A change in words: in percent, in points of a share, or in the metric's unit.
    fn by(&self, change: f64) -> String {
        match (self.changes_by, self.unit) {
            (ChangesBy::Ratio, _) => signed(change * 100.0, "%"),
            (ChangesBy::Difference, Unit::Ratio) => signed(change * 100.0, " pt"),
            (ChangesBy::Difference, Unit::Ms) => signed(change, "ms"),
            (ChangesBy::Difference, _) => signed(change, ""),
        }
    }

    /// What the row does not say.
    pub fn remark(&self) -> Option<String> {
        match (self.verdict, self.longer) {
            (Outcome::Undecided, _) => self.undecided.clone(),
            (Outcome::Inconclusive, Some(times)) => Some(format!(
                "the noise is wider than the tolerance; runs {} times as long would probably decide it",
                format::digits3(times)
            )),
            (Outcome::Inconclusive, None) => Some(
                "the change is about as large as the tolerance, so that no run is long enough to decide; set another one".to_owned(),
            ),
            _ => None,
        }
    }
}

fn signed(value: f64, unit: &str) -> String {
    let decimals = if value.abs() < 9.995 { 2 } else { 1 };
    format!("{value:+.decimals$}{unit}")
}

fn side(side: &Side) -> Vec<String> {
    let at = side.started_at.split('.').next().map_or_else(String::new, |at| at.trim_end_matches('Z').to_owned() + "Z");
    vec![
        at,
        format!("measured {} in {} blocks", format::seconds(side.measured_s), side.blocks),
        format!("{} successes", format::count(side.succeeded)),
        format!("gatebench {}", side.gatebench),
    ]
}

fn changes(page: &mut Page, label: &str, changes: &[Changed]) {
    let pieces: Vec<_> =
        changes.iter().map(|of| format!("{} {} → {}", of.key, shown(&of.base), shown(&of.new))).collect();
    if !pieces.is_empty() {
        page.row(label, &pieces);
    }
}

/// The verdict on all metrics, in a sentence.
pub fn because(metrics: &[Compared]) -> String {
    let of = |outcome: Outcome| metrics.iter().filter(|compared| compared.verdict == outcome).collect::<Vec<_>>();
    let names = |of: &[&Compared]| of.iter().map(|compared| compared.metric.as_str()).collect::<Vec<_>>().join(", ");
    let worse = of(Outcome::Regression);
    let worse_by: Vec<_> = worse
        .iter()
        .map(|compared| format!("{} {}", compared.metric, compared.by(compared.change.unwrap_or(0.0))))
        .collect();
    let (noisy, undecided, better) = (of(Outcome::Inconclusive), of(Outcome::Undecided), of(Outcome::Better));
    let parts = [
        (!undecided.is_empty()).then(|| format!("{} could not be judged", names(&undecided))),
        (!worse.is_empty()).then(|| format!("{} beyond the tolerance", worse_by.join(", "))),
        (!noisy.is_empty()).then(|| format!("the noise of {} is wider than the tolerance", names(&noisy))),
        (!better.is_empty()).then(|| format!("{} better", names(&better))),
    ];
    let said: Vec<_> = parts.into_iter().flatten().collect();
    match (said.is_empty(), metrics.len()) {
        (true, 1) => format!("{} is within its tolerance", metrics[0].metric),
        (true, n) => format!("all {n} metrics are within their tolerances"),
        (false, _) => said.join("; "),
    }
}

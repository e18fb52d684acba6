//! The tables of a comparison as rows of words: text, Markdown and HTML set the same ones.

use unicode_width::UnicodeWidthStr;

use super::super::shape::Unit;
use super::super::text::format::{count, money, ms};
use super::words;
use crate::compare::{ArmFacts, Comparison, Row, Word};

/// Heads, and rows of as many cells: figures, but in the first column and in that of [`Table::WORDS`].
pub struct Table {
    pub heads: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The head of the one column, besides the first, that holds words.
    pub const WORDS: &str = "verdict";
    /// What a narrow page can do without, since other columns say it too; first what is missed least.
    const SPARE: [&str; 3] = ["which is", "ratio", "difference"];

    /// Without the columns that so many cells have no room for.
    pub fn within(&self, width: usize) -> Self {
        let mut table = Self { heads: self.heads.clone(), rows: self.rows.clone() };
        for spare in Self::SPARE {
            while table.width() > width
                && let Some(at) = table.heads.iter().position(|head| head == spare)
            {
                table.heads.remove(at);
                table.rows.iter_mut().for_each(|row| drop(row.remove(at)));
            }
        }
        table
    }

    /// Of its lines, with a blank on either side of each cell.
    fn width(&self) -> usize {
        let lines = || std::iter::once(&self.heads).chain(&self.rows);
        let column = |at: usize| lines().map(|line| line[at].width()).max().unwrap_or(0) + 2;
        (0..self.heads.len()).map(column).sum()
    }
}

/// One arm against the first: the metrics asked for.
pub fn metrics(comparison: &Comparison, arm: usize) -> Table {
    let (first, other) = (&comparison.arms[0].name, &comparison.arms[arm].name);
    let heads = ["metric", first, other, "difference", "ratio", "95% interval", Table::WORDS].map(str::to_owned).into();
    let asked = comparison.metrics.iter().filter(|row| row.arm == arm && row.asked_for);
    Table { heads, rows: asked.map(metric).collect() }
}

fn metric(row: &Row) -> Vec<String> {
    vec![
        row.metric.clone() + if row.pooled { " *" } else { "" },
        words::value(row.unit, row.a),
        words::value(row.unit, row.b),
        words::difference(row.unit, row.difference),
        words::ratio(row),
        words::interval(row),
        words::verdict(row).to_owned(),
    ]
}

/// Mean time of a successful call by phase, of each arm, with what each further arm adds.
pub fn phases(comparison: &Comparison) -> Table {
    let of = |arm: &ArmFacts| {
        let all = [("in all", words::total(&arm.phases_ms))];
        words::phases(&arm.phases_ms).into_iter().chain(all).collect::<Vec<_>>()
    };
    let columns: Vec<_> = comparison.arms.iter().map(of).collect();
    let told = |i: usize| columns.iter().any(|arm| arm[i].1 != 0.0);
    let names = (0..8).filter(|i| told(*i));
    let row = |i: usize| {
        let times = columns.iter().map(|arm| ms(arm[i].1));
        let added = columns[1..].iter().map(|arm| words::difference(Unit::Ms, arm[i].1 - columns[0][i].1));
        std::iter::once(columns[0][i].0.to_owned()).chain(times).chain(added).collect()
    };
    Table { heads: heads_with_differences("phase", comparison), rows: names.map(row).collect() }
}

fn heads_with_differences(label: &str, comparison: &Comparison) -> Vec<String> {
    let names = comparison.arms.iter().map(|arm| arm.name.clone());
    let lone = comparison.arms.len() == 2;
    let added = comparison.arms[1..]
        .iter()
        .map(|arm| if lone { "difference".to_owned() } else { format!("{} more", arm.name) });
    std::iter::once(label.to_owned()).chain(names).chain(added).collect()
}

/// What each arm did: calls, connections, money.
pub fn arms(comparison: &Comparison) -> Table {
    type Figure = (&'static str, fn(&ArmFacts) -> String);
    const FIGURES: [Figure; 9] = [
        ("blocks", |arm| arm.blocks.len().to_string()),
        ("calls succeeded", |arm| count(arm.succeeded)),
        ("calls failed", |arm| count(arm.failed)),
        ("connections opened", |arm| of_connections(arm, arm.connections.opened)),
        ("connections reused", |arm| of_connections(arm, arm.connections.reused)),
        ("connections at most", |arm| of_connections(arm, arm.connections.peak)),
        ("RMB per 1k calls", |arm| arm.cny_per_1k.map_or("-".to_owned(), |cny| money('¥', cny))),
        ("USD per 1k calls", |arm| arm.usd_per_1k.map_or("-".to_owned(), |usd| money('$', usd))),
        ("spent, with warm-up", |arm| format!("{} / {}", money('¥', arm.spent_cny), money('$', arm.spent_usd))),
    ];
    let heads = std::iter::once("each arm, past its warm-up".to_owned())
        .chain(comparison.arms.iter().map(|arm| arm.name.clone()));
    let row =
        |(name, figure): Figure| std::iter::once(name.to_owned()).chain(comparison.arms.iter().map(figure)).collect();
    Table { heads: heads.collect(), rows: FIGURES.map(row).into() }
}

fn of_connections(arm: &ArmFacts, n: u64) -> String {
    if arm.knows_its_connections() { count(n) } else { "-".to_owned() }
}

/// Further metrics of an arm that are surely better, or worse: without the figures that few read of a distribution, and
/// without sums, which grow with the calls that an arm happened to make.
pub fn further(comparison: &Comparison, arm: usize, word: Word) -> Vec<&str> {
    const SUMS: [&str; 4] = ["cost.usd", "cost.cny", "cost.saved", "load.failed"];
    let of_use = |metric: &str| {
        let of_family = metric.rsplit_once('.').map_or("", |(_, stat)| stat);
        !matches!(of_family, "min" | "max" | "p75" | "p90" | "p999")
            && !metric.starts_with("lag.")
            && !SUMS.contains(&metric)
    };
    let rows = comparison.metrics.iter().filter(|row| row.arm == arm && !row.asked_for && row.verdict == word);
    rows.map(|row| row.metric.as_str()).filter(|metric| of_use(metric)).collect()
}

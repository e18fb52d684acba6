//! The columns of the Epochs screen: what is said of an epoch, and of what it changed. Must not know which is chosen.

use ratatui::style::Style;

use crate::metrics::{Epoch, Snapshot, Time};
use crate::report::format::{amount, change, compact, digits3, ms, percent};
use crate::tui::panels::prose::clock;
use crate::tui::panels::quantile::{Difference, is_young, quantile};
use crate::tui::theme::Theme;

/// An epoch and the one it is held against.
pub struct Compared<'a> {
    pub shown: &'a Snapshot,
    pub epoch: &'a Epoch,
    pub before: Option<&'a Epoch>,
}

/// Whether a difference is one for the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    None,
    Better,
    Worse,
}

impl Grade {
    pub fn style(self, theme: &Theme) -> Style {
        match self {
            Self::None => Style::new(),
            Self::Better => theme.good(),
            Self::Worse => theme.bad(),
        }
    }
}

type Cell = (String, Grade);

pub struct Column {
    pub title: &'static str,
    pub width: usize,
    pub cell: fn(&Compared) -> Cell,
}

/// The column that takes the room which is left: what changed.
pub const WHAT: usize = 3;
const MARKS_WIDTH: usize = 5;

/// What matters most comes first: a narrow screen drops columns from the right.
const COLUMNS: [Column; 15] = [
    Column { title: "#", width: 3, cell: |c| plain(c.epoch.number.to_string()) },
    Column { title: "from", width: 7, cell: |c| plain(clock(c.epoch.began)) },
    Column { title: "secs", width: 4, cell: |c| plain(compact(c.epoch.seconds.round())) },
    Column { title: "changed", width: 10, cell: |c| plain(what(c.epoch)) },
    Column { title: "n", width: 5, cell: |c| plain(compact(samples(c.epoch) as f64)) },
    Column { title: "p99", width: 6, cell: |c| plain(said(c.epoch, 0.99)) },
    Column { title: "diff", width: 5, cell: p99_difference },
    Column { title: "qps", width: 5, cell: |c| plain(or_dash(c.epoch.qps(), digits3)) },
    Column { title: "diff", width: 5, cell: |c| difference(c, |epoch| steady(epoch, epoch.qps()), Good::Higher) },
    Column { title: "hit", width: 6, cell: |c| plain(or_dash(c.epoch.tally.hit_rate(), percent)) },
    Column { title: "RMB/1k", width: 6, cell: |c| plain(or_dash(c.epoch.bill.cny_per_1k, amount)) },
    Column { title: "diff", width: 5, cell: cost_difference },
    Column { title: "p50", width: 6, cell: |c| plain(said(c.epoch, 0.5)) },
    Column { title: "p95", width: 6, cell: |c| plain(said(c.epoch, 0.95)) },
    Column { title: "errors", width: 6, cell: |c| plain(or_dash(c.epoch.tally.error_rate(), percent)) },
];

/// The columns that a width holds, and how wide what changed may be.
pub fn fitting(width: usize) -> (&'static [Column], usize) {
    let taken = |columns: &[Column]| MARKS_WIDTH + columns.iter().map(|column| column.width + 1).sum::<usize>();
    let count = (WHAT + 1..=COLUMNS.len()).rev().find(|count| taken(&COLUMNS[..*count]) <= width).unwrap_or(WHAT + 1);
    let columns = &COLUMNS[..count];
    let spare = width.saturating_sub(taken(columns));
    let narrow = taken(columns).saturating_sub(width);
    (columns, (columns[WHAT].width + spare).saturating_sub(narrow))
}

fn plain(text: String) -> Cell {
    (text, Grade::None)
}

fn or_dash(value: Option<f64>, text: fn(f64) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), text)
}

fn what(epoch: &Epoch) -> String {
    if epoch.changed.is_empty() { "the start".to_owned() } else { epoch.changed.join(", ") }
}

fn samples(epoch: &Epoch) -> u64 {
    epoch.tally.times.count(Time::Response)
}

fn said(epoch: &Epoch, q: f64) -> String {
    quantile(&epoch.tally, Time::Response, q).map_or_else(|too_few| too_few, ms)
}

fn p99_difference(compared: &Compared) -> Cell {
    let Some(before) = compared.before else { return plain("-".to_owned()) };
    let difference = Difference::of_quantile(compared.shown, compared.epoch, before, Time::Response, 0.99);
    let grade = match difference {
        Difference::Lower(_) => Grade::Better,
        Difference::Higher(_) => Grade::Worse,
        _ => Grade::None,
    };
    (difference.text().to_owned(), grade)
}

/// Calls that models answered have tokens with a spread about as large as their mean, and their number is random: the
/// cost of k of them has a relative error of sqrt(2 / k).
fn cost_difference(compared: &Compared) -> Cell {
    let Some(before) = compared.before else { return plain("-".to_owned()) };
    let paid = |epoch: &Epoch| epoch.tally.ledger.rows().iter().map(|row| row.answers).sum::<u64>() as f64;
    let (now, then) = (paid(compared.epoch), paid(before));
    let (Some(cost), Some(cost_then)) = (compared.epoch.bill.cny_per_1k, before.bill.cny_per_1k) else {
        return plain("-".to_owned());
    };
    let error = 1.96 * (2.0 / now + 2.0 / then).sqrt();
    match (cost / cost_then).ln().abs() {
        _ if now.min(then) < PAID_CALLS => plain("few".to_owned()),
        difference if difference < error => plain("wide".to_owned()),
        _ => difference(compared, |epoch| epoch.bill.cny_per_1k, Good::Lower),
    }
}

/// Fewer calls that cost something say nothing of a cost.
const PAID_CALLS: f64 = 30.0;

/// With fewer calls a count's own noise, 1 / sqrt(n), is more than a tenth of it.
fn counted(epoch: &Epoch, figure: Option<f64>) -> Option<f64> {
    figure.filter(|_| epoch.ended >= 100)
}

/// At an epoch's beginning calls of the one before are still in the way.
fn steady(epoch: &Epoch, figure: Option<f64>) -> Option<f64> {
    counted(epoch, figure).filter(|_| epoch.seconds >= 5.0)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Good {
    Higher,
    Lower,
}

/// To the epoch before.
fn difference(compared: &Compared, figure: fn(&Epoch) -> Option<f64>, good: Good) -> Cell {
    if compared.before.is_some_and(|before| is_young(compared.shown, compared.epoch, before)) {
        return plain("young".to_owned());
    }
    let (now, before) = (figure(compared.epoch), compared.before.and_then(figure));
    let Some((now, before)) = now.zip(before).filter(|(_, before)| *before > 0.0) else {
        return plain("-".to_owned());
    };
    let percent = ((now / before - 1.0) * 100.0).round();
    let text = change(now, before);
    match (percent, good) {
        (0.0, _) => plain("=".to_owned()),
        (percent, Good::Higher) if percent > 0.0 => (text, Grade::Better),
        (percent, Good::Lower) if percent < 0.0 => (text, Grade::Better),
        _ => (text, Grade::Worse),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_never_take_more_than_there_is_and_what_changed_takes_the_rest() {
        for width in 40..200 {
            let (columns, what) = fitting(width);
            let others: usize = columns.iter().map(|column| column.width + 1).sum::<usize>() - columns[WHAT].width;
            assert_eq!(MARKS_WIDTH + others + what, width);
        }
        let titles = |width| fitting(width).0.iter().map(|column| column.title).collect::<Vec<_>>().join(" ");
        assert_eq!(titles(118), "# from secs changed n p99 diff qps diff hit RMB/1k diff p50 p95 errors");
        assert_eq!(titles(78), "# from secs changed n p99 diff qps diff hit RMB/1k");
        assert_eq!(titles(58), "# from secs changed n p99 diff qps");
    }
}

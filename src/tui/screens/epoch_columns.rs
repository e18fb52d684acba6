//! The columns of the Epochs screen: what is said of an epoch, and of what it changed. Must not know which is chosen.

use ratatui::style::Style;

use crate::metrics::{Epoch, Time};
use crate::report::format::{change, compact, digits3, ms, percent};
use crate::tui::panels::prose::clock;
use crate::tui::panels::quantile::quantile as said_of;
use crate::tui::theme::Theme;

/// An epoch and the one it is held against.
pub struct Compared<'a> {
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
    Column { title: "p99", width: 6, cell: |c| plain(quantile(c.epoch, "p99")) },
    Column { title: "diff", width: 5, cell: |c| difference(c, |epoch| said_of(&epoch.tally, "p99").ok(), Good::Lower) },
    Column { title: "qps", width: 5, cell: |c| plain(or_dash(c.epoch.qps(), digits3)) },
    Column { title: "diff", width: 5, cell: |c| difference(c, |epoch| steady(epoch, epoch.qps()), Good::Higher) },
    Column { title: "hit", width: 6, cell: |c| plain(or_dash(c.epoch.tally.hit_rate(), percent)) },
    Column { title: "RMB/1k", width: 6, cell: |c| plain(or_dash(c.epoch.bill.cny_per_1k, compact)) },
    Column { title: "diff", width: 5, cell: |c| difference(c, cost, Good::Lower) },
    Column { title: "p50", width: 6, cell: |c| plain(quantile(c.epoch, "p50")) },
    Column { title: "p95", width: 6, cell: |c| plain(quantile(c.epoch, "p95")) },
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

fn quantile(epoch: &Epoch, name: &str) -> String {
    said_of(&epoch.tally, name).map_or_else(|too_few| too_few, ms)
}

fn cost(epoch: &Epoch) -> Option<f64> {
    counted(epoch, epoch.bill.cny_per_1k)
}

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

//! Percentiles of the response time: the last seconds, the epoch, the one it is held against, and what differs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::quantile::{Difference, YOUNG_S, quantile};
use super::{focus, frame, lines};
use crate::metrics::{Epoch, Snapshot, Tally, Time, samples_for};
use crate::report::{Figures, Judged, format, judge};
use crate::tui::app::App;
use crate::tui::command::Pane;
use crate::tui::theme::Theme;

const NAME: usize = 13;
const CELL: usize = 7;
/// Waits below this are no news.
const WAIT_MS: f64 = 0.5;

struct Row {
    name: &'static str,
    time: Time,
    /// `None`: the maximum, which grows with n and is therefore held against nothing.
    quantile: Option<f64>,
}

const ROWS: [Row; 6] = [
    Row { name: "p50", time: Time::Response, quantile: Some(0.5) },
    Row { name: "p95", time: Time::Response, quantile: Some(0.95) },
    Row { name: "p99", time: Time::Response, quantile: Some(0.99) },
    Row { name: "p99.9", time: Time::Response, quantile: Some(0.999) },
    Row { name: "max", time: Time::Response, quantile: None },
    Row { name: "TTFT p95", time: Time::Ttft, quantile: Some(0.95) },
];

/// Shown when there is waiting. Attempts are fewer than calls: the median is said before the p95 can be.
const WAITS: [[Row; 2]; 2] = [
    [
        Row { name: "pool wait p95", time: Time::PoolWait, quantile: Some(0.95) },
        Row { name: "pool wait p50", time: Time::PoolWait, quantile: Some(0.5) },
    ],
    [
        Row { name: "limiter p95", time: Time::LimitWait, quantile: Some(0.95) },
        Row { name: "limiter p50", time: Time::LimitWait, quantile: Some(0.5) },
    ],
];

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let judged = judged(app);
    let is_young = app.shown().epoch.seconds < YOUNG_S;
    let failing = judged.iter().filter(|judged| !judged.passed && judged.undecided.is_none()).count();
    let note = match (judged.len(), failing) {
        (0, _) => String::new(),
        (all, _) if is_young => format!("{all} expected"),
        (all, 0) => format!("{all} expected"),
        (all, failing) => format!("{failing} of {all} FAIL"),
    };
    let block = frame("Percentiles", &note, focus(app, Pane::Percentiles), theme);
    let inner = block.inner(area);
    block.render(area, buf);
    let columns = Columns::of(app);
    let waits =
        WAITS.iter().filter_map(|rows| rows.iter().find(|row| columns.knows(row))).filter(|row| columns.waits(row));
    let rows = ROWS.iter().chain(waits).map(|row| columns.row(row, theme));
    let head = [columns.head(theme), columns.counts(theme)];
    let verdicts = judged.iter().map(|judged| match is_young {
        true => verdict(judged, "young", theme.dim()),
        false => said(judged, theme),
    });
    lines(inner, buf, head.into_iter().chain(rows).chain(verdicts));
}

struct Columns<'a> {
    shown: &'a Snapshot,
    /// The last seconds, the epoch, and the one it is held against.
    tallies: [Option<&'a Tally>; 3],
    heads: [String; 3],
    reference: Option<&'a Epoch>,
}

impl<'a> Columns<'a> {
    fn of(app: &'a App) -> Self {
        let shown = app.shown();
        let reference = app.reference();
        let against = reference.map_or_else(String::new, |epoch| match app.baseline {
            Some(number) if number == epoch.number => format!("base {number}"),
            _ => format!("ep {}", epoch.number),
        });
        Self {
            shown,
            tallies: [Some(&shown.recent.tally), Some(&shown.epoch.tally), reference.map(|epoch| &*epoch.tally)],
            heads: [format!("{:.0}s", shown.recent.seconds), format!("ep {}", shown.epoch.number), against],
            reference,
        }
    }

    fn head(&self, theme: &Theme) -> Vec<(String, Style)> {
        let cells: String = self.heads.iter().map(|head| format::right(head, CELL)).collect();
        vec![(format!("{}{cells}", format::left("response", NAME)), theme.dim())]
    }

    fn counts(&self, theme: &Theme) -> Vec<(String, Style)> {
        let n = |tally: &Tally| match tally.times.count(Time::Response) {
            n @ 0..100_000 => format::count(n),
            n => format::compact(n as f64),
        };
        let cells = self.tallies.map(|tally| format::right(&tally.map_or_else(String::new, n), CELL));
        vec![(format!("{}{}", format::left("n", NAME), cells.concat()), theme.dim())]
    }

    fn row(&self, row: &Row, theme: &Theme) -> Vec<(String, Style)> {
        let cells = self.tallies.map(|tally| format::right(&tally.map_or_else(String::new, |t| row.value(t)), CELL));
        let difference = match (row.quantile, self.reference) {
            (Some(quantile), Some(before)) => {
                Difference::of_quantile(self.shown, &self.shown.epoch, before, row.time, quantile)
            }
            _ => Difference::None,
        };
        let style = match difference {
            Difference::Lower(_) => theme.good(),
            Difference::Higher(_) => theme.bad(),
            _ => theme.dim(),
        };
        vec![
            (format!("{}{}", format::left(row.name, NAME), cells.concat()), Style::new()),
            (format::right(difference.text(), CELL), style),
        ]
    }

    fn knows(&self, row: &Row) -> bool {
        row.quantile.is_some_and(|q| self.shown.epoch.tally.times.count(row.time) >= samples_for(q))
    }

    fn waits(&self, row: &Row) -> bool {
        row.quantile.is_some_and(|q| quantile(&self.shown.epoch.tally, row.time, q).is_ok_and(|ms| ms > WAIT_MS))
    }
}

impl Row {
    fn value(&self, tally: &Tally) -> String {
        let value = match self.quantile {
            Some(q) => quantile(tally, self.time, q),
            None => tally.times.get(self.time).map(|h| h.max() as f64 / 1e6).ok_or_else(|| "-".to_owned()),
        };
        match value {
            Ok(value) => format::ms(value),
            Err(_) if tally.times.count(self.time) == 0 => "-".to_owned(),
            Err(few) => few,
        }
    }
}

/// The profile's expectations of this epoch, those first that do not hold.
fn judged(app: &App) -> Vec<Judged> {
    let epoch = &app.shown().epoch;
    let figures = Figures {
        tally: &epoch.tally,
        seconds: epoch.seconds,
        planned: epoch.planned,
        dropped: epoch.dropped,
        // Under way, and therefore not in the tally yet.
        abandoned: app.shown().gauges.in_flight,
        bill: &epoch.bill,
    };
    let expectations = epoch.profile.expectations();
    let mut judged: Vec<_> = expectations.iter().map(|expectation| judge(expectation, &figures)).collect();
    judged.sort_by_key(|judged| judged.passed);
    judged
}

fn said(judged: &Judged, theme: &Theme) -> Vec<(String, Style)> {
    let (word, style) = match (&judged.undecided, judged.passed) {
        (Some(_), _) => ("few", theme.dim()),
        (None, true) => ("PASS", theme.good()),
        (None, false) => ("FAIL", theme.bad()),
    };
    verdict(judged, word, style)
}

fn verdict(judged: &Judged, word: &str, style: Style) -> Vec<(String, Style)> {
    let width = NAME + 4 * CELL - 6;
    vec![(format!("{} ", format::left(&judged.expect, width)), Style::new()), (format::right(word, 5), style)]
}

//! Percentiles of the response time: the last seconds, the epoch, the one it is held against, and what differs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::{focus, frame, lines};
use crate::metrics::{Tally, Time, quantile_interval, samples_for};
use crate::profile::expect::Expectation;
use crate::report::{Figures, Judged, format, judge};
use crate::tui::app::App;
use crate::tui::command::Pane;
use crate::tui::theme::Theme;

const NAME: usize = 10;
const CELL: usize = 8;
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

/// Shown when there is waiting.
const WAITS: [Row; 2] = [
    Row { name: "pool wait", time: Time::PoolWait, quantile: Some(0.95) },
    Row { name: "limit wait", time: Time::LimitWait, quantile: Some(0.95) },
];

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let judged = judged(app);
    let failing = judged.iter().filter(|judged| !judged.passed && judged.undecided.is_none()).count();
    let note = match (judged.len(), failing) {
        (0, _) => String::new(),
        (all, 0) => format!("{all} expected"),
        (all, failing) => format!("{failing} of {all} FAIL"),
    };
    let block = frame("Percentiles", &note, focus(app, Pane::Percentiles), theme);
    let inner = block.inner(area);
    block.render(area, buf);
    let columns = Columns::of(app);
    let waits = WAITS.iter().filter(|row| columns.epoch_ms(row).is_some_and(|ms| ms > WAIT_MS));
    let rows = ROWS.iter().chain(waits).map(|row| columns.row(row, theme));
    let head = [columns.head(theme), columns.counts(theme)];
    let verdicts = judged.iter().map(|judged| verdict(judged, theme));
    lines(inner, buf, head.into_iter().chain(rows).chain(verdicts));
}

struct Columns<'a> {
    recent: &'a Tally,
    epoch: &'a Tally,
    reference: Option<&'a Tally>,
    heads: [String; 3],
}

impl<'a> Columns<'a> {
    fn of(app: &'a App) -> Self {
        let shown = app.shown();
        let reference = app.reference();
        let against = match (reference, app.baseline) {
            (None, _) => String::new(),
            (Some(epoch), Some(_)) => format!("base {}", epoch.number),
            (Some(epoch), None) => format!("epoch {}", epoch.number),
        };
        Self {
            recent: &shown.recent.tally,
            epoch: &shown.epoch.tally,
            reference: reference.map(|epoch| &*epoch.tally),
            heads: [format!("{:.0}s", shown.recent.seconds), format!("epoch {}", shown.epoch.number), against],
        }
    }

    fn head(&self, theme: &Theme) -> Vec<(String, Style)> {
        let cells: String = self.heads.iter().map(|head| format::right(head, CELL)).collect();
        vec![(format!("{}{cells}", " ".repeat(NAME)), theme.dim())]
    }

    fn counts(&self, theme: &Theme) -> Vec<(String, Style)> {
        let n = |tally: &Tally| tally.times.count(Time::Response);
        let tallies = [Some(self.recent), Some(self.epoch), self.reference];
        let cells = tallies.map(|tally| format::right(&tally.map_or_else(String::new, |t| format::count(n(t))), CELL));
        vec![(format!("{}{}", format::left("n", NAME), cells.concat()), theme.dim())]
    }

    fn epoch_ms(&self, row: &Row) -> Option<f64> {
        row.value_ms(self.epoch)
    }

    fn row(&self, row: &Row, theme: &Theme) -> Vec<(String, Style)> {
        let tallies = [Some(self.recent), Some(self.epoch), self.reference];
        let cells = tallies.map(|tally| {
            let text = tally.and_then(|tally| row.value_ms(tally)).map_or_else(|| "-".to_owned(), format::ms);
            format::right(if tally.is_some() { &text } else { "" }, CELL)
        });
        let (difference, style) = self.difference(row, theme);
        vec![
            (format!("{}{}", format::left(row.name, NAME), cells.concat()), Style::new()),
            (format::right(&difference, CELL - 1), style),
        ]
    }

    /// In words when there is nothing to tell: `same`, or `few` calls.
    fn difference(&self, row: &Row, theme: &Theme) -> (String, Style) {
        let nothing = || (String::new(), theme.dim());
        let (Some(quantile), Some(reference)) = (row.quantile, self.reference) else { return nothing() };
        let (Some(now), Some(then)) = (self.epoch.times.get(row.time), reference.times.get(row.time)) else {
            return nothing();
        };
        match (quantile_interval(now, quantile), quantile_interval(then, quantile)) {
            (Some(now), Some(then)) if now.0 <= then.1 && then.0 <= now.1 => ("same".to_owned(), theme.dim()),
            (Some(_), Some(_)) => {
                let (new, old) = (now.value_at_quantile(quantile) as f64, then.value_at_quantile(quantile) as f64);
                let style = if new < old { theme.good() } else { theme.bad() };
                (format::change(new, old), style)
            }
            _ => ("few".to_owned(), theme.dim()),
        }
    }
}

impl Row {
    /// `None` with too few calls to say anything of it.
    fn value_ms(&self, tally: &Tally) -> Option<f64> {
        let histogram = tally.times.get(self.time).filter(|histogram| !histogram.is_empty())?;
        let nanos = match self.quantile {
            Some(quantile) if histogram.len() < samples_for(quantile) => return None,
            Some(quantile) => histogram.value_at_quantile(quantile),
            None => histogram.max(),
        };
        Some(nanos as f64 / 1e6)
    }
}

/// The profile's expectations of this epoch, those first that do not hold.
fn judged(app: &App) -> Vec<Judged> {
    let epoch = &app.shown().epoch;
    let figures = Figures {
        tally: &epoch.tally,
        seconds: epoch.seconds,
        planned: epoch.tally.sent,
        dropped: 0,
        abandoned: 0,
        bill: &epoch.bill,
    };
    let expectations = epoch.profile.expect.iter().filter_map(|text| Expectation::parse(text).ok());
    let mut judged: Vec<_> = expectations.map(|expectation| judge(&expectation, &figures)).collect();
    judged.sort_by_key(|judged| judged.passed);
    judged
}

fn verdict(judged: &Judged, theme: &Theme) -> Vec<(String, Style)> {
    let (word, style) = match (&judged.undecided, judged.passed) {
        (Some(_), _) => ("few", theme.dim()),
        (None, true) => ("PASS", theme.good()),
        (None, false) => ("FAIL", theme.bad()),
    };
    let width = NAME + 3 * CELL + CELL - 1 - 5;
    vec![(format!("{} ", format::left(&judged.expect, width)), Style::new()), (format::right(word, 4), style)]
}

//! Traffic: what was sent, answered and failed, a second, and what is under way.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::{focus, frame, lines};
use crate::metrics::{Point, Snapshot, Tally, ratio};
use crate::profile::Client;
use crate::report::{ERROR_KINDS, error_kind, format};
use crate::tui::app::App;
use crate::tui::command::Pane;
use crate::tui::theme::Theme;
use crate::tui::widgets::Sparkline;

const LABEL: usize = 5;
const VALUE: usize = 6;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let shown = app.shown();
    let block = frame("Traffic", "a second", focus(app, Pane::Traffic), theme);
    let inner = block.inner(area);
    block.render(area, buf);
    let points = shown.series.points();
    let rates = [
        Rate { label: "sent", count: |point| point.begun, style: theme.bar().style },
        Rate { label: "qps", count: |point| point.succeeded, style: theme.good() },
        Rate { label: "err", count: |point| point.failed, style: theme.bad() },
    ];
    for (rate, y) in rates.into_iter().zip(inner.top()..inner.bottom()) {
        rate.draw(points, theme, Rect { y, height: 1, ..inner }, buf);
    }
    let rest = Rect { y: inner.y + 3, height: inner.height.saturating_sub(3), ..inner };
    if rest.y < inner.bottom() {
        lines(rest, buf, state(shown, theme).map(|line| vec![line]));
    }
}

/// A count of each point, as a rate: the last one in digits, those before as a line.
struct Rate {
    label: &'static str,
    count: fn(&Point) -> u64,
    style: Style,
}

impl Rate {
    fn draw(&self, points: &[Point], theme: &Theme, line: Rect, buf: &mut Buffer) {
        let rate = |point: &Point| point.per_second((self.count)(point));
        let now = points.last().map_or_else(|| "-".to_owned(), |point| format::compact(rate(point)));
        let text = format!("{}{} ", format::left(self.label, LABEL), format::right(&now, VALUE));
        let end = buf.set_stringn(line.x, line.y, &text, usize::from(line.width), Style::new()).0;
        let spark = Rect { x: end, width: line.right().saturating_sub(end), ..line };
        let seen = &points[points.len().saturating_sub(usize::from(spark.width))..];
        let values: Vec<_> = seen.iter().map(|point| Some(rate(point))).collect();
        // One scale for all three: of what was sent or answered.
        let most = seen.iter().map(|point| point.per_second(point.begun.max(point.succeeded))).fold(0.0, f64::max);
        Sparkline { values: &values, max: Some(most), style: self.style, theme }.render(spark, buf);
    }
}

fn state(shown: &Snapshot, theme: &Theme) -> [(String, Style); 5] {
    let (gauges, recent) = (&shown.gauges, &*shown.recent.tally);
    let slots = u64::from(shown.profile.stack.concurrency) * u64::from(shown.profile.stack.replicas);
    let waiting = gauges.limit_waiting + gauges.pool_waiting;
    let window = format!("{:.0}s", shown.recent.seconds);
    let redis: u64 = recent.cache_errors.iter().sum();
    let in_line = match waiting {
        // Not beside the wait: a dead Redis is seldom alone with a full pool, and says more.
        _ if redis > 0 => (format!("REDIS ERRORS {} ({window})", format::count(redis)), theme.warn()),
        0 => ("no call waits".to_owned(), theme.dim()),
        _ => (
            format!(
                "WAITING {} limit {} pool",
                format::count(gauges.limit_waiting),
                format::count(gauges.pool_waiting)
            ),
            theme.warn(),
        ),
    };
    let share = |value: Option<f64>, show: fn(f64) -> String| value.map_or_else(|| "-".to_owned(), show);
    let factor = ratio(recent.attempts, recent.reached_chain);
    let reuse = (recent.opened + recent.reused > 0).then(|| ratio(recent.reused, recent.attempts)).flatten();
    [
        errors(recent, shown.recent.seconds, &window, theme),
        // Over the same seconds.
        (format!("reuse {} tries x{}", share(reuse, format::percent), share(factor, format::digits3)), Style::new()),
        (format!("in flight {}, {slots} slots", format::count(gauges.in_flight)), Style::new()),
        in_line,
        connections(shown, theme),
    ]
}

/// reqwest tells how many it has opened, and no more.
fn connections(shown: &Snapshot, theme: &Theme) -> (String, Style) {
    let gauges = &shown.gauges;
    match shown.profile.stack.pool.client {
        Client::Reqwest => (format!("conns {} opened (reqwest)", format::count(gauges.opened)), theme.dim()),
        Client::Exact => {
            let (open, idle) = (format::count(gauges.open), format::count(gauges.idle));
            (format!("conns {open} open, {idle} idle"), Style::new())
        }
    }
}

/// To two digits.
fn per_second(rate: f64) -> String {
    if rate < 0.095 {
        format!("{rate:.2}")
    } else if rate < 9.95 {
        format!("{rate:.1}")
    } else {
        format::compact(rate)
    }
}

/// Failed calls a second by kind; else what attempts met, that a retry or another hop made good.
fn errors(recent: &Tally, seconds: f64, window: &str, theme: &Theme) -> (String, Style) {
    let of = |counts: &std::collections::BTreeMap<_, u64>, kind: &str| -> u64 {
        counts.iter().filter(|(failure, _)| error_kind(**failure) == kind).map(|(_, count)| count).sum()
    };
    let list = |counts: &std::collections::BTreeMap<_, u64>| -> String {
        let kinds = ERROR_KINDS.iter().map(|kind| (kind, of(counts, kind))).filter(|(_, count)| *count > 0);
        let shown = kinds.map(|(kind, count)| format!("{kind} {}", per_second(count as f64 / seconds.max(1.0))));
        shown.collect::<Vec<_>>().join(" ")
    };
    match (recent.failed, recent.failed_attempts.is_empty()) {
        (0, true) => (format!("no errors ({window})"), theme.dim()),
        (0, false) => (format!("made good {}/s ({window})", list(&recent.failed_attempts)), Style::new()),
        _ => (format!("FAILED {}/s ({window})", list(&recent.failures)), theme.warn()),
    }
}

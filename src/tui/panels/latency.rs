//! Latency: service times of the epoch's successes on a logarithmic axis, coloured by who answered.

use hdrhistogram::Histogram;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::{focus, frame};
use crate::metrics::{ServedBy, Tally, Time};
use crate::report::format;
use crate::tui::app::App;
use crate::tui::command::Pane;
use crate::tui::theme::{Theme, Tier};
use crate::tui::widgets::{Bucket, LogHistogram, ONE_TWO_FIVE_NS};

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let epoch = &app.shown().epoch;
    let tally = &epoch.tally;
    let title = format!("Latency since epoch {}", epoch.number);
    let note = format!("service, n {}", format::compact(tally.succeeded as f64));
    let block = frame(&title, &note, focus(app, Pane::Latency), theme);
    let inner = block.inner(area);
    block.render(area, buf);
    let buckets = buckets(tally);
    if tally.succeeded == 0 {
        let text = if app.shown().measured_s > 0.0 { "no answer yet" } else { "warming up: calls are not counted yet" };
        buf.set_stringn(inner.x, inner.y, text, usize::from(inner.width), theme.dim());
    } else {
        LogHistogram { buckets: &buckets, theme }.render(inner, buf);
    }
}

/// Between neighbouring numbers of the 1-2-5 series, finer than any row.
fn buckets(tally: &Tally) -> Vec<Bucket> {
    let edges = ONE_TWO_FIVE_NS;
    let first = Bucket { from_ns: 1, to_ns: edges[0], ..Bucket::default() };
    let rest = edges.windows(2).map(|pair| Bucket { from_ns: pair[0], to_ns: pair[1], ..Bucket::default() });
    let last = Bucket { from_ns: edges[edges.len() - 1], to_ns: u64::MAX, ..Bucket::default() };
    let mut buckets: Vec<_> = std::iter::once(first).chain(rest).chain([last]).collect();
    for (tier, time) in TIERS {
        if let Some(histogram) = tally.times.get(time) {
            count(histogram, tier, &mut buckets);
        }
    }
    buckets
}

const TIERS: [(Tier, Time); ServedBy::ALL.len()] = [
    (Tier::Local, Time::ServiceLocal),
    (Tier::Redis, Time::ServiceRedis),
    (Tier::Shared, Time::ServiceShared),
    (Tier::Gateway, Time::ServiceGateway),
    (Tier::Model, Time::ServiceModel),
];

fn count(histogram: &Histogram<u64>, tier: Tier, buckets: &mut [Bucket]) {
    let mut bucket = 0;
    for value in histogram.iter_recorded() {
        while bucket + 1 < buckets.len() && value.value_iterated_to() >= buckets[bucket].to_ns {
            bucket += 1;
        }
        buckets[bucket].counts[tier as usize] += value.count_since_last_iteration();
    }
}

//! Quantiles that are said only of samples enough, and what differs between two epochs only where it can be told.

use crate::metrics::{Epoch, Snapshot, Tally, Time, quantile_interval, samples_for};
use crate::report::format::change;

/// Before this an epoch's calls are mostly those that were quick.
pub const YOUNG_S: f64 = 5.0;
/// An interval's upper end over its lower one, up to which it says something.
const NARROW: f64 = 1.25;
/// Times below so many of the lag's medians are as much the generator's as the stack's.
const LAGS: u64 = 10;

/// In milliseconds; what is missing (`n<299`) where samples are too few.
pub fn quantile(tally: &Tally, time: Time, quantile: f64) -> Result<f64, String> {
    let needed = samples_for(quantile);
    let histogram = tally.times.get(time).filter(|histogram| histogram.len() >= needed);
    histogram.map(|h| h.value_at_quantile(quantile) as f64 / 1e6).ok_or_else(|| format!("n<{needed}"))
}

/// Whether an epoch says nothing yet: a call that takes long is not in its figures before it has ended, so that it
/// looks better than it is.
pub fn is_young(shown: &Snapshot, epoch: &Epoch, before: &Epoch) -> bool {
    let longest_s = before.tally.times.get(Time::Response).map_or(0.0, |h| h.value_at_quantile(0.99) as f64 / 1e9);
    epoch.number == shown.epoch.number && epoch.seconds < YOUNG_S.max(longest_s)
}

/// In nanoseconds, of the two epochs the larger.
fn most_of_lag(epoch: &Epoch, before: &Epoch) -> u64 {
    let median = |epoch: &Epoch| epoch.tally.times.get(Time::Lag).map_or(0, |lag| lag.value_at_quantile(0.5));
    LAGS * median(epoch).max(median(before))
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// One of the two has no such calls.
    None,
    /// Too few calls.
    Few,
    /// Too early to tell, see [`is_young`].
    Young,
    /// The 95% intervals overlap and are narrow.
    Same,
    /// They overlap, and are so wide that much could have changed.
    Wide,
    /// Both are mostly the generator's own lag.
    Lag,
    Lower(String),
    Higher(String),
}

impl Difference {
    pub fn of_quantile(shown: &Snapshot, epoch: &Epoch, before: &Epoch, time: Time, quantile: f64) -> Self {
        let (Some(now), Some(then)) = (epoch.tally.times.get(time), before.tally.times.get(time)) else {
            return Self::None;
        };
        if is_young(shown, epoch, before) {
            return Self::Young;
        }
        match (quantile_interval(now, quantile), quantile_interval(then, quantile)) {
            (Some(now), Some(then)) if now.0 <= then.1 && then.0 <= now.1 => {
                let is_narrow = |(low, high): (u64, u64)| high as f64 <= low as f64 * NARROW;
                if is_narrow(now) && is_narrow(then) { Self::Same } else { Self::Wide }
            }
            (Some((_, now)), Some((_, then))) if now.max(then) < most_of_lag(epoch, before) => Self::Lag,
            (Some(_), Some(_)) => {
                let [now, then] = [now, then].map(|histogram| histogram.value_at_quantile(quantile) as f64);
                if now < then { Self::Lower(change(now, then)) } else { Self::Higher(change(now, then)) }
            }
            _ => Self::Few,
        }
    }

    pub fn text(&self) -> &str {
        match self {
            Self::None => "",
            Self::Few => "few",
            Self::Young => "young",
            Self::Same => "same",
            Self::Wide => "wide",
            Self::Lag => "lag",
            Self::Lower(text) | Self::Higher(text) => text,
        }
    }
}

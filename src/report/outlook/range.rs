//! Between what a metric must end, from what has been measured and what is still to come.

use hdrhistogram::Histogram;

use crate::metrics::{Time, samples_for};
use crate::report::figures::{Figures, Metric};
use crate::stack::ServedBy;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub from: f64,
    pub to: f64,
}

impl Range {
    const ALL: Self = Self { from: f64::NEG_INFINITY, to: f64::INFINITY };

    fn from(from: f64) -> Self {
        Self { from, ..Self::ALL }
    }

    fn up_to(to: f64) -> Self {
        Self { to, ..Self::ALL }
    }
}

/// What is still to come of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    /// All measured calls of the plan, at most; `None`: it is not known.
    pub planned: Option<u64>,
    /// Measured calls that have still to finish, at most; `None`: it is not known.
    pub calls: Option<u64>,
    /// Calls that are under way, those of the warm-up among them: they may yet end in the measured window.
    pub in_flight: u64,
    /// Attempts that one call makes at most.
    pub attempts_a_call: u64,
    /// What the measured window will have lasted.
    pub seconds: Range,
}

/// Sums of money and of times are not exact to their last digit.
const ROUNDING: f64 = 1.0 - 1e-9;

pub fn of(metric: &Metric, figures: &Figures, rest: &Rest) -> Range {
    let tally = figures.tally;
    match metric {
        Metric::Time { time, figure, quantile } => time_range(*time, figure, *quantile, figures, rest),
        Metric::ErrorsOf(kind) => share(figures.errors_of(kind), tally.finished(), rest),
        Metric::CacheErrorsOf(error) => Range::from(tally.cache_errors[*error as usize] as f64),
        Metric::HitRateOf(tier) => share(tally.served_by[*tier as usize], tally.succeeded, rest),
        Metric::Single((name, ..)) => single(name, figures, rest),
    }
}

fn single(name: &str, figures: &Figures, rest: &Rest) -> Range {
    let tally = figures.tally;
    let grows = |of: fn(&crate::cost::Bill) -> Option<f64>| {
        Range::from(of(figures.bill).map_or(f64::NEG_INFINITY, |money| money * ROUNDING))
    };
    match name {
        "qps" => rate(tally.completed, rest),
        "goodput" => rate(tally.good, rest),
        "achieved" => achieved(figures, rest),
        "errors" => share(tally.failed, tally.finished(), rest),
        "hit_rate" => share(tally.succeeded - tally.served_by[ServedBy::Model as usize], tally.succeeded, rest),
        "fallback_rate" => {
            let (answered, by_fallback) = tally.ledger.answered();
            share(by_fallback, answered, rest)
        }
        "load.dropped" => Range::from(figures.dropped as f64),
        "load.failed" => Range { to: ahead(tally.failed, rest.calls), ..Range::from(tally.failed as f64) },
        "cache_errors.redis" => Range::from(tally.cache_errors.iter().sum::<u64>() as f64),
        "cost.usd" => grows(|bill| Some(bill.usd)),
        "cost.cny" => grows(|bill| Some(bill.cny)),
        "cost.usd_per_1k" => a_success(figures.bill.usd_per_1k, figures, rest),
        "cost.cny_per_1k" => a_success(figures.bill.cny_per_1k, figures, rest),
        "cost.cny_per_day" => a_success(Some(figures.bill.projection.cny_per_day), figures, rest),
        // What is saved may shrink again, and attempts have no least number a call.
        _ => Range::ALL,
    }
}

/// `count` and all that may come on top of it.
fn ahead(count: u64, more: Option<u64>) -> f64 {
    more.map_or(f64::INFINITY, |more| (count + more) as f64)
}

/// A part of a whole that grows by the rest: none of it, or all of it, belongs to the part.
fn share(part: u64, whole: u64, rest: &Rest) -> Range {
    let Some(more) = rest.calls.filter(|more| whole + more > 0) else { return Range { from: 0.0, to: 1.0 } };
    let whole = (whole + more) as f64;
    Range { from: part as f64 / whole, to: (part + more) as f64 / whole }
}

/// A count over the measured seconds.
fn rate(count: u64, rest: &Rest) -> Range {
    let most = ahead(count, rest.calls.map(|calls| calls + rest.in_flight));
    let Range { from: shortest, to: longest } = rest.seconds;
    let to = if shortest > 0.0 { most / shortest } else { f64::INFINITY };
    Range { from: count as f64 / longest, to }
}

/// Dropped arrivals are planned, and are not sent any more.
fn achieved(figures: &Figures, rest: &Rest) -> Range {
    let to = rest
        .planned
        .filter(|planned| *planned > 0)
        .map_or(1.0, |planned| planned.saturating_sub(figures.dropped) as f64 / planned as f64);
    Range { from: 0.0, to }
}

/// Money over successes: the rest may cost nothing, and all of it succeed.
fn a_success(money: Option<f64>, figures: &Figures, rest: &Rest) -> Range {
    let (Some(money), Some(more)) = (money, rest.calls) else { return Range::from(0.0) };
    let (successes, _) = figures.tally.ledger.answered();
    let share = successes as f64 / (successes + more).max(1) as f64;
    Range::from(money * share * ROUNDING)
}

fn time_range(time: Time, figure: &str, quantile: Option<f64>, figures: &Figures, rest: &Rest) -> Range {
    let Some(histogram) = figures.tally.times.get(time).filter(|histogram| !histogram.is_empty()) else {
        return Range::from(0.0);
    };
    let most = rest.calls.map(|calls| histogram.len() + calls * samples_a_call(time, rest));
    match (figure, quantile) {
        ("max", _) => Range::from(ms(histogram.lowest_equivalent(histogram.max()))),
        ("min", _) => Range { from: 0.0, ..Range::up_to(ms(histogram.highest_equivalent(histogram.min()))) },
        ("mean", _) => most.map_or(Range::from(0.0), |most| Range::from(least_sum(histogram) / most as f64 * ROUNDING)),
        (_, Some(q)) => {
            most.filter(|most| *most >= samples_for(q)).map_or(Range::from(0.0), |most| quantiles(histogram, q, most))
        }
        _ => Range::ALL,
    }
}

/// Attempts have times of their own.
fn samples_a_call(time: Time, rest: &Rest) -> u64 {
    match time {
        Time::PoolWait | Time::LimitWait | Time::Connect | Time::Dns | Time::Tcp | Time::Tls => rest.attempts_a_call,
        _ => 1,
    }
}

/// Of a quantile when there are `most` values: if all that come are below those there are, or above. With fewer to come
/// it lies between. Values are anywhere in the bucket that counts them.
fn quantiles(histogram: &Histogram<u64>, q: f64, most: u64) -> Range {
    // One call's room for how a rank is rounded.
    let above = (most as f64 * (1.0 - q)).floor() as u64 + 1;
    let below = (most as f64 * q).ceil() as u64 + 1;
    let (mut seen, mut range) = (0, Range::from(0.0));
    for value in histogram.iter_recorded() {
        let highest = value.value_iterated_to();
        // From this bucket on upwards there are more than may lie above the quantile.
        if histogram.len() - seen > above {
            range.from = ms(histogram.lowest_equivalent(highest));
        }
        seen += value.count_at_value();
        if seen >= below && range.to.is_infinite() {
            range.to = ms(highest);
        }
    }
    range
}

/// In milliseconds, of the least values that their buckets hold.
fn least_sum(histogram: &Histogram<u64>) -> f64 {
    let least = |nanos| ms(histogram.lowest_equivalent(nanos));
    histogram.iter_recorded().map(|value| least(value.value_iterated_to()) * value.count_at_value() as f64).sum()
}

fn ms(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

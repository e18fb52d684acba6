//! The metrics by the names that expectations use: what each is measured in, and its value.
//! Must not know files, text or exit codes.

use crate::cost::Bill;
use crate::metrics::{Block, Run, Snapshot, Stretch, Tally, Time, ratio, samples_for};
use crate::route::FailureKind;
use crate::stack::{CacheError, ServedBy};

use super::shape::Unit;

/// What metrics are read from: measured calls, the window they were measured in, and their money.
#[derive(Clone, Copy, Debug)]
pub struct Figures<'a> {
    pub tally: &'a Tally,
    pub seconds: f64,
    pub planned: u64,
    pub dropped: u64,
    /// Sent, but no longer awaited when the run was interrupted.
    pub abandoned: u64,
    pub bill: &'a Bill,
}

impl<'a> Figures<'a> {
    pub fn of_run(run: &'a Run, bill: &'a Bill) -> Self {
        let seconds = run.measured_window.as_secs_f64();
        Self {
            tally: &run.measured,
            seconds,
            planned: run.planned,
            dropped: run.dropped,
            abandoned: run.abandoned,
            bill,
        }
    }

    /// Of what was sent in it all is known, and nothing of what was planned.
    pub fn of_stretch(stretch: &'a Stretch, bill: &'a Bill) -> Self {
        let tally = &stretch.tally;
        Self { tally, seconds: stretch.seconds, planned: tally.sent, dropped: 0, abandoned: 0, bill }
    }

    /// Of the measured window so far.
    pub fn of_snapshot(snapshot: &'a Snapshot) -> Self {
        Self {
            tally: &snapshot.measured,
            seconds: snapshot.measured_s,
            planned: snapshot.planned,
            dropped: snapshot.dropped_measured(),
            abandoned: snapshot.gauges.in_flight,
            bill: &snapshot.bill,
        }
    }

    pub fn of_block(block: &'a Block) -> Self {
        let Block { tally, seconds, planned, dropped, abandoned, bill, .. } = block;
        Self { tally, seconds: *seconds, planned: *planned, dropped: *dropped, abandoned: *abandoned, bill }
    }

    /// Failed calls of a kind of [`ERROR_KINDS`].
    pub fn errors_of(&self, kind: &str) -> u64 {
        let of_kind = self.tally.failures.iter().filter(|(failure, _)| error_kind(**failure) == kind);
        of_kind.map(|(_, count)| count).sum()
    }

    pub fn per_second(&self, count: u64) -> Option<f64> {
        (self.seconds > 0.0).then(|| count as f64 / self.seconds)
    }

    /// Sent / planned.
    pub fn achieved(&self) -> Option<f64> {
        ratio((self.tally.sent + self.abandoned).min(self.planned), self.planned)
    }

    fn money(&self, of: fn(&Bill) -> f64) -> Option<f64> {
        (self.tally.finished() > 0).then(|| of(self.bill))
    }

    /// At `calls_per_day`, which takes successes to tell.
    fn projected(&self, of: fn(&Bill) -> f64) -> Option<f64> {
        (self.tally.succeeded > 0).then(|| of(self.bill))
    }
}

/// The kinds that failed calls are counted by.
pub const ERROR_KINDS: [&str; 8] = ["429", "timeout", "connect", "auth", "5xx", "stream", "pool", "other"];

/// The kind of a failure, one of [`ERROR_KINDS`].
pub fn error_kind(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Status(429) => "429",
        FailureKind::Status(401 | 403) => "auth",
        FailureKind::Status(500..=599) => "5xx",
        FailureKind::Status(_) | FailureKind::Other => "other",
        FailureKind::Timeout => "timeout",
        FailureKind::Connect => "connect",
        FailureKind::Stream => "stream",
        FailureKind::Pool => "pool",
    }
}

/// The figures of a distribution, and of the quantiles among them the share they leave below.
const DISTRIBUTION: [(&str, Option<f64>); 9] = [
    ("mean", None),
    ("min", None),
    ("p50", Some(0.5)),
    ("p75", Some(0.75)),
    ("p90", Some(0.9)),
    ("p95", Some(0.95)),
    ("p99", Some(0.99)),
    ("p999", Some(0.999)),
    ("max", None),
];

/// A metric that is a number of the whole run.
type Single = (&'static str, Unit, fn(&Figures) -> Option<f64>);

const SINGLES: [Single; 17] = [
    ("qps", Unit::PerSecond, |f| f.per_second(f.tally.completed)),
    ("goodput", Unit::PerSecond, |f| f.per_second(f.tally.good)),
    ("achieved", Unit::Ratio, |f| f.achieved()),
    ("errors", Unit::Ratio, |f| f.tally.error_rate()),
    ("hit_rate", Unit::Ratio, |f| f.tally.hit_rate()),
    ("fallback_rate", Unit::Ratio, |f| {
        let (answered, by_fallback) = f.tally.ledger.answered();
        ratio(by_fallback, answered)
    }),
    ("amplification", Unit::Factor, |f| ratio(f.tally.attempts, f.tally.reached_chain)),
    // Without a single connection known, the transport cannot tell (reqwest).
    ("reuse", Unit::Ratio, |f| {
        (f.tally.opened + f.tally.reused > 0).then(|| ratio(f.tally.reused, f.tally.attempts))?
    }),
    ("load.dropped", Unit::Count, |f| Some(f.dropped as f64)),
    ("load.failed", Unit::Count, |f| Some(f.tally.failed as f64)),
    ("cache_errors.redis", Unit::Count, |f| Some(f.tally.cache_errors.iter().sum::<u64>() as f64)),
    ("cost.usd", Unit::Usd, |f| f.money(|bill| bill.usd)),
    ("cost.cny", Unit::Cny, |f| f.money(|bill| bill.cny)),
    ("cost.usd_per_1k", Unit::Usd, |f| f.bill.usd_per_1k),
    ("cost.cny_per_1k", Unit::Cny, |f| f.bill.cny_per_1k),
    ("cost.cny_per_day", Unit::Cny, |f| f.projected(|bill| bill.projection.cny_per_day)),
    ("cost.saved", Unit::Cny, |f| f.money(|bill| bill.saved.total())),
];

/// A metric of the contract's table.
#[derive(Clone, Copy, Debug)]
pub enum Metric {
    Time { time: Time, figure: &'static str, quantile: Option<f64> },
    ErrorsOf(&'static str),
    CacheErrorsOf(CacheError),
    HitRateOf(ServedBy),
    Single(&'static Single),
}

impl Metric {
    /// `None` for a name that is no metric's. A figure alone (`p99`) is `response`'s.
    pub fn by_name(name: &str) -> Option<Self> {
        if let Some(single) = SINGLES.iter().find(|(single, ..)| *single == name) {
            return Some(Self::Single(single));
        }
        let (family, member) = name.rsplit_once('.').unwrap_or((Time::Response.name(), name));
        match family {
            "errors" => ERROR_KINDS.into_iter().find(|kind| *kind == member).map(Self::ErrorsOf),
            "cache_errors.redis" => {
                CacheError::ALL.into_iter().find(|error| error.name() == member).map(Self::CacheErrorsOf)
            }
            "hit_rate" => {
                let tiers = ServedBy::ALL.into_iter().filter(|tier| *tier != ServedBy::Model);
                tiers.into_iter().find(|tier| tier.name() == member).map(Self::HitRateOf)
            }
            _ => {
                let time = Time::by_name(family)?;
                let (figure, quantile) = DISTRIBUTION.into_iter().find(|(figure, _)| *figure == member)?;
                Some(Self::Time { time, figure, quantile })
            }
        }
    }

    pub fn unit(&self) -> Unit {
        match self {
            Self::Time { .. } => Unit::Ms,
            Self::ErrorsOf(_) | Self::HitRateOf(_) => Unit::Ratio,
            Self::CacheErrorsOf(_) => Unit::Count,
            Self::Single((_, unit, _)) => *unit,
        }
    }

    /// In its unit; `None` without samples.
    pub fn value(&self, figures: &Figures) -> Option<f64> {
        let tally = figures.tally;
        match self {
            Self::Time { time, figure, .. } => tally.times.summary(*time)?.figure(figure),
            Self::ErrorsOf(kind) => ratio(figures.errors_of(kind), tally.finished()),
            Self::CacheErrorsOf(error) => Some(tally.cache_errors[*error as usize] as f64),
            Self::HitRateOf(tier) => ratio(tally.served_by[*tier as usize], tally.succeeded),
            Self::Single((.., value)) => value(figures),
        }
    }

    /// The samples a figure of a distribution is made of; `None` for other metrics.
    pub fn samples(&self, figures: &Figures) -> Option<u64> {
        match self {
            Self::Time { time, .. } => Some(figures.tally.times.count(*time)),
            _ => None,
        }
    }

    /// The least samples to say anything of it.
    pub fn samples_needed(&self) -> u64 {
        match self {
            Self::Time { quantile: Some(q), .. } => samples_for(*q),
            _ => 1,
        }
    }
}

/// A metric's value by its name: milliseconds, ratio, money or plain. `None` for an unknown name or without samples.
pub fn metric_value(name: &str, figures: &Figures) -> Option<f64> {
    Metric::by_name(name)?.value(figures)
}

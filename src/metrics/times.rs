//! The kinds of time that are measured, a histogram for each.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// A measured time. What each is, and over what, is the contract's table of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Time {
    /// Intended start -> last byte; successes.
    Response,
    /// Send -> last byte; successes.
    Service,
    ServiceLocal,
    ServiceRedis,
    ServiceShared,
    ServiceGateway,
    ServiceModel,
    /// Service of calls that reached a route: what the generator's own lag is held against.
    Routed,
    Ttft,
    InterToken,
    PoolWait,
    LimitWait,
    Connect,
    Dns,
    Tcp,
    Tls,
    /// Send - intended: the generator's own.
    Lag,
    /// Intended start of a batch -> the last byte of its last call.
    Batch,
}

impl Time {
    pub const ALL: [Self; 18] = [
        Self::Response,
        Self::Service,
        Self::ServiceLocal,
        Self::ServiceRedis,
        Self::ServiceShared,
        Self::ServiceGateway,
        Self::ServiceModel,
        Self::Routed,
        Self::Ttft,
        Self::InterToken,
        Self::PoolWait,
        Self::LimitWait,
        Self::Connect,
        Self::Dns,
        Self::Tcp,
        Self::Tls,
        Self::Lag,
        Self::Batch,
    ];

    /// The metric's name in expectations and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Service => "service",
            Self::ServiceLocal => "service.local",
            Self::ServiceRedis => "service.redis",
            Self::ServiceShared => "service.shared",
            Self::ServiceGateway => "service.gateway",
            Self::ServiceModel => "service.model",
            Self::Routed => "routed",
            Self::Ttft => "ttft",
            Self::InterToken => "inter_token",
            Self::PoolWait => "pool_wait",
            Self::LimitWait => "limit_wait",
            Self::Connect => "connect",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Lag => "lag",
            Self::Batch => "batch",
        }
    }

    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|time| time.name() == name)
    }
}

/// Histograms in nanoseconds, made when the first value comes, so that an unused metric costs nothing.
#[derive(Clone, Debug)]
pub struct Times {
    significant_digits: u8,
    histograms: [Option<Histogram<u64>>; Time::ALL.len()],
}

/// Longer times are recorded as this.
const LONGEST: Duration = Duration::from_secs(3600);

impl Times {
    pub fn new(significant_digits: u8) -> Self {
        Self { significant_digits, histograms: Default::default() }
    }

    pub fn record(&mut self, time: Time, value: Duration) {
        let nanos = value.min(LONGEST).as_nanos() as u64;
        let digits = self.significant_digits;
        self.histograms[time as usize]
            .get_or_insert_with(|| Histogram::new(digits).expect("2 and 3 digits are supported"))
            .record(nanos)
            .expect("the histogram resizes itself");
    }

    pub fn get(&self, time: Time) -> Option<&Histogram<u64>> {
        self.histograms[time as usize].as_ref()
    }

    pub fn count(&self, time: Time) -> u64 {
        self.get(time).map_or(0, Histogram::len)
    }

    pub fn summary(&self, time: Time) -> Option<Summary> {
        self.get(time).filter(|h| !h.is_empty()).map(Summary::of)
    }

    pub fn merge(&mut self, other: &Self) {
        for time in Time::ALL {
            other.get(time).into_iter().for_each(|theirs| self.add(time, theirs));
        }
    }

    pub fn add(&mut self, time: Time, values: &Histogram<u64>) {
        let digits = self.significant_digits;
        self.histograms[time as usize]
            .get_or_insert_with(|| Histogram::new(digits).expect("2 and 3 digits are supported"))
            .add(values)
            .expect("the histogram resizes itself");
    }
}

/// The figures of a distribution that reports show, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Summary {
    pub count: u64,
    pub mean: f64,
    pub min: f64,
    pub p50: f64,
    pub p75: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

impl Summary {
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let ms = |nanos: u64| nanos as f64 / 1e6;
        let at = |q| ms(histogram.value_at_quantile(q));
        Self {
            count: histogram.len(),
            mean: histogram.mean() / 1e6,
            min: ms(histogram.min()),
            p50: at(0.5),
            p75: at(0.75),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            max: ms(histogram.max()),
        }
    }

    /// A figure by the name it has in expectations.
    pub fn figure(&self, name: &str) -> Option<f64> {
        Some(match name {
            "mean" => self.mean,
            "min" => self.min,
            "p50" => self.p50,
            "p75" => self.p75,
            "p90" => self.p90,
            "p95" => self.p95,
            "p99" => self.p99,
            "p999" => self.p999,
            "max" => self.max,
            _ => return None,
        })
    }
}

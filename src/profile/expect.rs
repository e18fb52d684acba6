//! Expectations: `METRIC OP VALUE`, such as `response.p99 < 800ms`, and the names of all metrics.
//! Must not know how a metric is measured.

use std::fmt;
use std::time::Duration;

use super::nearest::nearest;
use super::units::{Money, duration};

/// A condition on a metric at the end of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// In full: `p99` was `response.p99`.
    pub metric: String,
    pub op: Op,
    /// In the unit's canonical form: milliseconds, a ratio from 0 to 1, an amount, or a plain number.
    pub value: f64,
    pub unit: Unit,
    /// As written.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
}

/// What a metric's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Time,
    /// 0 to 1, written as `1%` or `0.01`.
    Ratio,
    /// A count, a rate a second, or a factor.
    Number,
    Cny,
    Usd,
}

/// Of a latency, as metrics name them.
pub const STATS: [&str; 9] = ["mean", "min", "p50", "p75", "p90", "p95", "p99", "p999", "max"];
const TIERS: [&str; 5] = ["local", "redis", "shared", "gateway", "model"];
const LATENCIES: [&str; 12] = [
    "response",
    "service",
    "ttft",
    "inter_token",
    "pool_wait",
    "limit_wait",
    "connect",
    "dns",
    "tcp",
    "tls",
    "lag",
    "batch",
];
const OTHERS: [(&str, Unit); 33] = [
    ("qps", Unit::Number),
    ("achieved", Unit::Ratio),
    ("errors", Unit::Ratio),
    ("errors.429", Unit::Ratio),
    ("errors.timeout", Unit::Ratio),
    ("errors.connect", Unit::Ratio),
    ("errors.auth", Unit::Ratio),
    ("errors.5xx", Unit::Ratio),
    ("errors.stream", Unit::Ratio),
    ("errors.pool", Unit::Ratio),
    ("errors.other", Unit::Ratio),
    ("cache_errors.redis", Unit::Number),
    ("cache_errors.redis.timeout", Unit::Number),
    ("cache_errors.redis.refused", Unit::Number),
    ("cache_errors.redis.corrupt", Unit::Number),
    ("cache_errors.redis.other", Unit::Number),
    ("hit_rate", Unit::Ratio),
    ("hit_rate.local", Unit::Ratio),
    ("hit_rate.redis", Unit::Ratio),
    ("hit_rate.shared", Unit::Ratio),
    ("hit_rate.gateway", Unit::Ratio),
    ("goodput", Unit::Number),
    ("amplification", Unit::Number),
    ("fallback_rate", Unit::Ratio),
    ("reuse", Unit::Ratio),
    ("load.dropped", Unit::Number),
    ("load.failed", Unit::Number),
    ("cost.usd", Unit::Usd),
    ("cost.usd_per_1k", Unit::Usd),
    ("cost.cny", Unit::Cny),
    ("cost.cny_per_1k", Unit::Cny),
    ("cost.cny_per_day", Unit::Cny),
    ("cost.saved", Unit::Cny),
];

/// Every metric's name.
pub fn metrics() -> Vec<String> {
    let stats = |of: String| STATS.iter().map(move |stat| format!("{of}.{stat}"));
    let latencies = LATENCIES.iter().flat_map(|name| stats((*name).to_owned()));
    let tiers = TIERS.iter().flat_map(|tier| stats(format!("service.{tier}")));
    latencies.chain(tiers).chain(OTHERS.iter().map(|(name, _)| (*name).to_owned())).collect()
}

/// The unit of a metric by its full name.
pub fn unit_of(metric: &str) -> Option<Unit> {
    if let Some((_, unit)) = OTHERS.iter().find(|(name, _)| *name == metric) {
        return Some(*unit);
    }
    let (of, stat) = metric.rsplit_once('.')?;
    let tier = of.strip_prefix("service.").is_some_and(|tier| TIERS.contains(&tier));
    (STATS.contains(&stat) && (tier || LATENCIES.contains(&of))).then_some(Unit::Time)
}

impl Expectation {
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = || format!("\"{text}\" is no expectation; write METRIC OP VALUE, such as \"response.p99 < 800ms\"");
        let start = text.find(['<', '>', '=', '!']).ok_or_else(form)?;
        let (name, rest) = text.split_at(start);
        let (op, value) = Op::OPS
            .iter()
            .find_map(|op| Some((*op, rest.strip_prefix(op.sign())?)))
            .ok_or_else(|| format!("\"{text}\": write one of < <= > >= == between the metric and its value"))?;
        let metric = full_name(name.trim()).map_err(|why| format!("\"{text}\"{why}"))?;
        let unit = unit_of(&metric).ok_or_else(form)?;
        let value = unit.parse(value.trim()).map_err(|why| format!("\"{text}\": {metric} {why}"))?;
        Ok(Self { metric, op, value, unit, text: text.trim().to_owned() })
    }

    pub fn holds(&self, actual: f64) -> bool {
        let value = self.value;
        match self.op {
            Op::Less => actual < value,
            Op::AtMost => actual <= value,
            Op::Greater => actual > value,
            Op::AtLeast => actual >= value,
            Op::Equal => (actual - value).abs() <= self.unit.resolution() * value.abs().max(actual.abs()),
        }
    }

    /// Whether a value of `from..=to` holds.
    pub fn can_hold(&self, from: f64, to: f64) -> bool {
        self.holds(self.best_of(from, to))
    }

    /// Of `from..=to` the value that comes nearest to holding.
    pub fn best_of(&self, from: f64, to: f64) -> f64 {
        match self.op {
            Op::Less | Op::AtMost => from,
            Op::Greater | Op::AtLeast => to,
            Op::Equal => self.value.clamp(from, to),
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A metric's full name: `p99` is `response.p99`.
pub fn named(name: &str) -> Result<String, String> {
    full_name(name).map_err(|why| format!("\"{name}\"{why}"))
}

/// A metric by its name, or by a statistic alone: `p99` is `response.p99`. What is wrong with it goes on after what was
/// written.
pub fn full_name(name: &str) -> Result<String, String> {
    let full = if STATS.contains(&name) { format!("response.{name}") } else { name.to_owned() };
    if unit_of(&full).is_some() {
        return Ok(full);
    }
    if name.is_empty() {
        return Err(" names no metric; begin with one such as response.p99".into());
    }
    let is_latency = LATENCIES.contains(&name) || name.strip_prefix("service.").is_some_and(|t| TIERS.contains(&t));
    let hint = match name.rsplit_once('.') {
        _ if is_latency => format!("{name} needs its statistic, such as {name}.p99"),
        Some((of, _)) if unit_of(&format!("{of}.p99")).is_some() => {
            format!("{of} has {}", STATS.join(", "))
        }
        _ => {
            let all = metrics();
            match nearest(name, all.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => "there are response.p99, errors, hit_rate, qps, cost.cny_per_1k and more".into(),
            }
        }
    };
    Err(format!(": there is no metric {name}; {hint}"))
}

impl Op {
    /// The longer signs first, so that `<=` is not read as `<`.
    const OPS: [Self; 5] = [Self::AtMost, Self::AtLeast, Self::Equal, Self::Less, Self::Greater];

    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
        }
    }
}

impl Unit {
    /// In the unit's canonical form; the error says what it takes.
    pub fn parse(self, text: &str) -> Result<f64, String> {
        let number = |text: &str| text.replace('_', "").parse::<f64>().ok().filter(|value| value.is_finite());
        let wrong = || format!("takes {}, not \"{text}\"", self.expected());
        match self {
            Self::Time => duration::parse(text)
                .map(|time| time.as_secs_f64() * 1e3)
                .ok()
                .filter(|_| text != "0")
                .ok_or_else(wrong),
            Self::Ratio => match (text.strip_suffix('%').and_then(|t| number(t.trim_end())), number(text)) {
                (Some(percent), _) => Ok(percent / 100.0),
                (_, Some(ratio)) if (-1.0..=1.0).contains(&ratio) => Ok(ratio),
                (_, Some(percent)) => Err(format!("is a share; write \"{percent}%\" or {}", percent / 100.0)),
                _ => Err(wrong()),
            },
            Self::Number => number(text).ok_or_else(wrong),
            Self::Cny | Self::Usd => match (self, Money::parse(text), number(text)) {
                (Self::Cny, Ok(Money::Cny(amount)), _) | (Self::Usd, Ok(Money::Usd(amount)), _) => Ok(amount),
                (_, Err(_), Some(amount)) => Ok(amount),
                _ => Err(wrong()),
            },
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Time => "a time such as 800ms or 1.5s",
            Self::Ratio => "a share such as 1% or 0.01",
            Self::Number => "a number without a unit",
            Self::Cny => "RMB such as ¥5",
            Self::Usd => "dollars such as $0.7",
        }
    }

    /// How near is equal: histograms of times keep three digits, the rest is arithmetic.
    fn resolution(self) -> f64 {
        match self {
            Self::Time => 1e-3,
            _ => 1e-9,
        }
    }

    /// A value for people, in the unit's own words.
    pub fn format(self, value: f64) -> String {
        match self {
            Self::Time if value < 1.0 => format!("{value:.3}ms"),
            Self::Time if value < 100.0 => format!("{value:.1}ms"),
            Self::Time if value < 10_000.0 => format!("{value:.0}ms"),
            Self::Time => format!("{:.1}s", value / 1e3),
            Self::Ratio => format!("{:.2}%", value * 100.0),
            Self::Number if value.fract() == 0.0 => format!("{value:.0}"),
            Self::Number => format!("{value:.2}"),
            Self::Cny => format!("¥{value:.4}"),
            Self::Usd => format!("${value:.4}"),
        }
    }
}

/// What one call must keep to count for goodput, `None`: anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LatencyBounds {
    pub response: Option<Duration>,
    pub service: Option<Duration>,
    pub ttft: Option<Duration>,
    pub inter_token: Option<Duration>,
}

/// The bounds for one call: of each latency, the one its furthest percentile must stay under (a p50 says nothing about
/// one call when there is a p99).
pub fn latency_bounds(expectations: &[Expectation]) -> LatencyBounds {
    let rank = |stat: &str| ["p50", "p75", "p90", "p95", "p99", "p999", "max"].iter().position(|name| *name == stat);
    let bound = |latency: &str| {
        let of = expectations.iter().filter_map(|expectation| {
            let (name, stat) = expectation.metric.rsplit_once('.')?;
            let upper = matches!(expectation.op, Op::Less | Op::AtMost);
            (name == latency && upper).then_some((rank(stat)?, expectation.value))
        });
        let furthest = of.max_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)))?;
        Duration::try_from_secs_f64(furthest.1 / 1e3).ok()
    };
    LatencyBounds {
        response: bound("response"),
        service: bound("service"),
        ttft: bound("ttft"),
        inter_token: bound("inter_token"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, Op, f64) {
        let e = Expectation::parse(text).unwrap();
        (e.metric, e.op, (e.value * 1e9).round() / 1e9)
    }

    fn refused(text: &str) -> String {
        Expectation::parse(text).unwrap_err()
    }

    #[test]
    fn values_come_out_in_the_metrics_canonical_unit() {
        assert_eq!(parsed("p99 < 800ms"), ("response.p99".into(), Op::Less, 800.0));
        assert_eq!(parsed("service.local.p50<=1.5s"), ("service.local.p50".into(), Op::AtMost, 1500.0));
        assert_eq!(parsed("hit_rate > 40%"), ("hit_rate".into(), Op::Greater, 0.4));
        assert_eq!(parsed("errors.429 >= 0.01"), ("errors.429".into(), Op::AtLeast, 0.01));
        assert_eq!(parsed("cost.cny_per_1k < 5"), ("cost.cny_per_1k".into(), Op::Less, 5.0));
        assert_eq!(parsed("cost.usd < $0.5"), ("cost.usd".into(), Op::Less, 0.5));
        assert_eq!(parsed("qps == 1_000"), ("qps".into(), Op::Equal, 1000.0));
    }

    #[test]
    fn a_wrong_metric_is_answered_with_the_one_meant() {
        assert!(refused("hitrate > 40%").contains("did you mean hit_rate?"));
        assert!(refused("response.p9 < 1s").contains("response has mean, min, p50"));
        assert!(refused("response < 1s").contains("response.p99"));
        assert!(refused("ttft.p99").contains("METRIC OP VALUE"));
        assert!(refused("p99 != 4ms").contains("< <= > >= =="));
    }

    #[test]
    fn a_wrong_unit_is_answered_with_the_right_one() {
        assert!(refused("p99 < 800").contains("takes a time such as 800ms"));
        assert!(refused("hit_rate > 40").contains("write \"40%\" or 0.4"));
        assert!(refused("cost.cny < $5").contains("takes RMB such as ¥5"));
        assert!(refused("qps > 5ms").contains("takes a number without a unit"));
    }

    #[test]
    fn every_metric_has_a_unit() {
        for metric in metrics() {
            assert!(unit_of(&metric).is_some(), "{metric}");
        }
    }

    #[test]
    fn conditions_hold_at_and_beside_their_value() {
        let holds = |text: &str, actual| Expectation::parse(text).unwrap().holds(actual);
        assert!(holds("p99 <= 10ms", 10.0) && !holds("p99 < 10ms", 10.0));
        assert!(holds("p99 == 10ms", 10.005) && !holds("p99 == 10ms", 10.1));
        assert!(holds("errors == 0%", 0.0) && !holds("errors == 0%", 1e-6));
        assert!(holds("reuse == 30%", 0.1 + 0.2) && !holds("p99 < 1ms", f64::NAN));
    }

    #[test]
    fn a_range_can_hold_if_one_of_its_values_does() {
        let can = |text: &str, from, to| Expectation::parse(text).unwrap().can_hold(from, to);
        assert!(can("errors < 1%", 0.0099, 1.0) && !can("errors < 1%", 0.01, 1.0) && can("errors <= 1%", 0.01, 1.0));
        assert!(can("qps > 10", 0.0, 10.1) && !can("qps > 10", 0.0, 10.0) && can("qps >= 10", 0.0, 10.0));
        assert!(can("load.failed == 3", 2.0, f64::INFINITY) && !can("load.failed == 3", 4.0, f64::INFINITY));
        assert!(can("max == 10ms", 10.005, f64::INFINITY) && !can("max == 10ms", 0.0, 9.9));
    }

    #[test]
    fn goodput_takes_the_furthest_percentile_of_each_latency() {
        let list: Vec<_> = ["p50 < 100ms", "p99 < 800ms", "p99 < 900ms", "ttft.p95 <= 300ms", "service.p99 > 1ms"]
            .iter()
            .map(|text| Expectation::parse(text).unwrap())
            .collect();
        let bounds = latency_bounds(&list);
        assert_eq!(bounds.response, Some(Duration::from_millis(800)));
        assert_eq!(bounds.ttft, Some(Duration::from_millis(300)));
        assert_eq!((bounds.service, bounds.inter_token), (None, None));
    }
}

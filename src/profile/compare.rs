//! `[compare]`: the arms of `gatebench compare`, how they take turns, and what is asked of their difference.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::expect::{self, Unit};
use super::load::Load;
use super::units::duration;

/// Arms of `gatebench compare`: the same load under different settings, in blocks that take turns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Compare {
    /// Two or more; the first one is what the others are held against.
    pub arms: Vec<Arm>,
    /// Of each arm, at most: an even number. Fewer than 12 give no 95% interval.
    pub blocks: u32,
    /// Length of one. Without it: `load.duration` / `blocks`, at least 1 s.
    #[serde(with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<super::schema::DurationText>")]
    pub block: Option<Duration>,
    /// Nothing is sent for so long after a block's last answer.
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub cool_down: Duration,
    /// One pool and one cache for all arms, instead of one each.
    pub shared: bool,
    /// What makes no difference: `"5%"`, or by metric `{ default = "5%", "response.p99" = "10%", hit_rate = "1%" }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Tolerance>,
    /// Ends early when the interval of each metric asked for is no wider: `"5%"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Percent>,
    /// Metrics asked for. Empty: p50, p95 and p99 of response, the median of TTFT, throughput, hit rate, errors, cost.
    pub metrics: Vec<String>,
    /// The whole comparison at each value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<ComparedAt>,
}

impl Default for Compare {
    fn default() -> Self {
        Self {
            arms: Vec::new(),
            blocks: 12,
            block: None,
            cool_down: Duration::from_millis(200),
            shared: false,
            tolerance: None,
            until: None,
            metrics: Vec::new(),
            sweep: None,
        }
    }
}

/// One side of a comparison: a name and the keys it sets, as `--set` would.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    pub name: String,
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub set: BTreeMap<String, toml::Value>,
}

/// Each value is set at each key, and the arms are compared under it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComparedAt {
    /// `["load.users"]`; of several, all get the same value.
    pub keys: Vec<String>,
    #[schemars(with = "Vec<serde_json::Value>")]
    pub values: Vec<toml::Value>,
}

/// What makes no difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Tolerance {
    /// `"5%"`: of whatever is compared by its ratio.
    Default(String),
    /// `default` and metrics by name: a share of what is compared by its ratio, else in the metric's unit.
    ByMetric(BTreeMap<String, String>),
}

/// A share above 0, written `"5%"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(pub f64);

impl Compare {
    /// With fewer blocks of an arm no interval holds the truth in 95%.
    pub const LEAST_FOR_AN_INTERVAL: u32 = 12;
    pub const MOST_BLOCKS: u32 = 10_000;
    pub const DEFAULT_TOLERANCE: f64 = 0.05;
    const SHORTEST_DEFAULT: Duration = Duration::from_secs(1);

    pub fn block_length(&self, load: &Load) -> Duration {
        let share = || load.measured().unwrap_or_default() / self.blocks.max(1);
        self.block.unwrap_or_else(|| share().max(Self::SHORTEST_DEFAULT))
    }

    /// Someone asked for a word on every metric, so that having none is a result of its own.
    pub fn demands_a_verdict(&self) -> bool {
        self.tolerance.is_some() || self.until.is_some()
    }

    /// What makes no difference in whatever is compared by its ratio.
    pub fn tolerance(&self) -> f64 {
        self.tolerance.as_ref().and_then(Tolerance::default_share).unwrap_or(Self::DEFAULT_TOLERANCE)
    }

    /// The tolerance that this metric has of its own: a share where it is compared `by_ratio`, else in its unit.
    pub fn tolerance_of(&self, metric: &str) -> Option<f64> {
        let Some(Tolerance::ByMetric(all)) = &self.tolerance else { return None };
        let found = all.iter().find(|(name, _)| expect::named(name).as_deref() == Ok(metric));
        found.and_then(|(_, text)| own_tolerance(metric, text).ok())
    }

    /// The metrics asked for by their full names.
    pub fn asked(&self) -> Vec<String> {
        self.metrics.iter().filter_map(|name| expect::named(name).ok()).collect()
    }
}

impl Tolerance {
    pub const DEFAULT: &str = "default";

    /// With a further one: `5%` for all, or `METRIC=10%`.
    pub fn with(tolerance: Option<Self>, text: &str) -> Result<Self, String> {
        let mut all = match tolerance {
            None => BTreeMap::new(),
            Some(Self::Default(share)) => [(Self::DEFAULT.to_owned(), share)].into(),
            Some(Self::ByMetric(all)) => all,
        };
        let (name, value) = match text.split_once('=') {
            None => (Self::DEFAULT.to_owned(), text.trim()),
            Some((name, value)) => (expect::named(name.trim())?, value.trim()),
        };
        all.insert(name, value.to_owned());
        let with = Self::ByMetric(all);
        let wrong = with.check().next().map(|(_, why)| why);
        wrong.map_or(Ok(with), Err)
    }

    /// What is wrong with it, by key; `default` stands for the whole where it is no table.
    pub fn check(&self) -> impl Iterator<Item = (&str, String)> {
        let parts: Vec<(&str, &str)> = match self {
            Self::Default(share) => vec![(Self::DEFAULT, share)],
            Self::ByMetric(all) => all.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect(),
        };
        parts.into_iter().filter_map(|(name, text)| {
            let read = if name == Self::DEFAULT {
                share(text)
            } else {
                expect::named(name).and_then(|metric| own_tolerance(&metric, text))
            };
            read.err().map(|why| (name, why))
        })
    }

    fn default_share(&self) -> Option<f64> {
        let text = match self {
            Self::Default(text) => text,
            Self::ByMetric(all) => all.get(Self::DEFAULT)?,
        };
        share(text).ok()
    }
}

/// A share of a ratio, or an amount in the metric's unit: points of a share, `2ms` of a wait, a count.
fn own_tolerance(metric: &str, text: &str) -> Result<f64, String> {
    use crate::compare::Scale;
    let unit = expect::unit_of(metric).ok_or_else(|| format!("there is no metric {metric}"))?;
    let unit = if Scale::of(metric) == Some(Scale::Ratio) { Unit::Ratio } else { unit };
    let amount = unit.parse(text).map_err(|why| format!("the tolerance of {metric} {why}"))?;
    if amount >= 0.0 {
        Ok(amount)
    } else {
        Err(format!("the tolerance of {metric} is \"{text}\"; it cannot be negative"))
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = Unit::Ratio.parse(text).map_err(|why| format!("a tolerance {why}"))?;
    if share >= 0.0 { Ok(share) } else { Err(format!("a tolerance of \"{text}\" cannot be negative")) }
}

impl Percent {
    pub fn parse(text: &str) -> Result<Self, String> {
        let share = Unit::Ratio.parse(text.trim()).ok().filter(|share| *share > 0.0);
        share.map(Self).ok_or_else(|| format!("\"{text}\" is no share above 0; write one such as \"5%\""))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of 0.05 * 100 the rest of a binary fraction is not shown.
        write!(f, "{}%", (self.0 * 1e8).round() / 1e6)
    }
}

impl Serialize for Percent {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_metric(parts: &[(&str, &str)]) -> Compare {
        let all = parts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Compare { tolerance: Some(Tolerance::ByMetric(all)), ..Compare::default() }
    }

    #[test]
    fn a_tolerance_is_a_share_of_a_ratio_and_an_amount_of_what_may_be_zero() {
        let compare = by_metric(&[("p99", "10%"), ("hit_rate", "1%"), ("pool_wait.p50", "2ms"), ("default", "3%")]);
        assert_eq!(compare.tolerance(), 0.03);
        assert_eq!(compare.tolerance_of("response.p99"), Some(0.10));
        assert_eq!(compare.tolerance_of("hit_rate"), Some(0.01));
        assert_eq!(compare.tolerance_of("pool_wait.p50"), Some(2.0));
        assert_eq!(compare.tolerance_of("qps"), None);
        assert_eq!(Compare::default().tolerance(), Compare::DEFAULT_TOLERANCE);
    }

    #[test]
    fn what_no_tolerance_can_be_is_refused_with_the_way_out() {
        for (name, text, why) in [
            ("default", "much", "takes a share such as 1% or 0.01"),
            ("response.p98", "1%", "response has mean"),
            ("pool_wait.p50", "5%", "takes a time such as"),
            ("qps", "-1%", "cannot be negative"),
        ] {
            let compare = by_metric(&[(name, text)]);
            let problems: Vec<_> = compare.tolerance.as_ref().unwrap().check().collect();
            assert!(problems.len() == 1 && problems[0].1.contains(why), "{problems:?}");
        }
    }

    #[test]
    fn flags_add_tolerances_to_those_of_the_profile() {
        let of = |texts: &[&str]| texts.iter().try_fold(None, |all, text| Tolerance::with(all, text).map(Some));
        let all = Compare { tolerance: of(&["5%", "p99=10%"]).unwrap(), ..Compare::default() };
        assert_eq!((all.tolerance(), all.tolerance_of("response.p99")), (0.05, Some(0.10)));
        assert!(of(&["p9=10%"]).unwrap_err().contains("there is no metric p9"));
    }

    #[test]
    fn a_block_lasts_its_share_of_the_duration_but_a_second_at_least() {
        let load = |seconds| Load { duration: Some(Duration::from_secs(seconds)), ..Load::default() };
        let length = |seconds| Compare::default().block_length(&load(seconds));
        assert_eq!((length(24), length(3)), (Duration::from_secs(2), Duration::from_secs(1)));
        let own = Compare { block: Some(Duration::from_millis(300)), ..Compare::default() };
        assert_eq!(own.block_length(&load(24)), Duration::from_millis(300));
    }

    #[test]
    fn a_percent_is_written_as_it_was_read() {
        for text in ["5%", "0.1%", "12.5%"] {
            assert_eq!(Percent::parse(text).unwrap().to_string(), text);
        }
        assert!(Percent::parse("0%").is_err() && Percent::parse("5").is_err());
    }
}

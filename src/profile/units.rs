//! Values with units as a profile writes them: `"30s"`, `"¥50"`, `{ median = 220, p95 = 900 }`.

use std::fmt;

use rand::Rng;
use serde::{Deserialize, Serialize};

/// Durations as text (`"1m 30s"`, `"50ms"`).
pub mod duration {
    use std::fmt;
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const DAY: u64 = 24 * 3600;
    const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

    pub fn parse(text: &str) -> Result<Duration, String> {
        let time = humantime::parse_duration(text.trim()).map_err(|_| {
            format!("\"{text}\" is no duration; write a number with its unit, such as \"500ms\" or \"30s\"")
        })?;
        // Clocks overflow when far more is added to now.
        if time > LONGEST { Err(format!("\"{text}\" exceeds 10 years; lower it")) } else { Ok(time) }
    }

    /// As people type it: `60s` rather than `1m`, `1500ms` rather than `1s 500ms`, since values beside one another want
    /// one unit.
    #[derive(Clone, Copy, Debug)]
    pub struct Typed(pub Duration);

    impl fmt::Display for Typed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let whole_ms = self.0.subsec_nanos().is_multiple_of(1_000_000);
            match (self.0.as_secs(), self.0.subsec_nanos()) {
                (seconds @ 0..=300, 0) => write!(f, "{seconds}s"),
                (seconds, 0) if seconds.is_multiple_of(DAY) => write!(f, "{}d", seconds / DAY),
                (0..10, _) if whole_ms => write!(f, "{}ms", self.0.as_millis()),
                _ => write!(f, "{}", humantime::format_duration(self.0)),
            }
        }
    }

    pub fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&Typed(*value))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }

    pub mod option {
        use super::*;

        pub fn serialize<S: Serializer>(value: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, to),
                None => to.serialize_none(),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
            super::deserialize(from).map(Some)
        }
    }
}

/// A fixed value, or a lognormal distribution given by its median and 95th percentile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread<T> {
    Fixed(T),
    LogNormal { median: T, p95: T },
}

/// The 95th percentile of the standard normal distribution.
const Z95: f64 = 1.644_853_626_951_472_2;

impl<T: Copy> Spread<T> {
    /// One draw. Lognormal: `median * exp(sigma z)` with `sigma = ln(p95 / median) / z95`.
    pub fn sample(&self, rng: &mut impl Rng, as_number: impl Fn(T) -> f64) -> f64 {
        match *self {
            Self::Fixed(value) => as_number(value),
            Self::LogNormal { median, p95 } => {
                let (median, p95) = (as_number(median), as_number(p95));
                let z: f64 = rand_distr::Distribution::sample(&rand_distr::StandardNormal, rng);
                median * ((p95 / median).ln() / Z95 * z).exp()
            }
        }
    }
}

/// An amount in one of the two currencies: `"¥50"` or `"$5"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Money {
    Cny(f64),
    Usd(f64),
}

impl Money {
    pub fn amount(self) -> f64 {
        match self {
            Self::Cny(amount) | Self::Usd(amount) => amount,
        }
    }

    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no amount of money; write \"¥50\" or \"$5\"");
        let (currency, number): (fn(f64) -> Self, _) = match text.trim() {
            t if t.starts_with(['¥', '￥']) => (Self::Cny, t.trim_start_matches(['¥', '￥'])),
            t if t.starts_with('$') => (Self::Usd, &t[1..]),
            _ => return Err(wrong()),
        };
        let amount: f64 = number.trim().replace('_', "").parse().map_err(|_| wrong())?;
        Ok(currency(amount))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cny(amount) => write!(f, "¥{amount}"),
            Self::Usd(amount) => write!(f, "${amount}"),
        }
    }
}

impl Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

//! A setting's value: read from what is typed, shown as it would be typed.

use std::fmt;
use std::time::Duration;

use crate::profile::units::duration;
use crate::profile::{Client, Http, Jitter, WhenFull};

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Count(u64),
    Number(f64),
    Time(Duration),
    On(bool),
    Choice(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Time(time) => duration::Typed(*time).fmt(f),
            Self::On(on) => f.write_str(if *on { "on" } else { "off" }),
            Self::Choice(choice) => f.write_str(choice),
        }
    }
}

impl Value {
    /// A value of the same kind from text.
    pub fn read(&self, text: &str) -> Option<Self> {
        match self {
            Self::Count(_) => text.replace('_', "").parse().ok().map(Self::Count),
            Self::Number(_) => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Number),
            Self::Time(_) => duration::parse(text).ok().map(Self::Time),
            Self::On(_) => match text {
                "on" | "true" | "yes" => Some(Self::On(true)),
                "off" | "false" | "no" => Some(Self::On(false)),
                _ => None,
            },
            Self::Choice(_) => Some(Self::Choice(text.to_owned())),
        }
    }

    /// As a stepper counts it: times in milliseconds.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Count(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            Self::Time(time) => Some(time.as_secs_f64() * 1e3),
            Self::On(_) | Self::Choice(_) => None,
        }
    }

    /// A value of the same kind from a stepper's number.
    pub fn with_number(&self, number: f64) -> Self {
        match self {
            Self::Count(_) => Self::Count(number.round().max(0.0) as u64),
            Self::Number(_) => Self::Number(number),
            // Through whole microseconds, which no step is finer than.
            Self::Time(_) => Self::Time(Duration::from_micros((number * 1e3).round().max(0.0) as u64)),
            other => other.clone(),
        }
    }
}

/// What a profile holds and a [`Value`] shows.
pub trait Held: Sized {
    fn value(&self) -> Value;
    fn held(value: &Value) -> Option<Self>;
}

macro_rules! held {
    ($type:ty, $form:ident) => {
        impl Held for $type {
            fn value(&self) -> Value {
                Value::$form((*self).into())
            }
            fn held(value: &Value) -> Option<Self> {
                match value {
                    Value::$form(held) => (*held).try_into().ok(),
                    _ => None,
                }
            }
        }
    };
    ($type:ident { $($variant:ident = $name:literal),+ }) => {
        impl $type {
            pub(super) const CHOICES: &[&str] = &[$($name),+];
        }
        impl Held for $type {
            fn value(&self) -> Value {
                Value::Choice(match self { $(Self::$variant => $name),+ }.to_owned())
            }
            fn held(value: &Value) -> Option<Self> {
                match value {
                    Value::Choice(name) => match name.as_str() { $($name => Some(Self::$variant),)+ _ => None },
                    _ => None,
                }
            }
        }
    };
}

held!(u32, Count);
held!(u64, Count);
held!(f64, Number);
held!(Duration, Time);
held!(bool, On);
held!(WhenFull { Wait = "wait", Open = "open", Fail = "fail" });
held!(Client { Exact = "exact", Reqwest = "reqwest" });
held!(Http { V1 = "1.1", V2 = "2", Auto = "auto" });
held!(Jitter { Full = "full", Equal = "equal", Quarter = "quarter", None = "none" });

impl Held for String {
    fn value(&self) -> Value {
        Value::Choice(self.clone())
    }
    fn held(value: &Value) -> Option<Self> {
        match value {
            Value::Choice(name) => Some(name.clone()),
            _ => None,
        }
    }
}

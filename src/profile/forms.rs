//! Values that a profile may write in more than one form: a number or a distribution, a bool or a table.

use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::routes::TlsVersion;
use super::schema::DurationText;
use super::stack::Trigger;
use super::units::{Spread, duration};
use super::workload::CachePolicy;

/// A scalar a profile writes as a number or, with its unit, as text.
pub trait Quantity: Copy {
    const EXPECTED: &str;
    /// Of its definition in the schema.
    const NAME: &str;
    fn schema(generator: &mut SchemaGenerator) -> Schema;
    fn from_number(number: f64) -> Option<Self>;
    fn from_text(text: &str) -> Result<Self, String>;
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;
}

impl Quantity for u32 {
    const EXPECTED: &str = "a whole number";
    const NAME: &str = "Whole";
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "format": "uint32", "minimum": 0 })
    }
    fn from_number(number: f64) -> Option<Self> {
        (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
    }
    fn from_text(text: &str) -> Result<Self, String> {
        Err(format!("\"{text}\" is text; write a whole number without quotes"))
    }
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(*self)
    }
}

impl Quantity for f64 {
    const EXPECTED: &str = "a number";
    const NAME: &str = "Number";
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "format": "double" })
    }
    fn from_number(number: f64) -> Option<Self> {
        Some(number)
    }
    fn from_text(text: &str) -> Result<Self, String> {
        Err(format!("\"{text}\" is text; write a number without quotes"))
    }
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(*self)
    }
}

impl Quantity for Duration {
    const EXPECTED: &str = "a duration such as \"350ms\"";
    const NAME: &str = "Duration";
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<DurationText>()
    }
    fn from_number(_: f64) -> Option<Self> {
        None
    }
    fn from_text(text: &str) -> Result<Self, String> {
        duration::parse(text)
    }
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        duration::serialize(self, to)
    }
}

/// A [`Quantity`] on its own, as a distribution's parameter.
struct Scalar<T>(T);

impl<T: Quantity> Serialize for Scalar<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.write(to)
    }
}

struct SpreadVisitor<T>(std::marker::PhantomData<T>, bool);

impl<'de, T: Quantity> Visitor<'de> for SpreadVisitor<T> {
    type Value = Spread<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)?;
        if self.1 { f.write_str(" or { median = …, p95 = … }") } else { Ok(()) }
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        T::from_number(number).map(Spread::Fixed).ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        T::from_number(number as f64)
            .map(Spread::Fixed)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        self.visit_f64(number as f64)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        T::from_text(text).map(Spread::Fixed).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        if !self.1 {
            return Err(de::Error::invalid_type(de::Unexpected::Map, &self));
        }
        let (mut median, mut p95) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            let place = match key.as_str() {
                "median" => &mut median,
                "p95" => &mut p95,
                _ => return Err(de::Error::unknown_field(&key, &["median", "p95"])),
            };
            *place = Some(map.next_value::<Scalar<T>>()?.0);
        }
        Ok(Spread::LogNormal {
            median: median.ok_or_else(|| de::Error::missing_field("median"))?,
            p95: p95.ok_or_else(|| de::Error::missing_field("p95"))?,
        })
    }
}

impl<'de, T: Quantity> Deserialize<'de> for Scalar<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match from.deserialize_any(SpreadVisitor::<T>(std::marker::PhantomData, false))? {
            Spread::Fixed(value) => Ok(Self(value)),
            Spread::LogNormal { .. } => unreachable!("the visitor takes no table here"),
        }
    }
}

impl<'de, T: Quantity> Deserialize<'de> for Spread<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SpreadVisitor::<T>(std::marker::PhantomData, true))
    }
}

impl<T: Quantity> Serialize for Spread<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(value) => value.write(to),
            Self::LogNormal { median, p95 } => {
                let mut map = to.serialize_map(Some(2))?;
                map.serialize_entry("median", &Scalar(*median))?;
                map.serialize_entry("p95", &Scalar(*p95))?;
                map.end()
            }
        }
    }
}

impl Serialize for Trigger {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Status(code) => to.serialize_u16(*code),
            Self::Connect => to.serialize_str("connect"),
            Self::Timeout => to.serialize_str("timeout"),
            Self::Stream => to.serialize_str("stream"),
        }
    }
}

impl<'de> Deserialize<'de> for Trigger {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = Trigger;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status code from 400 to 599, \"connect\", \"timeout\" or \"stream\"")
            }
            fn visit_i64<E: de::Error>(self, code: i64) -> Result<Trigger, E> {
                match code {
                    400..=599 => Ok(Trigger::Status(code as u16)),
                    _ => Err(E::invalid_value(de::Unexpected::Signed(code), &self)),
                }
            }
            fn visit_u64<E: de::Error>(self, code: u64) -> Result<Trigger, E> {
                self.visit_i64(code as i64)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Trigger, E> {
                match text {
                    "connect" => Ok(Trigger::Connect),
                    "timeout" => Ok(Trigger::Timeout),
                    "stream" => Ok(Trigger::Stream),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        from.deserialize_any(Form)
    }
}

impl Serialize for TlsVersion {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => to.serialize_bool(false),
            Self::V12 => to.serialize_str("1.2"),
            Self::V13 => to.serialize_str("1.3"),
        }
    }
}

impl<'de> Deserialize<'de> for TlsVersion {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = TlsVersion;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"1.3\", \"1.2\" or false")
            }
            fn visit_bool<E: de::Error>(self, on: bool) -> Result<TlsVersion, E> {
                Ok(if on { TlsVersion::V13 } else { TlsVersion::Off })
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<TlsVersion, E> {
                match text {
                    "1.3" => Ok(TlsVersion::V13),
                    "1.2" => Ok(TlsVersion::V12),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        from.deserialize_any(Form)
    }
}

/// The table form of [`CachePolicy`].
#[derive(serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CachePolicyTable {
    local: bool,
    redis: bool,
    /// Replaces the TTL of the local and the Redis tier for this class.
    #[serde(with = "duration::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DurationText>")]
    ttl: Option<Duration>,
}

impl Default for CachePolicyTable {
    fn default() -> Self {
        let CachePolicy { local, redis, ttl } = CachePolicy::default();
        Self { local, redis, ttl }
    }
}

impl<'de> Deserialize<'de> for CachePolicy {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = CachePolicy;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or { local = …, redis = …, ttl = … }")
            }
            fn visit_bool<E: de::Error>(self, on: bool) -> Result<CachePolicy, E> {
                Ok(CachePolicy { local: on, redis: on, ttl: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CachePolicy, A::Error> {
                let CachePolicyTable { local, redis, ttl } = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
                Ok(CachePolicy { local, redis, ttl })
            }
        }
        from.deserialize_any(Form)
    }
}

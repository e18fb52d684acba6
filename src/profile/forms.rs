//! Values that a profile may write in more than one form: a number or a distribution, a bool or a table, a preset's
//! name or a table that starts from one.

use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::routes::{Fault, GatewayCache, Simulated, TlsVersion};
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

/// The table form of [`Simulated`]: what is absent stays as the preset has it.
#[derive(Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SimulatedTable {
    /// What the table starts from; `local` without it.
    #[schemars(with = "Option<PresetName>")]
    preset: Option<String>,
    /// Round-trip time of the wire.
    #[serde(with = "duration::option")]
    #[schemars(with = "Option<DurationText>")]
    rtt: Option<Duration>,
    /// `"1.3"`, `"1.2"`, or `false` for plain HTTP.
    tls: Option<TlsVersion>,
    /// TLS session resumption.
    resume: Option<bool>,
    /// Time at the server from request to first token.
    ttft: Option<Spread<Duration>>,
    /// Generation speed of one answer; 0 sends all tokens at once.
    tokens_per_second: Option<Spread<f64>>,
    /// Requests in progress beyond which a 429 is answered; 0: no limit.
    concurrency_limit: Option<u32>,
    /// 0: no limit.
    requests_per_minute: Option<u32>,
    /// Input and output tokens together; 0: no limit.
    tokens_per_minute: Option<u64>,
    /// Share of requests answered with a 500, 0 to 1.
    error_rate: Option<f64>,
    gateway_cache: Option<GatewayCache>,
    faults: Option<Vec<Fault>>,
    /// Accepted API keys; others get a 401. Empty: any key, or none.
    keys: Option<Vec<String>>,
    /// Models served, as prefixes; others get a 404. Empty: any.
    models: Option<Vec<String>>,
}

/// One of [`Simulated::PRESETS`].
struct PresetName;

impl JsonSchema for PresetName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PresetName".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Simulated::PRESETS })
    }
}

impl SimulatedTable {
    fn over(self, preset: Simulated) -> Simulated {
        Simulated {
            preset: preset.preset,
            rtt: self.rtt.unwrap_or(preset.rtt),
            tls: self.tls.unwrap_or(preset.tls),
            resume: self.resume.unwrap_or(preset.resume),
            ttft: self.ttft.unwrap_or(preset.ttft),
            tokens_per_second: self.tokens_per_second.unwrap_or(preset.tokens_per_second),
            concurrency_limit: self.concurrency_limit.unwrap_or(preset.concurrency_limit),
            requests_per_minute: self.requests_per_minute.unwrap_or(preset.requests_per_minute),
            tokens_per_minute: self.tokens_per_minute.unwrap_or(preset.tokens_per_minute),
            error_rate: self.error_rate.unwrap_or(preset.error_rate),
            gateway_cache: self.gateway_cache.or(preset.gateway_cache),
            faults: self.faults.unwrap_or(preset.faults),
            keys: self.keys.unwrap_or(preset.keys),
            models: self.models.unwrap_or(preset.models),
        }
    }
}

impl<'de> Deserialize<'de> for Simulated {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Simulated;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a preset's name or a table such as { preset = \"local\", rtt = \"20ms\" }")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Simulated, E> {
                Simulated::preset(name).map_err(E::custom)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Simulated, A::Error> {
                let table = SimulatedTable::deserialize(MapAccessDeserializer::new(map))?;
                let preset =
                    Simulated::preset(table.preset.as_deref().unwrap_or("local")).map_err(de::Error::custom)?;
                Ok(table.over(preset))
            }
        }
        from.deserialize_any(Form)
    }
}

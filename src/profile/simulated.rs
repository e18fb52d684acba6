//! A simulated route as a profile writes it: a preset's name, or a table that starts from one.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::ser::{Serialize, Serializer};

use super::routes::{Drift, Fault, GatewayCache, PromptCache, Simulated, TlsVersion};
use super::schema::DurationText;
use super::stack::Http;
use super::units::{Spread, duration};

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
    /// What it speaks: `"1.1"`, `"2"`, or `"auto"`: both, as the client wishes.
    http: Option<Http>,
    /// Requests in progress on one HTTP/2 connection at most.
    max_streams: Option<u32>,
    /// A connection without a request for so long is closed; 0: never.
    #[serde(with = "duration::option")]
    #[schemars(with = "Option<DurationText>")]
    idle_timeout: Option<Duration>,
    /// Time at the server from request to first token.
    ttft: Option<Spread<Duration>>,
    /// Generation speed of one answer; 0 sends all tokens at once.
    tokens_per_second: Option<Spread<f64>>,
    /// How `rtt` and `ttft` wander over time.
    drift: Option<Drift>,
    /// Requests in progress beyond which a 429 is answered; 0: no limit.
    concurrency_limit: Option<u32>,
    /// 0: no limit.
    requests_per_minute: Option<u32>,
    /// Input and output tokens together; 0: no limit.
    tokens_per_minute: Option<u64>,
    /// Share of requests answered with a 500, 0 to 1.
    error_rate: Option<f64>,
    /// A cache inside the gateway, or `false` for none.
    #[schemars(with = "Option<GatewayCacheForm>")]
    gateway_cache: Option<Switched<GatewayCache>>,
    /// The provider's cache of the beginnings of prompts, or `false` for none.
    #[schemars(with = "Option<PromptCacheForm>")]
    prompt_cache: Option<Switched<PromptCache>>,
    faults: Option<Vec<Fault>>,
    /// Accepted API keys; others get a 401. Empty: any key, or none.
    keys: Option<Vec<String>>,
    /// Models served, as prefixes; others get a 404. Empty: any.
    models: Option<Vec<String>>,
}

/// `false`, `true` or the table.
enum Switched<T> {
    Switch(bool),
    Table(T),
}

impl<T: Default> Switched<T> {
    /// What is written, over what the preset has.
    fn over(written: Option<Self>, preset: Option<T>) -> Option<T> {
        match written {
            Some(Self::Switch(false)) => None,
            Some(Self::Switch(true)) => Some(preset.unwrap_or_default()),
            Some(Self::Table(table)) => Some(table),
            None => preset,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Switched<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Form<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Form<T> {
            type Value = Switched<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or a table")
            }
            fn visit_bool<E: de::Error>(self, on: bool) -> Result<Switched<T>, E> {
                Ok(Switched::Switch(on))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Switched<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Switched::Table)
            }
        }
        from.deserialize_any(Form(PhantomData))
    }
}

/// How each [`Switched`] is written.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "stands for a form in the schema alone")]
enum GatewayCacheForm {
    Switch(bool),
    Table(GatewayCache),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "stands for a form in the schema alone")]
enum PromptCacheForm {
    Switch(bool),
    Table(PromptCache),
}

pub(super) fn table_or_false<T: Serialize, S: Serializer>(table: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
    match table {
        Some(table) => table.serialize(to),
        None => to.serialize_bool(false),
    }
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
            http: self.http.unwrap_or(preset.http),
            max_streams: self.max_streams.unwrap_or(preset.max_streams),
            idle_timeout: self.idle_timeout.unwrap_or(preset.idle_timeout),
            ttft: self.ttft.unwrap_or(preset.ttft),
            tokens_per_second: self.tokens_per_second.unwrap_or(preset.tokens_per_second),
            drift: self.drift.or(preset.drift),
            concurrency_limit: self.concurrency_limit.unwrap_or(preset.concurrency_limit),
            requests_per_minute: self.requests_per_minute.unwrap_or(preset.requests_per_minute),
            tokens_per_minute: self.tokens_per_minute.unwrap_or(preset.tokens_per_minute),
            error_rate: self.error_rate.unwrap_or(preset.error_rate),
            gateway_cache: Switched::over(self.gateway_cache, preset.gateway_cache),
            prompt_cache: Switched::over(self.prompt_cache, preset.prompt_cache),
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

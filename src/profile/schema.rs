//! The profile's JSON Schema, for editors, other programs, and our own check of unknown keys and wrong types.
//! Must not know TOML.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::forms::{CachePolicyTable, Quantity};
use super::simulated::SimulatedTable;
use super::{CachePolicy, Money, Percent, Profile, Simulated, Spread, TlsVersion, Trigger};

/// What `gatebench schema profile` prints.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Profile).to_value();
    without_null(&mut schema);
    schema
}

/// TOML has no null: what is optional is left out.
fn without_null(node: &mut Value) {
    match node {
        Value::Object(map) => {
            if map.get("default").is_some_and(Value::is_null) {
                map.remove("default");
            }
            if let Some(Value::Array(kinds)) = map.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    let only = only.clone();
                    map.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(forms)) = map.get_mut("anyOf") {
                forms.retain(|form| form["type"] != "null");
                if let [Value::Object(only)] = forms.as_mut_slice() {
                    let only = std::mem::take(only);
                    map.remove("anyOf");
                    map.extend(only);
                }
            }
            map.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// How a duration is written.
pub struct DurationText;

impl JsonSchema for DurationText {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number with its unit, such as \"500ms\" or \"1m 30s\".",
            "type": "string",
            "pattern": "^\\s*(0|([0-9]+(\\.[0-9]+)?\\s*[A-Za-zµ]+\\s*)+)$",
        })
    }
}

impl<T: Quantity> JsonSchema for Spread<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("SpreadOf{}", T::NAME).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = T::schema(generator);
        json_schema!({
            "description": "A fixed value, or a lognormal distribution given by its median and 95th percentile.",
            "anyOf": [one, {
                "type": "object",
                "properties": { "median": one, "p95": one },
                "required": ["median", "p95"],
                "additionalProperties": false,
            }],
        })
    }
}

impl JsonSchema for Simulated {
    fn schema_name() -> Cow<'static, str> {
        "Simulated".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<SimulatedTable>();
        json_schema!({
            "description": "A simulated provider behind a simulated wire: a preset's name, or a table that starts from one.",
            "anyOf": [{ "type": "string", "enum": Simulated::PRESETS }, table],
        })
    }
}

impl JsonSchema for CachePolicy {
    fn schema_name() -> Cow<'static, str> {
        "CachePolicy".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<CachePolicyTable>();
        json_schema!({
            "description": "Which cache tiers a class may use: both, none, or a table with a TTL of its own.",
            "anyOf": [{ "type": "boolean" }, table],
        })
    }
}

impl JsonSchema for TlsVersion {
    fn schema_name() -> Cow<'static, str> {
        "TlsVersion".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string", "enum": ["1.3", "1.2"] }, { "type": "boolean" }] })
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^\\s*[¥￥$]\\s*[0-9_]+(\\.[0-9]+)?\\s*$" })
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^\\s*[0-9_]*\\.?[0-9]+\\s*%?\\s*$" })
    }
}

impl JsonSchema for Trigger {
    fn schema_name() -> Cow<'static, str> {
        "Trigger".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 400, "maximum": 599 },
            { "type": "string", "enum": ["connect", "timeout", "stream"] },
        ]})
    }
}

//! Whether two runs were asked the same question: their profiles, key by key. Must not know their figures.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::asked::Asked;
use crate::report::{Report, format};

/// A key that two profiles have different values for.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Changed {
    pub key: String,
    /// `null` where the profile has no such key.
    pub base: Value,
    pub new: Value,
}

/// What differs, by whether a diff may be of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// What was meant to be compared: the stack, and the real routes it goes to.
    pub changed: Vec<Changed>,
    /// What the runs were asked, or what answered them.
    pub question: Vec<Changed>,
}

/// What a key means to a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Aside,
    Compared,
    Question,
}

impl Differences {
    pub fn between(base: &Report, new: &Report, asked: &Asked) -> Self {
        let (mut of_base, mut of_new) = (BTreeMap::new(), BTreeMap::new());
        flatten(&base.profile, String::new(), &mut of_base);
        flatten(&new.profile, String::new(), &mut of_new);
        let keys = of_base.keys().chain(of_new.keys().filter(|key| !of_base.contains_key(*key)));
        let mut keys: Vec<_> = keys.collect();
        keys.sort();
        let mut differences = Self::default();
        for key in keys {
            let value = |of: &BTreeMap<String, Value>| of.get(key).cloned().unwrap_or(Value::Null);
            let changed = Changed { key: key.clone(), base: value(&of_base), new: value(&of_new) };
            match kind(key, asked) {
                _ if changed.base == changed.new => {}
                Kind::Aside => {}
                Kind::Compared => differences.changed.push(changed),
                Kind::Question if is_of_a_route_of_one(key, base, new) => differences.changed.push(changed),
                Kind::Question => differences.question.push(changed),
            }
        }
        differences
    }
}

fn kind(key: &str, asked: &Asked) -> Kind {
    let (room, rest) = key.split_once('.').unwrap_or((key, ""));
    let of_route = rest.split('.').nth(1).unwrap_or_default();
    match room {
        // What is good is what the expectations say.
        "expect" if asked.metrics.iter().any(|metric| metric == "goodput") => Kind::Question,
        "description" | "expect" | "compare" | "limits" => Kind::Aside,
        "stack" => Kind::Compared,
        // The world that was simulated, and what is paid in it.
        "routes" if matches!(of_route, "simulate" | "cny_per_usd") => Kind::Question,
        "routes" => Kind::Compared,
        _ => Kind::Question,
    }
}

/// A route that only one of the profiles has is a way more, not another world.
fn is_of_a_route_of_one(key: &str, base: &Report, new: &Report) -> bool {
    let Some(route) = key.strip_prefix("routes.").and_then(|rest| rest.split('.').next()) else { return false };
    let has = |report: &Report| report.profile.get("routes").and_then(|routes| routes.get(route)).is_some();
    has(base) != has(new)
}

/// Leaves by their dotted keys; lists are leaves, so that what moved in one is seen beside what it was.
fn flatten(value: &Value, key: String, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                flatten(value, key, leaves);
            }
        }
        Value::Null => {}
        leaf => {
            leaves.insert(key, leaf.clone());
        }
    }
}

/// A value as a profile writes it, about, on one line.
pub fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => "(none)".to_owned(),
        Value::String(text) => text.replace(char::is_control, " "),
        other => other.to_string(),
    };
    format::clipped(&text, MOST_CELLS)
}

/// Of a value that may be a whole text or list.
const MOST_CELLS: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::synthetic;

    fn between(pointer: &str, value: Value, asked: &Asked) -> (Vec<String>, Vec<String>) {
        let base = synthetic::report(&[]);
        let mut new = base.clone();
        *new.profile.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        let Differences { changed, question } = Differences::between(&base, &new, asked);
        let keys = |of: Vec<Changed>| of.into_iter().map(|changed| changed.key).collect();
        (keys(changed), keys(question))
    }

    #[test]
    fn the_stack_and_real_routes_may_differ_and_what_was_asked_may_not() {
        let asked = Asked::default();
        let key = |key: &str| vec![key.to_owned()];
        let is = |pointer, value: Value| between(pointer, value, &asked);
        assert_eq!(is("/stack/pool/max_connections", 7.into()), (key("stack.pool.max_connections"), vec![]));
        assert_eq!(is("/seed", 8.into()), (vec![], key("seed")));
        assert_eq!(is("/load/rate", 9.0.into()), (vec![], key("load.rate")));
        assert_eq!(is("/routes/gateway/cny_per_usd", 2.0.into()), (vec![], key("routes.gateway.cny_per_usd")));
        assert_eq!(is("/routes/gateway/cache", false.into()), (key("routes.gateway.cache"), vec![]));
        assert_eq!(is("/description", "another".into()), (vec![], vec![]));
        assert_eq!(is("/expect", vec!["p99 < 1s"].into()), (vec![], vec![]));
    }

    #[test]
    fn expectations_are_a_part_of_the_question_where_goodput_is_asked() {
        let asked = Asked { metrics: vec!["goodput".into()], ..Asked::default() };
        assert_eq!(between("/expect", vec!["p99 < 1s"].into(), &asked).1, ["expect"]);
    }

    #[test]
    fn a_simulated_route_that_both_have_is_a_part_of_the_question() {
        let mut base = synthetic::report(&[]);
        base.profile["routes"]["gateway"] = serde_json::json!({ "simulate": { "preset": "local", "rtt": "1ms" } });
        let mut new = base.clone();
        new.profile["routes"]["gateway"]["simulate"]["rtt"] = "5ms".into();
        let differences = Differences::between(&base, &new, &Asked::default());
        assert_eq!(differences.question[0].key, "routes.gateway.simulate.rtt");
        new.profile["routes"]["gateway"]["simulate"]["rtt"] = "1ms".into();
        new.profile["routes"]["second"] = serde_json::json!({ "simulate": "local" });
        let differences = Differences::between(&base, &new, &Asked::default());
        assert_eq!((differences.changed[0].key.as_str(), differences.question.len()), ("routes.second.simulate", 0));
    }
}

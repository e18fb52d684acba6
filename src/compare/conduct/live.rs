//! What may differ between arms that share a stack: only what a load takes on while it runs.
//! Must not know how it is applied.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::profile::Profile;

/// The keys in which `other` differs from `first` and that no running load can take on.
pub fn fixed_differences(first: &Profile, other: &Profile) -> Vec<String> {
    let as_value = |profile| serde_json::to_value(profile).unwrap_or_default();
    let mut keys = Vec::new();
    differences("", &as_value(first), &as_value(other), &mut keys);
    keys.retain(|key| !is_live(key));
    keys
}

fn differences(key: &str, first: &Value, other: &Value, keys: &mut Vec<String>) {
    match (first, other) {
        _ if first == other => {}
        (Value::Object(one), Value::Object(two)) => {
            let names: BTreeSet<_> = one.keys().chain(two.keys()).collect();
            for name in names {
                let inner = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                let of = |table: &serde_json::Map<_, _>| table.get(name).cloned().unwrap_or_default();
                differences(&inner, &of(one), &of(two), keys);
            }
        }
        _ => keys.push(key.to_owned()),
    }
}

fn is_live(key: &str) -> bool {
    let parts: Vec<&str> = key.split('.').collect();
    match parts[..] {
        ["load", "mode"] | ["stack", "cache", "redis", "url"] => false,
        ["description" | "compare" | "load" | "workload" | "stack", ..] => true,
        // Of a simulated route as `sim::RouteHandle::set` has it.
        ["routes", _, "simulate", "tls" | "resume" | "http"] => false,
        ["routes", _, "cache"] | ["routes", _, "simulate", _, ..] => true,
        // One purse pays for all of them, at one load's prices.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Draft, Prices, Source};

    fn profile(text: &str) -> Profile {
        let text = format!("{text}\n[routes.gateway]\nsimulate = {{ preset = \"local\", rtt = \"1ms\" }}\n");
        Draft::from_text(Source::Adhoc, text).finish(Prices::ANY).unwrap().profile
    }

    fn fixed(text: &str) -> Vec<String> {
        fixed_differences(&profile(""), &profile(text))
    }

    #[test]
    fn what_a_hand_in_the_workbench_could_change_may_differ() {
        assert!(fixed("[load]\nrate = 9.0\n[stack]\nconcurrency = 3\n[stack.pool]\nmax_connections = 2").is_empty());
        assert!(fixed("[stack.cache]\nlocal = { capacity = 5, ttl = \"1s\" }\n[workload]\nstream = false").is_empty());
        let (near, mut far) = (profile(""), profile(""));
        far.routes.get_mut("gateway").unwrap().simulate.as_mut().unwrap().rtt *= 2;
        assert!(fixed_differences(&near, &far).is_empty());
    }

    #[test]
    fn what_a_load_has_from_its_start_is_named() {
        assert_eq!(fixed("seed = 8"), ["seed"]);
        assert_eq!(fixed("[load]\nmode = \"closed\""), ["load.mode"]);
        assert_eq!(fixed("[cost]\ncny_per_usd = 7.0"), ["cost.cny_per_usd"]);
        let (near, mut dear) = (profile(""), profile(""));
        dear.routes.get_mut("gateway").unwrap().cny_per_usd = Some(9.0);
        assert_eq!(fixed_differences(&near, &dear), ["routes.gateway.cny_per_usd"]);
        let (plain, mut secured) = (profile(""), profile(""));
        secured.routes.get_mut("gateway").unwrap().headers.insert("x-team".into(), "a".into());
        assert_eq!(fixed_differences(&plain, &secured), ["routes.gateway.headers.x-team"]);
    }
}

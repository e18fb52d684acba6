//! A profile as JSON that may be passed on: without header values, passwords and query strings that may be secrets.
//! Must not know which headers look secret: the profile tells.

use serde_json::Value;

use crate::profile::{HeaderKind, Profile};

const HIDDEN: &str = "***";

pub fn profile(profile: &Profile) -> Value {
    let mut json = serde_json::to_value(profile).unwrap_or_else(|why| Value::String(format!("not JSON: {why}")));
    hide(&mut json, "");
    json
}

/// `path` is dotted: keys of `compare.arms.set` are dotted themselves.
fn hide(value: &mut Value, path: &str) {
    match value {
        Value::Object(map) => map.iter_mut().for_each(|(key, value)| hide(value, &format!("{path}.{key}"))),
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, path)),
        Value::String(text) if is_secret_header(path) => *text = HIDDEN.to_owned(),
        Value::String(text) => {
            if let Some(hidden) = without_credentials(text) {
                *text = hidden;
            }
        }
        _ => {}
    }
}

fn is_secret_header(path: &str) -> bool {
    path.rsplit_once(".headers.").is_some_and(|(_, header)| HeaderKind::of(header) != HeaderKind::Plain)
}

/// `scheme://user:password@host/path?query` with the user and the query hidden; `None` when there is nothing to hide.
fn without_credentials(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = |s: &str| s.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let authority_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let user_ends = rest[..authority_ends].rfind('@');
    let query = rest.find('?');
    if !is_scheme(scheme) || (user_ends.is_none() && query.is_none()) {
        return None;
    }
    let user = if user_ends.is_some() { format!("{HIDDEN}@") } else { String::new() };
    let address = &rest[user_ends.map_or(0, |at| at + 1)..query.unwrap_or(rest.len())];
    let query = if query.is_some() { format!("?{HIDDEN}") } else { String::new() };
    Some(format!("{scheme}://{user}{address}{query}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::profile::{Arm, Compare, RedisCache, Route};

    #[test]
    fn no_secret_of_a_profile_reaches_its_report() {
        let mut asked = Profile::default();
        let headers = [("x-team", "blue"), ("X-Goog-Api-Key", "s3cret"), ("cookie", "s3cret"), ("x-auth", "s3cret")];
        let route = Route {
            base_url: Some("https://me:s3cret@api.example.com/v1?code=s3cret".into()),
            api_key_env: Some("EXAMPLE_API_KEY".into()),
            headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
            ..Route::default()
        };
        asked.routes.insert("gateway".into(), route);
        asked.stack.cache.redis =
            Some(RedisCache { url: "redis://:s3cret@cache:6379/0".into(), ..RedisCache::default() });
        let set = [
            ("routes.gateway.headers.x-api-key", "s3cret"),
            ("stack.cache.redis.url", "redis://default:s3cret@other:6379"),
            ("stack.route", "direct"),
        ];
        let set: BTreeMap<_, _> = set.map(|(key, value)| (key.to_owned(), toml::Value::from(value))).into();
        asked.compare = Some(Compare { arms: vec![Arm { name: "a".into(), set }], ..Compare::default() });

        let json = profile(&asked);
        assert!(!json.to_string().contains("s3cret"), "{json:#}");
        assert_eq!(json["routes"]["gateway"]["headers"]["x-team"], "blue");
        assert_eq!(json["routes"]["gateway"]["base_url"], "https://***@api.example.com/v1?***");
        assert_eq!(json["routes"]["gateway"]["api_key_env"], "EXAMPLE_API_KEY");
        assert_eq!(json["stack"]["cache"]["redis"]["url"], "redis://***@cache:6379/0");
        assert_eq!(json["compare"]["arms"][0]["set"]["stack.route"], "direct");
    }

    #[test]
    fn an_address_without_secrets_stays_as_it_is() {
        for text in ["https://api.example.com/v1", "unix:///run/redis.sock", "managed", "mail me@x.y", "¥50"] {
            assert_eq!(without_credentials(text), None, "{text}");
        }
    }
}

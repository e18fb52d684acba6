//! The rules of `[routes.NAME]`. No message repeats a header's value, a key, or an address that may carry a password.

use std::time::Duration;

use super::Findings;
use super::workload::spread_of;
use crate::profile::problem::KeyPath;
use crate::profile::{Dialect, HeaderKind, Profile, PromptCaching, Route, Simulated, Spread};

/// Of a delay: what is left of it must still be one.
const MOST_DRIFT: f64 = 0.9;

pub fn check(profile: &Profile, findings: &mut Findings) {
    if profile.routes.is_empty() {
        findings.wrong(
            KeyPath::from("routes"),
            "there is no route; add [routes.gateway] with base_url = \"https://…/v1\" or simulate = \"holysheep\"",
        );
    }
    for (name, route) in &profile.routes {
        let path = KeyPath::from("routes").key(name);
        route_itself(&path, route, findings);
        if let Some(simulated) = &route.simulate {
            simulation(&path.key("simulate"), simulated, findings);
        }
    }
    models_served(profile, findings);
    for name in profile.unchecked_routes() {
        let message = format!(
            "the certificate of route \"{name}\" is not checked (insecure): whoever sits between reads its key; trust its \
             authority instead, with --cacert FILE (ca_file)"
        );
        findings.warn(KeyPath::from("routes").key(name).key("insecure"), message);
    }
}

fn route_itself(path: &KeyPath, route: &Route, findings: &mut Findings) {
    match (&route.base_url, &route.simulate) {
        (None, None) => findings.bad(path.clone(), "needs base_url = \"https://…/v1\" or simulate = \"holysheep\""),
        (Some(_), Some(_)) => findings.bad(path.clone(), "has both base_url and simulate; remove one"),
        (Some(url), None) => {
            if let Err(why) = base_url(url, route.spoken()) {
                findings.bad(path.key("base_url"), why);
            }
        }
        (None, Some(_)) => {}
    }
    if route.prompt_cache != PromptCaching::Off && route.spoken() == Dialect::Openai {
        let message = "asks in Anthropic's dialect; in OpenAI's, providers cache prompts unasked: \
                       leave it out, or set dialect = \"anthropic\"";
        findings.bad(path.key("prompt_cache"), message);
    }
    if let Some(rate) = route.cny_per_usd {
        findings.above_zero(path.key("cny_per_usd"), rate);
    }
    if route.api_key_env.as_deref().is_some_and(|name| !names_a_variable(name)) {
        let message = "is no name of an environment variable; put the key into one and write its name, \
                       such as \"GATEWAY_API_KEY\" (if it was a key, it is in this file now: replace it)";
        findings.bad(path.key("api_key_env"), message);
    }
    for (name, value) in &route.headers {
        if let Err(why) = header(name, value) {
            findings.bad(path.key("headers").key(name), why);
        }
    }
}

fn base_url(url: &str, dialect: Dialect) -> Result<(), &'static str> {
    const EXAMPLE: &str = "is no address; write one such as \"https://api.example.com/v1\"";
    let uri: http::Uri = url.parse().map_err(|_| EXAMPLE)?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("must begin with https:// or http://, such as \"https://api.example.com/v1\"");
    }
    let host = uri.host().filter(|host| !host.is_empty());
    match (host, uri.authority()) {
        (None, _) => Err(EXAMPLE),
        (_, Some(authority)) if authority.as_str().contains('@') => {
            Err("carries a user or password; put the key into an environment variable and name it in api_key_env")
        }
        _ if uri.query().is_some() || url.contains('#') => {
            Err("has a query or fragment; end it with the path, such as \"https://api.example.com/v1\"")
        }
        _ if uri.path().trim_end_matches('/').ends_with("/chat/completions") => {
            Err("ends in /chat/completions, which is added to it; end it with the version, such as \"/v1\"")
        }
        _ if dialect == Dialect::Anthropic && uri.path().trim_end_matches('/').ends_with("/messages") => {
            Err("ends in /messages, which is added to it; end it with the version, such as \"/v1\"")
        }
        _ if dialect == Dialect::Anthropic && uri.host() == Some("api.anthropic.com") && uri.path() == "/" => {
            Err("lacks the version; write \"https://api.anthropic.com/v1\"")
        }
        _ => Ok(()),
    }
}

/// Uppercase by convention, but any shell name will do; what is long and mixed is a key.
fn names_a_variable(name: &str) -> bool {
    let shell = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let starts_well = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    let random =
        name.len() >= 20 && name.bytes().any(|b| b.is_ascii_lowercase()) && name.bytes().any(|b| b.is_ascii_digit());
    shell && starts_well && !random && !name.starts_with("sk_")
}

fn header(name: &str, value: &str) -> Result<(), &'static str> {
    if HeaderKind::of(name) == HeaderKind::Refused {
        return Err("carries a key; put the key into an environment variable and name it in api_key_env");
    }
    http::HeaderName::try_from(name).map_err(|_| "is no name of a header; use letters, digits and -")?;
    http::HeaderValue::try_from(value).map_err(|_| "has a value no header can carry; use printable ASCII")?;
    Ok(())
}

fn simulation(path: &KeyPath, simulated: &Simulated, findings: &mut Findings) {
    if simulated.rtt > Duration::from_secs(60) {
        findings.bad(path.key("rtt"), "exceeds 60s; lower it");
    }
    if let Spread::LogNormal { median, p95 } = simulated.ttft {
        spread_of(path.key("ttft"), median.as_secs_f64(), p95.as_secs_f64(), findings);
    }
    match simulated.tokens_per_second {
        Spread::Fixed(speed) => findings.from(path.key("tokens_per_second"), speed, 0.0),
        Spread::LogNormal { median, p95 } => spread_of(path.key("tokens_per_second"), median, p95, findings),
    }
    if let Some(drift) = &simulated.drift {
        if drift.share.0 > MOST_DRIFT {
            findings.bad(path.key("drift").key("share"), format!("= {} exceeds 90%; lower it", drift.share));
        }
        findings.takes_time(path.key("drift").key("period"), drift.period);
    }
    findings.at_least_one(path.key("max_streams"), simulated.max_streams.into());
    if !(0.0..=1.0).contains(&simulated.error_rate) {
        let message = format!("= {} is outside 0 to 1; 1% is 0.01", simulated.error_rate);
        findings.bad(path.key("error_rate"), message);
    }
    if let Some(cache) = &simulated.gateway_cache {
        findings.at_least_one(path.key("gateway_cache").key("capacity"), cache.capacity);
        findings.takes_time(path.key("gateway_cache").key("ttl"), cache.ttl);
    }
    if let Some(cache) = &simulated.prompt_cache {
        findings.at_least_one(path.key("prompt_cache").key("min_tokens"), cache.min_tokens);
        findings.takes_time(path.key("prompt_cache").key("ttl"), cache.ttl);
    }
    for (i, fault) in simulated.faults.iter().enumerate() {
        findings.takes_time(path.key("faults").key(i).key("for"), fault.lasts);
    }
    if simulated.models.iter().any(String::is_empty) {
        findings.bad(path.key("models"), "contain an empty prefix; leave the list empty to serve any model");
    }
}

/// A hop to a model that its simulated route does not serve can only fail.
fn models_served(profile: &Profile, findings: &mut Findings) {
    let stack = &profile.stack;
    let first = (KeyPath::from("workload.model"), profile.workload.model.as_str(), stack.route.as_str());
    let hops = stack.fallback.iter().enumerate().map(|(i, hop)| {
        let route = hop.route.as_deref().unwrap_or(&stack.route);
        (KeyPath::from("stack.fallback").key(i).key("model"), hop.model.as_str(), route)
    });
    for (path, model, route) in std::iter::once(first).chain(hops) {
        let Some(simulated) = profile.routes.get(route).and_then(|route| route.simulate.as_ref()) else { continue };
        if !simulated.models.is_empty() && !simulated.models.iter().any(|prefix| model.starts_with(prefix)) {
            let serves = simulated.models.join("*, ");
            let message =
                format!("{path} = \"{model}\" is not served by route \"{route}\" ({serves}*): it answers 404");
            findings.warn(path, message);
        }
    }
}

//! The rules of `[stack]`.

use redis::IntoConnectionInfo;

use super::Findings;
use crate::profile::nearest::suggestion;
use crate::profile::problem::KeyPath;
use crate::profile::{Cache, CacheField, Client, Http, Pool, Profile, RedisCache, Retry, Trigger};

/// Failures that no second try and no other model mends: the request or the key is wrong.
const NEVER: [u16; 4] = [400, 401, 403, 404];

pub fn check(profile: &Profile, findings: &mut Findings) {
    let stack = &profile.stack;
    findings.range("stack.replicas", stack.replicas.into(), 1, 256);
    findings.at_least_one("stack.concurrency", stack.concurrency.into());
    findings.takes_time("stack.timeout", stack.timeout);
    routes(profile, findings);
    pool(&stack.pool, findings);
    cache(profile, findings);
    retry(&stack.retry, findings);
    triggers("stack.fallback_on.errors", &stack.fallback_on.errors, findings);
}

fn routes(profile: &Profile, findings: &mut Findings) {
    let names: Vec<_> = profile.routes.keys().map(String::as_str).collect();
    if names.is_empty() {
        return; // said once, at `routes`
    }
    let route = profile.stack.route.as_str();
    if route.is_empty() {
        let message = format!("is missing: name the first of the routes there are, {}", names.join(", "));
        findings.bad("stack.route", message);
    } else if !names.contains(&route) {
        findings.bad("stack.route", format!("= \"{route}\" is no route{}", suggestion(route, &names)));
    }
    for (i, hop) in profile.stack.fallback.iter().enumerate() {
        let path = KeyPath::from("stack.fallback").key(i);
        if hop.model.trim().is_empty() {
            findings.bad(path.key("model"), "is empty; name a model such as \"gpt-4o-mini\"");
        }
        if let Some(route) = hop.route.as_deref().filter(|route| !names.contains(route)) {
            findings.bad(path.key("route"), format!("= \"{route}\" is no route{}", suggestion(route, &names)));
        }
    }
}

fn pool(pool: &Pool, findings: &mut Findings) {
    findings.range("stack.pool.max_connections", pool.max_connections.into(), 1, 65_535);
    if pool.max_idle > pool.max_connections && pool.max_idle != Pool::default().max_idle {
        let message = format!(
            "stack.pool.max_idle = {} exceeds max_connections = {}: no more than that are ever idle",
            pool.max_idle, pool.max_connections
        );
        findings.warn("stack.pool.max_idle", message);
    }
    let times = [
        ("idle_timeout", pool.idle_timeout),
        ("acquire_timeout", pool.acquire_timeout),
        ("connect_timeout", pool.connect_timeout),
        ("tls_timeout", pool.tls_timeout),
        ("read_timeout", pool.read_timeout),
    ];
    times.into_iter().for_each(|(key, time)| findings.takes_time(KeyPath::from("stack.pool").key(key), time));
    if pool.http != Http::V1 && pool.client == Client::Exact {
        let version = if pool.http == Http::V2 { "2" } else { "auto" };
        let message =
            format!("= \"{version}\" needs stack.pool.client = \"reqwest\": the exact pool speaks HTTP/1.1 only");
        findings.bad("stack.pool.http", message);
        findings.also(&["stack.pool.client"]);
    }
}

fn cache(profile: &Profile, findings: &mut Findings) {
    let cache = &profile.stack.cache;
    if cache.key.is_empty() {
        findings.bad("stack.cache.key", "is empty, so all calls would share one answer; list fields such as \"model\"");
    }
    for (i, field) in cache.key.iter().enumerate() {
        if cache.key[..i].contains(field) {
            findings.bad(KeyPath::from("stack.cache.key").key(i), "is there twice; remove one");
        }
    }
    let in_use = cache.local.is_some() || cache.redis.is_some() || profile.stack.single_flight;
    for (field, name) in [(CacheField::Model, "model"), (CacheField::Messages, "messages")] {
        if in_use && !cache.key.is_empty() && !cache.key.contains(&field) {
            let message =
                format!("stack.cache.key lacks \"{name}\": calls that differ in it share an answer (false hits)");
            findings.warn("stack.cache.key", message);
        }
    }
    tiers(cache, findings);
}

fn tiers(cache: &Cache, findings: &mut Findings) {
    if let Some(local) = &cache.local {
        findings.at_least_one("stack.cache.local.capacity", local.capacity);
        findings.takes_time("stack.cache.local.ttl", local.ttl);
    }
    if let Some(redis) = &cache.redis {
        findings.takes_time("stack.cache.redis.ttl", redis.ttl);
        findings.takes_time("stack.cache.redis.timeout", redis.timeout);
        if let Err(why) = redis_url(&redis.url) {
            findings.bad("stack.cache.redis.url", why);
        }
    }
}

/// The message never repeats the address, since it may carry a password.
fn redis_url(url: &str) -> Result<(), &'static str> {
    const UNREADABLE: &str = "is no address of a Redis; write \"managed\", \"redis://:PASSWORD@host:6379/0\" or \
                              \"unix:///path\" (what is special in a password as %XX)";
    match url.split_once("://") {
        None if url == RedisCache::MANAGED => Ok(()),
        // Port and database too: a tier whose address its client cannot read would be none, in silence.
        Some(("redis" | "unix" | "redis+unix", rest)) if !rest.is_empty() => {
            url.into_connection_info().map(drop).map_err(|_| UNREADABLE)
        }
        Some(("rediss", _)) => {
            Err("asks for TLS, which the Redis client here does not speak; use redis://, or a local TLS proxy")
        }
        _ => Err(UNREADABLE),
    }
}

fn retry(retry: &Retry, findings: &mut Findings) {
    findings.range("stack.retry.attempts", retry.attempts.into(), 1, 10);
    findings.from("stack.retry.factor", retry.factor, 1.0);
    if retry.max < retry.base {
        let text = humantime::format_duration;
        let message = format!("= \"{}\" is below base = \"{}\"; raise it", text(retry.max), text(retry.base));
        findings.bad("stack.retry.max", message);
        findings.also(&["stack.retry.base"]);
    }
    triggers("stack.retry.on", &retry.on, findings);
}

fn triggers(path: &str, triggers: &[Trigger], findings: &mut Findings) {
    for (i, trigger) in triggers.iter().enumerate() {
        if let Trigger::Status(code) = trigger
            && NEVER.contains(code)
        {
            let message = format!("{path} may not contain {code}: such a call fails the same way again; remove it");
            findings.wrong(KeyPath::from(path).key(i), &message);
        }
    }
}

//! `[stack]`: the client's policies, and what they default to.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::duration;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stack {
    /// The route calls take first. Without it: the only route, or the one named `gateway`.
    pub route: String,
    /// Application processes sharing the load; each has a pool, a limiter and a local cache of its own.
    pub replicas: u32,
    /// Calls in flight to routes, a replica; the rest wait.
    pub concurrency: u32,
    /// Identical calls in flight share one.
    pub single_flight: bool,
    /// One call, all attempts.
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub timeout: Duration,
    pub pool: Pool,
    pub cache: Cache,
    pub retry: Retry,
    pub fallback_on: FallbackOn,
    /// Next models, in order, after the retries of the one before.
    pub fallback: Vec<Hop>,
}

impl Default for Stack {
    fn default() -> Self {
        Self {
            route: String::new(),
            replicas: 1,
            concurrency: 64,
            single_flight: true,
            timeout: Duration::from_secs(60),
            pool: Pool::default(),
            cache: Cache::default(),
            retry: Retry::default(),
            fallback_on: FallbackOn::default(),
            fallback: Vec::new(),
        }
    }
}

/// A replica's connection pool, for each route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pool {
    pub client: Client,
    pub max_connections: u32,
    /// Idle connections kept for reuse; 0 closes each after one request.
    pub max_idle: u32,
    pub when_full: WhenFull,
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub idle_timeout: Duration,
    /// Longest wait for a connection.
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub acquire_timeout: Duration,
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub connect_timeout: Duration,
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub tls_timeout: Duration,
    /// Longest gap between bytes, from the request written.
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub read_timeout: Duration,
    /// TCP keepalive interval; 0 turns it off.
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub keepalive: Duration,
    /// Which requests go out again on a fresh connection when the server had closed the kept one they were sent on.
    pub retry_stale: RetryStale,
    pub http: Http,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            client: Client::Exact,
            max_connections: 64,
            max_idle: 64,
            when_full: WhenFull::Wait,
            idle_timeout: Duration::from_secs(90),
            acquire_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            tls_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            keepalive: Duration::from_secs(30),
            retry_stale: RetryStale::Unread,
            http: Http::V1,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    /// gatebench's own pool, which keeps its promises to the unit.
    Exact,
    /// reqwest as it is: no maximum of connections, HTTP/2, proxies.
    Reqwest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WhenFull {
    Wait,
    /// Open one more and discard it afterwards, as urllib3 and Go do.
    Open,
    Fail,
}

/// Which requests go out again, once, when the server had closed the kept connection they were sent on. Never one
/// whose answer had begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RetryStale {
    /// Of which nothing was written.
    Unsent,
    /// Also those that the server cannot have read: it ended its side before it had received them (known on Linux).
    Unread,
    /// Also those that the server may have read, so that it may do, and bill, the work twice.
    Unanswered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Http {
    #[serde(rename = "1.1")]
    V1,
    #[serde(rename = "2")]
    V2,
    #[serde(rename = "auto")]
    Auto,
}

/// The client's cache tiers and the fields their key is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    pub key: Vec<CacheField>,
    /// Absent: no such tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<LocalCache>,
    /// Absent: no such tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<RedisCache>,
}

impl Default for Cache {
    fn default() -> Self {
        use CacheField::*;
        Self {
            key: vec![Model, Messages, Temperature, MaxTokens, TopP, Tools, ResponseFormat, Seed],
            local: None,
            redis: None,
        }
    }
}

/// A field of the request that a cache key may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CacheField {
    MaxTokens,
    Messages,
    Model,
    ResponseFormat,
    Seed,
    Temperature,
    Tools,
    TopP,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LocalCache {
    /// Entries.
    pub capacity: u64,
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub ttl: Duration,
}

impl Default for LocalCache {
    fn default() -> Self {
        Self { capacity: 10_000, ttl: Duration::from_secs(60) }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RedisCache {
    /// `redis://host:port/db`, `unix:///path`, or `managed`: a private server for the run.
    pub url: String,
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub ttl: Duration,
    /// Longest wait for an answer; beyond it a miss and a counted error.
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub timeout: Duration,
}

impl RedisCache {
    /// The `url` that asks for a private server.
    pub const MANAGED: &str = "managed";
}

impl Default for RedisCache {
    fn default() -> Self {
        Self { url: Self::MANAGED.into(), ttl: Duration::from_secs(3600), timeout: Duration::from_millis(50) }
    }
}

/// When a failed attempt is tried again on the same model and route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// First try included.
    pub attempts: u32,
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub base: Duration,
    pub factor: f64,
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub max: Duration,
    pub jitter: Jitter,
    pub on: Vec<Trigger>,
    /// A Retry-After longer than `max`: no retry, next hop.
    pub respect_retry_after: bool,
}

impl Default for Retry {
    fn default() -> Self {
        let mut on: Vec<_> = [408, 409, 429, 500, 502, 503, 504].map(Trigger::Status).into();
        on.extend([Trigger::Connect, Trigger::Timeout]);
        Self {
            attempts: 3,
            base: Duration::from_millis(500),
            factor: 2.0,
            max: Duration::from_secs(8),
            jitter: Jitter::Full,
            on,
            respect_retry_after: true,
        }
    }
}

/// With d the exponential delay: `full` is U(0, d), `equal` d/2 + U(0, d/2), `quarter` d - U(0, d/4), `none` d.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Jitter {
    Full,
    Equal,
    /// As the OpenAI and Anthropic SDKs do.
    Quarter,
    None,
}

/// A kind of failure: a status code, or `"connect"`, `"timeout"`, `"stream"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    Status(u16),
    Connect,
    Timeout,
    Stream,
}

/// Which failures move a call on to the next hop. Never 400, 401, 403, 404.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FallbackOn {
    pub errors: Vec<Trigger>,
}

impl Default for FallbackOn {
    fn default() -> Self {
        let mut errors: Vec<_> = [408, 429, 500, 502, 503, 504, 529].map(Trigger::Status).into();
        errors.extend([Trigger::Connect, Trigger::Timeout, Trigger::Stream]);
        Self { errors }
    }
}

/// The next model to ask, on the same route unless it names one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hop {
    pub model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}

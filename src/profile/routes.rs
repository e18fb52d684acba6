//! `[routes.NAME]`: a real endpoint (`base_url`) or a simulated one (`simulate`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::compare::Percent;
use super::dialect::{Dialect, PromptCaching};
use super::stack::Http;
use super::units::{Spread, duration};

/// Exactly one of `base_url` and `simulate` is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    /// Up to and with the version, as the vendors' SDKs take it: `https://api.example.com/v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulate: Option<Simulated>,
    /// Name of the environment variable that holds the key; the key itself is never written anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// How it is spoken to. Without it: `"openai"`, or what a simulated route's preset speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Ask the provider to keep prompts in its prompt cache (Anthropic's dialect; in OpenAI's, providers do so unasked):
    /// `true` and `"5m"` for five minutes, `"1h"` for an hour.
    pub prompt_cache: PromptCaching,
    /// What one USD of credit costs here, in RMB. Without it: the market rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cny_per_usd: Option<f64>,
    /// Allow the gateway's own cache; `false` asks it not to serve from it.
    pub cache: bool,
    /// Sent with each request. `authorization` and `x-api-key` are refused: keys come from the environment.
    pub headers: BTreeMap<String, String>,
    /// PEM file of further certificate authorities to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Accept any certificate, whoever signed it, for whatever host and time. For a laboratory: whoever sits between can
    /// read the key.
    pub insecure: bool,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            base_url: None,
            simulate: None,
            api_key_env: None,
            dialect: None,
            prompt_cache: PromptCaching::Off,
            cny_per_usd: None,
            cache: true,
            headers: BTreeMap::new(),
            ca_file: None,
            insecure: false,
        }
    }
}

impl Route {
    /// As written, else the simulated preset's, else OpenAI's.
    pub fn spoken(&self) -> Dialect {
        let preset = self.simulate.as_ref().map(|simulated| simulated.preset.as_str());
        self.dialect.unwrap_or(match preset {
            Some("anthropic-official") => Dialect::Anthropic,
            _ => Dialect::Openai,
        })
    }
}

/// What a header of a route may give away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderKind {
    Plain,
    /// Looks secret: sent, but no text shows its value. Gateways take keys in headers of their own
    /// (`x-portkey-api-key`, `helicone-auth`), so what looks secret is taken for it.
    Secret,
    /// Known to carry a key or a session: refused, since keys come from the environment.
    Refused,
}

impl HeaderKind {
    pub fn of(name: &str) -> Self {
        const REFUSED: [&str; 6] =
            ["authorization", "proxy-authorization", "x-api-key", "api-key", "cookie", "x-goog-api-key"];
        const SECRET: [&str; 10] =
            ["auth", "key", "token", "secret", "cookie", "password", "credential", "session", "signature", "bearer"];
        let name = name.to_ascii_lowercase();
        if REFUSED.contains(&name.as_str()) {
            Self::Refused
        } else if SECRET.iter().any(|word| name.contains(word)) {
            Self::Secret
        } else {
            Self::Plain
        }
    }
}

/// A simulated provider behind a simulated wire, every field filled in from its preset.
/// Written as the preset's name, or as a table that starts from one: `{ preset = "local", rtt = "20ms" }`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Simulated {
    pub preset: String,
    /// Round-trip time of the wire.
    #[serde(with = "duration")]
    pub rtt: Duration,
    /// `"1.3"`, `"1.2"` or `false` for plain HTTP.
    pub tls: TlsVersion,
    /// TLS session resumption.
    pub resume: bool,
    /// What it speaks: HTTP/1.1, HTTP/2, or both, as the client wishes.
    pub http: Http,
    /// Requests in progress on one HTTP/2 connection at most (SETTINGS_MAX_CONCURRENT_STREAMS).
    pub max_streams: u32,
    /// A connection without a request for so long is closed; 0: never.
    #[serde(with = "duration")]
    pub idle_timeout: Duration,
    /// Time at the server from request to first token (for an answer that is not streamed: the wait before
    /// generation begins).
    pub ttft: Spread<Duration>,
    /// Generation speed of one answer; 0 sends all tokens at once.
    pub tokens_per_second: Spread<f64>,
    /// How `rtt` and `ttft` wander over time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Requests in progress beyond which a 429 is answered; 0: no limit.
    pub concurrency_limit: u32,
    /// 0: no limit.
    pub requests_per_minute: u32,
    /// Input and output tokens together; 0: no limit.
    pub tokens_per_minute: u64,
    /// Share of requests answered with a 500, 0 to 1.
    pub error_rate: f64,
    /// Written as `false` where there is none, since absent means the preset's.
    #[serde(serialize_with = "super::simulated::table_or_false")]
    pub gateway_cache: Option<GatewayCache>,
    /// Written as `false` where there is none.
    #[serde(serialize_with = "super::simulated::table_or_false")]
    pub prompt_cache: Option<PromptCache>,
    pub faults: Vec<Fault>,
    /// Accepted API keys; others get a 401. Empty: any key, or none.
    #[serde(skip_serializing)]
    pub keys: Vec<String>,
    /// Models served, as prefixes; others get a 404. Empty: any.
    pub models: Vec<String>,
}

impl Simulated {
    /// What every call over a kept connection takes, where nothing of it is left to chance and the answer comes at once:
    /// a round trip, and the time to the first token.
    pub fn steady_call(&self) -> Option<Duration> {
        let Spread::Fixed(ttft) = self.ttft else { return None };
        let at_once = self.tokens_per_second == Spread::Fixed(0.0);
        let undisturbed =
            self.faults.is_empty() && self.error_rate == 0.0 && self.gateway_cache.is_none() && self.drift.is_none();
        (at_once && undisturbed).then_some(self.rtt + ttft)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    Off,
    V12,
    V13,
}

/// A cache inside the gateway: exact match on the request body's meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayCache {
    /// Entries.
    pub capacity: u64,
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub ttl: Duration,
}

impl Default for GatewayCache {
    fn default() -> Self {
        Self { capacity: 10_000, ttl: Duration::from_secs(300) }
    }
}

/// A network that wanders: all simulated routes of a process drift alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// Up to so much less and more than what is set: `"20%"`.
    pub share: Percent,
    /// About how long it takes from one high to the next; it never repeats exactly.
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub period: Duration,
}

/// The provider's own cache: of the beginnings of prompts, so that an answer is still generated but less is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PromptCache {
    /// Beginnings shorter than this are not kept.
    pub min_tokens: u64,
    /// How long a beginning is kept after its last use. What a request asks to keep for an hour is kept for an hour.
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub ttl: Duration,
}

impl Default for PromptCache {
    fn default() -> Self {
        Self { min_tokens: 1024, ttl: Duration::from_secs(300) }
    }
}

/// A fault that begins `at` after the load's start and lasts `for`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    #[serde(with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub at: Duration,
    #[serde(rename = "for", with = "duration")]
    #[schemars(with = "super::schema::DurationText")]
    pub lasts: Duration,
    pub kind: FaultKind,
    /// Only requests for this model; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FaultKind {
    #[serde(rename = "429")]
    TooManyRequests,
    #[serde(rename = "500")]
    InternalError,
    #[serde(rename = "503")]
    Unavailable,
    #[serde(rename = "529")]
    Overloaded,
    /// Accepts the request and answers nothing while the fault lasts.
    #[serde(rename = "hang")]
    Hang,
    /// Resets the connection.
    #[serde(rename = "reset")]
    Reset,
    /// Ends the answer in the middle.
    #[serde(rename = "truncate")]
    Truncate,
    /// An error inside a 200: in the middle of a stream, or in the place of a whole answer.
    #[serde(rename = "error")]
    Error,
    /// TTFT and generation take ten times as long.
    #[serde(rename = "slow")]
    Slow,
}

impl FaultKind {
    pub const ALL: [Self; 9] = [
        Self::TooManyRequests,
        Self::InternalError,
        Self::Unavailable,
        Self::Overloaded,
        Self::Hang,
        Self::Reset,
        Self::Truncate,
        Self::Error,
        Self::Slow,
    ];

    /// As a profile writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooManyRequests => "429",
            Self::InternalError => "500",
            Self::Unavailable => "503",
            Self::Overloaded => "529",
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::Truncate => "truncate",
            Self::Error => "error",
            Self::Slow => "slow",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_looks_secret_is_one_and_those_that_carry_keys_are_refused() {
        for (name, kind) in [
            ("X-Team", HeaderKind::Plain),
            ("X-Portkey-Api-Key", HeaderKind::Secret),
            ("x-password", HeaderKind::Secret),
            ("x-session-id", HeaderKind::Secret),
            ("Authorization", HeaderKind::Refused),
            ("cookie", HeaderKind::Refused),
        ] {
            assert_eq!(HeaderKind::of(name), kind, "{name}");
        }
    }
}

//! The presets of simulated routes, after the founding article's comparison table: what a client in China sees of
//! a gateway nearby, of the vendors direct, and of a mainstream proxy.

use std::time::Duration;

use super::routes::{GatewayCache, PromptCache, Simulated, TlsVersion};
use super::stack::Http;
use super::units::Spread;

impl Simulated {
    pub const PRESETS: [&str; 5] = ["holysheep", "openai-official", "anthropic-official", "mainstream-proxy", "local"];

    /// A preset by its name; the error names the presets there are.
    pub fn preset(name: &str) -> Result<Self, String> {
        let ms = Duration::from_millis;
        let provider = |rtt_ms, models: &[&str]| Self {
            preset: name.to_owned(),
            rtt: ms(rtt_ms),
            tls: TlsVersion::V13,
            resume: false,
            http: Http::Auto,
            max_streams: 100,
            idle_timeout: Duration::ZERO,
            ttft: Spread::LogNormal { median: ms(280), p95: ms(700) },
            tokens_per_second: Spread::LogNormal { median: 80.0, p95: 140.0 },
            drift: None,
            concurrency_limit: 0,
            requests_per_minute: 0,
            tokens_per_minute: 0,
            error_rate: 0.0,
            gateway_cache: None,
            prompt_cache: None,
            faults: Vec::new(),
            keys: Vec::new(),
            models: models.iter().map(|m| (*m).to_owned()).collect(),
        };
        Ok(match name {
            "holysheep" => Self { gateway_cache: Some(GatewayCache::default()), ..provider(38, &[]) },
            // The vendors themselves cache prompts; what stands behind a gateway is not known.
            "openai-official" => Self {
                prompt_cache: Some(PromptCache::default()),
                ..provider(312, &["gpt-", "o1", "o3", "o4", "chatgpt-"])
            },
            "anthropic-official" => Self { prompt_cache: Some(PromptCache::default()), ..provider(400, &["claude-"]) },
            "mainstream-proxy" => provider(115, &[]),
            "local" => Self {
                tls: TlsVersion::Off,
                ttft: Spread::Fixed(Duration::ZERO),
                tokens_per_second: Spread::Fixed(0.0),
                ..provider(0, &[])
            },
            _ => return Err(format!("unknown preset \"{name}\"; there are {}", Self::PRESETS.join(", "))),
        })
    }
}

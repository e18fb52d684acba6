//! What shows that a gateway served an answer from its own cache, and how each is asked not to: one table.
//! Must not know what that saves: gateways' cost headers stay at full price on a hit, so none is read. Neither are
//! their headers of overhead and retries, which tell less than half of what a paired measurement finds.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::Usage;

/// One gateway, as far as its cache goes.
#[derive(Clone, Copy, Debug)]
pub struct Gateway {
    pub name: &'static str,
    pub hit: Signal,
    pub opt_out: OptOut,
    /// Where signal and opt-out were learned.
    pub learned: &'static str,
}

/// How a gateway tells a hit.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// By a header's being there: it is absent on a miss.
    Presence(&'static str),
    /// By a header whose value begins with one of these words, in any case: `HIT`, `Hit`, `HIT from edge-7`.
    Beginning(&'static str, &'static [&'static str]),
    /// By the answer's `id`.
    Id(&'static str),
    /// By `extra_fields.cache_debug.cache_hit` in the body.
    CacheDebug,
    /// By usage of zero. Only in an answer with an `episode_id`, which no other server writes: an ordinary provider
    /// that counts nothing has served no hit.
    NoUsageInEpisode,
}

/// How a gateway is asked not to serve from its cache.
#[derive(Clone, Copy, Debug)]
pub enum OptOut {
    /// By a header. Each is ignored by those that do not know it, so all of them are sent.
    Header(&'static str, &'static str),
    /// By no header; what does it instead. A field in the body is not sent: providers refuse those they do not know.
    NoHeader(&'static str),
}

const HIT: &[&str] = &["hit"];

pub static GATEWAYS: [Gateway; 11] = [
    Gateway {
        name: "LiteLLM",
        hit: Signal::Presence("x-litellm-cache-key"),
        opt_out: OptOut::NoHeader("`\"cache\": {\"no-cache\": true}` in the body, or in the virtual key's metadata"),
        learned: "docs.litellm.ai/docs/proxy/caching_controls; \
                  litellm/proxy/litellm_pre_call_utils.py (of Cache-Control it reads s-maxage alone)",
    },
    Gateway {
        name: "Portkey",
        hit: Signal::Beginning("x-portkey-cache-status", &["hit", "semantic hit"]),
        opt_out: OptOut::Header("x-portkey-cache-force-refresh", "true"),
        learned: "portkey.ai/docs/api-reference/response-schema",
    },
    Gateway {
        name: "Helicone",
        hit: Signal::Beginning("helicone-cache", HIT),
        opt_out: OptOut::Header("helicone-cache-enabled", "false"),
        learned: "docs.helicone.ai/features/advanced-usage/caching",
    },
    Gateway {
        name: "Cloudflare AI Gateway",
        hit: Signal::Beginning("cf-aig-cache-status", HIT),
        opt_out: OptOut::Header("cf-aig-skip-cache", "true"),
        learned: "developers.cloudflare.com/ai-gateway/features/caching",
    },
    Gateway {
        name: "OpenRouter",
        hit: Signal::Beginning("x-openrouter-cache-status", HIT),
        opt_out: OptOut::Header("x-openrouter-cache", "false"),
        learned: "openrouter.ai/docs/guides/features/response-caching",
    },
    Gateway {
        name: "Apache APISIX",
        // HIT-L1 (the same prompt) and HIT-L2 (a similar one).
        hit: Signal::Beginning("x-ai-cache-status", HIT),
        opt_out: OptOut::NoHeader("`bypass_on` in the plugin's configuration names a header"),
        learned: "apisix.apache.org/docs/apisix/plugins/ai-cache; apisix/plugins/ai-cache.lua",
    },
    Gateway {
        name: "Kong",
        hit: Signal::Beginning("x-cache-status", HIT),
        opt_out: OptOut::Header("cache-control", "no-cache"),
        learned: "developer.konghq.com/plugins/ai-semantic-cache; the opt-out needs `cache_control` in its configuration",
    },
    Gateway {
        name: "Bifrost",
        hit: Signal::CacheDebug,
        opt_out: OptOut::NoHeader("it caches only what has a cache key (`x-bf-cache-key`, `default_cache_key`)"),
        learned: "docs.getbifrost.ai/features/semantic-caching",
    },
    Gateway {
        name: "Higress",
        hit: Signal::Id("from-cache"),
        opt_out: OptOut::Header("x-higress-skip-ai-cache", "on"),
        learned: "alibaba/higress: plugins/wasm-go/extensions/ai-cache/README.md",
    },
    Gateway {
        name: "TensorZero",
        hit: Signal::NoUsageInEpisode,
        opt_out: OptOut::NoHeader("it serves only those that ask by `tensorzero::cache_options` in the body"),
        learned: "tensorzero.com/docs/gateway/guides/inference-caching; tensorzero-core: OpenAICompatibleResponse",
    },
    Gateway {
        name: "plain proxies",
        hit: Signal::Beginning("x-cache", HIT),
        opt_out: OptOut::Header("cache-control", "no-cache"),
        learned: "the habit of Squid, Varnish, Fastly and nginx configurations",
    },
];

/// The headers that ask every gateway not to serve from its cache. Some share one.
pub(super) fn opt_outs() -> impl Iterator<Item = (&'static str, &'static str)> {
    GATEWAYS.iter().filter_map(|gateway| match gateway.opt_out {
        OptOut::Header(name, value) => Some((name, value)),
        OptOut::NoHeader(_) => None,
    })
}

/// The fields of an answer's body, or of an event of its stream, in which gateways tell of their caches.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Notes<'a> {
    pub(super) id: Option<&'a RawValue>,
    pub(super) extra_fields: Option<&'a RawValue>,
    pub(super) episode_id: Option<&'a RawValue>,
}

/// What an answer has told of its gateway's cache so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    hit: bool,
    in_episode: bool,
}

impl Told {
    pub(super) fn by(head: &HeaderMap) -> Self {
        // One walk over the few headers there are is cheaper than a hashed look-up for each signal.
        let tells = |(name, value): (&HeaderName, &HeaderValue)| {
            GATEWAYS.iter().any(|gateway| gateway.hit.is_in(name.as_str(), value.as_bytes()))
        };
        Self { hit: head.iter().any(tells), in_episode: false }
    }

    pub(super) fn hear(&mut self, notes: &Notes<'_>) {
        self.hit |= GATEWAYS.iter().any(|gateway| gateway.hit.is_among(notes));
        self.in_episode |= notes.episode_id.is_some();
    }

    /// Whether the answer came from the gateway's cache, once all of it is here.
    pub(super) fn hit(self, usage: Option<Usage>) -> bool {
        self.hit || (self.in_episode && usage.is_some_and(counts_nothing))
    }

    /// The usage that says what an answer would have cost: on a hit some gateways count nothing.
    pub(super) fn worth(self, usage: Option<Usage>) -> Option<Usage> {
        usage.filter(|usage| !(self.hit(Some(*usage)) && counts_nothing(*usage)))
    }
}

fn counts_nothing(usage: Usage) -> bool {
    usage.input == 0 && usage.output == 0
}

impl Signal {
    fn is_in(&self, name: &str, value: &[u8]) -> bool {
        let begins_with = |word: &str| {
            value.trim_ascii_start().get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        };
        match self {
            Self::Presence(signal) => name == *signal,
            Self::Beginning(signal, words) => name == *signal && words.iter().any(|word| begins_with(word)),
            Self::Id(_) | Self::CacheDebug | Self::NoUsageInEpisode => false,
        }
    }

    fn is_among(&self, notes: &Notes<'_>) -> bool {
        match self {
            Self::Id(signal) => notes.id.is_some_and(|id| is_string(id, signal)),
            Self::CacheDebug => notes.extra_fields.is_some_and(cache_debug_tells_a_hit),
            // That takes the usage, which may come later.
            Self::NoUsageInEpisode | Self::Presence(_) | Self::Beginning(..) => false,
        }
    }
}

/// Compared as raw JSON: to read it as a string could be an allocation.
fn is_string(json: &RawValue, text: &str) -> bool {
    json.get().strip_prefix('"').and_then(|json| json.strip_suffix('"')) == Some(text)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ExtraFields {
    cache_debug: Option<CacheDebug>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CacheDebug {
    cache_hit: Option<bool>,
}

fn cache_debug_tells_a_hit(extra_fields: &RawValue) -> bool {
    let fields: ExtraFields = serde_json::from_str(extra_fields.get()).unwrap_or_default();
    fields.cache_debug.and_then(|debug| debug.cache_hit).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(name: &'static str, value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        Told::by(&headers).hit(None)
    }

    #[test]
    fn every_header_is_understood_in_its_gateways_own_words() {
        for (name, value) in [
            ("x-litellm-cache-key", "a1b2"),
            ("x-portkey-cache-status", "HIT"),
            ("x-portkey-cache-status", "SEMANTIC HIT"),
            ("helicone-cache", "HIT"),
            ("cf-aig-cache-status", "HIT"),
            ("x-openrouter-cache-status", "HIT"),
            ("x-ai-cache-status", "HIT-L1"),
            ("x-cache-status", "Hit"),
            ("x-cache", "HIT from edge-7"),
            ("x-cache", " hit"),
        ] {
            assert!(says(name, value), "{name}: {value}");
        }
    }

    #[test]
    fn a_miss_is_none_and_cost_headers_say_nothing() {
        for (name, value) in [
            ("x-portkey-cache-status", "MISS"),
            ("x-portkey-cache-status", "SEMANTIC MISS"),
            ("x-portkey-cache-status", "REFRESH"),
            ("x-portkey-cache-status", "DISABLED"),
            ("helicone-cache", "MISS"),
            ("x-ai-cache-status", "BYPASS"),
            ("x-cache-status", "Miss"),
            ("x-cache", "MISS from edge-7"),
            ("x-cache", ""),
            ("x-litellm-response-cost", "0.0"),
        ] {
            assert!(!says(name, value), "{name}: {value}");
        }
    }

    #[test]
    fn usage_of_zero_is_a_hit_only_where_a_gateway_says_so_by_it() {
        let nothing = Some(Usage::default());
        let ordinary = Told::default();
        assert!(!ordinary.hit(nothing));
        assert_eq!(ordinary.worth(nothing), nothing);
        let mut tensorzero = Told::default();
        let id: Box<RawValue> = RawValue::from_string("\"0196\"".into()).unwrap();
        tensorzero.hear(&Notes { episode_id: Some(&id), ..Notes::default() });
        assert!(tensorzero.hit(nothing));
        assert_eq!(tensorzero.worth(nothing), None);
        let counted = Some(Usage { input: 1, ..Usage::default() });
        assert!(!tensorzero.hit(counted) && !tensorzero.hit(None));
        assert_eq!(tensorzero.worth(counted), counted);
    }
}

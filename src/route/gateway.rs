//! What shows that a gateway served an answer from its own cache.
//! Must not know what that saves: gateways' cost headers stay at full price on a hit, so none is read.

use http::HeaderMap;

/// How a header tells a hit.
enum Tells {
    /// By being there: it is absent on a miss.
    Presence,
    /// By a value that begins so, in any case: `HIT`, `Hit`, `HIT from edge-7`.
    Beginning(&'static [&'static str]),
}

const HIT: Tells = Tells::Beginning(&["hit"]);

const SIGNALS: [(&str, Tells); 7] = [
    ("x-litellm-cache-key", Tells::Presence),
    ("x-portkey-cache-status", Tells::Beginning(&["hit", "semantic hit"])),
    ("helicone-cache", HIT),
    ("cf-aig-cache-status", HIT),
    // APISIX, Kong, and plain proxies.
    ("x-ai-cache-status", HIT),
    ("x-cache-status", HIT),
    ("x-cache", HIT),
];

/// Asks the gateway not to serve from its cache; each of these is ignored by those that do not know it.
pub(super) const OPT_OUT: [(&str, &str); 4] = [
    ("cache-control", "no-cache"),
    ("cf-aig-skip-cache", "true"),
    ("helicone-cache-enabled", "false"),
    ("x-portkey-cache-force-refresh", "true"),
];

/// Higress answers a hit under this id (as raw JSON).
pub(super) const HIGRESS_HIT_ID: &str = "\"from-cache\"";

pub(super) fn hit(headers: &HeaderMap) -> bool {
    // One walk over the few headers there are is cheaper than a hashed look-up for each signal.
    headers.iter().any(|(name, value)| {
        SIGNALS.iter().any(|(signal, tells)| name.as_str() == *signal && tells.in_value(value.as_bytes()))
    })
}

impl Tells {
    fn in_value(&self, value: &[u8]) -> bool {
        let value = value.trim_ascii_start();
        match self {
            Self::Presence => true,
            Self::Beginning(words) => words
                .iter()
                .any(|word| value.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn says(name: &'static str, value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/json".parse().unwrap());
        headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        hit(&headers)
    }

    #[test]
    fn every_gateway_is_understood_in_its_own_words() {
        for (name, value) in [
            ("x-litellm-cache-key", "a1b2"),
            ("x-portkey-cache-status", "HIT"),
            ("x-portkey-cache-status", "SEMANTIC HIT"),
            ("helicone-cache", "HIT"),
            ("cf-aig-cache-status", "HIT"),
            ("x-ai-cache-status", "HIT"),
            ("x-cache-status", "Hit"),
            ("x-cache", "HIT from edge-7"),
            ("x-cache", "hit"),
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
            ("x-cache-status", "Miss"),
            ("x-cache", "MISS from edge-7"),
            ("x-cache", ""),
            ("x-litellm-response-cost", "0.0"),
        ] {
            assert!(!says(name, value), "{name}: {value}");
        }
    }
}

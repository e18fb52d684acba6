//! The profiles built into the binary: `profiles/*.toml`.

/// A profile that needs no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    pub name: &'static str,
    /// What it shows, in one line.
    pub about: &'static str,
    pub text: &'static str,
}

macro_rules! builtin {
    ($name:literal, $about:literal) => {
        Builtin { name: $name, about: $about, text: include_str!(concat!("../../profiles/", $name, ".toml")) }
    };
}

pub const BUILTINS: [Builtin; 13] = [
    builtin!("quickstart", "caches, a gateway and a chain of three models, simulated; nothing to install"),
    builtin!("three-tier-cache", "local cache, Redis and the gateway's cache under four replicas (needs redis-server)"),
    builtin!("rate-limit-fallback", "429s and an outage of the first model: what retries and the chain make of them"),
    builtin!(
        "anthropic-direct",
        "Claude in Anthropic's dialect with its prompt cache, and a gateway in OpenAI's behind it"
    ),
    builtin!("direct-vs-gateway", "how \"8 times faster\" shrinks as the answer takes longer: see gatebench compare"),
    builtin!("no-pool", "a new TLS connection for each call, 50 ms away: what pooled saves"),
    builtin!("pooled", "the load of no-pool through a pool of 16 kept connections"),
    builtin!(
        "like-python-requests",
        "the same 60 users over Python requests: 10 kept, the rest opened and thrown away"
    ),
    builtin!(
        "like-openai-sdk",
        "the same 60 users over the OpenAI Python SDK: a large pool, kept for 5 s, two retries"
    ),
    builtin!("like-go-http", "the same 60 users over Go net/http: two kept, whatever the load"),
    builtin!("like-reqwest", "the same 60 users over reqwest itself: no maximum, all kept"),
    builtin!("ci-smoke", "five seconds with expectations, as a CI job runs it"),
    builtin!("open-provider", "a real endpoint with a key from the environment and a budget"),
];

impl Builtin {
    pub fn named(name: &str) -> Option<&'static Self> {
        BUILTINS.iter().find(|builtin| builtin.name == name)
    }
}

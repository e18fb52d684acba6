//! The table itself: a line a setting. Must not know who reads it.

use std::time::Duration;

use super::value::{Held, Value};
use super::{Applies, Group, Kind, Setting, Shelf, Step};
use crate::profile::{Client, Http, Jitter, Mode, Profile, Prompts, Simulated, Spread, WhenFull};

/// An entry of the table.
#[derive(Debug)]
pub struct Spec {
    /// Its key in the profile; `*` stands for the route or the hop.
    pub id: &'static str,
    pub label: &'static str,
    /// What it is, in plain words on one line.
    pub about: &'static str,
    pub group: Group,
    /// Beside the number; times carry their own.
    pub unit: &'static str,
    pub kind: Kind,
    pub applies: Applies,
    /// What has to be there for it to apply.
    pub needs: &'static str,
    pub access: Access,
}

/// How to read and write it. `None`: it does not apply.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    pub get: fn(&Profile, &Place) -> Option<Value>,
    pub set: fn(&mut Profile, &Place, &Value, &Shelf) -> Option<()>,
}

/// What a setting is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Profile,
    Route(String),
    /// Of the chain as the profile began.
    Hop(usize),
}

impl Spec {
    /// One for the profile, or one for each of its simulated routes.
    pub(super) fn settings(&'static self, profile: &Profile) -> Vec<Setting> {
        if !self.id.contains('*') {
            return vec![self.at(Place::Profile, "")];
        }
        let simulated =
            profile.routes.iter().filter(|(_, route)| route.simulate.is_some() || self.id.ends_with("cache"));
        simulated.map(|(name, _)| self.at(Place::Route(name.clone()), name)).collect()
    }

    pub(super) fn at(&'static self, place: Place, name: &str) -> Setting {
        let key = match &place {
            Place::Hop(i) => i.to_string(),
            _ => name.to_owned(),
        };
        let label = if name.is_empty() { self.label.to_owned() } else { format!("{name} {}", self.label) };
        Setting { id: self.id.replace('*', &key), label: label.trim_end().to_owned(), spec: self, place }
    }
}

fn put<T: Held>(field: Option<&mut T>, value: &Value) -> Option<()> {
    *field? = T::held(value)?;
    Some(())
}

macro_rules! field {
    ($($path:ident).+) => {
        Access {
            get: |profile, _| Some(profile.$($path).+.value()),
            set: |profile, _, value, _| put(Some(&mut profile.$($path).+), value),
        }
    };
    ($tier:ident? $field:ident) => {
        Access {
            get: |profile, _| Some(profile.stack.cache.$tier.as_ref()?.$field.value()),
            set: |profile, _, value, _| put(profile.stack.cache.$tier.as_mut().map(|tier| &mut tier.$field), value),
        }
    };
}

macro_rules! tier {
    ($tier:ident) => {
        Access {
            get: |profile, _| Some(Value::On(profile.stack.cache.$tier.is_some())),
            set: |profile, _, value, shelf| {
                let on = bool::held(value)?;
                profile.stack.cache.$tier = on.then(|| shelf.$tier.clone());
                Some(())
            },
        }
    };
}

macro_rules! simulated {
    ($field:ident) => {
        Access {
            get: |profile, place| Some(simulated(profile, place)?.$field.value()),
            set: |profile, place, value, _| put(simulated_mut(profile, place).map(|s| &mut s.$field), value),
        }
    };
}

fn simulated<'a>(profile: &'a Profile, place: &Place) -> Option<&'a Simulated> {
    let Place::Route(name) = place else { return None };
    profile.routes.get(name)?.simulate.as_ref()
}

fn simulated_mut<'a>(profile: &'a mut Profile, place: &Place) -> Option<&'a mut Simulated> {
    let Place::Route(name) = place else { return None };
    profile.routes.get_mut(name)?.simulate.as_mut()
}

/// Applies only in its own mode. It holds from now on, so the stages end.
const RATE: Access = Access {
    get: |profile, _| (profile.load.mode == Mode::Open).then(|| profile.load.rate.value()),
    set: |profile, _, value, _| {
        end_stages(&mut profile.load);
        put(Some(&mut profile.load.rate), value)
    },
};
const USERS: Access = Access {
    get: |profile, _| (profile.load.mode == Mode::Closed).then(|| profile.load.users.value()),
    set: |profile, _, value, _| {
        end_stages(&mut profile.load);
        put(Some(&mut profile.load.users), value)
    },
};

/// A load that took its length from its stages keeps it.
fn end_stages(load: &mut crate::profile::Load) {
    if !load.stages.is_empty() {
        load.duration = load.measured();
        load.stages.clear();
    }
}
const THINK_TIME: Access = Access {
    get: |profile, _| (profile.load.mode == Mode::Closed).then(|| profile.load.think_time.value()),
    set: |profile, _, value, _| put(Some(&mut profile.load.think_time), value),
};

const EXPONENT: Access = Access {
    get: |profile, _| match &profile.workload.prompts {
        Prompts::Zipf { exponent, .. } => Some(exponent.value()),
        _ => None,
    },
    set: |profile, _, value, _| match &mut profile.workload.prompts {
        Prompts::Zipf { exponent, .. } => put(Some(exponent), value),
        _ => None,
    },
};

const ROUTE_CACHE: Access = Access {
    get: |profile, place| match place {
        // A simulated route that has no cache cannot be asked for one.
        Place::Route(name) => profile
            .routes
            .get(name)
            .filter(|route| route.simulate.as_ref().is_none_or(|simulated| simulated.gateway_cache.is_some()))
            .map(|route| route.cache.value()),
        _ => None,
    },
    set: |profile, place, value, _| match place {
        Place::Route(name) => put(profile.routes.get_mut(name).map(|route| &mut route.cache), value),
        _ => None,
    },
};

/// The median; the spread around it keeps its shape.
const TTFT: Access = Access {
    get: |profile, place| {
        let (Spread::Fixed(median) | Spread::LogNormal { median, .. }) = simulated(profile, place)?.ttft;
        Some(median.value())
    },
    set: |profile, place, value, _| {
        let ttft = &mut simulated_mut(profile, place)?.ttft;
        let to = Duration::held(value)?;
        *ttft = match *ttft {
            Spread::LogNormal { median, p95 } if !to.is_zero() && !median.is_zero() => {
                Spread::LogNormal { median: to, p95: to.mul_f64(p95.as_secs_f64() / median.as_secs_f64()) }
            }
            _ => Spread::Fixed(to),
        };
        Some(())
    },
};

const fn log(low: f64, high: f64) -> Kind {
    Kind::Stepper { low, high, step: Step::OneTwoFive { from: if low > 0.0 { low } else { 1.0 } } }
}

const fn linear(low: f64, high: f64, step: f64) -> Kind {
    Kind::Stepper { low, high, step: Step::Linear(step) }
}

const fn spec(
    id: &'static str,
    label: &'static str,
    about: &'static str,
    group: Group,
    kind: Kind,
    applies: Applies,
    access: Access,
) -> Spec {
    Spec { id, label, about, group, unit: "", kind, applies, needs: "another profile", access }
}

impl Spec {
    const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    const fn needs(mut self, needs: &'static str) -> Self {
        self.needs = needs;
        self
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const ROUTES: Kind = Kind::Choice(|profile| profile.routes.keys().cloned().collect());
const CLIENT: Kind = Kind::Choice(|_| names(Client::CHOICES));
const HTTP: Kind = Kind::Choice(|_| names(Http::CHOICES));
const WHEN_FULL: Kind = Kind::Choice(|_| names(WhenFull::CHOICES));
const JITTER: Kind = Kind::Choice(|_| names(Jitter::CHOICES));
const TENTH: Kind = Kind::Stepper { low: 0.1, high: 1e6, step: Step::Tenth };

const HOUR: f64 = 3_600_000.0;
const DAY: f64 = 24.0 * HOUR;

use Applies::{Cold, Drain, Live};
use Group::{Cache, Load, Pool, Retry, Route, Stack};
use Kind::Toggle;

#[rustfmt::skip]
pub(super) static SPECS: &[Spec] = &[
    spec("load.rate", "rate", "requests sent a second, whatever the answers do",
        Load, TENTH, Live, RATE).unit("/s").needs("an open loop"),
    spec("load.users", "users", "users, each waiting for its answer before asking again",
        Load, log(1.0, 100_000.0), Live, USERS).needs("a closed loop"),
    spec("load.think_time", "think time", "pause of a user between an answer and the next request",
        Load, log(0.0, HOUR), Live, THINK_TIME).needs("a closed loop"),
    spec("workload.prompts.exponent", "prompt skew", "how often popular prompts repeat; 0: all alike",
        Load, linear(0.0, 5.0, 0.1), Live, EXPONENT).needs("zipf prompts"),
    spec("workload.stream", "stream", "answers come token by token, so TTFT can be measured",
        Load, Toggle, Live, field!(workload.stream)),

    spec("stack.route", "route", "the route that calls take first",
        Stack, ROUTES, Live, field!(stack.route)),
    spec("stack.replicas", "replicas", "application processes that share the load",
        Stack, linear(1.0, 256.0, 1.0), Cold, field!(stack.replicas)),
    spec("stack.concurrency", "in flight", "most calls in flight of a replica; the rest wait in line",
        Stack, log(1.0, 100_000.0), Live, field!(stack.concurrency)),
    spec("stack.single_flight", "share calls", "identical calls in flight share one answer",
        Stack, Toggle, Live, field!(stack.single_flight)),
    spec("stack.timeout", "timeout", "longest time of one call, all its tries included",
        Stack, log(1.0, HOUR), Live, field!(stack.timeout)),

    spec("stack.cache.local", "local", "a cache in the memory of each replica",
        Cache, Toggle, Cold, tier!(local)),
    spec("stack.cache.local.capacity", "local size", "answers that the local cache holds",
        Cache, log(1.0, 1e8), Cold, field!(local? capacity)).needs("a local cache"),
    spec("stack.cache.local.ttl", "local ttl", "how long the local cache keeps an answer",
        Cache, log(1.0, DAY), Live, field!(local? ttl)).needs("a local cache"),
    spec("stack.cache.redis", "redis", "a Redis that all replicas share",
        Cache, Toggle, Cold, tier!(redis)),
    spec("stack.cache.redis.ttl", "redis ttl", "how long Redis keeps an answer",
        Cache, log(1.0, 365.0 * DAY), Live, field!(redis? ttl)).needs("a Redis cache"),
    spec("stack.cache.redis.timeout", "redis wait", "longest wait for Redis; beyond it: a miss",
        Cache, log(1.0, 60_000.0), Live, field!(redis? timeout)).needs("a Redis cache"),

    spec("stack.pool.client", "client", "gatebench's own exact pool, or reqwest as teams deploy it",
        Pool, CLIENT, Drain, field!(stack.pool.client)),
    spec("stack.pool.http", "http", "version of HTTP; 2 and auto need the client reqwest",
        Pool, HTTP, Drain, field!(stack.pool.http)),
    spec("stack.pool.max_connections", "pool max", "most connections of a replica; the rest wait in line",
        Pool, log(1.0, 65_535.0), Drain, field!(stack.pool.max_connections)),
    spec("stack.pool.max_idle", "pool idle", "idle connections kept for reuse; 0: none is reused",
        Pool, log(0.0, 65_535.0), Drain, field!(stack.pool.max_idle)),
    spec("stack.pool.when_full", "when full", "what a call does when every connection is taken",
        Pool, WHEN_FULL, Live, field!(stack.pool.when_full)),
    spec("stack.pool.idle_timeout", "idle timeout", "an idle connection closes after it",
        Pool, log(1.0, HOUR), Drain, field!(stack.pool.idle_timeout)),
    spec("stack.pool.acquire_timeout", "pool wait", "longest wait for a connection",
        Pool, log(1.0, HOUR), Live, field!(stack.pool.acquire_timeout)),
    spec("stack.pool.connect_timeout", "connect wait", "longest time to look up the host and connect",
        Pool, log(1.0, HOUR), Live, field!(stack.pool.connect_timeout)),
    spec("stack.pool.tls_timeout", "tls wait", "longest time of a TLS handshake",
        Pool, log(1.0, HOUR), Live, field!(stack.pool.tls_timeout)),
    spec("stack.pool.read_timeout", "read wait", "longest silence of a route before a try fails",
        Pool, log(1.0, HOUR), Live, field!(stack.pool.read_timeout)),

    spec("stack.retry.attempts", "attempts", "tries of a call on one model, the first included",
        Retry, linear(1.0, 10.0, 1.0), Live, field!(stack.retry.attempts)),
    spec("stack.retry.base", "retry base", "pause before the second try",
        Retry, log(0.0, 60_000.0), Live, field!(stack.retry.base)),
    spec("stack.retry.factor", "retry factor", "each further pause is so many times as long",
        Retry, linear(1.0, 10.0, 0.5), Live, field!(stack.retry.factor)),
    spec("stack.retry.max", "retry max", "longest pause; a longer Retry-After moves on",
        Retry, log(0.0, HOUR), Live, field!(stack.retry.max)),
    spec("stack.retry.jitter", "jitter", "how much of a pause is left to chance",
        Retry, JITTER, Live, field!(stack.retry.jitter)),
    spec("stack.retry.respect_retry_after", "Retry-After", "wait as long as a 429 or 503 asks for",
        Retry, Toggle, Live, field!(stack.retry.respect_retry_after)),

    spec("routes.*.cache", "gateway cache", "the gateway may answer from its own cache",
        Route, Toggle, Live, ROUTE_CACHE),
    spec("routes.*.simulate.rtt", "rtt", "round trip to the route and back",
        Route, log(0.0, 60_000.0), Live, simulated!(rtt)).needs("a simulated route"),
    spec("routes.*.simulate.ttft", "ttft", "median time of the server to its first token",
        Route, log(0.0, 60_000.0), Live, TTFT).needs("a simulated route"),
    spec("routes.*.simulate.error_rate", "errors", "share of requests answered with a 500",
        Route, linear(0.0, 1.0, 0.01), Live, simulated!(error_rate)).needs("a simulated route"),
    spec("routes.*.simulate.requests_per_minute", "limit", "requests a minute, then 429s; 0: no limit",
        Route, log(0.0, 1e7), Live, simulated!(requests_per_minute)).unit("/min").needs("a simulated route"),
    spec("routes.*.simulate.tokens_per_minute", "token limit", "tokens a minute, then 429s; 0: no limit",
        Route, log(0.0, 1e9), Live, simulated!(tokens_per_minute)).unit("/min").needs("a simulated route"),
    spec("routes.*.simulate.concurrency_limit", "limit in flight", "requests in progress, then 429s; 0: no limit",
        Route, log(0.0, 1e6), Live, simulated!(concurrency_limit)).needs("a simulated route"),
];

/// A hop of the chain, on or off: what it reads and writes is the whole chain, so [`super::Tuning`] does it.
pub(super) static HOP: Spec = spec(
    "stack.fallback.*",
    "fallback",
    "a model to ask when those before it fail",
    Retry,
    Toggle,
    Live,
    Access { get: |_, _| None, set: |_, _, _, _| None },
);

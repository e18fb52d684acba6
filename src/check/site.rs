//! One route as it is checked: the very endpoint that a run would make of it, with bounds that end every step soon.
//! Must not know the steps.

use std::time::Duration;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use crate::engine::{EngineError, endpoint_config};
use crate::profile::{Client, Dialect, Loaded, Pool, Profile, Route, Source};
use crate::route::{Endpoint, Probe, Proxy};
use crate::sim;

/// No step is waited for longer, whatever the profile allows.
pub const LONGEST: Duration = Duration::from_secs(10);

pub struct Site<'a> {
    pub name: &'a str,
    pub route: &'a Route,
    /// Models that calls may ask here, in the order of the chain; never empty.
    pub models: Vec<&'a str>,
    /// The profile's, bounded.
    pub pool: Pool,
    pub base_url: String,
    pub endpoint: Endpoint,
    pub probe: Probe,
    /// The proxy its requests go through, as `host:port`.
    pub proxy: Option<String>,
    /// As the endpoint is spoken to.
    pub dialect: Dialect,
    pub sends_key: bool,
    /// The setting with its address, as a person wrote it: `routes.NAME.base_url` or `--url`.
    pub address: String,
}

impl<'a> Site<'a> {
    pub fn new(name: &'a str, loaded: &'a Loaded, sims: Option<&sim::Server>) -> Result<Self, EngineError> {
        let profile = &loaded.profile;
        let route = &profile.routes[name];
        let config = endpoint_config(name, route, sims)?;
        let pool = bounded(&profile.stack.pool);
        let proxy = match (pool.client, config.proxy) {
            (Client::Reqwest, Proxy::Environment) => proxy_for(&config.base_url),
            _ => None,
        };
        Ok(Self {
            name,
            route,
            models: models(profile, name),
            base_url: config.base_url.clone(),
            dialect: config.dialect,
            sends_key: config.api_key.is_some(),
            probe: Probe::new(&config, &pool)?,
            endpoint: Endpoint::new(config, &pool)?,
            proxy,
            pool,
            address: setting(loaded, name, "base_url"),
        })
    }

    pub fn is_simulated(&self) -> bool {
        self.route.simulate.is_some()
    }
}

/// A setting of a route as whoever started the check wrote it: ad hoc, there are flags alone.
pub fn setting(loaded: &Loaded, route: &str, key: &str) -> String {
    match (&loaded.source, key) {
        (Source::Adhoc, "base_url") => "--url".to_owned(),
        (Source::Adhoc, "api_key_env") => "--api-key-env".to_owned(),
        _ => format!("routes.{route}.{key}"),
    }
}

fn bounded(pool: &Pool) -> Pool {
    Pool {
        connect_timeout: pool.connect_timeout.min(LONGEST),
        // A handshake that is not answered is followed by a look for plain HTTP.
        tls_timeout: pool.tls_timeout.min(LONGEST - Probe::SECOND_LOOK),
        acquire_timeout: pool.acquire_timeout.min(LONGEST),
        read_timeout: pool.read_timeout.min(LONGEST),
        ..pool.clone()
    }
}

/// A route beside the chain, such as another arm's, is asked the profile's first model.
fn models<'a>(profile: &'a Profile, route: &str) -> Vec<&'a str> {
    let mut models: Vec<&str> = profile.chain().filter(|(_, of)| *of == route).map(|(model, _)| model).collect();
    if models.is_empty() {
        models.push(&profile.workload.model);
    }
    let mut seen = Vec::new();
    models.retain(|model| {
        !seen.contains(model) && {
            seen.push(model);
            true
        }
    });
    models
}

/// The proxy that reqwest finds in the environment for an address, found as reqwest finds it; without its user.
pub fn proxy_for(url: &str) -> Option<String> {
    let intercepted = Matcher::from_system().intercept(&url.parse::<Uri>().ok()?)?;
    let uri = intercepted.uri();
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}{port}", uri.host()?))
}

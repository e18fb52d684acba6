//! What is sent with every request of an endpoint, made once.
//! Must not know what is asked.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};

use super::endpoint::{EndpointConfig, RouteError};
use super::gateway;
use super::secret::Secret;
use crate::profile::HeaderKind;

const AGENT: &str = concat!("gatebench/", env!("CARGO_PKG_VERSION"));

#[derive(Clone)]
pub(super) struct Headers {
    whole: HeaderMap,
    streamed: HeaderMap,
    /// The profile's own, which win over ours.
    own: Vec<(HeaderName, HeaderValue)>,
}

impl Headers {
    /// `host` is `None` where the transport writes it itself.
    pub(super) fn new(config: &EndpointConfig, host: Option<&str>) -> Result<Self, RouteError> {
        let mut base = HeaderMap::new();
        if let Some(host) = host {
            let host = HeaderValue::try_from(host).map_err(|_| RouteError::base_url(config, "its host is no host"))?;
            base.insert(HOST, host);
        }
        base.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        base.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let spoken = config.spoken().headers(config.api_key.as_ref());
        base.extend(spoken.ok_or_else(|| RouteError::Key { route: config.name.clone() })?);
        let own = own_headers(config)?;
        let mut headers = Self { streamed: base.clone(), whole: base, own };
        headers.whole.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.streamed.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        headers.set_gateway_cache(config.gateway_cache);
        Ok(headers)
    }

    pub(super) fn set_gateway_cache(&mut self, on: bool) {
        for map in [&mut self.whole, &mut self.streamed] {
            for (name, value) in gateway::opt_outs() {
                if on {
                    map.remove(name);
                } else {
                    map.insert(name, HeaderValue::from_static(value));
                }
            }
            for (name, value) in &self.own {
                map.insert(name, value.clone());
            }
        }
    }

    pub(super) fn whole(&self) -> HeaderMap {
        self.whole.clone()
    }

    pub(super) fn streamed(&self) -> HeaderMap {
        self.streamed.clone()
    }
}

fn own_headers(config: &EndpointConfig) -> Result<Vec<(HeaderName, HeaderValue)>, RouteError> {
    let one = |(name, value): (&String, &String)| {
        let wrong = |_| RouteError::Header { route: config.name.clone(), header: name.clone() };
        let header = HeaderName::try_from(name.as_str()).map_err(|_| wrong(()))?;
        let mut value = HeaderValue::try_from(value.as_str()).map_err(|_| wrong(()))?;
        value.set_sensitive(is_secret(name));
        Ok((header, value))
    };
    config.headers.iter().map(one).collect()
}

fn is_secret(name: &str) -> bool {
    HeaderKind::of(name) != HeaderKind::Plain
}

/// Everything among the headers that no text may show.
pub(super) fn secrets(config: &EndpointConfig) -> Vec<Secret> {
    let own = config.headers.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| Secret::new(value.as_str()));
    config.api_key.iter().cloned().chain(own).collect()
}

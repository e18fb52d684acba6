//! The routes a run talks to: simulated ones are started here, keys are read from the environment here.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use super::EngineError;
use crate::chat::Name;
use crate::profile::{Profile, Route, Simulated};
use crate::route::{Access, Endpoint, EndpointConfig, Proxy, RouteError, Secret, check_authorities};
use crate::sim;

/// What each replica builds its own endpoints from.
#[derive(Debug)]
pub struct Endpoints {
    configs: Vec<EndpointConfig>,
}

/// Starts the profile's simulated routes, if it has any.
pub fn simulate(profile: &Profile) -> Result<Option<sim::Server>, EngineError> {
    let specs: Vec<(String, Simulated)> =
        profile.routes.iter().filter_map(|(name, route)| Some((name.clone(), route.simulate.clone()?))).collect();
    if specs.is_empty() {
        return Ok(None);
    }
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = sim::Options { listen, seed: profile.seed, ..sim::Options::default() };
    Ok(Some(sim::Server::start(&specs, options)?))
}

impl Endpoints {
    /// Resolves every route of the profile: its address, its key, whom to trust.
    pub fn new(profile: &Profile, sims: Option<&sim::Server>) -> Result<Self, EngineError> {
        let configs = profile.routes.iter().map(|(name, route)| config(name, route, sims)).collect::<Result<_, _>>()?;
        Ok(Self { configs })
    }

    /// Each route's name, and whether it is still asked.
    pub fn accesses(&self) -> impl Iterator<Item = (&str, Arc<Access>)> {
        self.configs.iter().map(|config| (config.name.as_str(), config.access.clone()))
    }

    /// One replica's endpoints.
    pub fn build(&self, profile: &Profile) -> Result<Vec<(Name, Rc<Endpoint>)>, RouteError> {
        self.configs
            .iter()
            .map(|config| {
                let endpoint = Endpoint::new(config.clone(), &profile.stack.pool)?;
                Ok((Name::from(config.name.as_str()), Rc::new(endpoint)))
            })
            .collect()
    }
}

/// What an endpoint of this route is made from: its address, its key, whom to trust.
pub fn config(name: &str, route: &Route, sims: Option<&sim::Server>) -> Result<EndpointConfig, EngineError> {
    let simulated = sims.and_then(|server| server.routes().iter().find(|r| r.name() == name));
    let base_url = match (&route.base_url, simulated) {
        (Some(url), _) => url.clone(),
        (None, Some(handle)) => handle.base_url().to_owned(),
        (None, None) => unreachable!("validated: a route has base_url or simulate"),
    };
    let mut extra_ca_pem = Vec::new();
    if let Some(path) = &route.ca_file {
        let pem = std::fs::read(path).map_err(|source| EngineError::CaFile {
            route: name.to_owned(),
            path: path.clone(),
            source,
        })?;
        check_authorities(&pem).map_err(|why| EngineError::Authorities {
            route: name.to_owned(),
            path: path.clone(),
            why,
        })?;
        extra_ca_pem.push(pem);
    }
    extra_ca_pem.extend(simulated.and(sims).map(|server| server.ca_pem().as_bytes().to_vec()));
    Ok(EndpointConfig {
        name: name.to_owned(),
        base_url,
        dialect: route.spoken(),
        prompt_cache: route.prompt_cache,
        api_key: key(name, route.api_key_env.as_deref())?,
        headers: route.headers.clone(),
        gateway_cache: route.cache,
        extra_ca_pem,
        insecure: route.insecure,
        resume: route.simulate.as_ref().is_none_or(|simulated| simulated.resume),
        access: Arc::default(),
        proxy: if simulated.is_some() { Proxy::Never } else { Proxy::Environment },
    })
}

fn key(route: &str, variable: Option<&str>) -> Result<Option<Secret>, EngineError> {
    let Some(variable) = variable else { return Ok(None) };
    let (route, variable) = (route.to_owned(), variable.to_owned());
    match std::env::var(&variable) {
        Ok(key) if key.trim().contains(char::is_control) => Err(EngineError::NoHeader { route, variable }),
        Ok(key) if !key.trim().is_empty() => Ok(Some(Secret::new(key.trim().to_owned()))),
        _ => Err(EngineError::NoKey { route, variable }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Draft, Prices, Source};

    #[test]
    fn only_real_routes_go_through_the_environments_proxy() {
        let text = "[stack]\nroute = \"near\"\n[routes.near]\nsimulate = \"local\"\n\
                    [routes.real]\nbase_url = \"https://h/v1\"\n";
        let profile = Draft::from_text(Source::Adhoc, text.into()).finish(Prices::ANY).unwrap().profile;
        let sims = simulate(&profile).unwrap();
        let endpoints = Endpoints::new(&profile, sims.as_ref()).unwrap();
        let proxies: Vec<_> = endpoints.configs.iter().map(|config| (config.name.as_str(), config.proxy)).collect();
        assert_eq!(proxies, [("near", Proxy::Never), ("real", Proxy::Environment)]);
    }
}

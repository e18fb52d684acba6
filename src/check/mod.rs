//! The preflight: whether everything is there that a run of a profile needs, found out step by step.
//! Must not know how a run goes, or who reads its findings.
//!
//! ```text
//! profile -> for each route { key -> dns -> tcp -> tls -> models -> call } -> redis -> machine
//!    each step --Note--> Finding --> Witness (lines as they come), Document (JSON), exit code
//! ```
//!
//! Every step is bounded in time; after one that failed, the rest of its route is skipped. As long as a key is
//! missing or the profile cannot be run, nothing is sent anywhere.

mod call;
mod certificate;
mod clock;
mod finding;
mod key;
mod listing;
mod machine;
pub mod page;
mod redis;
mod round;
mod site;
mod way;

use std::collections::HashSet;

pub use call::Calls;
pub use finding::{Document, Finding, Status, Step, exit_code, schema};
pub use round::Witness;

use call::{Till, announcement};
use finding::Note;
use key::Named;
use listing::{ServerClock, Told};
use round::Round;
use site::{Site, setting};

use crate::engine::{self, EngineError};
use crate::plan::Workload;
use crate::profile::{Loaded, Profile, RedisCache, Route};
use crate::sim;

/// What is to be checked.
pub struct Check<'a> {
    pub loaded: &'a Loaded,
    pub calls: Calls,
}

/// Takes every step, tells each to the witness, and gives them all. To be called where local tasks can be spawned.
pub async fn run(check: &Check<'_>, witness: &mut dyn Witness) -> Vec<Finding> {
    let profile = &check.loaded.profile;
    let mut findings = Vec::new();
    let prepared = Prepared::of(check.loaded, &mut Round::new("profile", witness, &mut findings));
    let clocks = routes(check, &prepared, witness, &mut findings).await;
    let mut round = Round::new("redis", witness, &mut findings);
    redis_tier(profile, prepared.hindrance.as_deref(), &mut round).await;
    machine(profile, &clocks, &mut Round::new("machine", witness, &mut findings));
    findings
}

/// What can be known without sending anything.
struct Prepared<'a> {
    sims: Option<sim::Server>,
    /// Of each route, those of the chain first.
    keys: Vec<(&'a str, Vec<Note>)>,
    /// Why nothing may be sent.
    hindrance: Option<String>,
}

impl<'a> Prepared<'a> {
    fn of(loaded: &'a Loaded, round: &mut Round<'_>) -> Self {
        round.enters(&loaded.source.to_string());
        let mut names: Vec<&str> = loaded.profile.chain().map(|(_, route)| route).collect();
        names.extend(loaded.profile.routes.keys().map(String::as_str));
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(*name));
        let keys: Vec<_> = names.into_iter().map(|name| (name, judged_key(loaded, name))).collect();
        let lacking = keys.iter().find(|(_, notes)| notes.iter().any(Note::has_failed)).map(|(name, _)| *name);
        let (sims, hindrance) = match set_up(loaded) {
            Ok(sims) => {
                let chain = loaded.profile.chain().map(|(model, route)| format!("{model} on {route}"));
                round.note(Step::Profile, Note::ok(format!("valid: {}", chain.collect::<Vec<_>>().join(", then "))));
                (sims, lacking.map(|name| format!("nothing is sent while routes.{name} lacks its key")))
            }
            Err(why) => {
                let note = Note::of_error(&why);
                round.note(Step::Profile, if why.is_bad_input() { note.blamed_on_input() } else { note });
                (None, Some("nothing is sent while the profile cannot be run".to_owned()))
            }
        };
        for warning in &loaded.warnings {
            round.note(Step::Profile, Note::of_warning(warning));
        }
        Self { sims, keys, hindrance }
    }
}

/// Reads the files, starts the simulated routes, and makes every endpoint once, as a run would. A missing key is told
/// elsewhere.
fn set_up(loaded: &Loaded) -> Result<Option<sim::Server>, EngineError> {
    Workload::new(&loaded.profile)?;
    let sims = engine::simulate(&loaded.profile)?;
    for name in loaded.profile.routes.keys() {
        match Site::new(name, loaded, sims.as_ref()) {
            Ok(_) | Err(EngineError::NoKey { .. } | EngineError::NoHeader { .. }) => {}
            Err(why) => return Err(why),
        }
    }
    Ok(sims)
}

fn judged_key(loaded: &Loaded, name: &str) -> Vec<Note> {
    let route = &loaded.profile.routes[name];
    let setting = setting(loaded, name, "api_key_env");
    let named = Named { variable: route.api_key_env.as_deref(), setting: &setting };
    let value = named.variable.and_then(|variable| std::env::var(variable).ok());
    let url = route.base_url.as_deref().and_then(|url| url.parse::<http::Uri>().ok());
    key::judge(&named, value.as_deref(), url.as_ref().and_then(http::Uri::host).unwrap_or_default())
}

fn address(route: &Route, site: Option<&Site<'_>>) -> String {
    match (&route.simulate, site) {
        (None, _) => route.base_url.clone().unwrap_or_default(),
        (Some(simulated), None) => format!("simulated: {}", simulated.preset),
        (Some(simulated), Some(site)) => format!("simulated: {}, {}", simulated.preset, site.base_url),
    }
}

/// The routes one after another, each on its way as far as it leads.
async fn routes(
    check: &Check<'_>,
    prepared: &Prepared<'_>,
    witness: &mut dyn Witness,
    findings: &mut Vec<Finding>,
) -> Vec<ServerClock> {
    let mut till = Till::of(&check.loaded.profile);
    let site = |name| Site::new(name, check.loaded, prepared.sims.as_ref()).ok();
    let sites: Vec<_> = match prepared.hindrance {
        None => prepared.keys.iter().map(|(name, _)| site(name)).collect(),
        Some(_) => prepared.keys.iter().map(|_| None).collect(),
    };
    if check.calls == Calls::Made
        && let Some(words) = announcement(sites.iter().flatten(), &till)
    {
        witness.announces(&words);
    }
    let mut clocks = Vec::new();
    for (site, (name, key)) in sites.into_iter().zip(&prepared.keys) {
        let mut round = Round::new(&format!("routes.{name}"), witness, findings);
        round.enters(&address(&check.loaded.profile.routes[*name], site.as_ref()));
        round.note_all(Step::Key, key.clone());
        let Some(site) = site else {
            round.skip(&Step::ON_THE_WAY, prepared.hindrance.as_deref().unwrap_or_default());
            continue;
        };
        let told = route(&site, check, &mut till, &mut round).await;
        clocks.extend(told.and_then(|told| told.clock));
        site.endpoint.shut_down().await;
    }
    clocks
}

async fn route(site: &Site<'_>, check: &Check<'_>, till: &mut Till, round: &mut Round<'_>) -> Option<Told> {
    match &site.proxy {
        Some(proxy) => {
            round.skip(&[Step::Dns, Step::Tcp, Step::Tls], &format!("through the proxy {proxy}, which does it"));
        }
        None => {
            let resolved = round.step(Step::Dns, site.probe.host(), way::dns(site)).await;
            let reached = round.then(Step::Tcp, "a connection", resolved.as_ref(), |found| way::tcp(site, found)).await;
            round.then(Step::Tls, "the handshake", reached, |reached| way::tls(site, reached)).await;
        }
    }
    let told = round.step(Step::Models, "GET /models", listing::models(site, check.calls)).await;
    match check.calls {
        Calls::LeftOut => round.note(Step::Call, Note::skip("left out (--no-call)")),
        Calls::Made => {
            let profile = &check.loaded.profile;
            round.then(Step::Call, site.models[0], told.as_ref(), |told| call::call(site, profile, till, told)).await;
        }
    }
    told
}

async fn redis_tier(profile: &Profile, hindrance: Option<&str>, round: &mut Round<'_>) {
    let Some(tier) = &profile.stack.cache.redis else {
        round.enters("none");
        return round.skip(&[Step::Redis], "the profile has no such tier");
    };
    let managed = tier.url == RedisCache::MANAGED;
    round.enters(if managed { "managed: started for a run of its own" } else { "stack.cache.redis" });
    match hindrance.filter(|_| !managed) {
        Some(why) => round.skip(&[Step::Redis], why),
        None => _ = round.step(Step::Redis, "its answer", redis::redis(tier)).await,
    }
}

fn machine(profile: &Profile, clocks: &[ServerClock], round: &mut Round<'_>) {
    round.enters("this one");
    round.note(Step::Files, machine::files(profile));
    round.note(Step::Clock, clock::wall(clocks));
    round.note(Step::Timer, clock::timer());
    round.note(Step::Cores, machine::cores(profile));
    round.note(Step::Proxies, machine::proxies(profile));
}

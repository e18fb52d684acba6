//! `gatebench sim`: simulated routes for any tool to talk to.

use std::net::SocketAddr;

use super::{Failure, load};
use crate::engine::files;
use crate::profile::{BUILTINS, Draft, ProfileError, Simulated, suggestion};
use crate::sim;

/// Serves a preset, or the simulated routes of a profile, until a signal.
pub fn run(target: Option<&str>, listen: SocketAddr, sets: &[String]) -> Result<u8, Failure> {
    let target = target.unwrap_or("local");
    let (routes, seed) = if Simulated::PRESETS.contains(&target) && sets.is_empty() {
        let preset = Simulated::preset(target).map_err(Failure::bad_input)?;
        (vec![(target.to_owned(), preset)], 7)
    } else {
        if let Err(ProfileError::Unknown { .. }) = Draft::open(target) {
            return Err(no_profile(target));
        }
        let profile = load::named(target, sets)?.profile;
        let simulated = |(name, route): (String, crate::profile::Route)| Some((name, route.simulate?));
        (profile.routes.into_iter().filter_map(simulated).collect(), profile.seed)
    };
    if routes.is_empty() {
        return Err(Failure::bad_input(format!("{target} has no simulated route; give one `simulate = \"local\"`")));
    }
    // How many clients will come is theirs to say.
    files::raise();
    let options = sim::Options { listen, seed, ..sim::Options::default() };
    sim::serve(&routes, options).map_err(Failure::could_not_run)?;
    Ok(0)
}

fn no_profile(target: &str) -> Failure {
    if Simulated::PRESETS.contains(&target) {
        return Failure::bad_input(format!(
            "--set changes a profile, and \"{target}\" is a preset; serve a profile whose route has \
             simulate = {{ preset = \"{target}\", … }}"
        ));
    }
    let names = [&Simulated::PRESETS[..], &BUILTINS.map(|builtin| builtin.name)].concat();
    let hint = suggestion(target, &names);
    Failure::bad_input(format!("\"{target}\" is neither a preset, a file nor a built-in profile{hint}"))
}

//! What a run needs of this machine beside its clocks: files, processors, and the environment's proxies.
//! Must not know endpoints.

use super::finding::Note;
use super::site::proxy_for;
use crate::engine::files;
use crate::profile::{Client, Profile};

/// Open files: how many a run may need, and how many it may have.
pub fn files(profile: &Profile) -> Note {
    let needed = files::needed(profile);
    match (files::provide(&[profile]), files::limit()) {
        (Err(too_few), _) => Note::of_error(&too_few).fact("allowed", too_few.allowed),
        (Ok(()), Some(limit)) => {
            Note::ok(format!("{needed} of the {} allowed may be needed", limit.soft)).fact("allowed", limit.soft)
        }
        (Ok(()), None) => Note::skip("this system does not tell its limit"),
    }
    .fact("needed", needed)
}

pub fn cores(profile: &Profile) -> Note {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    judged(cores, profile.stack.replicas as usize)
}

fn judged(cores: usize, replicas: usize) -> Note {
    let s = |n: usize| if n == 1 { "" } else { "s" };
    let detail = format!("{cores} core{} for {replicas} replica{}", s(cores), s(replicas));
    let note = if replicas > cores {
        Note::warn(
            format!("{detail}, each a thread: they would wait for one another"),
            format!("lower stack.replicas to {cores}, or use a larger machine; at low rates it does no harm"),
        )
    } else {
        Note::ok(detail)
    };
    note.fact("cores", cores).fact("replicas", replicas)
}

/// Variables that a client may heed.
const VARIABLES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// Which of the profile's real endpoints a proxy of the environment is meant for, and whether its client asks it.
pub fn proxies(profile: &Profile) -> Note {
    let set: Vec<&str> =
        VARIABLES.into_iter().filter(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty())).collect();
    if set.is_empty() {
        return Note::ok("none in the environment");
    }
    let variables = set.join(", ");
    let meant =
        profile.routes.iter().filter_map(|(name, route)| Some((name.as_str(), proxy_for(route.base_url.as_deref()?)?)));
    let meant: Vec<_> = meant.collect();
    let Some((_, proxy)) = meant.first() else {
        return Note::ok(format!("{variables} set, for none of the routes")).fact("set", set);
    };
    let routes = meant.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let note = match profile.stack.pool.client {
        Client::Reqwest => Note::ok(format!("{routes} through {proxy} ({variables})")),
        Client::Exact => Note::warn(
            format!("{variables} set, but stack.pool.client = \"exact\" connects to {routes} without a proxy"),
            format!("set stack.pool.client = \"reqwest\" to go through {proxy}; unset the variable if none is meant"),
        ),
    };
    note.fact("set", set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::{Status, Step};

    #[test]
    fn more_replicas_than_cores_are_warned_about() {
        let found = |cores, replicas| judged(cores, replicas).of("machine", Step::Cores);
        assert_eq!((found(2, 2).status, &*found(2, 1).detail), (Status::Ok, "2 cores for 1 replica"));
        assert_eq!(found(2, 3).status, Status::Warn);
    }
}

//! Open files: how many a run may need, and how many this process may have.
//! Must not know who opens them.
//!
//! ```text
//! a pool    at most 2 c, where c calls are in flight to its route: each holds a connection, and the one before it may
//!           still be closing; never more than max_connections where a full pool waits or fails
//! c         at most stack.concurrency, and the load's calls in flight (a replica's share of the users, max_in_flight)
//! needed    replicas x routes of the chain x a pool, again for what simulated routes accept in this process,
//!           and what runtimes, Redis and files take
//! ```

use crate::profile::{BatchMode, Client, Mode, Profile, WhenFull};

/// Standard streams, signals, a managed Redis's pipes, reports, profiles, and what was inherited.
const AT_LEAST: u64 = 64;
/// A runtime's poll and wake-up, and a connection to Redis.
const A_REPLICA: u64 = 8;
/// A listener, twice; its workers' runtimes are among [`AT_LEAST`].
const A_SIMULATED_ROUTE: u64 = 2;

/// This process's limit of open files (RLIMIT_NOFILE): `soft` holds, and may be raised to `hard`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub soft: u64,
    pub hard: u64,
}

/// Said before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this run may need {needed} open files, and {allowed} are allowed (ulimit -Hn); raise the limit with \
     `ulimit -n {needed}` (as root, or in /etc/security/limits.conf; in a container: --ulimit nofile={needed}), or \
     lower stack.concurrency, stack.pool.max_connections or stack.replicas"
)]
pub struct TooFewFiles {
    pub needed: u64,
    pub allowed: u64,
}

/// Most files that a run of this profile may have open at once.
pub fn needed(profile: &Profile) -> u64 {
    let replicas = u64::from(profile.stack.replicas);
    let mut routes: Vec<&str> = profile.chain().map(|(_, route)| route).collect();
    routes.sort_unstable();
    routes.dedup();
    let is_simulated = |route: &&&str| profile.routes.get(**route).is_some_and(|route| route.simulate.is_some());
    let accepting = routes.iter().filter(is_simulated).count() as u64;
    let listening = profile.routes.values().filter(|route| route.simulate.is_some()).count() as u64;
    let connections = replicas * of_a_pool(profile);
    (routes.len() as u64 + accepting) * connections + listening * A_SIMULATED_ROUTE + replicas * A_REPLICA + AT_LEAST
}

/// Connections of one pool: one replica's to one route.
fn of_a_pool(profile: &Profile) -> u64 {
    let pool = &profile.stack.pool;
    let most = u64::from(pool.max_connections);
    let calls = u64::from(profile.stack.concurrency).min(calls_in_flight(profile));
    match (pool.when_full, pool.client) {
        (WhenFull::Open, _) => 2 * calls,
        (WhenFull::Wait | WhenFull::Fail, Client::Exact) => most.min(2 * calls),
        // Its checkout races a connect against the return of a kept connection, so it has up to twice as many open.
        (WhenFull::Wait | WhenFull::Fail, Client::Reqwest) => 2 * most.min(calls),
    }
}

/// Most calls in flight in one replica.
fn calls_in_flight(profile: &Profile) -> u64 {
    let (load, batch) = (&profile.load, profile.workload.batch);
    match load.mode {
        Mode::Open => load.max_in_flight as u64,
        Mode::Closed => {
            let users = load.stages.iter().filter_map(|stage| stage.users).fold(load.users, u32::max);
            let issued = if batch.mode == BatchMode::Gather { batch.size } else { 1 };
            u64::from(users.div_ceil(profile.stack.replicas.max(1))) * u64::from(issued)
        }
    }
}

/// What holds now; `None` where the system does not tell.
pub fn limit() -> Option<Limit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: getrlimit writes one rlimit.
    let told = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0;
    told.then_some(Limit { soft: limit.rlim_cur, hard: limit.rlim_max })
}

/// Raises the soft limit as far as the hard one allows, as Go's runtime does, and says what holds then.
pub fn raise() -> Option<Limit> {
    // macOS says "unlimited" and takes no more than kern.maxfilesperproc, which is one of these or above.
    const LESS: [u64; 3] = [1 << 20, 61_440, 10_240];
    let Limit { soft, hard } = limit()?;
    for wanted in std::iter::once(hard).chain(LESS.into_iter().filter(|less| *less < hard)) {
        if wanted <= soft {
            break;
        }
        let asked = libc::rlimit { rlim_cur: wanted, rlim_max: hard };
        // SAFETY: setrlimit reads one rlimit.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &asked) } == 0 {
            break;
        }
    }
    limit()
}

/// Sees to it that loads of these profiles, all in this process, find the files they may need.
pub fn provide(profiles: &[&Profile]) -> Result<(), TooFewFiles> {
    let needed = profiles.iter().map(|profile| needed(profile)).sum();
    match raise() {
        Some(Limit { soft: allowed, .. }) if allowed < needed => Err(TooFewFiles { needed, allowed }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Draft, Prices, Source};

    fn needed_by(text: &str) -> u64 {
        needed(&Draft::from_text(Source::Adhoc, text.into()).finish(Prices::ANY).unwrap().profile)
    }

    const REAL: &str = "[routes.gateway]\nbase_url = \"http://127.0.0.1:9/v1\"\n";

    fn pools(text: &str) -> u64 {
        needed_by(&format!("{text}\n{REAL}")) - AT_LEAST - A_REPLICA
    }

    #[test]
    fn a_pool_that_waits_never_holds_more_than_its_maximum() {
        assert_eq!(pools("[stack.pool]\nmax_connections = 10"), 10);
        assert_eq!(pools("[stack.pool]\nmax_connections = 10\nwhen_full = \"fail\""), 10);
    }

    #[test]
    fn a_pool_that_opens_more_is_bounded_by_the_calls_in_flight() {
        assert_eq!(pools("[stack.pool]\nmax_connections = 10\nwhen_full = \"open\""), 2 * 64);
        assert_eq!(pools("[stack]\nconcurrency = 500\n[stack.pool]\nwhen_full = \"open\""), 2 * 500);
        assert_eq!(pools("[stack]\nconcurrency = 500\n[stack.pool]\nclient = \"reqwest\""), 2 * 64);
    }

    #[test]
    fn few_users_need_few_files_however_large_the_pool() {
        let closed = "[load]\nmode = \"closed\"\nusers = 4\n";
        let large = "[stack]\nconcurrency = 5000\n[stack.pool]\nmax_connections = 5000";
        assert_eq!(pools(&format!("{closed}{large}")), 8);
        assert_eq!(pools(&format!("{closed}stages = [{{ duration = \"1s\", users = 300 }}]\n{large}")), 600);
        assert_eq!(pools(&format!("{closed}[workload]\nbatch = {{ size = 5 }}\n{large}")), 40);
        assert_eq!(pools(&format!("{closed}[workload]\nbatch = {{ size = 5, mode = \"serial\" }}\n{large}")), 8);
    }

    #[test]
    fn every_replica_has_a_pool_for_every_route_of_the_chain() {
        let two = "[stack]\nroute = \"gateway\"\nreplicas = 3\n[stack.pool]\nmax_connections = 10\n\
                   [[stack.fallback]]\nmodel = \"gpt-4o\"\nroute = \"other\"\n\
                   [routes.other]\nbase_url = \"http://127.0.0.1:9/v1\"\n\
                   [routes.unused]\nbase_url = \"http://127.0.0.1:9/v1\"\n";
        assert_eq!(needed_by(&format!("{two}{REAL}")), 3 * 2 * 10 + 3 * A_REPLICA + AT_LEAST);
    }

    #[test]
    fn what_a_simulated_route_accepts_is_open_here_too() {
        let text = "[stack.pool]\nmax_connections = 10\n[routes.gateway]\nsimulate = \"local\"\n";
        assert_eq!(needed_by(text), 2 * 10 + A_SIMULATED_ROUTE + A_REPLICA + AT_LEAST);
    }

    #[test]
    fn a_process_has_a_limit_and_may_raise_it_to_the_hard_one() {
        let before = limit().unwrap();
        let after = raise().unwrap();
        assert!(before.soft <= after.soft && after.soft <= after.hard, "{before:?} {after:?}");
    }
}

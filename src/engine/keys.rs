//! Whether routes take the keys they are shown. A key that is refused is not shown again: the run is given up.
//! Must not know how a key travels.
//!
//! ```text
//! 401 from a route that has not answered before      the key is wrong: at once
//! 401 from one that has answered                      a hiccup, or the key was revoked: after 5 in a row over 0.1 s
//! 403                                                 is about a model or a place, not the key: see `Conductor::judge`
//! ```
//!
//! What was in flight when the refusal came is all that the provider sees of it. It makes no difference whether the
//! route is the first or a fallback's: a chain with a hop that cannot answer is not what the profile says.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::time::{Duration, Instant};

use crate::profile::Profile;
use crate::route::{Access, FailureKind};
use crate::stack::Outcome;

/// Refusals in a row after which a key that was accepted before counts as revoked.
const REVOKED_AFTER: u32 = 5;
/// How long they take at least: at high rates a hiccup of a moment refuses many calls.
const REVOKED_FOR: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub struct Keys(Vec<Key>);

/// Refusals since a key was last accepted.
#[derive(Debug)]
struct Refusals {
    count: AtomicU32,
    /// When the first one came, in nanoseconds since `born`; the greatest number while there is none.
    first: AtomicU64,
    born: Instant,
}

impl Refusals {
    fn none() -> Self {
        Self { count: AtomicU32::default(), first: AtomicU64::new(u64::MAX), born: Instant::now() }
    }

    /// One more: how many there are by then, and since how long. The time is kept in one step and apart from the count, so
    /// that a replica which looks while another one counts never sees the time of refusals that were forgotten.
    fn add(&self, at: Instant) -> (u32, Duration) {
        let now = u64::try_from(at.saturating_duration_since(self.born).as_nanos()).unwrap_or(u64::MAX);
        let first = self.first.fetch_min(now, Relaxed).min(now);
        (self.count.fetch_add(1, Relaxed) + 1, Duration::from_nanos(now - first))
    }

    fn forget(&self) {
        self.first.store(u64::MAX, Relaxed);
        self.count.store(0, Relaxed);
    }
}

#[derive(Debug)]
struct Key {
    route: String,
    /// Of the environment.
    variable: Option<String>,
    access: Arc<Access>,
    accepted: AtomicBool,
    refusals: Refusals,
}

impl Keys {
    /// `accesses`: of each route that is talked to, by name.
    pub fn of<'a>(profile: &Profile, accesses: impl Iterator<Item = (&'a str, Arc<Access>)>) -> Self {
        let key = |(route, access): (&str, Arc<Access>)| Key {
            route: route.to_owned(),
            variable: profile.routes.get(route).and_then(|route| route.api_key_env.clone()),
            access,
            accepted: AtomicBool::default(),
            refusals: Refusals::none(),
        };
        Self(accesses.map(key).collect())
    }

    /// Takes note of what a call's attempts met. If by that a key is refused for good, its route is asked no more, and
    /// this says why, in words.
    pub fn note(&self, outcome: &Outcome) -> Option<String> {
        let of = |route: &str| self.0.iter().find(|key| key.route == route);
        let judged = outcome.tries.iter().filter_map(|attempt| Some((of(&attempt.lane.route)?, attempt.failed)));
        let mut refused = None;
        for (key, failed) in judged {
            match failed {
                // A stream that breaks had begun with a 200.
                None | Some(FailureKind::Stream) => key.accept(),
                Some(FailureKind::Status(401)) if key.refuse(outcome.done) => refused = Some(key),
                Some(_) => {}
            }
        }
        let key = refused?;
        key.access.bar();
        let said = outcome.result.as_ref().err().map(|failure| failure.detail.as_str());
        Some(key.words(said.unwrap_or("401").trim_end_matches('.')))
    }
}

impl Key {
    fn accept(&self) {
        // Read before written: the line is shared by all replicas.
        if !self.accepted.load(Relaxed) {
            self.accepted.store(true, Relaxed);
        }
        if self.refusals.count.load(Relaxed) > 0 {
            self.refusals.forget();
        }
    }

    /// Whether it is refused for good.
    fn refuse(&self, at: Instant) -> bool {
        let (in_a_row, lasting) = self.refusals.add(at);
        !self.accepted.load(Relaxed) || (in_a_row >= REVOKED_AFTER && lasting >= REVOKED_FOR)
    }

    fn words(&self, said: &str) -> String {
        let Self { route, variable, .. } = self;
        match variable {
            None => format!(
                "route {route} wants a key: {said}; name the environment variable that holds it with --api-key-env NAME \
                 (routes.{route}.api_key_env)"
            ),
            Some(variable) if self.accepted.load(Relaxed) => format!(
                "route {route} took its key before and has refused it {} times in a row: {said}; was the key \
                 in {variable} revoked, or has it expired?",
                self.refusals.count.load(Relaxed)
            ),
            Some(variable) => format!(
                "route {route} refuses its key: {said}; check {variable}: is it a key of this provider (its prefix), whole, \
                 without quotes or white space, and is it taken in this header (routes.{route}.dialect)?"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;
    use crate::chat::{Lane, Usage};
    use crate::profile::Route;
    use crate::route::Failure;
    use crate::stack::{Served, ServedBy, Try};

    fn keys() -> (Keys, Arc<Access>, Arc<Access>) {
        let mut profile = Profile::default();
        let with_key = Route { api_key_env: Some("THE_KEY".into()), ..Route::default() };
        profile.routes.insert("gateway".into(), with_key);
        profile.routes.insert("open".into(), Route::default());
        let (gateway, open) = (Arc::<Access>::default(), Arc::<Access>::default());
        let accesses = [("gateway", gateway.clone()), ("open", open.clone())];
        (Keys::of(&profile, accesses.into_iter()), gateway, open)
    }

    /// A call that met this at these routes, the last of which decided it.
    fn call(met: &[(&str, Option<FailureKind>)]) -> Outcome {
        call_done(Instant::now(), met)
    }

    fn call_done(done: Instant, met: &[(&str, Option<FailureKind>)]) -> Outcome {
        let lane = |route: &str| Lane { model: "m".into(), route: route.into() };
        let attempt = |(route, failed): &(&str, Option<FailureKind>)| Try {
            began: Instant::now(),
            lane: lane(route),
            limit_wait: Duration::ZERO,
            pool_wait: None,
            connection: None,
            sent: true,
            failed: *failed,
            lost: None,
        };
        let (last, failed) = met.last().unwrap();
        let detail = "401 Unauthorized: no such key".to_owned();
        let result = match failed {
            Some(kind) => Err(Failure { kind: *kind, retry_after: None, permanent: false, billed: None, detail }),
            None => Ok(Served {
                by: ServedBy::Model,
                lane: lane(last),
                usage: Usage::default(),
                first_token: None,
                last_token: None,
            }),
        };
        let tries = met.iter().map(attempt).collect();
        let asked = lane(met[0].0);
        Outcome { done, asked, result, reached_chain: true, tries, cache_errors: smallvec![] }
    }

    const REFUSED: Option<FailureKind> = Some(FailureKind::Status(401));

    #[test]
    fn a_key_that_was_never_accepted_is_refused_by_the_first_401() {
        let (keys, gateway, open) = keys();
        let words = keys.note(&call(&[("gateway", REFUSED)])).unwrap();
        for word in ["route gateway", "401 Unauthorized: no such key", "THE_KEY", "prefix", "white space", "header"] {
            assert!(words.contains(word), "`{word}` is not in {words}");
        }
        assert!(gateway.is_barred() && !open.is_barred());
    }

    #[test]
    fn where_no_key_is_sent_the_way_to_send_one_is_named() {
        let (keys, ..) = keys();
        let words = keys.note(&call(&[("open", REFUSED)])).unwrap();
        assert!(words.contains("--api-key-env NAME (routes.open.api_key_env)"), "{words}");
    }

    #[test]
    fn a_key_that_was_accepted_is_refused_by_five_in_a_row_and_not_by_a_hiccup() {
        let (keys, gateway, _) = keys();
        let began = Instant::now();
        let refused_after = |time: Duration| keys.note(&call_done(began + time, &[("gateway", REFUSED)]));
        for _ in 0..3 {
            assert_eq!(keys.note(&call(&[("gateway", None)])), None);
            for _ in 0..REVOKED_AFTER - 1 {
                assert_eq!(refused_after(REVOKED_FOR), None);
            }
        }
        assert!(!gateway.is_barred());
        assert!(refused_after(2 * REVOKED_FOR).unwrap().contains("revoked"));
        assert!(gateway.is_barred());
    }

    #[test]
    fn a_moment_of_refusals_is_a_hiccup_however_many_calls_it_meets() {
        let (keys, gateway, _) = keys();
        let began = Instant::now();
        let refused_after = |time: Duration| keys.note(&call_done(began + time, &[("gateway", REFUSED)]));
        assert_eq!(keys.note(&call(&[("gateway", None)])), None);
        for micros in 0..1_000 {
            assert_eq!(refused_after(Duration::from_micros(micros)), None);
        }
        assert!(!gateway.is_barred());
        assert!(refused_after(REVOKED_FOR).unwrap().contains("1001 times in a row"));
    }

    #[test]
    fn hiccups_with_an_answer_between_them_are_apart_however_long_ago_the_first_was() {
        let (keys, gateway, _) = keys();
        let began = Instant::now();
        for minute in 0..3 {
            assert_eq!(keys.note(&call(&[("gateway", None)])), None);
            for _ in 0..2 * REVOKED_AFTER {
                let done = began + Duration::from_secs(60 * minute);
                assert_eq!(keys.note(&call_done(done, &[("gateway", REFUSED)])), None, "minute {minute}");
            }
        }
        assert!(!gateway.is_barred());
    }

    #[test]
    fn a_stream_that_broke_had_been_let_in() {
        let (keys, gateway, _) = keys();
        assert_eq!(keys.note(&call(&[("gateway", Some(FailureKind::Stream))])), None);
        assert_eq!(keys.note(&call(&[("gateway", REFUSED)])), None);
        assert!(!gateway.is_barred());
    }

    #[test]
    fn a_fallbacks_key_counts_as_much_as_the_first_routes() {
        let (keys, gateway, open) = keys();
        let overloaded = Some(FailureKind::Status(503));
        assert!(keys.note(&call(&[("open", overloaded), ("gateway", REFUSED)])).unwrap().contains("route gateway"));
        assert!(gateway.is_barred() && !open.is_barred());
    }

    #[test]
    fn other_refusals_say_nothing_about_the_key() {
        let (keys, gateway, _) = keys();
        for status in [400, 403, 404, 429, 500] {
            assert_eq!(keys.note(&call(&[("gateway", Some(FailureKind::Status(status)))])), None, "{status}");
        }
        assert!(!gateway.is_barred());
        assert!(keys.note(&call(&[("gateway", REFUSED)])).is_some(), "none of them was an answer");
    }
}

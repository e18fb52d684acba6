//! The fallback chain: which hops a call has, and which failures move it on to the next.
//! Must not know how often a hop is tried (`retry`) or how it is asked (`route`).

use crate::chat::Lane;
use crate::profile::{FallbackOn, Profile};
use crate::route::Failure;

use super::retry::is_listed;

/// Whether this failure, after the retries of its hop, moves the call on to the next one.
///
/// A wrong request (400, 401, 403, 404) never does: it is wrong everywhere. An exhausted quota does where 429 is
/// listed, since another model may have one left. A full pool never does: the shortage is the client's own, and the
/// next hop would spend another model's money on it.
pub fn moves_on(on: &FallbackOn, failure: &Failure) -> bool {
    is_listed(&on.errors, failure.kind)
}

/// The profile's chain. Names are made anew at each call, so that a replica which makes its own chain shares no counter
/// with another.
pub fn hops(profile: &Profile) -> Vec<Lane> {
    profile.chain().map(|(model, route)| Lane { model: model.into(), route: route.into() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Hop, Trigger};
    use crate::route::FailureKind;

    fn failed(kind: FailureKind) -> Failure {
        Failure { kind, retry_after: None, permanent: false, billed: None, detail: String::new() }
    }

    #[test]
    fn by_default_overload_and_broken_answers_move_on() {
        let on = FallbackOn::default();
        for code in [408, 429, 500, 502, 503, 504, 529] {
            assert!(moves_on(&on, &failed(FailureKind::Status(code))), "{code}");
        }
        for kind in [FailureKind::Connect, FailureKind::Timeout, FailureKind::Stream] {
            assert!(moves_on(&on, &failed(kind)), "{kind:?}");
        }
        for kind in [FailureKind::Status(409), FailureKind::Status(422), FailureKind::Pool, FailureKind::Other] {
            assert!(!moves_on(&on, &failed(kind)), "{kind:?}");
        }
    }

    #[test]
    fn a_wrong_request_stays_even_if_listed() {
        let codes = [400, 401, 403, 404];
        let on = FallbackOn { errors: codes.map(Trigger::Status).into() };
        for code in codes {
            assert!(!moves_on(&on, &failed(FailureKind::Status(code))), "{code}");
        }
    }

    #[test]
    fn an_exhausted_quota_moves_on_where_429_does() {
        let quota = Failure { permanent: true, ..failed(FailureKind::Status(429)) };
        assert!(moves_on(&FallbackOn::default(), &quota));
        assert!(!moves_on(&FallbackOn { errors: vec![Trigger::Timeout] }, &quota));
    }

    #[test]
    fn hops_follow_the_first_model_on_its_route_unless_they_name_another() {
        let mut profile = Profile::default();
        profile.workload.model = "a".into();
        profile.stack.route = "gateway".into();
        profile.stack.fallback =
            vec![Hop { model: "b".into(), route: None }, Hop { model: "c".into(), route: Some("direct".into()) }];
        let lane = |model: &str, route: &str| Lane { model: model.into(), route: route.into() };
        assert_eq!(hops(&profile), [lane("a", "gateway"), lane("b", "gateway"), lane("c", "direct")]);
    }

    #[test]
    fn without_fallback_the_chain_is_one_hop() {
        assert_eq!(hops(&Profile::default()).len(), 1);
    }
}

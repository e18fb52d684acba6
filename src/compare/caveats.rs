//! What arms that take turns do to each other all the same. Must not know how a difference is judged.

use std::time::Duration;

use humantime::format_duration;

use super::conduct::ArmTaken;
use crate::profile::{Compare, Profile, Prompts, RedisCache};

/// In words; none of arms that mean to share their stack.
pub fn caveats(arms: &[ArmTaken], compare: &Compare, profile: &Profile) -> Vec<String> {
    if compare.shared {
        return Vec::new();
    }
    let a_block = compare.block_length(&profile.load) + compare.cool_down;
    let others = arms.len().saturating_sub(1) as u32;
    let all = a_block.saturating_mul(compare.blocks * (others + 1));
    let stands = a_block.saturating_mul(2 * others);
    [shares_redis(arms), keeps_too_short(arms, all), closes_idle(arms, stands)].into_iter().flatten().collect()
}

/// A server that was named, not managed, keeps the answers of all arms under the same keys.
fn shares_redis(arms: &[ArmTaken]) -> Option<String> {
    let url = |arm: &ArmTaken| Some(arm.profile.stack.cache.redis.as_ref()?.url.clone());
    let of = |at: usize| url(&arms[at]).filter(|url| url != RedisCache::MANAGED);
    let mut pairs = (0..arms.len()).flat_map(|one| (0..one).map(move |other| (other, one)));
    let (one, other) = pairs.find(|(one, other)| of(*one).is_some() && of(*one) == of(*other))?;
    Some(format!(
        "arms {} and {} use one Redis: what one stored the other finds; give each a database of its own \
         (stack.cache.redis.url = \"redis://host/1\"), or \"managed\"",
        arms[one].name, arms[other].name
    ))
}

/// What Redis and a simulated gateway keep grows old while the arm stands, in an engine of its own as outside.
fn keeps_too_short(arms: &[ArmTaken], all: Duration) -> Option<String> {
    let ttl = arms.iter().flat_map(|arm| ttls(&arm.profile)).filter(|ttl| *ttl < all).min()?;
    Some(format!(
        "what Redis or a gateway's cache keeps (for {}) grows old while other arms have their turn: hit rates are below \
         those of a run",
        format_duration(ttl)
    ))
}

/// Of what answers a prompt once more.
fn ttls(profile: &Profile) -> Vec<Duration> {
    if profile.workload.prompts == Prompts::Unique && profile.workload.classes.is_empty() {
        return Vec::new();
    }
    let redis = profile.stack.cache.redis.as_ref().map(|redis| redis.ttl);
    let of_classes =
        profile.workload.classes.iter().filter(|class| class.cache.redis).filter_map(|class| class.cache.ttl);
    let of_routes = profile.chain().filter_map(|(_, name)| {
        let route = profile.routes.get(name).filter(|route| route.cache)?;
        Some(route.simulate.as_ref()?.gateway_cache.as_ref()?.ttl)
    });
    redis.into_iter().chain(of_classes.filter(|_| redis.is_some())).chain(of_routes).collect()
}

fn closes_idle(arms: &[ArmTaken], stands: Duration) -> Option<String> {
    let timeout =
        arms.iter().map(|arm| arm.profile.stack.pool.idle_timeout).filter(|timeout| *timeout < stands).min()?;
    Some(format!(
        "idle connections are closed after {} (stack.pool.idle_timeout), and an arm stands for {} at a time: later blocks \
         open them anew; make blocks shorter (--block), or the timeout longer",
        format_duration(timeout),
        format_duration(stands)
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cost::Spend;
    use crate::profile::{Draft, Prices, Source};

    fn said(arms: &[&str], compare: &Compare) -> Vec<String> {
        let route = "[routes.gateway]\nsimulate = { preset = \"local\", gateway_cache = { ttl = \"10m\" } }";
        let profile = |text: &str| {
            let text = format!("{text}\n{route}\n");
            Draft::from_text(Source::Adhoc, text).finish(Prices::ANY).unwrap().profile
        };
        let arms: Vec<_> = ["one", "two"]
            .into_iter()
            .zip(arms)
            .map(|(name, text)| ArmTaken {
                name: name.into(),
                profile: Arc::new(profile(text)),
                turns: Vec::new(),
                spent: Spend::default(),
            })
            .collect();
        caveats(&arms, compare, &arms[0].profile)
    }

    /// 24 blocks of 2 s and a cool-down: 52.8 s in all, and 4.4 s until its next turn.
    fn plan() -> Compare {
        Compare { block: Some(Duration::from_secs(2)), ..Compare::default() }
    }

    #[test]
    fn arms_that_do_nothing_to_each_other_get_no_warning() {
        let managed = "[stack.cache]\nredis = { ttl = \"1m\" }\nlocal = { ttl = \"1s\" }";
        assert_eq!(said(&[managed, managed], &plan()), Vec::<String>::new());
    }

    #[test]
    fn what_grows_old_while_an_arm_stands_is_told() {
        let old = said(&["", "[stack.cache]\nredis = { ttl = \"52s\" }"], &plan());
        assert!(old.len() == 1 && old[0].contains("(for 52s)"), "{old:?}");
        let unique = "[workload]\nprompts = { kind = \"unique\" }\n[stack.cache]\nredis = { ttl = \"52s\" }";
        assert_eq!(said(&[unique, unique], &plan()), Vec::<String>::new());
        let idle = said(&["[stack.pool]\nidle_timeout = \"4s\"", ""], &plan());
        assert!(idle.len() == 1 && idle[0].contains("after 4s") && idle[0].contains("for 4s 400ms"), "{idle:?}");
        assert!(said(&["[stack.pool]\nidle_timeout = \"4s\"", ""], &Compare { shared: true, ..plan() }).is_empty());
    }

    #[test]
    fn a_redis_of_both_arms_is_told() {
        let at = |url: &str| format!("[stack.cache]\nredis = {{ url = \"redis://127.0.0.1:6379/{url}\" }}");
        let both = said(&[&at("1"), &at("1")], &plan());
        assert!(both.len() == 1 && both[0].starts_with("arms one and two use one Redis"), "{both:?}");
        assert!(said(&[&at("1"), &at("2")], &plan()).is_empty());
    }
}

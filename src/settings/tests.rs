//! What a person does at the settings, and what it does to the profile.

mod listed;
mod writing;

use super::*;
use crate::profile::{Draft, Source, load};

fn tuning() -> Tuning {
    Tuning::new(load("quickstart", &[], Prices::ANY).unwrap().profile)
}

fn changed(tuning: &mut Tuning, id: &str, text: &str) -> String {
    tuning.set(id, text).unwrap().unwrap().to_string()
}

#[test]
fn every_id_is_the_profiles_own_key() {
    let tuning = tuning();
    let profile = serde_json::to_value(tuning.profile()).unwrap();
    for setting in tuning.all() {
        let pointer = format!("/{}", setting.id.replace('.', "/"));
        // An absent tier is the one key that may be missing.
        assert!(profile.pointer(&pointer).is_some() || setting.id == "stack.cache.redis", "{}", setting.id);
    }
}

#[test]
fn every_stepper_goes_up_and_down_within_its_range_and_stays_valid() {
    let start = tuning();
    for setting in start.all() {
        for by in [1, -1, 10, -10, 100, -100] {
            let mut tuning = start.clone();
            match tuning.step(&setting.id, by) {
                Ok(_) => assert!(validate::check(tuning.profile(), Prices::ANY).problems.is_empty(), "{}", setting.id),
                Err(SettingError::Refused(_)) => assert_eq!(tuning.profile(), start.profile()),
                Err(other) => panic!("{}: {other}", setting.id),
            }
        }
    }
}

#[test]
fn what_is_shown_can_be_typed() {
    let mut tuning = tuning();
    for setting in tuning.all() {
        let shown = tuning.value(&setting).unwrap().to_string();
        assert_eq!(tuning.set(&setting.id, &shown), Ok(None), "{} {shown}", setting.id);
        assert_eq!(tuning.set(&setting.id, &format!("{shown}{}", setting.spec.unit)), Ok(None), "{}", setting.id);
    }
}

#[test]
fn values_are_set_shown_and_told_apart() {
    let mut tuning = tuning();
    let before = tuning.profile().clone();
    assert_eq!(changed(&mut tuning, "load.rate", "120"), "rate 60/s -> 120/s");
    assert_eq!(changed(&mut tuning, "stack.cache.local.ttl", "60s"), "local ttl 10s -> 60s");
    assert_eq!(changed(&mut tuning, "stack.pool.max_connections", "8"), "pool max 64 -> 8");
    assert_eq!(changed(&mut tuning, "stack.route", "direct"), "route gateway -> direct");
    assert_eq!(changed(&mut tuning, "routes.gateway.simulate.rtt", "50ms"), "gateway rtt 38ms -> 50ms");
    let ids: Vec<_> = diff(&before, tuning.profile()).into_iter().map(|change| change.id).collect();
    assert_eq!(
        ids,
        [
            "load.rate",
            "stack.route",
            "stack.cache.local.ttl",
            "stack.pool.max_connections",
            "routes.gateway.simulate.rtt"
        ]
    );
    assert!(diff(&before, &before).is_empty());
}

#[test]
fn a_rate_that_is_set_ends_the_stages_and_keeps_their_length() {
    let text = "[load]\nrate = 60.0\nstages = [{ duration = \"30s\", rate = 90.0 }, { duration = \"10s\", rate = 0.0 }]\n\
                [routes.gateway]\nsimulate = \"local\"\n";
    let staged = Draft::from_text(Source::Adhoc, text.into()).finish(Prices::ANY).unwrap().profile;
    let mut tuning = Tuning::new(staged.clone());
    assert_eq!(changed(&mut tuning, "load.rate", "120"), "rate 60/s -> 120/s, stages end");
    let held = tuning.profile().clone();
    assert_eq!((held.load.stages.len(), held.load.measured()), (0, staged.load.measured()));
    assert_eq!(diff(&staged, &held)[0].to_string(), "rate 60/s -> 120/s, stages end");
    assert_eq!(diff(&held, &staged)[0].to_string(), "rate 120/s -> 60/s, stages play");
    assert_eq!(changed(&mut tuning, "load.rate", "60"), "rate 120/s -> 60/s");
    assert_eq!(diff(&staged, tuning.profile())[0].to_string(), "stages 2 -> none");
    tuning.restore(staged.clone());
    assert_eq!(tuning.profile(), &staged);
}

#[test]
fn a_bad_value_is_refused_with_its_reason_and_changes_nothing() {
    let mut tuning = tuning();
    let before = tuning.profile().clone();
    let mut refused = |id: &str, text: &str| tuning.set(id, text).unwrap_err().to_string();
    assert_eq!(refused("stack.pool.max_connections", "0"), "pool max: \"0\" does not do; it takes 1 to 65535");
    assert_eq!(refused("stack.timeout", "fast"), "timeout: \"fast\" does not do; it takes 1ms to 1h");
    assert_eq!(refused("stack.route", "moon"), "route: \"moon\" does not do; it takes direct, gateway");
    assert!(refused("stack.retry.base", "9s").contains("is below base"));
    assert_eq!(refused("load.users", "5"), "users needs a closed loop");
    assert_eq!(refused("stack.cache.redis.ttl", "5s"), "redis ttl needs a Redis cache");
    assert_eq!(refused("stack.magic", "5"), "there is no setting \"stack.magic\"");
    assert_eq!(tuning.profile(), &before);
}

#[test]
fn a_tier_switched_off_comes_back_as_it_was_tuned() {
    let mut tuning = tuning();
    changed(&mut tuning, "stack.cache.local.capacity", "77");
    assert_eq!(changed(&mut tuning, "stack.cache.local", "off"), "local on -> off");
    assert!(tuning.profile().stack.cache.local.is_none());
    assert!(!tuning.all().iter().any(|setting| setting.id == "stack.cache.local.capacity"));
    tuning.step("stack.cache.local", 1).unwrap();
    assert_eq!(tuning.profile().stack.cache.local.as_ref().unwrap().capacity, 77);
}

#[test]
fn hops_go_off_and_come_back_in_their_place() {
    let mut tuning = tuning();
    let whole = tuning.profile().clone();
    assert_eq!(changed(&mut tuning, "stack.fallback.0", "off"), "gpt-4o-mini fallback on -> off");
    assert_eq!(tuning.profile().stack.fallback[0].model, "deepseek-v3.2");
    assert_eq!(diff(&whole, tuning.profile())[0].to_string(), "fallback gpt-4o-mini > deepseek-v3.2 -> deepseek-v3.2");
    tuning.step("stack.fallback.1", 1).unwrap();
    assert!(tuning.profile().stack.fallback.is_empty());
    assert_eq!(tuning.all().iter().filter(|setting| matches!(setting.place, Place::Hop(_))).count(), 2);
    tuning.step("stack.fallback.1", 1).unwrap();
    tuning.step("stack.fallback.0", 1).unwrap();
    assert_eq!(tuning.profile(), &whole);
}

#[test]
fn a_hop_moves_among_the_others_and_an_undo_brings_it_back() {
    let mut tuning = tuning();
    let whole = tuning.profile().clone();
    let change = tuning.move_hop("stack.fallback.0", 1).unwrap().unwrap();
    assert_eq!(change.to_string(), "fallback gpt-4o-mini > deepseek-v3.2 -> deepseek-v3.2 > gpt-4o-mini");
    assert_eq!(diff(&whole, tuning.profile()), [change]);
    assert_eq!(tuning.move_hop("stack.fallback.1", 10), Ok(None), "it is the last already");
    assert_eq!(changed(&mut tuning, "stack.fallback.0", "off"), "deepseek-v3.2 fallback on -> off");
    tuning.restore(whole.clone());
    assert_eq!(tuning.all().into_iter().filter(|s| matches!(s.place, Place::Hop(_))).count(), 2);
    tuning.move_hop("stack.fallback.1", -5).unwrap();
    tuning.move_hop("stack.fallback.1", -1).unwrap();
    assert_eq!(tuning.profile(), &whole);
    assert!(matches!(tuning.move_hop("stack.route", 1), Err(SettingError::Unknown(_))));
}

#[test]
fn a_hop_that_is_off_is_not_forgotten_when_the_order_of_the_others_comes_back() {
    let mut tuning = tuning();
    let third = Hop { model: "gpt-4.1-mini".into(), route: None };
    let mut profile = tuning.profile().clone();
    profile.stack.fallback.push(third.clone());
    tuning.restore(profile);
    changed(&mut tuning, "stack.fallback.1", "off");
    let before = tuning.profile().clone();
    let change = tuning.move_hop("stack.fallback.0", 2).unwrap().unwrap();
    assert_eq!(change.to_string(), "fallback gpt-4o-mini > gpt-4.1-mini -> gpt-4.1-mini > gpt-4o-mini");
    assert_eq!(tuning.move_hop("stack.fallback.0", 1), Ok(None), "only past a hop that is off");
    tuning.restore(before);
    let off: Vec<_> = tuning.all().into_iter().filter(|s| tuning.value(s) == Some(Value::On(false))).collect();
    assert!(off.iter().any(|setting| setting.label == "deepseek-v3.2 fallback"), "{off:?}");
    let mut other = tuning.profile().clone();
    other.stack.fallback = vec![Hop { model: "unheard-of".into(), route: None }];
    tuning.restore(other);
    assert_eq!(tuning.all().iter().filter(|s| matches!(s.place, Place::Hop(_))).count(), 1);
}

#[test]
fn hops_of_one_model_are_told_apart_by_their_routes() {
    let mut tuning = tuning();
    let hop = |route: &str| Hop { model: "m".into(), route: Some(route.into()) };
    let mut profile = tuning.profile().clone();
    profile.stack.fallback = vec![hop("gateway"), hop("direct")];
    tuning.restore(profile);
    let change = tuning.move_hop("stack.fallback.1", -1).unwrap().unwrap();
    assert_eq!(change.to_string(), "fallback m on gateway > m on direct -> m on direct > m on gateway");
}

#[test]
fn http_2_needs_the_client_that_speaks_it() {
    let mut tuning = tuning();
    let refused = tuning.set("stack.pool.http", "2").unwrap_err().to_string();
    assert!(refused.contains("needs stack.pool.client = \"reqwest\""), "{refused}");
    assert_eq!(changed(&mut tuning, "stack.pool.client", "reqwest"), "client exact -> reqwest");
    assert_eq!(changed(&mut tuning, "stack.pool.http", "auto"), "http 1.1 -> auto");
}

#[test]
fn the_spread_of_ttft_keeps_its_shape() {
    let mut tuning = tuning();
    changed(&mut tuning, "routes.gateway.simulate.ttft", "560ms");
    let ttft = tuning.profile().routes["gateway"].simulate.as_ref().unwrap().ttft;
    let ms = std::time::Duration::from_millis;
    assert_eq!(ttft, crate::profile::Spread::LogNormal { median: ms(560), p95: ms(1400) });
}

#[test]
fn users_and_think_time_belong_to_a_closed_loop() {
    let text = "[load]\nmode = \"closed\"\n[routes.a]\nbase_url = \"http://127.0.0.1:9/v1\"\n".to_owned();
    let profile = crate::profile::Draft::from_text(Source::Adhoc, text).finish(Prices::ANY).unwrap().profile;
    let ids: Vec<_> = all(&profile).into_iter().map(|setting| setting.id).collect();
    assert!(ids.contains(&"load.users".to_owned()) && ids.contains(&"load.think_time".to_owned()));
    assert!(!ids.contains(&"load.rate".to_owned()) && !ids.iter().any(|id| id.contains("simulate")));
    assert!(ids.contains(&"routes.a.cache".to_owned()));
}

//! What is tuned is written as a profile that runs the same, with its comments.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::{Kind, Place, Tuning};
use crate::profile::{
    BUILTINS, Draft, Loaded, Override, Prices, Profile, Route, Source, Spread, WriteError, adhoc, load,
};

fn builtin(name: &str) -> Loaded {
    load(name, &[], Prices::ANY).unwrap()
}

fn from_text(text: &str) -> Loaded {
    Draft::from_text(Source::Adhoc, text.to_owned()).finish(Prices::ANY).unwrap()
}

fn written(loaded: &Loaded, tuned: &Profile) -> String {
    loaded.tuned_text(tuned, Path::new("tuned.toml"), Prices::ANY).unwrap().text
}

/// The lines of two texts that differ, as `-` and `+`.
fn changed_lines(before: &str, after: &str) -> Vec<String> {
    let only = |a: &str, b: &str, sign| {
        let lines: Vec<_> = b.lines().collect();
        a.lines().filter(|line| !lines.contains(line)).map(|line| format!("{sign} {line}")).collect::<Vec<_>>()
    };
    [only(before, after, '-'), only(after, before, '+')].concat()
}

fn tuned(loaded: &Loaded, sets: &[(&str, &str)]) -> Profile {
    let mut tuning = Tuning::new(loaded.profile.clone());
    for (id, text) in sets {
        tuning.set(id, text).unwrap();
    }
    tuning.profile().clone()
}

#[test]
fn an_untouched_profile_is_written_as_it_stands() {
    for builtin in BUILTINS {
        let loaded = load(builtin.name, &[], Prices::ANY).unwrap();
        assert_eq!(written(&loaded, &loaded.profile), builtin.text);
    }
}

#[test]
fn only_what_changed_is_edited_as_a_person_would_type_it() {
    let loaded = builtin("quickstart");
    let sets = [
        ("load.rate", "120"),
        ("stack.cache.local.ttl", "90s"),
        ("stack.retry.base", "350ms"),
        ("routes.direct.simulate.rtt", "20ms"),
        ("routes.gateway.simulate.ttft", "560ms"),
        ("stack.pool.max_connections", "8"),
    ];
    let lines = changed_lines(&loaded.text, &written(&loaded, &tuned(&loaded, &sets)));
    assert_eq!(
        lines,
        [
            "- rate = 60.0              # requests a second",
            "- local = { capacity = 400, ttl = \"10s\" }",
            "- base = \"200ms\"",
            "- simulate = \"openai-official\"   # 312 ms away, no cache of its own",
            "+ rate = 120.0              # requests a second",
            "+ local = { capacity = 400, ttl = \"90s\" }",
            "+ base = \"350ms\"",
            "+ [stack.pool]",
            "+ max_connections = 8",
            "+ ttft = { median = \"560ms\", p95 = \"1400ms\" }",
            "+ simulate = { preset = \"openai-official\", rtt = \"20ms\" }   # 312 ms away, no cache of its own",
        ]
    );
}

#[test]
fn a_tier_goes_and_comes() {
    let loaded = builtin("quickstart");
    let text = written(&loaded, &tuned(&loaded, &[("stack.cache.local", "off"), ("stack.cache.redis", "on")]));
    assert!(!text.contains("local = {"), "{text}");
    assert!(text.contains("redis = { timeout = \"50ms\", ttl = \"1h\", url = \"managed\" }"), "{text}");
}

#[test]
fn hops_are_reordered_with_their_comments() {
    let loaded = builtin("quickstart");
    let mut tuning = Tuning::new(loaded.profile.clone());
    tuning.move_hop("stack.fallback.0", 1).unwrap();
    let text = written(&loaded, tuning.profile());
    let moved = "\n\n[[stack.fallback]]\nmodel = \"deepseek-v3.2\"\nroute = \"gateway\"        # the direct route below \
                 serves OpenAI's models only\n[[stack.fallback]]       # when gpt-4.1 fails its tries\nmodel = \"gpt-4o-mini\"\n";
    assert!(text.contains(moved), "{text}");
    tuning.set("stack.fallback.0", "off").unwrap();
    tuning.set("stack.fallback.1", "off").unwrap();
    assert!(!written(&loaded, tuning.profile()).contains("fallback]]"));
}

#[test]
fn flags_are_part_of_what_is_written() {
    let overrides =
        [Override::set("load.rate=5").unwrap(), Override::set("stack.fallback.+.model=gpt-4.1-mini").unwrap()];
    let loaded = load("quickstart", &overrides, Prices::ANY).unwrap();
    let text = written(&loaded, &tuned(&loaded, &[("stack.retry.attempts", "4")]));
    for line in ["rate = 5 ", "model = \"gpt-4.1-mini\"", "attempts = 4 "] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn a_profile_of_flags_alone_becomes_a_file_that_runs() {
    let model = Override::flag("--model my-model", "workload.model", "my-model");
    let loaded = adhoc("http://127.0.0.1:9/v1", &[model], Prices::ANY).unwrap();
    let tuned = tuned(&loaded, &[("load.users", "8")]);
    let unknown = Prices { has: &|_| false, names: &[] };
    let text = loaded.tuned_text(&tuned, Path::new("a.toml"), unknown).unwrap().text;
    let again = Draft::from_text(Source::File("a.toml".into()), text).finish(unknown).unwrap().profile;
    assert_eq!((again.load.users, again.cost.prices["my-model"].output), (8, 0.0));
    assert_eq!(again.routes, tuned.routes);
}

#[test]
fn a_secret_typed_as_a_flag_is_left_out_and_named_without_its_value() {
    let draft = Draft::adhoc("http://127.0.0.1:9/v1").with_header("x-portkey-api-key", "s3cret");
    let loaded = draft.with_header("x-team", "blue").finish(Prices::ANY).unwrap();
    let written = loaded.tuned_text(&loaded.profile, Path::new("a.toml"), Prices::ANY).unwrap();
    assert!(written.text.contains("blue") && !written.text.contains("s3cret"), "{}", written.text);
    assert_eq!(written.left_out, ["-H 'x-portkey-api-key: …'"]);
}

#[test]
fn the_name_is_the_profiles_own_and_never_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.toml");
    let loaded = Draft::from_text(Source::File(path), builtin("quickstart").text).finish(Prices::ANY).unwrap();
    for name in ["chat-tuned.toml", "chat-tuned-2.toml", "chat-tuned-3.toml"] {
        let path = loaded.tuned_path();
        assert_eq!(path, folder.path().join(name));
        loaded.write_tuned(&loaded.profile, &path, Prices::ANY).unwrap();
        let again = load(path.to_str().unwrap(), &[], Prices::ANY).unwrap();
        assert_eq!(again.profile, loaded.profile);
        assert_eq!(again.tuned_path().file_stem().unwrap().to_str().unwrap().matches("tuned").count(), 1);
        let refused = loaded.write_tuned(&loaded.profile, &path, Prices::ANY).unwrap_err();
        assert!(matches!(&refused, WriteError::Exists(_)), "{refused}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3, "nothing else is left behind");
    assert_eq!(builtin("quickstart").tuned_path(), Path::new("quickstart-tuned.toml"));
}

#[test]
fn files_are_still_found_from_another_folder() {
    let folder = tempfile::tempdir().unwrap();
    let prompts = folder.path().join("prompts.jsonl");
    std::fs::write(&prompts, "[]\n").unwrap();
    let text = "[workload]\nprompts = { kind = \"file\", path = \"prompts.jsonl\" } # ours\n[routes.a]\nsimulate = \"local\"\n";
    let own = folder.path().join("chat.toml");
    let loaded = Draft::from_text(Source::File(own), text.into()).finish(Prices::ANY).unwrap();
    let at = |path: PathBuf| loaded.tuned_text(&loaded.profile, &path, Prices::ANY).unwrap().text;
    assert_eq!(at(folder.path().join("b.toml")), text);
    let away = format!("path = \"{}\" }} # ours", prompts.display());
    assert!(at(folder.path().join("sub/b.toml")).contains(&away));
    let over = folder.path().parent().unwrap().join("b.toml");
    let below = folder.path().file_name().unwrap().to_str().unwrap();
    assert!(at(over).contains(&format!("path = \"{below}/prompts.jsonl\"")));
}

#[test]
fn what_the_text_cannot_say_is_refused_by_its_key() {
    let loaded = builtin("quickstart");
    let mut tuned = loaded.profile.clone();
    tuned.routes.remove("direct");
    let refused = loaded.tuned_text(&tuned, Path::new("a.toml"), Prices::ANY).unwrap_err();
    assert!(matches!(refused, WriteError::Invalid(_)), "the arm that names it has lost its route: {refused}");
    let mut tuned = loaded.profile.clone();
    tuned.routes.get_mut("direct").unwrap().simulate.as_mut().unwrap().preset = "local".into();
    tuned.load.duration = None;
    let refused = loaded.tuned_text(&tuned, Path::new("a.toml"), Prices::ANY).unwrap_err();
    assert_eq!(refused.to_string(), "load.duration cannot be edited into the profile's text; write it there by hand");
}

const HEADERS: &str = "[stack]\nroute = 'a'\n[stack.cache]\n# the local tier\nlocal.ttl = \"9s\"\n[routes.a]\n\
                       [routes.a.simulate]\n[routes.a.simulate.ttft] # a spread\nmedian = \"1s\"\np95 = \"2s\"\n";
const INLINE: &str = "stack = { cache = { redis = {} }, fallback = [{ model = \"b\" }, { model = \"c\", route = \"a\" }] }\n\
                      routes = { a = { simulate = \"holysheep\" } }\n[workload.prompts]\nkind = \"zipf\"\n";
const HOPS: &str = "[stack]\nfallback = [ # in order\n  { model = \"b\" }, # cheap\n  # and then\n  { model = \"c\" }\n]\n\
                    [routes.a]\nsimulate = { ttft = \"20ms\" }\n";

static STARTS: LazyLock<Vec<Loaded>> = LazyLock::new(|| {
    let built_in = BUILTINS.iter().map(|builtin| load(builtin.name, &[], Prices::ANY).unwrap());
    let adhoc = adhoc("http://127.0.0.1:9/v1", &[], Prices::ANY).unwrap();
    built_in.chain([adhoc]).chain([HEADERS, INLINE, HOPS].map(from_text)).collect()
});

/// Which setting, how far, and whether a hop is moved rather than switched.
type Turn = (prop::sample::Index, i32, bool);

fn turn(tuning: &mut Tuning, (which, by, moves): &Turn) {
    let settings = tuning.all();
    let setting = which.get(&settings);
    // A refusal leaves it as it was.
    let _ = match setting.place {
        Place::Hop(_) if *moves => tuning.move_hop(&setting.id, *by),
        _ => tuning.step(&setting.id, *by),
    };
}

/// Every comment but those on or right above what `tuned` has not: a tier, hops, the spread of a TTFT.
fn comments_to_keep<'a>(text: &'a str, tuned: &Profile) -> Vec<&'a str> {
    let cache = &tuned.stack.cache;
    let is_fixed = |route: &Route| matches!(&route.simulate, Some(s) if matches!(s.ttft, Spread::Fixed(_)));
    let goes = |line: &str| {
        (cache.local.is_none() && line.starts_with("local"))
            || (cache.redis.is_none() && line.starts_with("redis"))
            || (line.contains("ttft") && tuned.routes.values().any(is_fixed))
    };
    let is_of_a_hop_that_is_off = |line: &str| {
        let all = ["when gpt-4.1 fails", "the direct route below", "the same vendor", "# cheap", "# and then"];
        tuned.stack.fallback.len() < 2 && all.iter().any(|comment| line.contains(comment))
    };
    let lines: Vec<_> = text.lines().map(str::trim_start).collect();
    let kept = lines.iter().enumerate().filter(|(i, line)| {
        let about = lines[*i..].iter().find(|line| !line.starts_with('#')).unwrap_or(line);
        !goes(about) && !is_of_a_hop_that_is_off(line)
    });
    kept.filter_map(|(_, line)| line.find("# ").map(|at| line[at..].trim_end())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn what_is_tuned_is_what_is_loaded_again(
        start in 0..STARTS.len(),
        turns in prop::collection::vec((any::<prop::sample::Index>(), -3..4_i32, any::<bool>()), 0..24),
    ) {
        let loaded = &STARTS[start];
        let mut tuning = Tuning::new(loaded.profile.clone());
        turns.iter().for_each(|by| turn(&mut tuning, by));
        let text = written(loaded, tuning.profile());
        let again = Draft::from_text(Source::File("tuned.toml".into()), text.clone()).finish(Prices::ANY).unwrap();
        prop_assert_eq!(&again.profile, tuning.profile());
        for comment in comments_to_keep(&loaded.text, tuning.profile()) {
            prop_assert!(text.contains(comment), "{comment} is lost in\n{text}");
        }
    }
}

#[test]
fn every_setting_can_be_written() {
    for loaded in STARTS.iter() {
        let start = Tuning::new(loaded.profile.clone());
        for setting in start.all() {
            let mut tuning = start.clone();
            let by = if matches!(setting.spec.kind, Kind::Stepper { .. }) { 2 } else { 1 };
            if let Ok(Some(_)) = tuning.step(&setting.id, by) {
                let text = written(loaded, tuning.profile());
                assert_ne!(text, loaded.text, "{}", setting.id);
            }
        }
    }
}

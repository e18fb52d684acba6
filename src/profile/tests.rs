//! What a person sees who loads a profile: values, places, and words.

mod compare;

use std::path::PathBuf;
use std::time::Duration;

use super::*;

fn prices() -> Prices<'static> {
    static NAMES: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| {
        ["gpt-4.1", "gpt-4.1-mini", "gpt-4o-mini", "deepseek-v3.2", "claude-sonnet-4-6", "claude-sonnet-5-5"]
            .map(String::from)
            .into()
    });
    Prices { has: &|model| NAMES.iter().any(|name| name == model), names: &NAMES }
}

fn with(text: &str, sets: &[&str]) -> Result<Loaded, ProfileError> {
    let overrides: Vec<_> = sets.iter().map(|set| Override::set(set).unwrap()).collect();
    Draft::from_text(Source::File(PathBuf::from("chat.toml")), text.to_owned()).with(&overrides).finish(prices())
}

fn profile(text: &str) -> Profile {
    with(text, &[]).unwrap().profile
}

/// What is wrong with the text, after a route that is needed.
fn refused(text: &str) -> String {
    with(&format!("{text}\n[routes.gateway]\nsimulate = \"holysheep\"\n"), &[]).unwrap_err().to_string()
}

fn refused_set(set: &str) -> String {
    with(MINIMAL, &[set]).unwrap_err().to_string()
}

const MINIMAL: &str = "[routes.gateway]\nsimulate = \"holysheep\"\n";

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
}

#[test]
fn every_built_in_profile_loads() {
    for builtin in BUILTINS {
        let loaded = load(builtin.name, &[], prices()).unwrap_or_else(|why| panic!("{why}"));
        assert!(loaded.warnings.is_empty(), "{}: {:?}", builtin.name, loaded.warnings);
        assert!(!loaded.profile.stack.route.is_empty());
    }
}

#[test]
fn a_profile_as_run_loads_again_as_it_was() {
    for builtin in BUILTINS {
        let as_run = load(builtin.name, &[], prices()).unwrap().profile;
        assert_eq!(profile(&toml::to_string(&as_run).unwrap()), as_run, "{} through TOML", builtin.name);
        let json = serde_json::to_value(&as_run).unwrap();
        let text = toml::to_string(&toml::Value::try_from(&json).unwrap()).unwrap();
        assert_eq!(profile(&text), as_run, "{} through JSON", builtin.name);
    }
}

#[test]
fn the_schema_takes_every_built_in_profile_as_written_and_as_run_and_refuses_wrong_ones() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let json = |text: &str| serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
    for builtin in BUILTINS {
        let as_run = load(builtin.name, &[], prices()).unwrap().profile;
        for value in [json(builtin.text), serde_json::to_value(&as_run).unwrap()] {
            let errors: Vec<_> = schema.iter_errors(&value).map(|e| format!("{} {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", builtin.name);
        }
    }
    for wrong in [
        "[laod]\nrate = 1",
        "[load]\nrate = \"fast\"",
        "[load]\nduration = \"soon\"",
        "[workload]\nprompts = { kind = \"zipf\", path = \"x\" }",
        "[workload]\ninput_tokens = { median = 5 }",
        "[routes.a]\nsimulate = \"mars\"",
        "[routes.a]\nsimulate = { rtt = 5 }",
        "[limits]\nbudget = \"50\"",
        "[stack.retry]\non = [200]",
    ] {
        assert!(!schema.is_valid(&json(wrong)), "{wrong}");
    }
}

#[test]
fn what_is_left_out_is_filled_in() {
    let filled = profile(MINIMAL);
    assert_eq!(filled.stack.route, "gateway");
    assert_eq!(filled.load.duration, Some(Duration::from_secs(20)));
    assert_eq!(profile(&format!("[load]\nrequests = 5\n{MINIMAL}")).load.duration, None);
    let two = format!("{MINIMAL}[routes.direct]\nsimulate = \"local\"\n");
    assert_eq!(profile(&two).stack.route, "gateway");
    let unnamed = two.replace("gateway", "far");
    says(&with(&unnamed, &[]).unwrap_err().to_string(), &["stack.route is missing", "direct, far"]);
}

#[test]
fn an_unknown_key_is_placed_and_answered_with_the_one_meant() {
    says(
        &refused("seed = 1\n[stack.retry]\natempts = 2"),
        &["chat.toml:3: unknown key `atempts` at [stack.retry]", "did you mean `attempts`?"],
    );
    says(&refused("[stack]\nmax_conections = 2"), &["did you mean `max_connections` of [stack.pool]?"]);
    says(&refused("[stack]\n\nmax_idle = 2"), &["chat.toml:3:", "it belongs to [stack.pool]"]);
    says(&refused("[laod]\nrate = 1"), &["chat.toml:1: unknown key `laod` at the top level", "`load`"]);
    says(&refused("[load]\nzebra = 1"), &["there are mode, rate"]);
    says(
        &refused("[stack.cache]\nlocal = { size = 4 }"),
        &["it belongs to [workload.batch]; here there are capacity, ttl"],
    );
    let other_kind = refused("[workload]\nprompts = { kind = \"unique\", distinct = 4 }");
    says(&other_kind, &["unknown key `distinct` at [workload.prompts] of kind \"unique\": there are kind"]);
}

#[test]
fn unknown_keys_in_inline_tables_and_lists_stand_at_their_own_line() {
    says(
        &refused("[workload]\nmodel = \"gpt-4.1\"\nprompts = { kind = \"zipf\", distnct = 5 }"),
        &["chat.toml:3:", "`distinct`"],
    );
    says(&refused("[workload.prompts]\nkind = \"unique\"\n\ndistinct = 5"), &["chat.toml:4:", "`distinct`"]);
    says(
        &refused(
            "[[stack.fallback]]\nmodel = \"gpt-4.1\"\n[[stack.fallback]]\nmodel = \"gpt-4.1\"\nroutes = \"gateway\"",
        ),
        &["chat.toml:5:", "[[stack.fallback]]", "`route`"],
    );
    says(&refused("[routes.x]\nsimulate = { preset = \"local\",\n  rttt = \"5ms\" }"), &["chat.toml:3:", "`rtt`"]);
    says(
        &refused(
            "[workload]\nclasses = [\n  { name = \"a\", share = 1 },\n  { name = \"b\", share = 1, cache = { locl = true } },\n]",
        ),
        &["chat.toml:4:", "`local`"],
    );
    says(
        &refused("[routes.x]\nsimulate = { faults = [ { at = \"1s\", for = \"1s\",\n kind = \"42\" } ] }"),
        &["chat.toml:3:", "\"429\""],
    );
}

#[test]
fn a_wrong_type_is_answered_with_the_right_one() {
    says(
        &refused("[load]\nusers = \"many\""),
        &["chat.toml:2: load.users is the text \"many\"; write a whole number, such as 32"],
    );
    says(&refused("[load]\nduration = 20"), &["a duration in quotes, such as \"30s\""]);
    says(&refused("[load]\nduration = \"20\""), &["chat.toml:2:", "\"20\" is no duration", "\"500ms\""]);
    says(&refused("[load]\nmode = \"opn\""), &["write \"open\" or \"closed\"", "did you mean \"open\"?"]);
    says(&refused("[load]\nusers = -1"), &["load.users = -1 is below 0"]);
    says(&refused("[workload]\ninput_tokens = \"few\""), &["a whole number or a table { median = …, p95 = … }"]);
    says(&refused("[stack.cache]\nlocal = true"), &["stack.cache.local is true; write a table"]);
    says(&refused("[workload]\nprompts = { distinct = 5 }"), &["needs `kind`: \"zipf\", \"unique\""]);
    says(&refused("[[stack.fallback]]\nroute = \"gateway\""), &["chat.toml:1:", "[[stack.fallback]] needs `model`"]);
}

#[test]
fn broken_toml_is_placed() {
    says(&refused("seed = 1\n[load\nrate = 1"), &["chat.toml:2: not TOML: "]);
    says(&refused("seed = 1\nseed = 2"), &["chat.toml:2: not TOML: duplicate key"]);
}

#[test]
fn all_impossible_values_are_reported_together_each_at_its_line() {
    let message = refused("[load]\nrate = 0\n[stack.retry]\nattempts = 40\nbase = \"9s\"");
    let lines: Vec<_> = message.lines().collect();
    assert_eq!(lines.len(), 3, "{message}");
    says(lines[0], &["chat.toml:2: load.rate = 0 must be a finite number above 0"]);
    says(lines[1], &["chat.toml:4: stack.retry.attempts = 40 exceeds 10; lower it"]);
    says(lines[2], &["chat.toml:5: stack.retry.max = \"8s\" is below base = \"9s\""]);
}

#[test]
fn impossible_values_are_refused() {
    for (text, expected) in [
        ("[load]\nrate = inf", "load.rate"),
        ("[load]\nmode = \"closed\"\nusers = 0", "load.users = 0 is below 1"),
        ("[load]\nstages = [ { duration = \"5s\" } ]", "load.stages.0 needs `rate`"),
        ("[load]\nmode = \"closed\"\nstages = [ { duration = \"5s\", rate = 3.0 } ]", "load.stages.0 needs `users`"),
        ("[load]\nduration = \"4s\"\nstages = [ { duration = \"5s\", rate = 3.0 } ]", "longer than load.duration"),
        ("[load]\nrequests = 0", "load.requests = 0 is below 1"),
        ("[workload]\nprompts = { kind = \"zipf\", distinct = 0 }", "workload.prompts.distinct = 0"),
        ("[workload]\ninput_tokens = { median = 90, p95 = 9 }", "below the median"),
        ("[workload]\ntemperature = 3.0", "outside 0 to 2"),
        ("[workload]\nbatch = { size = 1001 }", "workload.batch.size = 1001 exceeds 1000"),
        ("[workload]\nclasses = [ { name = \"a\", share = 0 } ]", "have no share above 0"),
        ("[workload]\nmodel = \"gpt-4.2\"", "unknown model \"gpt-4.2\" has no price (did you mean \"gpt-4.1\"?)"),
        ("[stack]\nroute = \"gatway\"", "did you mean \"gateway\"?"),
        ("[[stack.fallback]]\nmodel = \"gpt-4.1\"\nroute = \"x\"", "stack.fallback.0.route = \"x\" is no route"),
        ("[stack.pool]\nhttp = \"2\"", "needs stack.pool.client = \"reqwest\""),
        ("[stack.pool]\nmax_connections = 70000", "exceeds 65535"),
        ("[stack.cache]\nkey = []", "would share one answer"),
        ("[stack.cache]\nredis = { url = \"rediss://h\" }", "TLS"),
        ("[stack.retry]\non = [429, 401]", "may not contain 401"),
        ("[stack.fallback_on]\nerrors = [404]", "may not contain 404"),
        ("[routes.x]\ncache = true", "routes.x needs base_url"),
        ("[routes.x]\nbase_url = \"http://h/v1\"\nsimulate = \"local\"", "both base_url and simulate"),
        ("[routes.x]\nbase_url = \"ftp://h\"", "must begin with https://"),
        ("[routes.x]\nsimulate = \"local\"\nprompt_cache = true", "set dialect = \"anthropic\""),
        ("[routes.x]\nsimulate = { error_rate = 5.0 }", "outside 0 to 1"),
        ("[routes.x]\nsimulate = { drift = { share = \"95%\", period = \"3s\" } }", "drift.share = 95% exceeds 90%"),
        ("[routes.x]\nsimulate = { drift = { share = \"5\", period = \"3s\" } }", "is no share above 0"),
        ("[routes.x]\nsimulate = { drift = { share = \"5%\", period = \"0s\" } }", "drift.period"),
        ("[cost]\ncny_per_usd = 0", "cost.cny_per_usd"),
        ("[limits]\nbudget = \"¥0\"", "limits.budget must be above 0"),
        ("expect = [\"p99 < 5\"]", "takes a time"),
    ] {
        says(&refused(text), &[expected, "chat.toml:"]);
    }
}

#[test]
fn a_secret_is_refused_without_being_repeated() {
    let secret = "sk-4a8Zq0Xv9LrT2mNcQ7";
    for text in [
        format!("[routes.x]\nbase_url = \"https://h/v1\"\napi_key_env = \"{secret}\""),
        format!("[routes.x]\nbase_url = \"https://h/v1\"\nheaders = {{ Authorization = \"Bearer {secret}\" }}"),
        format!("[routes.x]\nbase_url = \"https://me:{secret}@h/v1\""),
        format!("[stack.cache]\nredis = {{ url = \"rediss://:{secret}@h\" }}"),
        format!("[routes.x]\nsimulate = {{ keys = \"{secret}\" }}"),
    ] {
        let message = refused(&text);
        assert!(!message.contains("Zq0"), "{message}");
    }
    let message = refused_set(&format!("routes.gateway.headers.x-api-key={secret}"));
    assert!(!message.contains("Zq0") && message.contains("environment variable"), "{message}");
}

#[test]
fn a_set_key_is_blamed_instead_of_the_file() {
    says(
        &refused_set("stack.retry.attempts=40"),
        &["--set stack.retry.attempts=40: stack.retry.attempts = 40 exceeds 10"],
    );
    says(&refused_set("stack.retry.base=20s"), &["--set stack.retry.base=20s: stack.retry.max"]);
    says(&refused_set("load.rat=4"), &["--set load.rat=4: unknown key `rat`", "`rate`"]);
    says(&refused_set("load.stages.+.duration=3s"), &["--set load.stages.+.duration=3s: load.stages.0 needs `rate`"]);
    says(&refused_set("seed.x=4"), &["--set seed.x=4:"]);
    let flag = Override::flag("--rate 0", "load.rate", 0.0);
    let message = load("quickstart", &[flag], prices()).unwrap_err().to_string();
    says(&message, &["--rate 0: load.rate = 0"]);
    assert!(Override::set("load.rate").unwrap_err().contains("KEY=VALUE"));
}

#[test]
fn a_set_value_is_toml_or_text_as_its_key_wants() {
    let sets = [
        "stack.timeout=9s",
        "stack.pool.http=1.1",
        "routes.gateway.simulate.tls=1.2",
        "load.rate=5",
        "stack.fallback.0.model=gpt-4o-mini",
        "stack.cache.local.ttl=5s",
        "expect.+=p99 < 1s",
        "cost.prices.\"gpt-x.1\"={ input = 1, output = 2 }",
        "workload.model=gpt-x.1",
    ];
    let set = with(MINIMAL, &sets).unwrap_or_else(|why| panic!("{why}")).profile;
    assert_eq!(set.stack.timeout, Duration::from_secs(9));
    assert_eq!(set.routes["gateway"].simulate.as_ref().unwrap().tls, TlsVersion::V12);
    assert_eq!(set.routes["gateway"].simulate.as_ref().unwrap().rtt, Duration::from_millis(38));
    assert_eq!((set.load.rate, set.stack.fallback[0].model.as_str()), (5.0, "gpt-4o-mini"));
    assert_eq!(set.stack.cache.local.unwrap().capacity, 10_000);
    assert_eq!((set.expect, set.workload.model.as_str()), (vec!["p99 < 1s".to_owned()], "gpt-x.1"));
}

#[test]
fn another_kind_of_prompts_drops_the_keys_of_the_one_before() {
    let zipf = format!("{MINIMAL}[workload]\nprompts = {{ kind = \"zipf\", distinct = 9 }}\n");
    assert_eq!(with(&zipf, &["workload.prompts.kind=unique"]).unwrap().profile.workload.prompts, Prompts::Unique);
    let same = with(&zipf, &["workload.prompts.kind=zipf"]).unwrap().profile.workload.prompts;
    assert_eq!(same, Prompts::Zipf { distinct: 9, exponent: 1.0 });
}

#[test]
fn problems_come_in_the_order_of_the_file() {
    let message = refused("[stack]\nx = 1\n[load]\nx = 1\n[cost]\nx = 1");
    let lines: Vec<_> = message.lines().map(|line| line.split(':').nth(1).unwrap()).collect();
    assert_eq!(lines, ["2", "4", "6"]);
}

#[test]
fn an_ad_hoc_profile_is_bare() {
    let model = Override::flag("--model gpt-4.1", "workload.model", "gpt-4.1");
    let bare = adhoc("http://127.0.0.1:9/v1", std::slice::from_ref(&model), prices()).unwrap().profile;
    assert_eq!((bare.load.mode, bare.load.users, bare.load.warmup), (Mode::Closed, 32, Duration::ZERO));
    assert_eq!((bare.workload.prompts, bare.stack.retry.attempts), (Prompts::Unique, 1));
    assert!(bare.stack.cache.local.is_none() && bare.stack.cache.redis.is_none() && !bare.stack.single_flight);
    assert!(bare.stack.fallback.is_empty() && bare.stack.route == "direct");
    let rate = Override::flag("-q 9", "load.rate", 9.0);
    assert_eq!(adhoc("http://h/v1", &[model, rate], prices()).unwrap().profile.load.mode, Mode::Open);
    says(&adhoc("h/v1", &[], prices()).unwrap_err().to_string(), &["--url h/v1: routes.direct.base_url"]);
}

#[test]
fn doubtful_values_are_warned_about() {
    let warned = |text: &str| with(&format!("{MINIMAL}{text}"), &[]).unwrap().warnings.join("\n");
    says(&warned("[workload]\ntemperature = 0.7\n[stack.cache.local]"), &["chat.toml:4:", "first sample"]);
    says(&warned("[stack.pool]\nmax_idle = 99"), &["no more than that are ever idle"]);
    says(&warned("[stack.cache]\nkey = [\"model\"]"), &["lacks \"messages\"", "false hits"]);
    assert_eq!(warned(""), "");
}

#[test]
fn files_are_found_beside_the_profile() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("prompts.jsonl"), "[]\n").unwrap();
    let file = folder.path().join("mine.toml");
    let text = format!("[workload]\nprompts = {{ kind = \"file\", path = \"prompts.jsonl\" }}\n{MINIMAL}");
    std::fs::write(&file, &text).unwrap();
    let path = file.to_str().unwrap();
    let loaded = load(path, &[], prices()).unwrap().profile;
    assert_eq!(loaded.workload.prompts, Prompts::File { path: folder.path().join("prompts.jsonl") });
    std::fs::write(&file, text.replace("prompts.jsonl", "absent.jsonl")).unwrap();
    says(
        &load(path, &[], prices()).unwrap_err().to_string(),
        &["mine.toml:2: workload.prompts.path", "cannot be read"],
    );
}

#[test]
fn an_unknown_name_is_answered_with_the_built_in_meant() {
    says(&load("quikstart", &[], prices()).unwrap_err().to_string(), &["did you mean \"quickstart\"?"]);
    says(&load("zebra", &[], prices()).unwrap_err().to_string(), &["there are quickstart, "]);
    says(&load("absent.toml", &[], prices()).unwrap_err().to_string(), &["absent.toml: cannot be read"]);
}

#[test]
fn a_header_reaches_every_real_route_and_its_value_is_never_repeated() {
    let text = format!("{MINIMAL}[routes.real]\nbase_url = \"https://h/v1\"\n");
    let draft = || Draft::from_text(Source::Adhoc, text.clone());
    let routes = draft().with_header("X-Team", "a").finish(prices()).unwrap().profile.routes;
    assert_eq!(routes["real"].headers["X-Team"], "a");
    assert!(routes["gateway"].headers.is_empty());
    let message = draft().with_header("Authorization", "Bearer abc").finish(prices()).unwrap_err().to_string();
    says(&message, &["-H 'Authorization: …': ", "environment variable"]);
    assert!(!message.contains("abc"));
}

#[test]
fn a_preset_is_a_starting_point() {
    let simulated = |form: &str| {
        let text = format!("[routes.a]\nsimulate = {form}\n");
        profile(&text).routes["a"].simulate.clone().unwrap()
    };
    assert_eq!(simulated("\"holysheep\""), simulated("{ preset = \"holysheep\" }"));
    assert_eq!(simulated("{ rtt = \"5ms\" }").preset, "local");
    assert!(simulated("{ preset = \"holysheep\", gateway_cache = false }").gateway_cache.is_none());
    assert!(simulated("{ gateway_cache = true }").gateway_cache.is_some());
}

#[test]
fn a_duration_no_clock_can_hold_is_refused() {
    says(&refused("[stack]\ntimeout = \"100000 years\""), &["chat.toml:2:", "exceeds 10 years"]);
}

#[test]
fn no_damaged_profile_makes_it_panic_and_each_error_has_a_place() {
    use rand::{RngExt, SeedableRng};
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let wrong =
        ["0", "-1", "\"x\"", "true", "[]", "{}", "nan", "[{}]", "99999999999", "{ kind = 1 }", "1979-05-27", ""];
    for builtin in BUILTINS {
        let lines: Vec<_> = builtin.text.lines().collect();
        for _ in 0..60 {
            let mut lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
            let at = rng.random_range(0..lines.len());
            match (rng.random_range(0..3), lines[at].split_once('=').map(|(key, _)| key.to_owned())) {
                (0, _) => lines[at].clear(),
                (1, Some(key)) => lines[at] = format!("{key}= {}", wrong[rng.random_range(0..wrong.len())]),
                _ => lines[at] = lines[at].chars().take(9).collect(),
            }
            if let Err(why) = with(&lines.join("\n"), &[]) {
                let message = why.to_string();
                assert!(message.lines().all(|line| line.starts_with("chat.toml:")), "{message}\n{}", lines[at]);
            }
        }
    }
}

//! Keys come from the environment and are written nowhere.

use crate::binary::{Done, Folder, SHORT};

const KEY: &str = "sk-test-4f9c2e7a1b";
const VARIABLE: &str = "GATEBENCH_TEST_KEY";

fn with_keys(accepted: &str) -> Folder {
    let route = format!("ttft = \"400ms\", keys = [\"{accepted}\"] }}\napi_key_env = \"{VARIABLE}\"");
    Folder::with(&SHORT.replace("ttft = \"400ms\" }", &route))
}

fn appears_nowhere(done: &Done, folder: &Folder) {
    let report = std::fs::read_to_string(folder.path("r.json")).unwrap();
    for (place, text) in [("stdout", &done.stdout), ("stderr", &done.stderr), ("the report", &report)] {
        assert!(!text.contains(KEY), "the key is in {place}");
    }
}

#[test]
fn a_key_that_is_not_set_is_said_before_anything_is_sent() {
    let folder = with_keys(KEY);
    let absent = |command: &mut assert_cmd::Command| _ = command.env_remove(VARIABLE);
    folder.run_with(["run", "profile.toml"], absent).refused_with(&["routes.gateway", VARIABLE, "export"]);
    let empty = |command: &mut assert_cmd::Command| _ = command.env(VARIABLE, "");
    folder.run_with(["run", "profile.toml"], empty).refused_with(&[VARIABLE]);
    let broken = |command: &mut assert_cmd::Command| _ = command.env(VARIABLE, "sk-one\nand another");
    folder.run_with(["run", "profile.toml"], broken).refused_with(&[VARIABLE, "on one line"]);
}

#[test]
fn a_key_that_is_accepted_appears_nowhere() {
    let folder = with_keys(KEY);
    let done = folder.run_with(["run", "profile.toml", "--out", "r.json"], |command| _ = command.env(VARIABLE, KEY));
    appears_nowhere(&done.ran(), &folder);
}

#[test]
fn a_key_that_is_refused_appears_nowhere_though_the_server_may_repeat_it() {
    let folder = with_keys("another");
    let done = folder.run_with(["run", "profile.toml", "--out", "r.json"], |command| _ = command.env(VARIABLE, KEY));
    let done = done.exits(1);
    appears_nowhere(&done, &folder);
    let report = folder.read_json("r.json");
    // Four users: no more than was in flight when the first refusal came.
    assert!((1..=4).contains(&report["simulated"]["gateway"]["requests"].as_u64().unwrap()), "{}", report["simulated"]);
    let why = report["run"]["given_up_because"].as_str().unwrap();
    for word in ["route gateway refuses its key: 401", "Incorrect API key", VARIABLE, "prefix", "white space"] {
        assert!(why.contains(word), "`{word}` is not in {why}");
    }
    let said = done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(&format!("given up: {why} (exit 1)")), "{}", done.stdout);
}

#[test]
fn the_value_of_a_header_is_not_in_an_error_text() {
    let folder = Folder::with(SHORT);
    let authorization = format!("authorization: Bearer {KEY}");
    let done = folder.run(["run", "profile.toml", "-H", &authorization]);
    assert!(!done.stderr.contains(KEY) && !done.stdout.contains(KEY));
    done.refused_with(&["authorization"]);
}

#[test]
fn the_password_of_a_redis_appears_nowhere() {
    let folder = Folder::with(SHORT);
    let url = format!("stack.cache.redis.url=redis://me:{KEY}@127.0.0.1:1/0");
    let done = folder.run(["run", "profile.toml", "--set", &url, "--out", "r.json"]).ran();
    appears_nowhere(&done, &folder);
    assert!(done.stdout.contains("nothing listens at 127.0.0.1:1"), "{}", done.stdout);
    for wrong in [format!("redis://me:{KEY}@127.0.0.1:port"), format!("rediss://me:{KEY}@127.0.0.1:1")] {
        let done = folder.run(["run", "profile.toml", "--set", &format!("stack.cache.redis.url={wrong}")]);
        assert!(!done.stdout.contains(KEY) && !done.stderr.contains(KEY), "{}", done.stderr);
        done.exits(2);
    }
}

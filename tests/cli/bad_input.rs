//! Bad arguments and profiles: exit 2, where and how to mend it, and nothing sent.

use crate::binary::{Folder, SHORT, Sim};

#[test]
fn a_typo_in_a_key_is_located_and_its_mend_suggested() {
    let folder = Folder::with(&SHORT.replace("users = 4", "usres = 4"));
    folder.run(["run", "profile.toml"]).refused_with(&["profile.toml:4: ", "`usres`", "did you mean `users`?"]);
}

#[test]
fn every_problem_of_a_profile_is_said_at_once() {
    let folder =
        Folder::with(&SHORT.replace("users = 4", "users = 0").replace("requests = 1000", "requests = \"many\""));
    folder.run(["run", "profile.toml"]).refused_with(&["profile.toml:5: "]);
    let folder = Folder::with(&SHORT.replace("users = 4", "users = 0").replace("requests = 1000", "requests = 0"));
    folder.run(["run", "profile.toml"]).refused_with(&["profile.toml:4: ", "profile.toml:5: "]);
}

#[test]
fn a_wrong_set_is_named_as_it_was_typed() {
    let folder = Folder::with(SHORT);
    let refused = |set: &str, words: &[&str]| {
        folder.run(["run", "profile.toml", "--set", set]).refused_with(&[&["--set "], words].concat());
    };
    refused("stack.pool.max_conections=5", &["stack.pool.max_conections=5", "did you mean `max_connections`?"]);
    refused("load.users=0", &["load.users=0"]);
    refused("stack.retry.attempts=40", &["40", "10"]);
    refused("load.users", &["KEY=VALUE"]);
    refused("stack.pool.http=2", &["reqwest"]);
    refused("stack.fallback.0.route=nowhere", &["stack.fallback.0"]);
    refused("workload.model=gpt-4.1-minni", &["price", "gpt-4.1-mini"]);
}

#[test]
fn a_wrong_expectation_is_refused_before_the_run() {
    let folder = Folder::with(SHORT);
    folder.run(["run", "profile.toml", "--expect", "p98 < 1s"]).refused_with(&["--expect", "p98"]);
    folder.run(["run", "profile.toml", "--expect", "p99 ~ 1s"]).refused_with(&["--expect"]);
}

#[test]
fn an_unknown_profile_refused_with_the_nearest_name() {
    let folder = Folder::new();
    folder.run(["run", "quikstart"]).refused_with(&["quikstart", "did you mean \"quickstart\"?"]);
    folder.run(["run", "nowhere.toml"]).refused_with(&["nowhere.toml"]);
    folder.run(["profiles", "quikstart"]).refused_with(&["did you mean \"quickstart\"?"]);
}

#[test]
fn wrong_arguments_are_refused() {
    let folder = Folder::with(SHORT);
    folder.run(["run"]).refused_with(&["<PROFILE>"]);
    folder.run(["run", "profile.toml", "-c", "4", "-q", "5"]).refused_with(&["--rate"]);
    folder.run(["run", "profile.toml", "-H", "no colon"]).refused_with(&["Name: value"]);
    folder.run(["sweep", "profile.toml"]).refused_with(&["several values"]);
    folder.run(["frobnicate"]).refused_with(&["frobnicate"]);
}

#[test]
fn a_number_that_a_profile_cannot_hold_is_refused_by_its_flag() {
    let folder = Folder::with(SHORT);
    for flag in ["--seed", "--requests"] {
        let said = [flag, "18446744073709551615", "from 0 to 9223372036854775807"];
        folder.run(["run", "profile.toml", flag, "18446744073709551615"]).refused_with(&said);
    }
}

#[test]
fn a_route_that_cannot_be_set_up_as_the_profile_has_it_is_refused() {
    let folder = Folder::with(&SHORT.replace("preset = \"local\"", "preset = \"local\", tls = \"1.3\""));
    std::fs::write(folder.path("ca.pem"), "no certificate").unwrap();
    let ca_file = ["run", "profile.toml", "--set", "routes.gateway.ca_file=ca.pem"];
    folder.run(ca_file).refused_with(&["routes.gateway", "ca_file", "PEM"]);
    let key = ["run", "profile.toml", "--set", "routes.gateway.api_key_env=BROKEN_KEY"];
    let broken = |command: &mut assert_cmd::Command| _ = command.env("BROKEN_KEY", "sk-\u{1}2");
    folder.run_with(key, broken).refused_with(&["routes.gateway", "BROKEN_KEY", "on one line"]);
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_anything_is_sent() {
    let folder = Folder::new();
    let sim = Sim::start(&folder, &["local"]);
    let run = ["run", "--url", &sim.base_url, "--model", "gpt-4.1", "-n", "5", "--out"];
    folder.run(run.iter().chain(&["absent/report.json"])).refused_with(&["absent", "mkdir -p"]);
    folder.run(run.iter().chain(&["report.pdf"])).refused_with(&["\".pdf\""]);
    assert_eq!(sim.requests(), 0);
}

#[test]
fn a_prompt_file_that_is_wrong_refused_with_its_line() {
    let folder = Folder::with(SHORT);
    std::fs::write(folder.path("prompts.jsonl"), "[{\"role\":\"user\",\"content\":\"hi\"}]\n{\"prompt\":1}\n").unwrap();
    let set = "workload.prompts={ kind = \"file\", path = \"prompts.jsonl\" }";
    folder.run(["run", "profile.toml", "--set", set]).refused_with(&["prompts.jsonl:2: "]);
}

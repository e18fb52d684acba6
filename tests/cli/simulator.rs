//! `gatebench sim`: any tool can talk to it, and its counters agree with what was sent.

use serde_json::{Value, json};

use crate::binary::{Folder, SHORT, Sim};

#[test]
fn it_announces_its_route_answers_a_chat_and_ends_on_sigterm() {
    let mut sim = Sim::start(&Folder::new(), &["local"]);
    assert!(sim.base_url.starts_with("http://127.0.0.1:") && sim.base_url.ends_with("/v1"));
    assert_eq!(sim.requests(), 0);
    let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi. Answer in about 7 tokens." }] });
    let (status, answer) = sim.ask("POST /v1/chat/completions", &body.to_string());
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(status, 200);
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["usage"]["completion_tokens"], 7);
    assert!(!answer["choices"][0]["message"]["content"].as_str().unwrap().is_empty());
    let stats = sim.stats();
    assert_eq!((&stats["requests"], &stats["accepted"], &stats["by_status"]["200"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(stats["by_model"], json!({ "m": 1 }));
    assert_eq!(stats["tokens_out"], 7);
    assert_eq!(sim.ask("GET /v1/models", "").0, 200);
    sim.running.signal(libc::SIGTERM);
    let (status, _) = sim.running.wait();
    assert!(status.code().is_some_and(|code| code == 0 || code == 143), "{status}");
}

#[test]
fn a_name_that_is_nothing_is_held_against_the_presets_too() {
    let folder = Folder::new();
    folder.run(["sim", "loacl"]).refused_with(&["neither a preset", "did you mean \"local\"?"]);
    let set = "routes.local.simulate.rtt=20ms";
    folder.run(["sim", "local", "--set", set]).refused_with(&["\"local\" is a preset", "preset = \"local\""]);
}

#[test]
fn a_run_agrees_with_the_simulators_count_to_the_unit() {
    for client in ["exact", "reqwest"] {
        let folder = Folder::new();
        let sim = Sim::start(&folder, &["local"]);
        let set = format!("stack.pool.client={client}");
        let args =
            ["run", "--url", &sim.base_url, "--model", "gpt-4.1", "-c", "8", "-n", "200", "--set", &set, "--json"];
        let report = folder.run(args).ran().json();
        let stats = sim.stats();
        assert_eq!(report["load"]["succeeded"], 200, "{client}");
        assert_eq!(report["attempts"]["total"], stats["requests"], "{client}");
        assert_eq!(report["tokens"]["output"], stats["tokens_out"], "{client}");
        assert_eq!(report["connections"]["opened"]["total"], stats["accepted"], "{client}");
    }
}

#[test]
fn a_run_in_anthropics_dialect_agrees_with_the_simulators_count_to_the_unit() {
    let folder = Folder::new();
    let sim = Sim::start(&folder, &["local"]);
    let model = ["--model", "claude-sonnet-5-5", "--dialect", "anthropic", "-c", "8", "-n", "100"];
    let prompts =
        ["--set", "workload.prompts={ kind = \"fixed\" }", "--set", "routes.direct.prompt_cache=true", "--json"];
    let report = folder.run(["run", "--url", &sim.base_url].iter().chain(&model).chain(&prompts)).ran().json();
    let stats = sim.stats();
    assert_eq!(report["load"]["succeeded"], 100);
    assert_eq!((&report["attempts"]["total"], &report["tokens"]["output"]), (&stats["requests"], &stats["tokens_out"]));
    assert_eq!(report["tokens"]["input"], stats["tokens_in"]);
    assert_eq!(report["profile"]["routes"]["direct"]["dialect"], "anthropic");
    folder.run(["run", "quickstart", "--dialect", "anthropic"]).refused_with(&["--url"]);
    folder
        .run(["run", "--url", &sim.base_url, "-m", "m", "--dialect", "gemini"])
        .refused_with(&["gemini", "anthropic"]);
}

#[test]
fn a_run_over_tls_trusts_the_simulators_ca_and_no_other() {
    let folder = Folder::with(&SHORT.replace("preset = \"local\"", "preset = \"local\", tls = \"1.3\""));
    let sim = Sim::start(&folder, &["profile.toml"]);
    assert!(sim.base_url.starts_with("https://"));
    let ca = format!("routes.direct.ca_file={}", sim.ca_file.display());
    let run = ["run", "--url", &sim.base_url, "--model", "gpt-4.1", "-c", "2", "-n", "10", "--json"];
    let trusting = folder.run(run.iter().chain(&["--set", &ca])).ran().json();
    assert_eq!(trusting["load"]["succeeded"], 10);
    let wary = folder.run(run).exits(1).json();
    assert_eq!(wary["errors"]["connect"], wary["load"]["failed"]);
    let said = wary["error_examples"]["connect"].as_str().unwrap();
    assert!(said.contains("signed by an authority unknown here"), "{said}");
}

#[test]
fn a_profile_without_simulated_routes_is_no_simulator() {
    Folder::new().run(["sim", "open-provider"]).refused_with(&["open-provider", "simulate"]);
}

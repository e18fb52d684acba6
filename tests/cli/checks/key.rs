//! The key: as it came into its variable, and what the server says of it.

use super::*;

#[test]
fn a_right_key_passes_and_is_shown_nowhere() {
    let checked = with_key(KEY);
    checked.exits(0).says("key", "ok", &[VARIABLE, "sk-…"]).says("models", "ok", &["gpt-4.1"]);
    checked.says("call", "ok", &["gpt-4.1 answers", "first token", "simulated"]);
    assert!(checked.fact("call", "ttft_ms").as_f64() > Some(0.0));
    assert_eq!(checked.fact("call", "output_tokens"), 1);
}

#[test]
fn a_refused_key_fails_at_the_models_with_the_providers_words_and_is_not_tried_again() {
    let checked = with_key("sk-another");
    checked.exits(1).says("models", "fail", &["401", "Incorrect API key", VARIABLE, "Authorization: Bearer"]);
    checked.says("call", "skip", &["since models failed"]);
}

#[test]
fn what_came_into_the_variable_with_the_key_is_told_before_the_server_refuses_it() {
    with_key(&format!(" {KEY}\n")).exits(0).says("key", "warn", &["white space"]).says("call", "ok", &["answers"]);
    with_key(&format!("Bearer {KEY}")).exits(1).says("key", "warn", &["Bearer Bearer"]).says(
        "models",
        "fail",
        &["401"],
    );
    with_key(&format!("\"{KEY}\"")).exits(1).says("key", "warn", &["quotes"]).says("models", "fail", &["401"]);
}

#[test]
fn a_missing_key_is_bad_input_and_nothing_is_sent() {
    let folder = Folder::with(SIMULATED);
    let real = Sim::start(&folder, &["local"]);
    let url = format!("routes.other.base_url={}", real.base_url);
    let args = ["profile.toml", "--set", &url, "--set", "stack.route=gateway"];
    for value in ["", "  ", "one\nand another"] {
        let checked = Checked::with(&folder, &args, |command| _ = command.env(VARIABLE, value));
        checked.exits(2).says("key", "fail", &[VARIABLE, "export"]);
        checked.says("models", "skip", &["nothing is sent while routes.gateway lacks its key"]);
    }
    Checked::of(&folder, &args).exits(2).says("key", "fail", &["is not set"]);
    assert_eq!(real.stats()["accepted"], 0, "something was sent to the other route");
}

#[test]
fn a_key_that_the_server_repeats_is_hidden() {
    let url = serve(|head| {
        let sent = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization")).unwrap_or_default();
        answer(
            "401 Unauthorized",
            "application/json",
            &format!(r#"{{"error":{{"message":"wrong: {}"}}}}"#, sent.trim()),
        )
    });
    let folder = Folder::new();
    let args = ["--url", &format!("{url}/v1"), "--model", "gpt-4.1", "--api-key-env", VARIABLE];
    let with_key = |command: &mut assert_cmd::Command| {
        plainly(command);
        command.env(VARIABLE, KEY);
    };
    Checked::with(&folder, &args, with_key).exits(1).says("models", "fail", &["wrong:", "[key]"]);
    for more in [&["--quiet"][..], &[]] {
        let done = folder.run_with([&["check"], &args[..], more].concat(), with_key).exits(1);
        assert!(!done.stdout.contains(KEY) && !done.stderr.contains(KEY));
        assert_eq!(done.stdout.is_empty(), !more.is_empty());
        assert!((done.stdout + &done.stderr).contains("[key]"));
    }
}

//! What a person changes is seen on the screen, with the numbers of the real engine on simulated routes.

use crate::workbench::{STEADY, Workbench};

#[test]
fn without_the_local_cache_no_call_is_served_by_it_and_a_day_costs_more_until_the_change_is_undone() {
    // A route without a cache of its own, which would answer in the local one's place, and few prompts.
    let route = ["--set", "stack.route=direct", "--set", "workload.prompts.distinct=40"];
    let workbench = Workbench::start(&[&STEADY[..], &route].concat());
    let with = workbench.until("the cache has filled", |picture| {
        picture.panel("Served by").share("local") > Some(40.0) && picture.panel("Cost").number("5M/day").is_some()
    });
    workbench.press(":local=off<Enter>");
    let without = workbench.until("epoch 1 with answers, none of them local", |picture| {
        let served_by = picture.panel("Served by");
        let is_none_local = served_by.share("local") == Some(0.0) && served_by.share("model") > Some(0.0);
        picture.header().contains("epoch 1") && is_none_local
    });
    assert!(without.has("epoch 1: local on -> off"), "{}", without.text());
    workbench.until("a day costs more", |picture| {
        picture.panel("Cost").number("5M/day") > with.panel("Cost").number("5M/day")
    });
    workbench.press("u");
    workbench.until("epoch 2 with local answers", |picture| {
        picture.header().contains("epoch 2") && picture.panel("Served by").share("local") > Some(0.0)
    });
    workbench.quit();
}

#[test]
fn a_pool_of_two_makes_calls_wait_until_it_is_larger_again() {
    // Every call asks the gateway, mostly its cache: many short waits, and a queue that is soon worked off.
    let uncached = ["--set", "stack.single_flight=false", "--set", "workload.prompts.distinct=4"];
    let workbench = Workbench::start(&[&STEADY[..], &uncached].concat());
    workbench.press(":local=off<Enter>");
    workbench.until("epoch 1", |picture| picture.header().contains("epoch 1"));
    assert!(!workbench.picture().panel("Percentiles").has("pool wait"));
    workbench.press(":pool max=2<Enter>");
    workbench.until("calls wait", |picture| {
        picture.panel("Traffic").has("WAITING") && picture.panel("Percentiles").has("pool wait")
    });
    workbench.press(":pool max=64<Enter>");
    workbench.until("no call waits", |picture| {
        picture.header().contains("epoch 3")
            && picture.panel("Traffic").has("no call waits")
            && !picture.panel("Percentiles").has("pool wait")
    });
    workbench.quit();
}

#[test]
fn a_broken_model_is_answered_by_the_fallback_until_it_recovers() {
    let workbench = Workbench::start(&STEADY);
    workbench.press("!gateway 429 for 3s<Enter>");
    workbench.until("calls are answered by the fallback", |picture| {
        picture.panel("Served by").share("fallback") > Some(0.0) && picture.panel("Events").has("429")
    });
    workbench.until("an event says that it is over", |picture| picture.panel("Events").has("is over"));
    workbench.quit();
}

#[test]
fn a_paused_load_sends_nothing_until_it_goes_on() {
    let workbench = Workbench::start(&STEADY);
    workbench.press(" ");
    workbench.until("nothing is sent", |picture| {
        let traffic = picture.panel("Traffic");
        picture.header().contains("PAUSED") && traffic.has("in flight 0,") && traffic.number("sent") == Some(0.0)
    });
    workbench.press(" ");
    workbench.until("calls are sent again", |picture| {
        picture.header().contains("RUN") && picture.panel("Traffic").number("sent") > Some(30.0)
    });
    workbench.quit();
}

#[test]
fn a_tuned_profile_is_written_and_run_headless_with_the_tuned_value() {
    let workbench = Workbench::start(&STEADY);
    workbench.press(":local size=123<Enter>");
    workbench.until("epoch 1", |picture| picture.header().contains("epoch 1"));
    workbench.press("w");
    workbench.until("the footer says so", |picture| picture.has("wrote quickstart-tuned.toml"));
    workbench.press("x");
    workbench.until("the footer says so", |picture| picture.has("wrote gatebench-quickstart-"));
    for ending in ["json", "svg", "txt"] {
        let files = workbench.files(ending);
        assert_eq!(files.len(), 1, "{ending}: {files:?}");
    }
    let run = workbench.beside(&["run", "quickstart-tuned.toml", "-z", "2s", "--json"]);
    let stderr = String::from_utf8_lossy(&run.stderr);
    let report: serde_json::Value =
        serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    assert_eq!(report["profile"]["stack"]["cache"]["local"]["capacity"], 123, "{}", report["profile"]);
    let left = workbench.quit();
    let text = left.picture.scrollback();
    assert!(text.contains("wrote quickstart-tuned.toml"), "{text}");
}

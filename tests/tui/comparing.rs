//! Arms that take turns on the real screen.

use crate::workbench::{STEADY, Workbench};

/// Two routes that answer within milliseconds, in rounds of short blocks.
fn quick(blocks: &str) -> Vec<String> {
    let sets = [
        "routes.direct.simulate=\"local\"",
        "routes.gateway.simulate={ preset = \"local\", rtt = \"20ms\" }",
        "compare.block=\"300ms\"",
        "compare.cool_down=\"0s\"",
        blocks,
    ];
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    STEADY.into_iter().chain(sets).map(str::to_owned).collect()
}

fn start(blocks: &str) -> Workbench {
    let args = quick(blocks);
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    Workbench::start(&args)
}

#[test]
fn a_comparison_runs_to_its_end_while_the_load_waits_and_goes_on_after_it() {
    let workbench = start("compare.blocks=4");
    workbench.press("2");
    let before = workbench.until("what is compared", |picture| picture.has("Enter begins"));
    for text in ["A direct", "B gateway", "4 blocks of 300ms an arm, in turns A B B A"] {
        assert!(before.has(text), "{text} is not in\n{}", before.text());
    }
    workbench.press("<Enter>");
    workbench.until("the load waits", |picture| picture.header().contains("COMPARING"));
    let over = workbench.until("all blocks", |picture| picture.has("8 blocks of 8, over"));
    let row = over.text().lines().find(|line| line.contains("response.p50")).map(str::to_owned);
    assert!(row.as_ref().is_some_and(|row| row.contains("inconclusive: 8 more blocks")), "{}", over.text());
    let clock = over.clock();
    workbench.until("the load goes on", |picture| picture.header().contains(" RUN ") && picture.clock() > clock);

    workbench.press("x");
    workbench.until("what was written", |picture| picture.has(".json, .svg and .txt"));
    let json = std::fs::read_to_string(&workbench.files("json")[0]).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["schema"], &json["run"]["rounds"]), (&"gatebench.compare/1".into(), &2.into()));
    assert_eq!((&json["arms"][0]["name"], &json["arms"][1]["name"]), (&"direct".into(), &"gateway".into()));

    let left = workbench.quit();
    assert_eq!(left.code, 0);
    left.gave_the_terminal_back();
    let scrollback = left.picture.scrollback();
    assert!(scrollback.contains("2 rounds of blocks of 300ms"), "{scrollback}");
}

#[test]
fn a_comparison_that_is_stopped_leaves_what_there_is_and_the_load_goes_on() {
    let workbench = start("compare.blocks=1000");
    workbench.press("2<Enter>");
    workbench.until("a whole round", |picture| picture.has("▸ response.p50"));
    workbench.press("<Esc>");
    workbench.until("the question", |picture| picture.has("Stop the comparison?"));
    workbench.press("y");
    let stopped = workbench.until("its end", |picture| picture.has("B gateway  stopped after"));
    assert!(stopped.has("▸ response.p50"), "{}", stopped.text());
    let clock = stopped.clock();
    workbench.until("the load goes on", |picture| picture.header().contains(" RUN ") && picture.clock() > clock);
    assert_eq!(workbench.quit().code, 0);
}

#[test]
fn leaving_amid_a_comparison_ends_it_at_once_and_what_there_is_is_in_the_summary() {
    let workbench = start("compare.blocks=1000");
    workbench.press("2<Enter>");
    workbench.until("a whole round", |picture| picture.has("▸ response.p50"));
    let left = workbench.quit();
    assert_eq!(left.code, 0);
    left.gave_the_terminal_back();
    assert!(left.picture.scrollback().contains("up to when it was left"), "{}", left.picture.scrollback());
}

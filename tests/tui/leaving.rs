//! However a session ends, the terminal is as it was before.

use std::time::Duration;

use rustix::process::Signal;

use crate::workbench::{STEADY, Workbench, state};

#[test]
fn leaving_gives_the_terminal_back_and_the_summary_stays_in_its_scrollback() {
    let workbench = Workbench::start(&STEADY);
    workbench.press("l");
    workbench.until("the change opens an epoch", |picture| picture.header().contains("epoch 1"));
    let left = workbench.quit();
    assert_eq!(left.code, 0);
    left.gave_the_terminal_back();
    let scrollback = left.picture.scrollback();
    for text in ["quickstart", "epochs", "rate 60/s -> 65/s"] {
        assert!(scrollback.contains(text), "{text} is not in\n{scrollback}");
    }
}

#[test]
fn signals_end_the_session_with_their_code_and_give_the_terminal_back() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 143)] {
        let workbench = Workbench::start(&STEADY);
        workbench.signal(signal);
        let left = workbench.left();
        assert_eq!(left.code, code, "{signal:?}");
        left.gave_the_terminal_back();
    }
}

#[test]
fn a_closed_terminal_ends_the_load() {
    let workbench = Workbench::start(&STEADY);
    workbench.close();
}

#[test]
fn a_terminal_closed_while_the_session_is_suspended_ends_the_load() {
    let workbench = Workbench::start(&STEADY);
    workbench.press("<C-z>");
    workbench.until("the shell is back", |picture| picture.has("suspended"));
    workbench.close();
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_speaks() {
    let workbench = Workbench::start(&STEADY);
    workbench.press(":panic!<Enter>");
    let left = workbench.left();
    assert_eq!(left.code, 101);
    left.gave_the_terminal_back();
    assert!(left.picture.scrollback().contains("panicked at"), "{}", left.picture.text());
    let text = left.text();
    let (given_back, spoke) = (text.rfind("\x1b[?1049l").unwrap(), text.find("panicked at").unwrap());
    assert!(given_back < spoke);
}

#[test]
fn ctrl_z_gives_the_terminal_back_until_the_session_goes_on_without_a_burst() {
    let workbench = Workbench::start(&STEADY);
    let pid = workbench.pid();
    workbench.press("<C-z>");
    let shell = workbench.until("the shell is back", |picture| picture.has("suspended"));
    assert_eq!(shell.taken(), [""; 0], "{}", shell.text());
    assert_eq!(workbench.modes(), workbench.modes_before());
    assert_eq!(state(pid), Some('T'));
    // Of calls due in this time none may be made up for.
    std::thread::sleep(Duration::from_secs(2));
    workbench.press("fg<Enter>");
    let back = workbench.until("the workbench is back", |picture| picture.taken().len() == 4);
    let clock = back.clock();
    let later = workbench.until("the load goes on", |picture| {
        picture.clock() > clock && picture.panel("Traffic").number("sent") > Some(30.0)
    });
    // A busy machine may make calls late, but not by whole seconds.
    let lag = later.lag();
    assert!(lag.ends_with("ms") || lag.ends_with("µs"), "lag {lag}");
    let left = workbench.quit();
    assert_eq!(left.code, 0);
    left.gave_the_terminal_back();
}

#[test]
fn a_load_that_ended_by_itself_leaves_every_key_its_answer() {
    let budget = ["--set", "limits.budget=\"¥0.05\""];
    let workbench = Workbench::start(&[&STEADY[..], &budget].concat());
    workbench.until("the budget is spent", |picture| picture.header().contains("BUDGET SPENT"));
    // Nothing but keys wakes the loop now.
    for (key, title) in [("5", "Epochs"), ("4", "Events"), ("2", "Compare"), ("5", "Epochs")] {
        workbench.press(key);
        workbench.until(title, |picture| picture.text().lines().nth(1).is_some_and(|line| line.contains(title)));
    }
    assert_eq!(workbench.quit().code, 0);
}

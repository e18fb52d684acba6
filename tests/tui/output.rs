//! What reaches terminals of every size and ability.

use std::process::{Command, Stdio};

use crate::picture::Picture;
use crate::workbench::{Left, STEADY, Workbench};

/// Starts at 120x36, visits what opens over the screen, and leaves.
fn tour(args: &[&str], env: &[(&str, &str)]) -> Left {
    let workbench = Workbench::start_with(&[&STEADY, args].concat(), (120, 36), env);
    workbench.press("l");
    workbench.until("epoch 1", |picture| picture.header().contains("epoch 1"));
    for keys in ["?", "4?", "5?", "1:local"] {
        workbench.press(keys);
        let before = workbench.sent();
        workbench.until("a frame", |_| workbench.sent() > before);
        // A key that came with it would be read as one with Alt.
        workbench.press("<Esc>");
        let before = workbench.sent();
        workbench.until("a frame", |_| workbench.sent() > before);
    }
    workbench.until("all is closed", |picture| picture.panel("Traffic").number("sent").is_some());
    workbench.quit()
}

#[test]
fn no_color_sets_no_colour() {
    let left = tour(&[], &[("NO_COLOR", "1")]);
    let text = left.text();
    assert!(colours(&text).is_empty(), "{:?}", colours(&text));
    assert!(!colours(&tour(&[], &[]).text()).is_empty(), "without NO_COLOR there are some");
}

/// Sequences that set a colour.
fn colours(text: &str) -> Vec<&str> {
    let sequences = text.split("\x1b[").skip(1).filter_map(|rest| rest.split_once('m').map(|(code, _)| code));
    let graphic = sequences.filter(|code| code.chars().all(|c| c.is_ascii_digit() || ";:".contains(c)));
    graphic.filter(|code| code.split([';', ':']).any(is_colour)).collect()
}

fn is_colour(parameter: &str) -> bool {
    matches!(parameter.parse(), Ok(30..=38 | 40..=48 | 58 | 90..=97 | 100..=107))
}

#[test]
fn an_ascii_screen_sends_ascii_alone() {
    let text = tour(&["--ascii"], &[]).text();
    let (screen, _summary) = text.rsplit_once("\x1b[?1049l").unwrap();
    let foreign: Vec<_> = screen.chars().filter(|c| !c.is_ascii()).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[test]
fn the_screen_follows_the_terminals_size_down_to_one_cell_and_back() {
    let workbench = Workbench::start(&STEADY);
    let titles =
        |picture: &Picture| ["Settings", "Latency", "Heatmap", "Cost"].map(|title| picture.has(&format!(" {title} ")));
    for size in [(80, 24), (40, 12), (1, 1), (120, 36)] {
        let before = workbench.sent();
        workbench.resize(size);
        workbench.until("a frame", |_| workbench.sent() > before);
    }
    workbench.until("all panels", |picture| titles(picture) == [true; 4] && picture.line(35).contains("setting"));
    workbench.quit();
}

#[test]
fn without_a_terminal_it_runs_headless_and_says_so() {
    let args = [&STEADY[..], &["-n", "30"]].concat();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatebench"));
    command.args(args).env("GATEBENCH_CACHE_DIR", env!("CARGO_TARGET_TMPDIR")).stdin(Stdio::null());
    let run = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(stderr.contains("no terminal") && stderr.contains("running quickstart headless"), "{stderr}");
    assert!(stdout.contains("hit rate") && !stdout.contains('\x1b'), "{stdout}");
}

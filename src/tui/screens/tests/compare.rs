//! The Compare screen as a person sees it.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;
use ratatui::layout::Size;
use ratatui::style::Color;

use super::whole;
use crate::compare::{Comparison, Interval, Progress, Stage, Word};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::export;
use crate::tui::scene::{self, press};
use crate::tui::theme::Theme;

const TWO: [&str; 2] = ["direct", "gateway"];
const THREE: [&str; 3] = ["direct", "gateway", "other"];

fn text(app: &App) -> String {
    export::text(&whole(app, &Theme::MONO))
}

fn with(app: &mut App, change: impl FnOnce(&mut Comparison)) {
    let mut progress = app.comparing.progress().unwrap().clone();
    change(Arc::make_mut(&mut progress.comparison));
    app.update(Action::Compared(progress));
}

#[test]
fn a_comparison_that_runs_shows_what_its_size_allows() {
    for (width, height) in [(120, 36), (80, 24), (40, 12)] {
        let app = scene::comparing(width, height, &TWO, 7);
        assert_snapshot!(format!("compare_{width}x{height}"), text(&app));
        assert_snapshot!(format!("compare_colour_{width}x{height}"), format!("{:?}", whole(&app, &Theme::FULL)));
    }
}

#[test]
fn the_line_of_keys_has_what_helps_now() {
    let keys = |app: &App| text(app).lines().last().unwrap().to_owned();
    let mut app = scene::with_arms(80, 24, &TWO);
    press(&mut app, "2");
    assert!(keys(&app).starts_with(" Enter begin  c what") && !keys(&app).contains("Esc"), "{}", keys(&app));
    let two = keys(&scene::comparing(80, 24, &TWO, 7));
    assert!(two.starts_with(" Esc stop ") && !two.contains("begin") && !two.contains(" arm"), "{two}");
    let three = keys(&scene::comparing(80, 24, &THREE, 7));
    assert!(three.contains(" l arm "), "{three}");
}

#[test]
fn each_view_has_its_turn_on_a_small_screen() {
    let mut app = scene::comparing(80, 24, &TWO, 7);
    for view in ["latency", "curves", "phases"] {
        press(&mut app, "<Tab>");
        assert_snapshot!(format!("compare_{view}_80x24"), text(&app));
    }
}

#[test]
fn before_it_begins_the_screen_says_what_is_compared_and_how_long_that_takes() {
    for (width, height) in [(120, 36), (40, 12)] {
        let mut app = scene::with_arms(width, height, &TWO);
        press(&mut app, "2");
        assert_snapshot!(format!("compare_setup_{width}x{height}"), text(&app));
    }
    let mut app = scene::with_arms(120, 36, &[]);
    press(&mut app, "2");
    assert!(text(&app).contains("nothing differs: tune a setting on Live (1)"), "{}", text(&app));
    press(&mut app, "1l2");
    let tuned = text(&app);
    assert!(tuned.contains("A as opened: the profile as it was opened"), "{tuned}");
    assert!(tuned.contains("B as tuned: against A rate 60/s -> 65/s"), "{tuned}");
}

#[test]
fn with_colour_or_without_no_arm_is_told_by_colour_alone() {
    let mut app = scene::comparing(120, 36, &TWO, 7);
    let plain = whole(&app, &Theme::ASCII);
    let coloured = plain.content.iter().find(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
    assert!(coloured.is_none(), "{coloured:?}");
    let text = export::text(&plain);
    assert!(text.is_ascii() && text.contains("AAAA") && text.contains("===="), "{text}");
    press(&mut app, "?");
    assert!(export::text(&whole(&app, &Theme::ASCII)).is_ascii());
}

#[test]
fn no_number_of_a_difference_stands_without_its_word() {
    for (rounds, word) in [(1, "inconclusive: 10 more blocks"), (4, "inconclusive: 4 more blocks"), (7, "better")] {
        let seen = text(&scene::comparing(120, 36, &TWO, rounds));
        let row = seen.lines().find(|line| line.contains("▸ response.p50")).unwrap();
        assert!(row.contains(word), "{rounds} rounds: {row}");
    }
    let seen = text(&scene::comparing(120, 36, &TWO, 7));
    let silent = seen.lines().find(|line| line.contains("  response.p99 ")).unwrap();
    assert!(silent.contains("inconclusive: few samples"), "{silent}");
    let mut edge = scene::comparing(120, 36, &TWO, 7);
    with(&mut edge, |comparison| {
        let row = &mut comparison.metrics[0];
        let ends = Interval { low: 1.02, high: 1.08 };
        (row.ratio, row.ratio_interval, row.verdict) = (Some(1.0500001), Some(ends), Word::Inconclusive);
    });
    let seen = text(&edge);
    let edge = seen.lines().find(|line| line.contains("▸ response.p50")).unwrap();
    assert!(edge.contains("inconclusive ") && !edge.contains("more blocks"), "{edge}");
    let none = text(&scene::comparing(120, 36, &TWO, 0));
    assert!(none.contains("after the first round") && none.contains("after the first block"), "{none}");
}

#[test]
fn of_three_arms_the_chosen_one_stands_against_the_first() {
    let mut app = scene::comparing(120, 36, &THREE, 7);
    assert!(text(&app).contains("3 arms; l shows the next against A"));
    assert!(text(&app).contains("A direct against B gateway"));
    press(&mut app, "l");
    let third = text(&app);
    assert!(third.contains("A direct against C other") && third.contains("C - A"), "{third}");
    press(&mut app, "l");
    assert!(text(&app).contains("A direct against B gateway"), "round the list");
}

#[test]
fn what_went_wrong_is_said() {
    let mut app = scene::comparing(120, 36, &TWO, 7);
    with(&mut app, |comparison| {
        (comparison.run.valid, comparison.run.invalid_because) = (false, vec!["gateway: 80% of the plan sent".into()]);
    });
    assert!(text(&app).contains("invalid: gateway: 80% of the plan sent"));
    with(&mut app, |comparison| comparison.run.given_up_because = Some("gateway: 401, the key is refused".into()));
    assert!(text(&app).contains("given up: gateway: 401, the key is refused"));
    app.update(Action::ComparisonOver(Err("arm \"gateway\": no key in EXAMPLE_KEY".into())));
    assert!(text(&app).contains("no key in EXAMPLE_KEY"));
}

#[test]
fn when_it_is_over_what_surer_words_would_take_is_said() {
    let mut app = scene::comparing(120, 36, &TWO, 7);
    let mut comparison = Comparison::clone(&app.comparing.progress().unwrap().comparison);
    (comparison.more_rounds, comparison.more_s) = (Some(4), Some(18.4));
    app.update(Action::ComparisonOver(Ok(Arc::new(comparison))));
    let seen = text(&app);
    assert!(seen.contains("28 blocks of 48, over"), "{seen}");
    assert!(seen.contains("complete, 7 rounds; Enter compares again"), "{seen}");
    assert!(seen.contains("sure words would take 8 more blocks an arm (18.4s)"), "{seen}");
}

#[test]
fn the_question_before_a_stop_names_what_stays_and_the_answers() {
    let mut app = scene::comparing(80, 24, &TWO, 7);
    press(&mut app, "<Esc>");
    assert_snapshot!("compare_stop_80x24", text(&app));
}

#[test]
fn no_size_is_too_small_or_odd_for_a_comparison() {
    let mut apps = Vec::new();
    for keys in ["", "<Tab>", "<Tab><Tab>", "<Tab><Tab><Tab>", "e", "jjjj", "<Esc>"] {
        let mut app = scene::comparing(80, 24, &THREE, 6);
        press(&mut app, keys);
        apps.push(app);
    }
    apps.push(scene::comparing(80, 24, &TWO, 0));
    let mut setup = scene::with_arms(80, 24, &TWO);
    press(&mut setup, "2");
    apps.push(setup);
    let mut ended = scene::comparing(80, 24, &TWO, 0);
    let progress = ended.comparing.progress().unwrap().clone();
    ended.update(Action::Compared(Progress { stage: Stage::WarmUp, left: Duration::MAX, done: f64::NAN, ..progress }));
    apps.push(ended);
    let (count, apps) = (apps.len(), RefCell::new(apps));
    proptest!(ProptestConfig::with_cases(96), |(width in 0_u16..200, height in 0_u16..60, which in 0..count)| {
        let app = &mut apps.borrow_mut()[which];
        app.update(Action::Resize(Size::new(width, height)));
        for theme in [Theme::FULL, Theme::ASCII] {
            whole(app, &theme);
        }
    });
}

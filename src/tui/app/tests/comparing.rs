//! A comparison from Enter to its end, as keys and news make it.

use std::time::Duration;

use super::*;
use crate::metrics::Time;
use crate::profile::Money;
use crate::tui::command::View;

const TWO: [&str; 2] = ["direct", "gateway"];

fn under_way() -> App {
    scene::comparing(120, 36, &TWO, 7)
}

fn result(app: &App) -> Action {
    Action::ComparisonOver(Ok(app.comparing.progress().unwrap().comparison.clone()))
}

/// Against a route that costs money.
fn paid() -> App {
    let mut profile = scene::profile();
    let paid = Route { base_url: Some("https://api.example.com/v1".into()), ..Route::default() };
    profile.routes.insert("gateway".into(), paid);
    let arms = ["a", "b"].map(|name| (name.to_owned(), profile.clone())).into();
    App::new("paid".into(), profile, arms, Arc::new(scene::snapshot()), Size::new(120, 36))
}

#[test]
fn a_comparison_begins_when_the_load_stands_and_has_nothing_in_flight() {
    let mut app = scene::with_arms(120, 36, &TWO);
    assert_eq!(press(&mut app, "2<Enter>"), [Effect::Pause]);
    assert_eq!(app.state(), State::Comparing);
    assert_eq!(app.update(Action::Snapshot(Arc::new(scene::snapshot()))), [], "13 calls are in flight");
    let begun = app.update(scene::clear());
    let [Effect::Compare { course, .. }] = &begun[..] else { panic!("{begun:?}") };
    let routes: Vec<_> = course.arms.iter().map(|(name, arm)| (name.as_str(), arm.stack.route.as_str())).collect();
    assert_eq!(routes, [("direct", "direct"), ("gateway", "gateway")]);
    assert_eq!((course.blocks, course.block), (12, Duration::from_secs(2)));
    assert_eq!(app.update(scene::clear()), [], "it begins once");
}

#[test]
fn the_load_goes_on_after_the_end_unless_it_was_paused_before() {
    let mut app = under_way();
    let over = result(&app);
    assert_eq!(app.update(over), [Effect::Resume]);
    assert_eq!(app.state(), State::Runs);
    assert_eq!(app.comparing.rows()[0].metric, "response.p50", "the result stays");

    let mut paused = scene::with_arms(120, 36, &TWO);
    assert_eq!(press(&mut paused, " 2<Enter>"), [Effect::Pause], "it stands already");
    assert!(matches!(paused.update(scene::clear())[..], [Effect::Compare { .. }]));
    paused.update(Action::Compared(scene::progress(&TWO, 1)));
    let over = result(&paused);
    assert_eq!(paused.update(over), []);
    assert_eq!(paused.state(), State::Paused);
}

#[test]
fn when_the_load_is_over_a_comparison_needs_not_wait_for_it() {
    let mut app = scene::with_arms(120, 36, &TWO);
    app.update(Action::Ended { stop: Stop::Budget, why: String::new() });
    assert!(matches!(press(&mut app, "2<Enter>")[..], [Effect::Compare { .. }]));
    app.update(Action::Compared(scene::progress(&TWO, 1)));
    let over = result(&app);
    assert_eq!(app.update(over), [], "there is no load to go on with");
}

#[test]
fn without_arms_what_was_tuned_is_held_against_what_was_opened() {
    let mut app = scene::with_arms(120, 36, &[]);
    assert_eq!(press(&mut app, "2<Enter>"), []);
    assert!(app.message().unwrap().text.starts_with("nothing differs: tune a setting on Live"));
    press(&mut app, "1l2<Enter>");
    let begun = app.update(scene::clear());
    let [Effect::Compare { course, profile }] = &begun[..] else { panic!("{begun:?}") };
    let rates: Vec<_> = course.arms.iter().map(|(name, arm)| (name.as_str(), arm.load.rate)).collect();
    assert_eq!(rates, [("as opened", 60.0), ("as tuned", 65.0)]);
    let arms = &profile.compare.as_ref().unwrap().arms;
    assert!(arms[0].set.is_empty() && arms[1].set.contains_key("load.rate"), "{arms:?}");
}

#[test]
fn c_turns_from_the_profiles_arms_to_what_was_tuned() {
    let mut app = scene::with_arms(120, 36, &TWO);
    press(&mut app, "l2c");
    assert_eq!(app.course().unwrap().arms[1].0, "as tuned");
    press(&mut app, "c");
    assert_eq!(app.course().unwrap().arms[1].0, "gateway");
}

#[test]
fn esc_asks_before_it_stops_and_what_there_is_stays() {
    let mut app = under_way();
    assert_eq!(press(&mut app, "<Esc>n"), [], "any other key lets it run");
    assert_eq!(press(&mut app, "<Esc>y"), [Effect::StopComparison]);
    assert_eq!(app.comparing.standing, Standing::Ending);
    let over = result(&app);
    app.update(over);
    assert!(!app.comparing.rows().is_empty());
    assert_eq!(press(&mut app, "<Esc>"), [], "now it closes the screen");
    assert_eq!(app.screen, Screen::Live);
}

#[test]
fn a_question_that_came_too_late_is_taken_back() {
    let mut app = under_way();
    press(&mut app, "<Esc>");
    let over = result(&app);
    app.update(over);
    assert!(app.layers.is_empty());
}

#[test]
fn before_the_load_stands_esc_lets_it_go_on_at_once() {
    let mut app = scene::with_arms(120, 36, &TWO);
    press(&mut app, "2<Enter>");
    assert_eq!(press(&mut app, "<Esc>"), [Effect::Resume]);
    assert_eq!(app.update(scene::clear()), [], "nothing begins any more");
}

#[test]
fn one_that_cannot_start_says_why_and_the_load_goes_on() {
    let mut app = under_way();
    assert_eq!(app.update(Action::ComparisonOver(Err("arm \"gateway\": no key".into()))), [Effect::Resume]);
    assert_eq!(app.message().unwrap().text, "arm \"gateway\": no key");
    assert_eq!(app.comparing.problem.as_deref(), Some("arm \"gateway\": no key"));
}

#[test]
fn while_arms_take_turns_the_load_cannot_be_started_and_the_process_not_be_stopped() {
    let mut app = under_way();
    for (keys, why) in [
        (" ", "the load waits for the comparison"),
        ("<C-z>", "a comparison is under way, and a stopped process would spoil it"),
        ("<Enter>", "a comparison is under way; Esc stops it"),
        ("c", "a comparison is under way; Esc stops it"),
    ] {
        assert_eq!(press(&mut app, keys), [], "{keys}");
        assert!(app.message().unwrap().text.starts_with(why), "{keys}: {:?}", app.message());
    }
    assert_eq!(press(&mut app, "q"), [Effect::Quit], "simulated arms cost nothing");
}

#[test]
fn paid_routes_are_called_after_a_question_and_left_after_another() {
    let mut app = paid();
    assert_eq!(press(&mut app, "2<Enter>"), []);
    assert!(matches!(app.layers.last(), Some(Layer::Begin)));
    assert_eq!(press(&mut app, "n<Enter>y"), [Effect::Pause]);
    app.update(scene::clear());
    assert_eq!(press(&mut app, "q"), []);
    assert_eq!(press(&mut app, "y"), [Effect::Quit]);
}

#[test]
fn the_estimate_is_what_the_load_has_cost_over_the_time_that_paid_arms_send() {
    let mut app = paid();
    app.comparing = Comparing::new({
        let mut budgeted = scene::profile();
        budgeted.limits.budget = Some(Money::parse("¥50").unwrap());
        vec![("free".to_owned(), budgeted), ("paid".to_owned(), app.tuner.profile().clone())]
    });
    let course = app.course().unwrap();
    let estimate = app.estimate(&course);
    assert_eq!(estimate.paid, ["paid"]);
    let shown = app.shown();
    let p99 = shown.measured.times.summary(Time::Response).unwrap().p99 / 1e3;
    let plain: Duration =
        course.arms.iter().map(|arm| arm.1.load.warmup + (course.block + course.cool_down) * course.blocks).sum();
    let awaited = p99 * f64::from(2 * (course.blocks + 1));
    assert!((estimate.lasts.as_secs_f64() - plain.as_secs_f64() - awaited).abs() < 1e-3, "{:?}", estimate.lasts);
    let sends = course.arms[1].1.load.warmup + course.block * course.blocks;
    let (cny, _) = estimate.cost.unwrap();
    assert!((cny - shown.spent.cny / 93.0 * sends.as_secs_f64()).abs() < 1e-9, "{cny}");
}

#[test]
fn tab_and_a_click_turn_the_views_and_j_the_metrics() {
    let mut app = under_way();
    press(&mut app, "<Tab><Tab>jj");
    assert_eq!((app.screen, app.comparing.view, app.comparing.chosen()), (Screen::Compare, View::Curves, 2));
    press(&mut app, "G");
    assert_eq!(app.comparing.chosen(), app.comparing.rows().len() - 1);
    let (kind, modifiers) = (MouseEventKind::Down(MouseButton::Left), KeyModifiers::NONE);
    app.update(Action::Mouse(MouseEvent { kind, column: 100, row: 10, modifiers }));
    assert_eq!(app.comparing.view, View::Phases);
    assert_eq!(press(&mut app, "l"), []);
    assert!(app.message().unwrap().text.starts_with("there is no further arm"));
}

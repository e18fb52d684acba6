//! What a person does, and what the workbench makes of it.

mod comparing;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::*;
use crate::profile::{FaultKind, Route};
use crate::tui::layout::Live;
use crate::tui::scene::{self, press};

fn app() -> App {
    scene::app(120, 36)
}

fn value(app: &App, id: &str) -> String {
    let setting = app.tuner.settings().into_iter().find(|setting| setting.id == id).unwrap();
    app.tuner.value(&setting).unwrap().to_string()
}

/// What the engine is asked to run, after the pause in which rates settle.
fn applied(app: &mut App) -> Vec<String> {
    match &app.update(Action::Settled)[..] {
        [Effect::Apply { changed, .. }] => {
            app.update(Action::Accepted);
            changed.clone()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn many_steps_settle_into_one_change() {
    let mut app = app();
    assert_eq!(press(&mut app, "lll"), [Effect::Settle, Effect::Settle, Effect::Settle]);
    assert_eq!(applied(&mut app), ["rate 60/s -> 75/s"]);
    assert_eq!(app.update(Action::Settled), [], "nothing is applied twice");
}

#[test]
fn a_step_and_its_reverse_open_no_epoch() {
    let mut app = app();
    press(&mut app, "lh");
    assert_eq!(app.update(Action::Settled), []);
}

#[test]
fn a_typed_value_is_set_and_a_bad_one_refused_with_its_reason_in_the_open_line() {
    let mut app = app();
    press(&mut app, "<Enter>-5<Enter>");
    let Some(Layer::Edit(edit)) = app.layers.last() else { panic!("the line is closed") };
    assert!(edit.problem.as_ref().unwrap().contains("it takes 0.1 to 1000000/s"), "{:?}", edit.problem);
    press(&mut app, "<Backspace><Backspace>90/s<Enter>");
    assert!(app.layers.is_empty());
    assert_eq!(applied(&mut app), ["rate 60/s -> 90/s"]);
}

#[test]
fn undo_takes_back_change_after_change_and_then_says_that_there_is_none() {
    let mut app = app();
    press(&mut app, "l");
    applied(&mut app);
    app.tuner.choose("stack.cache.local");
    press(&mut app, "<Enter>");
    applied(&mut app);
    press(&mut app, "l");
    assert_eq!(press(&mut app, "u"), [], "what was not applied yet needs no engine");
    assert!(matches!(&press(&mut app, "u")[..], [Effect::Apply { changed, .. }] if *changed == ["local off -> on"]));
    app.update(Action::Accepted);
    assert!(matches!(&press(&mut app, "u")[..], [Effect::Apply { changed, .. }] if *changed == ["rate 65/s -> 60/s"]));
    app.update(Action::Accepted);
    assert_eq!(press(&mut app, "u"), []);
    assert_eq!(app.message().unwrap().text, "there is no change to undo");
}

#[test]
fn what_the_engine_refuses_is_taken_back_and_said() {
    let mut app = app();
    press(&mut app, "l");
    applied(&mut app);
    press(&mut app, "l");
    assert!(matches!(app.update(Action::Settled)[..], [Effect::Apply { .. }]));
    app.update(Action::Refused("redis: no server".into()));
    assert_eq!(value(&app, "load.rate"), "65", "what ran before runs on");
    assert_eq!(app.message().unwrap().text, "redis: no server");
    press(&mut app, "u");
    app.update(Action::Refused("redis: no server".into()));
    assert_eq!(value(&app, "load.rate"), "65", "an undo that is refused leaves what runs");
    assert!(matches!(&press(&mut app, "u")[..], [Effect::Apply { changed, .. }] if *changed == ["rate 65/s -> 60/s"]));
}

#[test]
fn reset_brings_all_settings_back_in_one_change() {
    let mut app = app();
    press(&mut app, "lj");
    app.tuner.choose("stack.concurrency");
    press(&mut app, "l");
    applied(&mut app);
    assert!(matches!(&press(&mut app, "r")[..], [Effect::Apply { changed, .. }] if changed.len() == 2));
    assert!(app.tuner.edits().is_empty());
}

#[test]
fn the_palette_finds_commands_sets_by_name_and_breaks_routes() {
    let mut app = app();
    press(&mut app, ":pool max=8<Enter>");
    assert_eq!(applied(&mut app), ["pool max 64 -> 8"]);
    press(&mut app, ":stack.pool.max_connections = nine<Enter>");
    assert!(matches!(app.layers.last(), Some(Layer::Palette(palette)) if palette.problem.is_some()));
    press(&mut app, "<Esc>");
    let broken = press(&mut app, "!gateway 429 for 30s<Enter>");
    let lasts = Duration::from_secs(30);
    let (route, model) = ("gateway".to_owned(), Some("gpt-4.1".to_owned()));
    assert_eq!(broken, [Effect::Inject { route, kind: FaultKind::TooManyRequests, model, lasts }]);
    assert!(matches!(&press(&mut app, ":break direct all hang<Enter>")[..],
        [Effect::Inject { kind: FaultKind::Hang, model: None, lasts, .. }] if lasts.as_secs() == 10));
    press(&mut app, ":set retry base<Enter>");
    assert!(matches!(app.layers.last(), Some(Layer::Edit(edit)) if edit.setting.id == "stack.retry.base"));
}

#[test]
fn help_runs_the_chosen_line() {
    let mut app = app();
    press(&mut app, "?");
    let pause = keymap::at(app.place()).position(|binding| binding.command == Command::Pause).unwrap();
    press(&mut app, &"j".repeat(pause));
    assert_eq!(press(&mut app, "<Enter>"), [Effect::Pause]);
    assert!(app.layers.is_empty());
}

#[test]
fn escape_closes_one_layer_at_a_time() {
    let mut app = app();
    press(&mut app, "ef:");
    assert!(app.zoomed && app.is_frozen() && app.layers.len() == 1);
    press(&mut app, "<Esc>");
    assert!(app.zoomed && app.is_frozen() && app.layers.is_empty());
    press(&mut app, "<Esc>");
    assert!(!app.zoomed && app.is_frozen());
    press(&mut app, "<Esc>");
    assert!(!app.is_frozen());
}

#[test]
fn a_frozen_picture_stays_while_the_load_goes_on() {
    let mut app = app();
    press(&mut app, "f");
    let mut later = scene::snapshot();
    later.elapsed = Duration::from_secs(200);
    app.update(Action::Snapshot(Arc::new(later)));
    assert_eq!(app.shown().elapsed.as_secs(), 93);
    press(&mut app, "f");
    assert_eq!(app.shown().elapsed.as_secs(), 200);
}

#[test]
fn leaving_asks_only_while_a_paid_route_is_under_load() {
    let mut simulated = app();
    assert_eq!(press(&mut simulated, "q"), [Effect::Quit]);

    let mut snapshot = scene::snapshot();
    let mut profile = scene::profile();
    let paid = Route { base_url: Some("https://api.example.com/v1".into()), ..Route::default() };
    profile.routes.insert("gateway".into(), paid);
    snapshot.profile = Arc::new(profile.clone());
    let mut app = App::new("paid".into(), profile, Vec::new(), Arc::new(snapshot), Size::new(120, 36));
    assert_eq!(press(&mut app, "q"), []);
    assert_eq!(press(&mut app, "n"), [], "any other key stays");
    assert_eq!(press(&mut app, "qy"), [Effect::Quit]);
    assert_eq!(press(&mut app, "<C-c>"), [Effect::Quit]);
    app.update(Action::Ended { stop: Stop::Budget, why: String::new() });
    assert_eq!(press(&mut app, "q"), [Effect::Quit]);
}

#[test]
fn an_epoch_is_gone_back_to_and_held_as_the_baseline() {
    let mut app = app();
    app.tuner.choose("stack.cache.local.capacity");
    press(&mut app, "<Enter>2000<Enter>");
    applied(&mut app);
    press(&mut app, "5k");
    assert_eq!(app.chosen_epoch, Some(0));
    let back = press(&mut app, "<Enter>");
    assert!(matches!(&back[..], [Effect::Apply { changed, .. }] if *changed == ["local size 2000 -> 400"]), "{back:?}");
    press(&mut app, "kb");
    assert_eq!((app.baseline, app.reference().map(|epoch| epoch.number)), (Some(0), Some(0)));
    press(&mut app, "b");
    assert_eq!(app.baseline, None);
}

#[test]
fn screens_that_are_not_there_say_why() {
    let mut app = app();
    press(&mut app, "3");
    assert_eq!(app.screen, Screen::Live);
    assert!(app.message().unwrap().text.starts_with("Cost is not in this version"));
    press(&mut app, "4");
    assert_eq!(app.screen, Screen::Log);
}

#[test]
fn when_the_load_is_over_settings_say_so_and_change_nothing() {
    let mut app = app();
    app.update(Action::Ended { stop: Stop::Budget, why: String::new() });
    for keys in ["l", "u", "r", " ", "!", "<Enter>"] {
        assert_eq!(press(&mut app, keys), [], "{keys}");
        assert_eq!(app.message().unwrap().text, "the load is over; q leaves", "{keys}");
    }
    assert!(app.tuner.edits().is_empty());
}

#[test]
fn a_click_focuses_a_pane_and_chooses_a_setting_and_the_wheel_steps_it() {
    let mut app = app();
    let mouse = |app: &mut App, kind, column, row| {
        app.update(Action::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
    };
    let live = Live::of(app.size, app.focus, None);
    let cost = live.area(Pane::Cost).unwrap();
    mouse(&mut app, MouseEventKind::Down(MouseButton::Left), cost.x + 3, cost.y + 2);
    assert_eq!(app.focus, Pane::Cost);
    let settings = live.area(Pane::Settings).unwrap();
    // Below the border and the first group's name stands the rate, then think time or the next setting.
    mouse(&mut app, MouseEventKind::Down(MouseButton::Left), settings.x + 3, settings.y + 3);
    assert_eq!((app.focus, app.tuner.chosen().unwrap().id), (Pane::Settings, "workload.prompts.exponent".to_owned()));
    assert_eq!(mouse(&mut app, MouseEventKind::ScrollUp, settings.x + 3, settings.y + 2), [Effect::Settle]);
    assert_eq!(applied(&mut app), ["rate 60/s -> 65/s"]);
}

#[test]
fn events_scroll_back_and_no_further_than_the_first() {
    let mut app = scene::app(120, 36);
    press(&mut app, "4kkkk");
    assert_eq!(app.events_back, 0, "all fit");
    app.screen = Screen::Live;
    app.focus = Pane::Events;
    press(&mut app, "k");
    assert_eq!(app.events_back, 1, "three of four fit");
    press(&mut app, "kkkk");
    assert_eq!(app.events_back, 1);
    press(&mut app, "G");
    assert_eq!(app.events_back, 0);
}

#[test]
fn a_message_goes_with_the_next_key_or_after_a_while() {
    let mut app = app();
    app.update(Action::Done("wrote x.toml".into()));
    press(&mut app, "j");
    assert!(app.message().is_none());
    app.update(Action::Done("wrote x.toml".into()));
    let mut later = scene::snapshot();
    later.elapsed += MESSAGE_STAYS + Duration::from_secs(1);
    app.update(Action::Snapshot(Arc::new(later)));
    assert!(app.message().is_none());
}

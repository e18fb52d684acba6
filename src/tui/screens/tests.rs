//! Screens and layers as a person sees them.

mod compare;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Color;

use super::{epochs, layers, log, numbers};
use crate::calibration::{Calibration, Machine, Rates};
use crate::metrics::{Event, Point, Series, Snapshot, Stop};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::command::Pane;
use crate::tui::export;
use crate::tui::panels::events;
use crate::tui::scene::{self, press};
use crate::tui::theme::Theme;

type Draw = fn(&App, &Theme, Rect, &mut Buffer);

const DRAWN: [Draw; 6] = [epochs::draw, log::draw, events::draw, numbers::draw, layers::draw, super::draw];
/// What opens each layer, and nothing.
const LAYERS: [&str; 7] = ["", "?jjjj", ":", ":pool", "!", "<Enter>90", "<Enter>many<Enter>"];

fn drawn(app: &App, draw: Draw, width: u16, height: u16) -> String {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    draw(app, &Theme::MONO, buf.area, &mut buf);
    export::text(&buf)
}

fn seen(draw: Draw, keys: &str, width: u16, height: u16) -> String {
    let mut app = scene::app(width, height);
    press(&mut app, keys);
    drawn(&app, draw, width, height)
}

/// The scene with more epochs than a small screen holds, the last of them young.
fn after_many_changes(width: u16, height: u16) -> App {
    let mut snapshot = scene::snapshot();
    let mut past = Vec::clone(&snapshot.past);
    for number in 1..12 {
        let mut epoch = if number % 2 == 0 { past[0].clone() } else { snapshot.epoch.clone() };
        (epoch.number, epoch.began) = (number, Duration::from_secs(60 * u64::from(number)));
        epoch.changed = vec![format!("rate {} -> {}/s", 60 + number, 61 + number)];
        past.push(epoch);
    }
    snapshot.past = Arc::new(past);
    snapshot.epoch.number = 12;
    snapshot.epoch.began = Duration::from_secs(3700);
    snapshot.epoch.tally = snapshot.second.clone();
    snapshot.epoch.changed = vec!["local size 400 -> 2000".into(), "pool max 64 -> 8".into(), "redis on -> off".into()];
    with(snapshot, width, height)
}

fn with(snapshot: Snapshot, width: u16, height: u16) -> App {
    let mut app = scene::app(width, height);
    app.update(Action::Snapshot(Arc::new(snapshot)));
    app
}

fn whole(app: &App, theme: &Theme) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, app.size.width, app.size.height));
    super::draw(app, theme, buf.area, &mut buf);
    buf
}

#[test]
fn the_live_screen_shows_what_its_size_allows() {
    for (width, height) in [(120, 36), (80, 24), (64, 18), (40, 12)] {
        let app = scene::app(width, height);
        assert_snapshot!(format!("live_{width}x{height}"), export::text(&whole(&app, &Theme::MONO)));
    }
}

#[test]
fn the_header_says_when_the_generator_takes_too_much_of_the_machine() {
    let header = |calls: u64, one_replica: f64| {
        let mut snapshot = scene::snapshot();
        let mut series = Series::default();
        series.push(Point { seconds: 1.0, sent: calls, local: 500, ..Point::default() });
        snapshot.series = Arc::new(series);
        let mut app = with(snapshot, 120, 36);
        let rates = Rates { one_replica, all_cores: one_replica };
        app.calibration = Some(Calibration {
            machine: Machine::here(),
            measured_at: String::new(),
            closed: rates,
            open: rates,
            streamed_token: 0.0,
        });
        drawn(&app, super::header::draw, 120, 1)
    };
    assert!(header(8500, 10_000.0).contains("GENERATOR 80.0%"), "{}", header(8500, 10_000.0));
    assert!(header(7500, 10_000.0).contains("lag p99"), "70% is not too much");
    assert!(header(1500, 1_000.0).contains("lag p99"), "1,000 calls to routes are few");
    assert!(header(1501, 1_000.0).contains("GENERATOR 100.1%"), "{}", header(1501, 1_000.0));
}

#[test]
fn colours_stand_for_the_same_at_each_size() {
    for (width, height) in [(120, 36), (80, 24), (40, 12)] {
        let app = scene::app(width, height);
        assert_snapshot!(format!("live_colour_{width}x{height}"), format!("{:?}", whole(&app, &Theme::FULL)));
    }
}

#[test]
fn each_pane_has_its_turn_on_a_small_screen() {
    let mut app = scene::app(80, 24);
    for pane in Pane::ALL.into_iter().skip(1) {
        press(&mut app, "<Tab>");
        let text = export::text(&whole(&app, &Theme::MONO));
        assert!(text.contains(&format!(" {}", pane.name())) && text.contains("┏"), "{pane:?}\n{text}");
        assert_snapshot!(format!("pane_{pane:?}_80x24").to_lowercase(), text);
    }
}

#[test]
fn without_colour_no_cell_has_one_and_ascii_has_no_other_character() {
    let mut app = scene::app(120, 36);
    for keys in ["", "?", "<Esc>:", "<Esc>5", "4", "1"] {
        press(&mut app, keys);
        let plain = whole(&app, &Theme::ASCII);
        let coloured = plain.content.iter().find(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
        assert!(coloured.is_none(), "{coloured:?} after {keys}");
        let text = export::text(&plain);
        assert!(text.is_ascii(), "{text}");
    }
}

#[test]
fn the_state_of_the_load_is_a_word_on_every_screen() {
    let mut app = scene::app(120, 36);
    let state = |app: &App| export::text(&whole(app, &Theme::MONO)).lines().next().unwrap().to_owned();
    assert!(state(&app).contains("RUN 01:33"));
    press(&mut app, "f");
    assert!(state(&app).contains("FROZEN 01:33"));
    press(&mut app, " ");
    assert!(state(&app).contains("PAUSED 01:33"));
    app.update(Action::Ended { stop: Stop::Budget, why: String::new() });
    for screen in ["4", "5", "1"] {
        press(&mut app, screen);
        assert!(state(&app).contains("BUDGET SPENT 01:33"), "{screen}");
    }
}

#[test]
fn epochs_tell_what_each_change_did() {
    let mut app = after_many_changes(120, 36);
    press(&mut app, "5kkb");
    assert_snapshot!("epochs_120x34", drawn(&app, epochs::draw, 120, 34));
    assert_snapshot!("epochs_80x22", drawn(&app, epochs::draw, 80, 22));
    assert_snapshot!("epochs_40x12", drawn(&app, epochs::draw, 40, 12));
}

#[test]
fn the_chosen_epoch_is_always_in_view() {
    let mut app = after_many_changes(80, 12);
    press(&mut app, "5");
    for chosen in (0..13).rev() {
        let text = drawn(&app, epochs::draw, 80, 12);
        let marked = text.lines().find(|line| line.contains('▸')).unwrap();
        assert!(marked[..20].contains(&format!(" {chosen} ")), "{text}");
        assert!(text.contains(&format!("epoch {chosen}: ")), "{text}");
        press(&mut app, "k");
    }
}

#[test]
fn too_few_samples_are_said_instead_of_a_quantile_and_a_difference() {
    let app = after_many_changes(120, 36);
    let text = drawn(&app, epochs::draw, 120, 34);
    let young = text.lines().find(|line| line.contains("now")).unwrap();
    assert!(young.contains("n<299"), "{young}");
}

#[test]
fn the_log_has_the_newest_event_last_and_says_how_many_are_below() {
    assert_snapshot!(seen(log::draw, "4", 80, 8));
    let mut app = scene::app(80, 6);
    press(&mut app, "4kk");
    let back = drawn(&app, log::draw, 80, 4);
    assert!(back.contains("2 newer") && !back.contains("429 x7"), "{back}");
    let low = seen(log::draw, "4", 80, 4);
    assert!(low.contains("429 x7") && !low.contains("x5"), "{low}");
}

#[test]
fn an_empty_log_says_so_and_hours_are_shown_after_the_first() {
    let mut snapshot = scene::snapshot();
    snapshot.events = Arc::default();
    assert!(drawn(&with(snapshot.clone(), 80, 24), log::draw, 80, 8).contains("no events yet"));
    let event = |seconds, text: &str| Event { at: Duration::from_secs(seconds), kind: "setting", text: text.into() };
    snapshot.events = Arc::new(vec![event(214, "early"), event(3_814, "late")]);
    let text = drawn(&with(snapshot, 80, 24), log::draw, 80, 8);
    assert!(text.contains("  03:34 setting   early") && text.contains("1:03:34 setting   late"), "{text}");
}

#[test]
fn a_small_screen_has_the_figures_and_the_chosen_setting() {
    assert_snapshot!("numbers_40x12", seen(numbers::draw, "jl", 40, 12));
    assert_snapshot!("numbers_20x5", seen(numbers::draw, "", 20, 5));
    let refused = seen(numbers::draw, "u", 40, 12);
    assert!(refused.contains("there is no change to undo"), "{refused}");
    let low = seen(numbers::draw, "", 20, 1);
    assert!(low.contains("> rate < 60/s >"), "{low}");
}

#[test]
fn help_lists_the_keys_that_hold_here() {
    assert_snapshot!("help_80x24", seen(layers::draw, "?jjjj", 80, 24));
    assert_snapshot!("help_40x12", seen(layers::draw, &format!("?{}", "j".repeat(28)), 40, 12));
}

#[test]
fn the_palette_shows_what_fits_and_what_is_wrong() {
    assert_snapshot!("palette_80x24", seen(layers::draw, ":pool", 80, 24));
    assert_snapshot!("palette_40x12", seen(layers::draw, ":pool max = nine<Enter>", 40, 12));
}

#[test]
fn the_line_to_type_in_says_what_the_setting_takes_and_how_it_applies() {
    assert_snapshot!("edit_120x36", seen(layers::draw, "jl<Enter>1.", 120, 36));
    assert_snapshot!("edit_40x12", seen(layers::draw, "<Enter>-5<Enter>", 40, 12));
    let low = seen(layers::draw, "<Enter>-5<Enter>", 30, 7);
    assert!(low.contains("-5") && low.contains("1000000/s"), "{low}");
}

#[test]
fn the_question_before_leaving_names_the_money_and_the_answers() {
    let mut app = scene::app(80, 24);
    app.layers.push(crate::tui::app::Layer::Quit);
    assert_snapshot!("quit_80x24", drawn(&app, layers::draw, 80, 24));
    let low = drawn(&app, layers::draw, 30, 5);
    assert!(low.contains("y leaves") && low.contains("any other key"), "{low}");
}

#[test]
fn no_size_is_too_small_or_odd() {
    let open = |mut app: App, keys: &str| {
        press(&mut app, keys);
        app
    };
    let apps = LAYERS.map(|keys| open(scene::app(80, 24), keys)).into_iter();
    let apps = RefCell::new(apps.chain([open(after_many_changes(80, 24), "5kkk")]).collect::<Vec<_>>());
    // Cheap draws and few odd spots: the sizes at which layouts change are small.
    proptest!(ProptestConfig::with_cases(128), |(width in 0_u16..200, height in 0_u16..60, which in 0..LAYERS.len() + 1)| {
        let app = &mut apps.borrow_mut()[which];
        app.update(Action::Resize(Size::new(width, height)));
        for draw in DRAWN {
            drawn(app, draw, width, height);
        }
    });
}

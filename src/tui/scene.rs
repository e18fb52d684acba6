//! A workbench some minutes into a run, made without a clock or an engine: what screens are drawn from in tests.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;

use super::action::{Action, Effect};
use super::app::App;
use crate::compare::tests::synthetic;
use crate::compare::{Comparison, ConnectionFacts, Phases, Progress, Stage};
use crate::cost::{PriceBook, Pricer};
use crate::metrics::{Bands, Epoch, Event, Gauges, Phase, Point, Recent, Series, Snapshot, Tally, Time};
use crate::profile::{Arm, Compare, Prices, Profile, load};
use crate::report::tests::synthetic::tally_with;

pub fn profile() -> Profile {
    load("quickstart", &[], Prices::ANY).unwrap().profile
}

/// Epoch 0 of a minute, and epoch 1 of half a minute with a larger local cache.
pub fn snapshot() -> Snapshot {
    Snapshot::clone(&SNAPSHOT)
}

static SNAPSHOT: LazyLock<Arc<Snapshot>> = LazyLock::new(|| Arc::new(made()));

fn made() -> Snapshot {
    let profile = Arc::new(profile());
    let mut tuned = Profile::clone(&profile);
    tuned.stack.cache.local.as_mut().unwrap().capacity = 2000;
    let tuned = Arc::new(tuned);
    let (before, now) = (Arc::new(tally_with(300, 480)), Arc::new(tally_with(900, 380)));
    let mut measured = Tally::new(2);
    measured.merge(&before);
    measured.merge(&now);
    let past = epoch(0, 0, &before, &profile, Vec::new());
    let present = epoch(1, 63, &now, &tuned, vec!["local size 400 -> 2000".into()]);
    Snapshot {
        elapsed: Duration::from_secs(93),
        phase: Phase::Measure,
        paused: false,
        profile: tuned,
        planned: measured.sent,
        dropped: 0,
        second: Arc::new(tally_with(30, 12)),
        recent: Recent { tally: Arc::new(tally_with(300, 120)), seconds: 10.0 },
        bill: Pricer::new(&profile, PriceBook::builtin()).bill(&measured.ledger),
        spent: Pricer::new(&profile, PriceBook::builtin()).bill(&measured.ledger),
        epoch: present,
        past: Arc::new(vec![past]),
        total: Arc::new(measured.clone()),
        measured: Arc::new(measured),
        measured_s: 90.0,
        gauges: Gauges { in_flight: 13, open: 16, idle: 3, peak: 16, opened: 16, reused: 1480, ..Gauges::default() },
        series: Arc::new(series()),
        events: Arc::new(events()),
    }
}

fn epoch(number: u32, began: u64, tally: &Arc<Tally>, profile: &Arc<Profile>, changed: Vec<String>) -> Epoch {
    Epoch {
        number,
        changed,
        profile: profile.clone(),
        began: Duration::from_secs(began),
        seconds: if number == 0 { 60.0 } else { 30.0 },
        ended: tally.completed,
        planned: tally.sent,
        dropped: 0,
        bill: Pricer::new(profile, PriceBook::builtin()).bill(&tally.ledger),
        tally: tally.clone(),
    }
}

fn series() -> Series {
    let mut series = Series::default();
    for second in 0..93_u32 {
        let epoch = u32::from(second >= 63);
        let tally = tally_with(if epoch == 0 { 15 } else { 30 }, 20 + second % 7);
        let served = tally.served_by;
        series.push(Point {
            at_s: f64::from(second),
            seconds: 1.0,
            epoch,
            warmup: second < 3,
            begun: tally.sent,
            sent: tally.sent,
            succeeded: tally.succeeded,
            failed: tally.failed,
            local: served[0],
            redis: served[1],
            shared: served[2],
            gateway: served[3],
            model: served[4],
            in_flight: 12,
            connections: 16,
            bands: Bands::of(tally.times.get(Time::Service).unwrap()),
            ..Point::default()
        });
    }
    series
}

fn events() -> Vec<Event> {
    let event = |at, kind, text: &str| Event { at: Duration::from_secs(at), kind, text: text.into() };
    vec![
        event(10, "fallback", "gpt-4.1 429 x5 -> gpt-4o-mini"),
        event(17, "fallback", "gpt-4o-mini for gpt-4.1 is over after 31 answers"),
        event(63, "setting", "local size 400 -> 2000"),
        event(80, "failed", "429 x7: rate limit reached"),
    ]
}

pub fn app(width: u16, height: u16) -> App {
    App::new("quickstart".into(), profile(), Vec::new(), SNAPSHOT.clone(), Size::new(width, height))
}

/// The workbench on a profile with the arms of a synthetic comparison.
pub fn with_arms(width: u16, height: u16, arms: &[&str]) -> App {
    let mut profile = profile();
    let set = |name: &&str| Arm { name: (*name).to_owned(), set: [("stack.route".to_owned(), (*name).into())].into() };
    let two_seconds = Some(Duration::from_secs(2));
    let written: Vec<_> = arms.iter().map(set).collect();
    profile.compare = (!arms.is_empty()).then(|| Compare { arms: written, block: two_seconds, ..Compare::default() });
    let applied = arms.iter().map(|name| {
        let mut arm = profile.clone();
        (*name).clone_into(&mut arm.stack.route);
        ((*name).to_owned(), arm)
    });
    let applied = applied.collect();
    App::new("quickstart".into(), profile, applied, SNAPSHOT.clone(), Size::new(width, height))
}

/// The load stands, and nothing of it is in flight.
pub fn clear() -> Action {
    let mut snapshot = snapshot();
    (snapshot.paused, snapshot.gauges.in_flight) = (true, 0);
    Action::Snapshot(Arc::new(snapshot))
}

/// So many rounds of these arms, and half a block more.
pub fn progress(arms: &[&str], rounds: usize) -> Progress {
    let profile = synthetic::profile(arms);
    let taken = synthetic::taken(&profile, rounds, |arm, at| synthetic::tally(synthetic::LEVELS[arm], 100, at));
    let blocks = 24 * arms.len();
    let done = taken.blocks() as f64 / blocks as f64;
    Progress {
        stage: Stage::Block,
        arm: 0,
        block: taken.blocks() + 1,
        blocks,
        done,
        left: Duration::from_millis(2300).mul_f64(blocks as f64 * (1.0 - done)),
        comparison: Arc::new(with_phases(synthetic::of(&profile, &taken))),
    }
}

/// The first arm waits for the network, the others also for their limiter and for connections.
fn with_phases(mut comparison: Comparison) -> Comparison {
    let other = Phases { limit_wait: 2.0, pool_wait: 0.4, connect: 1.6, first_token: 30.0, ..Phases::default() };
    for (at, arm) in comparison.arms.iter_mut().enumerate() {
        arm.phases_ms = Phases { local: 0.02, generation: 5.0, ..other };
        if at == 0 {
            arm.phases_ms = Phases { first_token: 210.0, generation: 102.0, local: 0.02, ..Phases::default() };
        }
        arm.connections = ConnectionFacts { opened: 34 - 2 * at as u64, reused: 1_366, peak: 32 };
    }
    comparison
}

/// A comparison that runs, seen.
pub fn comparing(width: u16, height: u16, arms: &[&str], rounds: usize) -> App {
    let mut app = with_arms(width, height, arms);
    press(&mut app, "2<Enter>");
    app.update(clear());
    app.update(Action::Compared(progress(arms, rounds)));
    app
}

/// Presses keys as they are written: `jjl`, with `<Enter>` and the like for those that are no character.
pub fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut rest = keys;
    while !rest.is_empty() {
        let (code, taken) = match rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            Some((name, _)) => (named(name), name.len() + 2),
            None => {
                let c = rest.chars().next().unwrap();
                (KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE), c.len_utf8())
            }
        };
        effects.extend(app.update(Action::Key(code)));
        rest = &rest[taken..];
    }
    effects
}

fn named(name: &str) -> KeyEvent {
    let (code, modifiers) = match name {
        "Enter" => (KeyCode::Enter, KeyModifiers::NONE),
        "Esc" => (KeyCode::Esc, KeyModifiers::NONE),
        "Tab" => (KeyCode::Tab, KeyModifiers::NONE),
        "BackTab" => (KeyCode::BackTab, KeyModifiers::SHIFT),
        "Down" => (KeyCode::Down, KeyModifiers::NONE),
        "Backspace" => (KeyCode::Backspace, KeyModifiers::NONE),
        "C-c" => (KeyCode::Char('c'), KeyModifiers::CONTROL),
        "C-z" => (KeyCode::Char('z'), KeyModifiers::CONTROL),
        other => panic!("no key is named {other}"),
    };
    KeyEvent::new(code, modifiers)
}

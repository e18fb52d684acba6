//! The workbench's state, and what each action makes of it. Pure: no terminal, no clock, no engine; what is to be done
//! in the world comes back as effects. Must not know colours or where a cell is.

mod comparing;
mod epochs;
mod layers;
mod mouse;
mod palette;
#[cfg(test)]
mod tests;
mod tune;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyEvent, KeyEventKind};
use ratatui::layout::Size;

use super::action::{Action, Effect};
use super::command::{Command, Pane, Screen, View};
use super::keymap::{self, Binding, Place};
use super::layout::{Live, Parts};
use crate::calibration::Calibration;
use crate::metrics::{Epoch, Phase, Snapshot, Stop};
use crate::profile::Profile;

use comparing::calls_paid_routes;
pub use comparing::{Comparing, Estimate, Standing, Subject};
pub use layers::{Edit, Layer};
pub use palette::{Item, Palette};
pub use tune::{Row, Tuner};

/// How long a message stays.
const MESSAGE_STAYS: Duration = Duration::from_secs(8);

pub struct App {
    /// Of the profile.
    pub name: String,
    pub size: Size,
    pub screen: Screen,
    pub focus: Pane,
    pub zoomed: bool,
    /// What is open over the screen; the last one has the keys.
    pub layers: Vec<Layer>,
    pub tuner: Tuner,
    pub comparing: Comparing,
    /// The newest picture.
    snapshot: Arc<Snapshot>,
    /// The picture that is held, while the load goes on.
    frozen: Option<Arc<Snapshot>>,
    /// The epoch that figures are held against, instead of the one before.
    pub baseline: Option<u32>,
    /// The chosen line of the Epochs screen, by the epoch's number; `None`: the epoch under way.
    pub chosen_epoch: Option<u32>,
    /// Events hidden below the last line that is seen; 0: the newest are seen.
    pub events_back: usize,
    pub is_paused: bool,
    /// What this machine can generate, if that is known.
    pub calibration: Option<Calibration>,
    /// Why the load ended, if it did.
    pub ended: Option<Stop>,
    message: Option<Message>,
}

/// What the load does, and how it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    WarmUp,
    Runs,
    /// Waits while arms take turns.
    Comparing,
    Paused,
    Frozen,
    Ending,
    Ended(Stop),
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            Self::WarmUp => "WARM-UP",
            Self::Runs => "RUN",
            Self::Comparing => "COMPARING",
            Self::Paused => "PAUSED",
            Self::Frozen => "FROZEN",
            Self::Ending => "ENDING",
            Self::Ended(Stop::Budget) => "BUDGET SPENT",
            Self::Ended(Stop::Hopeless) => "GIVEN UP",
            Self::Ended(_) => "OVER",
        }
    }
}

/// A line for a person, gone with the next key or after a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub text: String,
    pub tone: Tone,
    until: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Done,
    Refused,
}

impl App {
    /// A workbench on a load that runs with `profile`, which may have arms to compare.
    pub fn new(
        name: String,
        profile: Profile,
        arms: Vec<(String, Profile)>,
        snapshot: Arc<Snapshot>,
        size: Size,
    ) -> Self {
        Self {
            name,
            size,
            screen: Screen::Live,
            focus: Pane::Settings,
            zoomed: false,
            layers: Vec::new(),
            tuner: Tuner::new(profile),
            comparing: Comparing::new(arms),
            snapshot,
            frozen: None,
            baseline: None,
            chosen_epoch: None,
            events_back: 0,
            is_paused: false,
            calibration: None,
            ended: None,
            message: None,
        }
    }

    /// The picture to show.
    pub fn shown(&self) -> &Snapshot {
        self.frozen.as_ref().unwrap_or(&self.snapshot)
    }

    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    pub fn state(&self) -> State {
        match (self.ended, self.is_paused, self.is_frozen(), self.shown().phase) {
            _ if self.comparing.is_under_way() => State::Comparing,
            (Some(stop), ..) => State::Ended(stop),
            (_, true, ..) => State::Paused,
            (_, _, true, _) => State::Frozen,
            (.., Phase::Warmup) => State::WarmUp,
            (.., Phase::Measure) => State::Runs,
            (.., Phase::Drain | Phase::Done) => State::Ending,
        }
    }

    pub fn message(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    /// The epoch that figures are held against.
    pub fn reference(&self) -> Option<&Epoch> {
        let shown = self.shown();
        match self.baseline.filter(|number| *number != shown.epoch.number) {
            Some(number) => shown.past.iter().find(|epoch| epoch.number == number),
            None => shown.past.last(),
        }
    }

    pub fn place(&self) -> Place {
        Place::of(self.screen, self.focus)
    }

    /// The keys worth a word now; the one that ends a comparison goes first.
    pub fn keys_of_use(&self) -> Vec<&'static Binding> {
        let is_of_use = |binding: &&Binding| !binding.word.is_empty() && self.has_use_for(binding.command);
        let mut keys: Vec<_> = keymap::at(self.place()).filter(is_of_use).collect();
        keys.sort_by_key(|binding| binding.command != Command::Close);
        keys
    }

    fn has_use_for(&self, command: Command) -> bool {
        let is_under_way = self.comparing.is_under_way();
        match command {
            Command::Close => self.screen == Screen::Compare && is_under_way,
            Command::Begin | Command::Subject | Command::Pause | Command::Break => !is_under_way,
            Command::NextArm => self.comparing.has_further_arms(),
            _ => true,
        }
    }

    pub fn zoomed_pane(&self) -> Option<Pane> {
        self.zoomed.then_some(self.focus)
    }

    pub fn zoomed_view(&self) -> Option<View> {
        self.zoomed.then_some(self.comparing.view)
    }

    pub fn update(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
            Action::Key(key) => self.key(key),
            Action::Mouse(mouse) => self.mouse(mouse),
            Action::Paste(text) => self.paste(&text),
            Action::Resize(size) => {
                self.size = size;
                Vec::new()
            }
            Action::Snapshot(snapshot) => {
                self.snapshot = snapshot;
                let now = self.snapshot.elapsed;
                self.message.take_if(|message| message.until < now);
                self.compare_when_clear()
            }
            Action::Settled => self.tuner.settle(),
            Action::Accepted => {
                self.tuner.accepted();
                Vec::new()
            }
            Action::Refused(why) => {
                self.tuner.refused();
                self.say(Tone::Refused, why)
            }
            Action::Done(what) => self.say(Tone::Done, what),
            Action::Failed(why) => self.say(Tone::Refused, why),
            Action::Compared(progress) => {
                self.compared(progress);
                Vec::new()
            }
            Action::ComparisonOver(Ok(comparison)) => self.comparison_over(comparison),
            Action::ComparisonOver(Err(why)) => self.comparison_failed(why),
            Action::Ended { stop, why } => {
                self.ended = Some(stop);
                let line = why.lines().last().unwrap_or_default().to_owned();
                self.say(Tone::Refused, line);
                self.compare_when_clear()
            }
        }
    }

    fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        self.message = None;
        match self.layers.pop() {
            Some(layer) => self.key_in_layer(layer, key),
            None => keymap::command(self.place(), key).map(|command| self.obey(command)).unwrap_or_default(),
        }
    }

    /// Does what a key, a line of the help or of the palette asks for.
    pub fn obey(&mut self, command: Command) -> Vec<Effect> {
        use Command::*;
        match command {
            Show(screen) => return self.show(screen),
            NextPane => self.turn(1),
            PreviousPane => self.turn(-1),
            Down => self.travel(1),
            Up => self.travel(-1),
            PageDown => self.travel(10),
            PageUp => self.travel(-10),
            First => self.travel(isize::MIN),
            Last => self.travel(isize::MAX),
            StepUp => return self.step(1),
            StepDown => return self.step(-1),
            LeapUp => return self.step(10),
            LeapDown => return self.step(-10),
            Edit => return self.edit(),
            HopEarlier => return self.move_hop(-1),
            HopLater => return self.move_hop(1),
            Undo => return self.undo(),
            Reset => return self.reset(),
            Pause => return self.pause(),
            Baseline => return self.set_baseline(),
            Freeze => self.frozen = if self.is_frozen() { None } else { Some(self.snapshot.clone()) },
            Zoom => self.zoomed = !self.zoomed,
            Break => return self.open_breakers(),
            GoBack => return self.go_back(),
            Begin => return self.begin_comparison(),
            NextArm => return self.turn_arms(1),
            PreviousArm => return self.turn_arms(-1),
            Subject => return self.turn_subject(),
            Write => return vec![Effect::Write(Box::new(self.tuner.profile().clone()))],
            Export => return vec![Effect::Export],
            Command::Palette => self.layers.push(Layer::Palette(palette::Palette::default())),
            Help => self.layers.push(Layer::Help { chosen: 0 }),
            Close => return self.close(),
            Suspend if self.comparing.is_under_way() => {
                let why = "a comparison is under way, and a stopped process would spoil it; Esc on Compare stops it";
                return self.say(Tone::Refused, why.to_owned());
            }
            Suspend => return vec![Effect::Suspend],
            Quit if self.spends() => self.layers.push(Layer::Quit),
            Quit | QuitNow => return vec![Effect::Quit],
        }
        Vec::new()
    }

    fn show(&mut self, screen: Screen) -> Vec<Effect> {
        match screen.unavailable() {
            Some(why) => self.say(Tone::Refused, why.to_owned()),
            None => {
                self.screen = screen;
                Vec::new()
            }
        }
    }

    fn turn(&mut self, by: isize) {
        if self.screen == Screen::Compare {
            self.comparing.view = self.comparing.view.beside(by);
            return;
        }
        self.screen = Screen::Live;
        self.focus = self.focus.beside(by);
    }

    /// Moves whatever the focused list is moved by.
    fn travel(&mut self, by: isize) {
        match self.place() {
            Place::Epochs => self.choose_epoch(by),
            Place::Compare => self.choose_metric(by),
            Place::Events => {
                let most = self.shown().events.len().saturating_sub(self.event_rows());
                self.events_back = self.events_back.saturating_add_signed(by.saturating_neg()).min(most);
            }
            _ => self.tuner.select(by),
        }
    }

    /// Events that are seen at a time.
    fn event_rows(&self) -> usize {
        let area = match self.screen {
            Screen::Live => Live::of(self.size, self.focus, self.zoomed_pane()).area(Pane::Events),
            _ => Some(Parts::of(self.size).body),
        };
        area.map_or(1, |area| usize::from(area.height.saturating_sub(2)).max(1))
    }

    fn close(&mut self) -> Vec<Effect> {
        if self.screen == Screen::Compare && self.comparing.is_under_way() {
            return self.stop_comparison();
        }
        if self.zoomed {
            self.zoomed = false;
        } else if self.is_frozen() {
            self.frozen = None;
        } else {
            self.screen = Screen::Live;
        }
        Vec::new()
    }

    fn pause(&mut self) -> Vec<Effect> {
        if let Some(over) = self.refuse_when_over() {
            return over;
        }
        if self.comparing.is_under_way() {
            return self.say(Tone::Refused, "the load waits for the comparison; Esc on Compare stops it".to_owned());
        }
        self.is_paused = !self.is_paused;
        vec![if self.is_paused { Effect::Pause } else { Effect::Resume }]
    }

    /// Against a route that costs money, with load or a comparison under way.
    fn spends(&self) -> bool {
        (self.ended.is_none() && calls_paid_routes(&self.snapshot.profile)) || self.comparing.spends()
    }

    /// The answer to a wish that needs running load, when there is none any more.
    fn refuse_when_over(&mut self) -> Option<Vec<Effect>> {
        self.ended?;
        Some(self.say(Tone::Refused, "the load is over; q leaves".to_owned()))
    }

    fn say(&mut self, tone: Tone, text: String) -> Vec<Effect> {
        let until = self.snapshot.elapsed + MESSAGE_STAYS;
        self.message = Some(Message { text, tone, until });
        Vec::new()
    }
}

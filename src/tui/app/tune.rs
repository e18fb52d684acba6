//! The settings under a person's hands: which is chosen, what was changed, what runs, and the way back.

use super::{App, Edit, Layer, Tone};
use crate::profile::Profile;
use crate::settings::{Change, Group, Kind, Place, Setting, SettingError, Tuning, Value, diff};
use crate::tui::action::Effect;

pub struct Tuner {
    tuning: Tuning,
    /// As the run began.
    began: Tuning,
    /// As the engine runs it.
    running: Profile,
    /// What the engine was asked to run and has not answered to.
    asked: Option<Asked>,
    /// What ran before each change, for undo.
    history: Vec<Profile>,
    /// The chosen setting's id.
    chosen: String,
}

enum Asked {
    Change(Profile),
    /// To the last of the history.
    Undo(Profile),
}

/// A line of the list of settings.
#[derive(Clone, Debug)]
pub enum Row {
    /// A heading: of a group, or of one route.
    Group(Group, Place),
    Setting(Setting),
}

impl Tuner {
    pub fn new(profile: Profile) -> Self {
        let tuning = Tuning::new(profile.clone());
        let chosen = tuning.all().first().map_or_else(String::new, |setting| setting.id.clone());
        Self { began: tuning.clone(), tuning, running: profile, asked: None, history: Vec::new(), chosen }
    }

    /// With what is about to be applied.
    pub fn profile(&self) -> &Profile {
        self.tuning.profile()
    }

    /// As the run began.
    pub fn began(&self) -> &Profile {
        self.began.profile()
    }

    /// Those that apply now, in the order of the list: routes one after the other.
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = self.tuning.all();
        settings.sort_by_key(|setting| match &setting.place {
            Place::Route(name) => Some(name.clone()),
            _ => None,
        });
        settings
    }

    pub fn value(&self, setting: &Setting) -> Option<Value> {
        self.tuning.value(setting)
    }

    /// Its value as the run began; `None` where it did not apply.
    pub fn value_at_first(&self, setting: &Setting) -> Option<Value> {
        self.began.value(setting)
    }

    /// What differs from the run's beginning.
    pub fn edits(&self) -> Vec<Change> {
        diff(self.began(), self.profile())
    }

    /// The settings, under the names of their groups.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut heading = None;
        for setting in self.settings() {
            let place = if let Place::Route(_) = setting.place { setting.place.clone() } else { Place::Profile };
            let own = (setting.spec.group, place);
            if heading.as_ref() != Some(&own) {
                rows.push(Row::Group(own.0, own.1.clone()));
                heading = Some(own);
            }
            rows.push(Row::Setting(setting));
        }
        rows
    }

    pub fn chosen(&self) -> Option<Setting> {
        self.tuning.by_id(&self.chosen)
    }

    pub fn is_chosen(&self, setting: &Setting) -> bool {
        setting.id == self.chosen
    }

    pub fn choose(&mut self, id: &str) {
        id.clone_into(&mut self.chosen);
    }

    /// Moves the choice by so many settings.
    pub fn select(&mut self, by: isize) {
        let settings = self.settings();
        let now = settings.iter().position(|setting| self.is_chosen(setting)).unwrap_or(0);
        let next = now.saturating_add_signed(by).min(settings.len().saturating_sub(1));
        if let Some(setting) = settings.get(next) {
            self.chosen.clone_from(&setting.id);
        }
    }

    /// What was tuned is to run.
    pub fn settle(&mut self) -> Vec<Effect> {
        let tuned = self.tuning.profile().clone();
        if tuned == self.running {
            return Vec::new();
        }
        self.asked = Some(Asked::Change(tuned.clone()));
        vec![self.apply(tuned)]
    }

    fn apply(&self, profile: Profile) -> Effect {
        let changed = diff(&self.running, &profile).iter().map(ToString::to_string).collect();
        Effect::Apply { profile: Box::new(profile), changed }
    }

    /// The engine runs what it was asked to.
    pub fn accepted(&mut self) {
        match self.asked.take() {
            Some(Asked::Change(profile)) => self.history.push(std::mem::replace(&mut self.running, profile)),
            Some(Asked::Undo(profile)) => {
                self.history.pop();
                self.running = profile;
            }
            None => {}
        }
    }

    /// The engine runs on with what it had.
    pub fn refused(&mut self) {
        self.asked = None;
        self.tuning.restore(self.running.clone());
    }

    /// To the settings of another time, at once.
    pub fn go_to(&mut self, profile: &Profile) -> Vec<Effect> {
        self.tuning.restore(profile.clone());
        self.settle()
    }

    /// Takes back what is not applied yet, else the last change that was; `None` when there is none.
    fn undo(&mut self) -> Option<Vec<Effect>> {
        if *self.tuning.profile() != self.running {
            self.tuning.restore(self.running.clone());
            return Some(Vec::new());
        }
        let before = self.history.last()?.clone();
        self.tuning.restore(before.clone());
        self.asked = Some(Asked::Undo(before.clone()));
        Some(vec![self.apply(before)])
    }
}

impl App {
    pub(super) fn step(&mut self, by: i32) -> Vec<Effect> {
        self.tune(|tuner| tuner.tuning.step(&tuner.chosen, by))
    }

    pub(super) fn move_hop(&mut self, by: i32) -> Vec<Effect> {
        match self.tuner.chosen() {
            Some(setting) if matches!(setting.place, Place::Hop(_)) => {
                self.tune(|tuner| tuner.tuning.move_hop(&tuner.chosen, by))
            }
            _ => self.say(Tone::Refused, "choose a fallback hop to move it in the chain".to_owned()),
        }
    }

    /// Sets what was typed; the reason why not otherwise.
    pub(super) fn set(&mut self, id: &str, text: &str) -> Result<Vec<Effect>, String> {
        match self.tuner.tuning.set(id, text) {
            Ok(Some(_)) => Ok(vec![Effect::Settle]),
            Ok(None) => Ok(Vec::new()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn tune(&mut self, change: impl FnOnce(&mut Tuner) -> Result<Option<Change>, SettingError>) -> Vec<Effect> {
        if let Some(over) = self.refuse_when_over() {
            return over;
        }
        match change(&mut self.tuner) {
            Ok(Some(_)) => vec![Effect::Settle],
            Ok(None) => Vec::new(),
            Err(error) => self.say(Tone::Refused, error.to_string()),
        }
    }

    /// Opens a line to type the chosen setting's value in; switches what is on or off.
    pub(super) fn edit(&mut self) -> Vec<Effect> {
        let Some(setting) = self.tuner.chosen() else { return Vec::new() };
        match setting.spec.kind {
            Kind::Toggle => self.step(1),
            Kind::Stepper { .. } | Kind::Choice(_) => {
                if let Some(over) = self.refuse_when_over() {
                    return over;
                }
                self.layers.push(Layer::Edit(Edit::of(setting)));
                Vec::new()
            }
        }
    }

    pub(super) fn undo(&mut self) -> Vec<Effect> {
        if let Some(over) = self.refuse_when_over() {
            return over;
        }
        match self.tuner.undo() {
            Some(effects) => effects,
            None => self.say(Tone::Refused, "there is no change to undo".to_owned()),
        }
    }

    pub(super) fn reset(&mut self) -> Vec<Effect> {
        if let Some(over) = self.refuse_when_over() {
            return over;
        }
        if self.tuner.edits().is_empty() {
            return self.say(Tone::Refused, "the settings are the profile's already".to_owned());
        }
        let began = self.tuner.began().clone();
        self.tuner.go_to(&began)
    }
}

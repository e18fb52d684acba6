//! The settings that can change while load runs: one table of names, units, ranges, steps and how each is applied.
//! Must not know the screen that shows them, nor the engine that applies them.
//!
//! An id is the setting's key in the profile (`stack.pool.max_connections`). [`Tuning`] holds a profile being tuned; a
//! change passes the profile's own rules or is refused with their reason.

mod step;
mod table;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

use crate::profile::validate::{self, Prices};
use crate::profile::{Hop, Load, LocalCache, Profile, RedisCache};

pub use step::Step;
pub use table::{Place, Spec};
pub use value::Value;

/// Where a setting stands among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Load,
    Stack,
    Cache,
    Pool,
    Retry,
    Route,
}

/// How a value is changed.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// From `low` to `high`; times in milliseconds.
    Stepper {
        low: f64,
        high: f64,
        step: Step,
    },
    Choice(fn(&Profile) -> Vec<String>),
    Toggle,
}

/// How a change reaches running load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// From the next call on.
    Live,
    /// What is too much closes as it falls idle.
    Drain,
    /// What it concerns is rebuilt, and loses what it held.
    Cold,
}

/// A setting of a certain profile: an entry of the table, at the route or hop it is about.
#[derive(Clone, Debug)]
pub struct Setting {
    pub id: String,
    pub label: String,
    pub spec: &'static Spec,
    pub place: Place,
}

/// A setting that differs between two profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub id: String,
    pub label: String,
    pub from: String,
    pub to: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.label, self.from, self.to)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    #[error("there is no setting \"{0}\"")]
    Unknown(String),
    #[error("{label} needs {needs}")]
    Unavailable { label: String, needs: &'static str },
    #[error("{label}: \"{text}\" does not do; it takes {takes}")]
    Unreadable { label: String, text: String, takes: String },
    /// Why the profile would be wrong with it.
    #[error("{0}")]
    Refused(String),
}

impl Setting {
    /// What it is in a profile; `None` where it does not apply.
    pub fn get(&self, profile: &Profile) -> Option<Value> {
        (self.spec.access.get)(profile, &self.place)
    }

    /// The values it takes, for people.
    pub fn takes(&self, profile: &Profile) -> String {
        match self.spec.kind {
            Kind::Toggle => "on or off".into(),
            Kind::Choice(choices) => choices(profile).join(", "),
            Kind::Stepper { low, high, .. } => match self.get(profile) {
                Some(like) => format!("{} to {}{}", like.with_number(low), like.with_number(high), self.spec.unit),
                None => format!("{low} to {high}{}", self.spec.unit),
            },
        }
    }

    fn read(&self, profile: &Profile, text: &str) -> Result<Value, SettingError> {
        let unreadable = || SettingError::Unreadable {
            label: self.label.clone(),
            text: text.to_owned(),
            takes: self.takes(profile),
        };
        let like = self.get(profile).ok_or_else(|| self.unavailable())?;
        let text = text.trim();
        let bare = text.strip_suffix(self.spec.unit).filter(|_| !self.spec.unit.is_empty()).unwrap_or(text);
        let value = like.read(bare.trim()).ok_or_else(unreadable)?;
        let fits = match (self.spec.kind, value.number()) {
            (Kind::Stepper { low, high, .. }, Some(number)) => (low..=high).contains(&number),
            (Kind::Choice(choices), _) => choices(profile).contains(&value.to_string()),
            _ => true,
        };
        if fits { Ok(value) } else { Err(unreadable()) }
    }

    fn stepped(&self, profile: &Profile, by: i32) -> Result<Value, SettingError> {
        let value = self.get(profile).ok_or_else(|| self.unavailable())?;
        Ok(match (self.spec.kind, &value) {
            (Kind::Toggle, Value::On(on)) => Value::On(!on),
            (Kind::Choice(choices), _) => {
                let choices = choices(profile);
                let now = choices.iter().position(|choice| *choice == value.to_string()).unwrap_or(0) as i32;
                let next = (now + by.signum()).rem_euclid(choices.len().max(1) as i32) as usize;
                choices.get(next).map_or(value, |choice| Value::Choice(choice.clone()))
            }
            (Kind::Stepper { low, high, step }, _) => match value.number() {
                Some(number) => value.with_number(step.steps(number, by).clamp(low, high)),
                None => value,
            },
            _ => value,
        })
    }

    fn unavailable(&self) -> SettingError {
        SettingError::Unavailable { label: self.label.clone(), needs: self.spec.needs }
    }
}

/// Every setting that applies to a profile, in the table's order.
pub fn all(profile: &Profile) -> Vec<Setting> {
    let mut settings = everywhere(profile);
    settings.retain(|setting| setting.get(profile).is_some());
    settings
}

fn everywhere(profile: &Profile) -> Vec<Setting> {
    table::SPECS.iter().flat_map(|spec| spec.settings(profile)).collect()
}

/// What was changed from `a` to `b`, as an epoch records it.
pub fn diff(a: &Profile, b: &Profile) -> Vec<Change> {
    let in_both = everywhere(b).into_iter().filter_map(|setting| {
        let (from, to) = (setting.get(a)?, setting.get(b)?);
        (from != to).then(|| setting.change(from.to_string(), to.to_string()))
    });
    let mut changes: Vec<_> = in_both.chain(rechained(&a.stack.fallback, &b.stack.fallback)).collect();
    if let Some(stages) = restaged(&a.load, &b.load) {
        match changes.iter_mut().find(|change| matches!(&*change.id, "load.rate" | "load.users")) {
            Some(level) => level.to += stages,
            None => changes.insert(0, stages_alone(&a.load, &b.load)),
        }
    }
    changes
}

/// What becomes of the stages, as an addition to the change of the level they start from.
fn restaged(from: &Load, to: &Load) -> Option<&'static str> {
    (from.stages != to.stages).then_some(if to.stages.is_empty() { ", stages end" } else { ", stages play" })
}

/// The level is where it was, but the stages are others.
fn stages_alone(from: &Load, to: &Load) -> Change {
    let count = |load: &Load| match load.stages.len() {
        0 => "none".to_owned(),
        stages => stages.to_string(),
    };
    Change { id: "load.stages".into(), label: "stages".into(), from: count(from), to: count(to) }
}

/// How the fallback chain changed.
fn rechained(from: &[Hop], to: &[Hop]) -> Option<Change> {
    // A model that is asked on several routes is told apart by them.
    let is_on_several =
        |hop: &Hop| from.iter().chain(to).any(|other| other.model == hop.model && other.route != hop.route);
    let name = |hop: &Hop| match &hop.route {
        Some(route) if is_on_several(hop) => format!("{} on {route}", hop.model),
        _ => hop.model.clone(),
    };
    let chain = |hops: &[Hop]| match hops {
        [] => "none".to_owned(),
        hops => hops.iter().map(name).collect::<Vec<_>>().join(" > "),
    };
    let change = || Change { id: "stack.fallback".into(), label: "fallback".into(), from: chain(from), to: chain(to) };
    (from != to).then(change)
}

impl Setting {
    /// A value with the setting's unit.
    pub fn shown(&self, value: &Value) -> String {
        format!("{value}{}", self.spec.unit)
    }

    fn change(&self, from: String, to: String) -> Change {
        let unit = self.spec.unit;
        Change {
            id: self.id.clone(),
            label: self.label.clone(),
            from: format!("{from}{unit}"),
            to: format!("{to}{unit}"),
        }
    }
}

/// A profile being tuned, and what its toggles took out and will put back.
#[derive(Clone, Debug)]
pub struct Tuning {
    profile: Profile,
    shelf: Shelf,
}

/// The last known form of each part that can be switched off.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    local: LocalCache,
    redis: RedisCache,
    hops: Vec<Hop>,
}

impl Tuning {
    pub fn new(profile: Profile) -> Self {
        let mut shelf = Shelf { hops: profile.stack.fallback.clone(), ..Shelf::default() };
        shelf.remember(&profile);
        Self { profile, shelf }
    }

    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Back (or on) to a profile that held before: an undo, an epoch's settings.
    pub fn restore(&mut self, profile: Profile) {
        self.shelf.remember(&profile);
        self.profile = profile;
    }

    /// Every setting that applies now; a fallback hop that is off stays in the list.
    pub fn all(&self) -> Vec<Setting> {
        let mut settings = all(&self.profile);
        let first_hop = settings.iter().position(|setting| matches!(setting.place, Place::Hop(_)));
        settings.retain(|setting| !matches!(setting.place, Place::Hop(_)));
        let at = first_hop.unwrap_or_else(|| {
            settings.iter().position(|setting| setting.spec.group == Group::Route).unwrap_or(settings.len())
        });
        settings.splice(at..at, self.hops());
        settings
    }

    pub fn by_id(&self, id: &str) -> Option<Setting> {
        self.hops().chain(everywhere(&self.profile)).find(|setting| setting.id == id)
    }

    pub fn value(&self, setting: &Setting) -> Option<Value> {
        match setting.place {
            Place::Hop(i) => self.hops_on().get(i).copied().map(Value::On),
            _ => setting.get(&self.profile),
        }
    }

    /// Steps up or down, by one or (with Shift) by ten; `None` when it is at its end.
    pub fn step(&mut self, id: &str, by: i32) -> Result<Option<Change>, SettingError> {
        let setting = self.by_id(id).ok_or_else(|| SettingError::Unknown(id.to_owned()))?;
        let value = match (&setting.place, self.value(&setting)) {
            (Place::Hop(_), Some(Value::On(on))) => Value::On(!on),
            _ => setting.stepped(&self.profile, by)?,
        };
        self.put(&setting, value)
    }

    /// Sets what a person typed.
    pub fn set(&mut self, id: &str, text: &str) -> Result<Option<Change>, SettingError> {
        let setting = self.by_id(id).ok_or_else(|| SettingError::Unknown(id.to_owned()))?;
        let value = match setting.place {
            Place::Hop(_) => Value::On(false).read(text.trim()).ok_or_else(|| SettingError::Unreadable {
                label: setting.label.clone(),
                text: text.to_owned(),
                takes: setting.takes(&self.profile),
            })?,
            _ => setting.read(&self.profile, text)?,
        };
        self.put(&setting, value)
    }

    fn put(&mut self, setting: &Setting, value: Value) -> Result<Option<Change>, SettingError> {
        let from = self.value(setting).ok_or_else(|| setting.unavailable())?;
        if from == value {
            return Ok(None);
        }
        let mut tuned = self.profile.clone();
        match (&setting.place, &value) {
            (Place::Hop(i), Value::On(on)) => tuned.stack.fallback = self.hops_with(*i, *on),
            _ => {
                (setting.spec.access.set)(&mut tuned, &setting.place, &value, &self.shelf)
                    .ok_or_else(|| setting.unavailable())?;
            }
        }
        let mut change = setting.change(from.to_string(), value.to_string());
        change.to += restaged(&self.profile.load, &tuned.load).unwrap_or_default();
        self.restore(permitted(tuned)?);
        Ok(Some(change))
    }

    /// Moves a hop, on or off, earlier (below 0) or later among the hops of the list, and its id with it; `None` when
    /// the chain of those that are on stays as it is.
    pub fn move_hop(&mut self, id: &str, by: i32) -> Result<Option<Change>, SettingError> {
        let hop = self.hops().find(|setting| setting.id == id).map(|setting| setting.place);
        let Some(Place::Hop(from)) = hop else { return Err(SettingError::Unknown(id.to_owned())) };
        let last = self.shelf.hops.len() - 1;
        let to = from.saturating_add_signed(by as isize).min(last);
        let mut hops: Vec<_> = self.shelf.hops.iter().cloned().zip(self.hops_on()).collect();
        let moved = hops.remove(from);
        hops.insert(to, moved);
        let mut tuned = self.profile.clone();
        tuned.stack.fallback = hops.iter().filter(|(_, on)| *on).map(|(hop, _)| hop.clone()).collect();
        let change = rechained(&self.profile.stack.fallback, &tuned.stack.fallback);
        let tuned = permitted(tuned)?;
        self.shelf.hops = hops.into_iter().map(|(hop, _)| hop).collect();
        self.restore(tuned);
        Ok(change)
    }

    fn hops(&self) -> impl Iterator<Item = Setting> {
        self.shelf.hops.iter().enumerate().map(|(i, hop)| table::HOP.at(Place::Hop(i), &hop.model))
    }

    /// Which hops of the shelf are in the chain now: the chain is always some of them, in their order.
    fn hops_on(&self) -> Vec<bool> {
        let mut chain = self.profile.stack.fallback.iter().peekable();
        self.shelf.hops.iter().map(|hop| chain.next_if_eq(&hop).is_some()).collect()
    }

    fn hops_with(&self, which: usize, on: bool) -> Vec<Hop> {
        let mut on_now = self.hops_on();
        on_now[which] = on;
        self.shelf.hops.iter().zip(on_now).filter(|(_, on)| *on).map(|(hop, _)| hop.clone()).collect()
    }
}

/// A profile that its own rules allow.
fn permitted(tuned: Profile) -> Result<Profile, SettingError> {
    match validate::check(&tuned, Prices::ANY).problems.into_iter().next() {
        Some(problem) => Err(SettingError::Refused(problem.message)),
        None => Ok(tuned),
    }
}

impl Shelf {
    fn remember(&mut self, profile: &Profile) {
        let cache = &profile.stack.cache;
        self.local = cache.local.clone().unwrap_or_else(|| self.local.clone());
        self.redis = cache.redis.clone().unwrap_or_else(|| self.redis.clone());
        match self.places(&profile.stack.fallback) {
            // Those that are off keep their places; those that are on share theirs in the chain's order.
            Some(places) => places.into_iter().zip(&profile.stack.fallback).for_each(|(place, hop)| {
                self.hops[place].clone_from(hop);
            }),
            None => self.hops = profile.stack.fallback.clone(),
        }
    }

    /// The places of a chain's hops among those known, in order; `None` when one is unknown.
    fn places(&self, chain: &[Hop]) -> Option<Vec<usize>> {
        let mut places: Vec<usize> = Vec::new();
        for hop in chain {
            let free = |(place, known): &(usize, &Hop)| *known == hop && !places.contains(place);
            let (place, _) = self.hops.iter().enumerate().find(free)?;
            places.push(place);
        }
        places.sort_unstable();
        Some(places)
    }
}

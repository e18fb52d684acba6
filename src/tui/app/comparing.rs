//! The comparison: what would be compared, how one that runs stands, and which part of it is looked at.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{App, Layer, Tone};
use crate::compare::conduct::Course;
use crate::compare::{ArmFacts, Comparison, Progress, Row, Stage};
use crate::metrics::{Stop, Time};
use crate::profile::{Arm, Profile};
use crate::settings::diff;
use crate::tui::action::Effect;
use crate::tui::command::View;

pub struct Comparing {
    /// The profile's, applied.
    arms: Vec<(String, Profile)>,
    pub subject: Subject,
    pub standing: Standing,
    /// What runs, or is about to.
    running: Option<Course>,
    /// Of the comparison under way, or else of the last one.
    progress: Option<Progress>,
    /// Why the last one could not start or end.
    pub problem: Option<String>,
    /// The arm that is shown against the first.
    other: usize,
    /// The chosen line of the table.
    chosen: usize,
    pub view: View,
}

/// What is held against what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The arms of the profile.
    Arms,
    /// The settings that the workbench was opened with, and those it has now.
    Tuned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None runs.
    Idle,
    /// Calls of the load under way are awaited, so that they do not disturb the first block.
    Clearing,
    Starting,
    Runs,
    Ending,
}

/// What a comparison takes, and what it may cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// With last answers awaited for as long as this load's p99.
    pub lasts: Duration,
    /// Arms that call routes which cost money.
    pub paid: Vec<String>,
    /// In RMB and USD, as the load has cost so far; `None` where it has cost nothing.
    pub cost: Option<(f64, f64)>,
}

const OPENED: &str = "as opened";
const TUNED: &str = "as tuned";

impl Comparing {
    pub fn new(arms: Vec<(String, Profile)>) -> Self {
        let subject = if arms.len() < 2 { Subject::Tuned } else { Subject::Arms };
        Self {
            arms,
            subject,
            standing: Standing::Idle,
            running: None,
            progress: None,
            problem: None,
            other: 1,
            chosen: 0,
            view: View::Table,
        }
    }

    pub fn is_under_way(&self) -> bool {
        self.standing != Standing::Idle
    }

    /// The profile has arms to compare.
    pub fn has_arms(&self) -> bool {
        self.arms.len() > 1
    }

    pub fn spends(&self) -> bool {
        self.running.iter().flat_map(|course| &course.arms).any(|(_, profile)| calls_paid_routes(profile))
    }

    /// What runs, or is about to.
    pub fn running(&self) -> Option<&Course> {
        self.running.as_ref()
    }

    pub fn progress(&self) -> Option<&Progress> {
        self.progress.as_ref()
    }

    pub fn comparison(&self) -> Option<&Comparison> {
        self.progress.as_ref().map(|progress| &*progress.comparison)
    }

    /// The first arm and the one that is shown against it, with its place.
    pub fn pair(&self) -> Option<(&ArmFacts, usize, &ArmFacts)> {
        let arms = &self.comparison()?.arms;
        let at = self.other.clamp(1, arms.len().max(2) - 1);
        Some((arms.first()?, at, arms.get(at)?))
    }

    /// Metrics of the arm that is shown, those asked for first.
    pub fn rows(&self) -> Vec<&Row> {
        let (Some(comparison), Some((_, other, _))) = (self.comparison(), self.pair()) else { return Vec::new() };
        let mut rows: Vec<_> = comparison.metrics.iter().filter(|row| row.arm == other).collect();
        rows.sort_by_key(|row| Reverse(row.asked_for));
        rows
    }

    /// The chosen line of [`Comparing::rows`].
    pub fn chosen(&self) -> usize {
        self.chosen.min(self.rows().len().saturating_sub(1))
    }

    fn choose(&mut self, by: isize) {
        self.chosen = self.chosen().saturating_add_signed(by).min(self.rows().len().saturating_sub(1));
    }

    /// Arms besides the first that take turns on the screen.
    fn others(&self) -> usize {
        self.comparison().map_or(0, |comparison| comparison.arms.len().saturating_sub(1))
    }

    /// There is more than one to show against the first.
    pub fn has_further_arms(&self) -> bool {
        self.others() > 1
    }

    fn turn_arms(&mut self, by: isize) -> Result<(), &'static str> {
        let others = self.others();
        if others < 2 {
            return Err("there is no further arm; a profile's [compare] may have more than two");
        }
        let at = self.other as isize - 1 + by;
        self.other = 1 + at.rem_euclid(others as isize) as usize;
        Ok(())
    }
}

impl App {
    /// The arms that Enter would compare, or why it cannot.
    pub fn course(&self) -> Result<Course, String> {
        let began = self.tuner.began();
        let arms = match self.comparing.subject {
            Subject::Arms => self.comparing.arms.clone(),
            Subject::Tuned if self.tuner.edits().is_empty() => {
                return Err("nothing differs: tune a setting on Live (1), then compare it with how it was".to_owned());
            }
            Subject::Tuned => {
                let tuned = self.tuner.profile().clone();
                vec![(OPENED.to_owned(), began.clone()), (TUNED.to_owned(), tuned)]
            }
        };
        Ok(Course::of(arms, began))
    }

    /// What all arms share, with a `[compare]` of those that run.
    fn compared_profile(&self) -> Profile {
        let mut profile = self.tuner.began().clone();
        if self.comparing.subject == Subject::Tuned {
            let edits = self.tuner.edits().into_iter();
            let tuned = edits.map(|change| (change.id, toml::Value::String(change.to))).collect();
            let arm = |name: &str, set| Arm { name: name.to_owned(), set };
            let compare = profile.compare.get_or_insert_default();
            compare.arms = vec![arm(OPENED, BTreeMap::new()), arm(TUNED, tuned)];
        }
        profile
    }

    /// What each arm sets that the first does not; the first's own differ from the profile as it was opened.
    pub fn differences(&self, course: &Course) -> Vec<(String, String)> {
        let first = course.arms.first().map(|(_, profile)| profile);
        let of = |i: usize, profile: &Profile| {
            let against = if i == 0 { self.tuner.began() } else { first.unwrap_or(profile) };
            let changes = diff(against, profile).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            match (i, changes.is_empty()) {
                (0, true) => "the profile as it was opened".to_owned(),
                (_, true) => "keys that no setting of the workbench shows".to_owned(),
                (0, false) => changes,
                (_, false) => format!("against A {changes}"),
            }
        };
        course.arms.iter().enumerate().map(|(i, (name, profile))| (name.clone(), of(i, profile))).collect()
    }

    pub fn estimate(&self, course: &Course) -> Estimate {
        let answers = self.shown().measured.times.summary(Time::Response).map_or(0.0, |response| response.p99);
        let answers = Duration::from_secs_f64(answers / 1e3);
        let time = |(_, profile): &(String, Profile)| {
            profile.load.warmup + answers + (course.block + answers + course.cool_down) * course.blocks
        };
        let sends = |(_, profile): &(String, Profile)| profile.load.warmup + course.block * course.blocks;
        let paid: Vec<_> = course.arms.iter().filter(|(_, profile)| calls_paid_routes(profile)).collect();
        let (shown, paid_s) = (self.shown(), paid.iter().map(|arm| sends(arm).as_secs_f64()).sum::<f64>());
        let per_second = |spent: f64| spent / shown.elapsed.as_secs_f64();
        let cost = (per_second(shown.spent.cny) * paid_s, per_second(shown.spent.usd) * paid_s);
        Estimate {
            lasts: course.arms.iter().map(time).sum(),
            paid: paid.into_iter().map(|(name, _)| name.clone()).collect(),
            cost: (cost.0 > 0.0 && cost.0.is_finite()).then_some(cost),
        }
    }

    /// Asks first where it costs money.
    pub(super) fn begin_comparison(&mut self) -> Vec<Effect> {
        if self.comparing.is_under_way() {
            return self.say(Tone::Refused, "a comparison is under way; Esc stops it".to_owned());
        }
        match self.course() {
            Err(why) => self.say(Tone::Refused, why),
            Ok(course) if !self.estimate(&course).paid.is_empty() => {
                self.layers.push(Layer::Begin);
                Vec::new()
            }
            Ok(_) => self.compare(),
        }
    }

    /// The load under way pauses, and what it has in flight is awaited.
    pub(super) fn compare(&mut self) -> Vec<Effect> {
        match self.course() {
            Ok(course) => self.comparing.running = Some(course),
            Err(why) => return self.say(Tone::Refused, why),
        }
        self.comparing.standing = Standing::Clearing;
        self.comparing.problem = None;
        match (self.ended, self.is_paused) {
            (Some(_), _) => self.compare_when_clear(),
            (None, true) => Vec::new(),
            (None, false) => vec![Effect::Pause],
        }
    }

    /// Once nothing of the load is in flight.
    pub(super) fn compare_when_clear(&mut self) -> Vec<Effect> {
        let snapshot = &self.snapshot;
        let is_clear = self.ended.is_some() || (snapshot.paused && snapshot.gauges.in_flight == 0);
        if self.comparing.standing != Standing::Clearing || !is_clear {
            return Vec::new();
        }
        let Some(course) = self.comparing.running.clone() else { return Vec::new() };
        self.comparing.standing = Standing::Starting;
        self.comparing.progress = None;
        vec![Effect::Compare { course: Box::new(course), profile: Box::new(self.compared_profile()) }]
    }

    pub(super) fn compared(&mut self, progress: Progress) {
        if self.comparing.standing == Standing::Starting {
            self.comparing.standing = Standing::Runs;
        }
        self.comparing.progress = Some(progress);
    }

    pub(super) fn comparison_over(&mut self, comparison: Arc<Comparison>) -> Vec<Effect> {
        let facts = &comparison.run;
        let (tone, said) = match (&facts.given_up_because, facts.stop) {
            (Some(why), _) => (Tone::Refused, format!("given up: {why}")),
            (None, Stop::Budget) => {
                (Tone::Refused, "limits.budget is spent; the blocks before it are shown".to_owned())
            }
            (None, Stop::Finished) => (Tone::Done, "the comparison is complete; x writes it".to_owned()),
            (None, _) => (Tone::Done, "stopped; x writes what there is".to_owned()),
        };
        let blocks = facts.blocks;
        let mut progress = self.comparing.progress.take().unwrap_or_else(|| Progress {
            stage: Stage::Done,
            arm: 0,
            block: blocks,
            blocks,
            done: 1.0,
            left: Duration::ZERO,
            comparison: comparison.clone(),
        });
        (progress.stage, progress.left, progress.comparison) = (Stage::Done, Duration::ZERO, comparison);
        self.comparing.progress = Some(progress);
        self.say(tone, said);
        self.go_on()
    }

    pub(super) fn comparison_failed(&mut self, why: String) -> Vec<Effect> {
        self.comparing.problem = Some(why.clone());
        self.say(Tone::Refused, why);
        self.go_on()
    }

    /// The load goes on as it was before the comparison.
    fn go_on(&mut self) -> Vec<Effect> {
        self.comparing.standing = Standing::Idle;
        self.comparing.running = None;
        self.layers.retain(|layer| !matches!(layer, Layer::StopComparison));
        let has_load_waiting = self.ended.is_none() && !self.is_paused;
        has_load_waiting.then_some(Effect::Resume).into_iter().collect()
    }

    /// Esc: what has not begun yet is let be, what runs is stopped after a question.
    pub(super) fn stop_comparison(&mut self) -> Vec<Effect> {
        match self.comparing.standing {
            Standing::Clearing => return self.go_on(),
            Standing::Starting | Standing::Runs => self.layers.push(Layer::StopComparison),
            Standing::Ending | Standing::Idle => {}
        }
        Vec::new()
    }

    pub(super) fn end_comparison(&mut self) -> Vec<Effect> {
        if !matches!(self.comparing.standing, Standing::Starting | Standing::Runs) {
            return Vec::new();
        }
        self.comparing.standing = Standing::Ending;
        vec![Effect::StopComparison]
    }

    pub(super) fn turn_arms(&mut self, by: isize) -> Vec<Effect> {
        match self.comparing.turn_arms(by) {
            Ok(()) => Vec::new(),
            Err(why) => self.say(Tone::Refused, why.to_owned()),
        }
    }

    /// Between the profile's arms and what was tuned.
    pub(super) fn turn_subject(&mut self) -> Vec<Effect> {
        if self.comparing.is_under_way() {
            return self.say(Tone::Refused, "a comparison is under way; Esc stops it".to_owned());
        }
        if !self.comparing.has_arms() {
            let why = "the profile has no arms; write them under [compare] to compare those";
            return self.say(Tone::Refused, why.to_owned());
        }
        let (subject, said) = match self.comparing.subject {
            Subject::Arms => (Subject::Tuned, "Enter compares the settings as opened with those as tuned now"),
            Subject::Tuned => (Subject::Arms, "Enter compares the profile's arms"),
        };
        self.comparing.subject = subject;
        self.say(Tone::Done, said.to_owned())
    }

    pub(super) fn choose_metric(&mut self, by: isize) {
        self.comparing.choose(by);
    }
}

/// A call may reach a route that is not simulated.
pub(super) fn calls_paid_routes(profile: &Profile) -> bool {
    let is_paid = |route: &str| profile.routes.get(route).is_some_and(|route| route.simulate.is_none());
    profile.chain().any(|(_, route)| is_paid(route))
}

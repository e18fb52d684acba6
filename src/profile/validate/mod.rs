//! The rules between values: what is impossible, what is doubtful, what a value left out becomes.
//! Must not know the text a profile came from: a problem names a key, and whoever holds the text finds its line.

mod compare;
mod endpoints;
mod load;
mod money;
mod stack;
mod workload;

use std::time::Duration;

use super::problem::{KeyPath, Problem};
use super::{Load, Profile};

/// Which models have a price, as the price book knows.
#[derive(Clone, Copy)]
pub struct Prices<'a> {
    pub has: &'a dyn Fn(&str) -> bool,
    /// The book's names, for "did you mean".
    pub names: &'a [String],
}

impl Prices<'_> {
    /// For checks that money plays no part in.
    pub const ANY: Prices<'static> = Prices { has: &|_| true, names: &[] };
}

/// What was found in a profile.
#[derive(Debug, Default)]
pub struct Findings {
    pub problems: Vec<Problem>,
    /// It runs, but perhaps not as meant.
    pub warnings: Vec<Problem>,
}

/// Checks every rule; `resolve` comes first.
pub fn check(profile: &Profile, prices: Prices<'_>) -> Findings {
    let mut findings = Findings::default();
    load::check(&profile.load, &mut findings);
    load::check_batches(&profile.load, profile.workload.batch, &mut findings);
    workload::check(profile, &mut findings);
    stack::check(profile, &mut findings);
    endpoints::check(profile, &mut findings);
    money::check(profile, prices, &mut findings);
    compare::check(profile, &mut findings);
    for (i, text) in profile.expect.iter().enumerate() {
        if let Err(why) = super::expect::Expectation::parse(text) {
            findings.wrong(KeyPath::from("expect").key(i), &why);
        }
    }
    findings
}

/// Fills in what follows from the rest: the first route, each route's dialect, the duration.
pub fn resolve(profile: &mut Profile) {
    if profile.stack.route.is_empty() {
        let only = profile.routes.keys().next().filter(|_| profile.routes.len() == 1);
        let gateway = profile.routes.keys().find(|name| *name == "gateway");
        profile.stack.route = only.or(gateway).cloned().unwrap_or_default();
    }
    for route in profile.routes.values_mut() {
        route.dialect = Some(route.spoken());
    }
    let Load { duration, requests, stages, .. } = &mut profile.load;
    if duration.is_none() && requests.is_none() && stages.is_empty() {
        *duration = Some(Load::DEFAULT_DURATION);
    }
}

impl Findings {
    /// A problem whose message says for itself what it is about.
    fn wrong(&mut self, path: KeyPath, message: &str) {
        self.problems.push(Problem::new(path, message));
    }

    /// `stack.retry.attempts = 40 exceeds 10; lower it`
    fn bad(&mut self, path: impl Into<KeyPath>, rest: impl std::fmt::Display) {
        let path = path.into();
        let message = format!("{path} {rest}");
        self.problems.push(Problem::new(path, message));
    }

    fn warn(&mut self, path: impl Into<KeyPath>, message: impl Into<String>) {
        self.warnings.push(Problem::new(path.into(), message));
    }

    /// The last problem also has to do with these keys.
    fn also(&mut self, paths: &[&str]) {
        if let Some(problem) = self.problems.last_mut() {
            problem.also.extend(paths.iter().map(|path| KeyPath::from(*path)));
        }
    }

    fn range(&mut self, path: impl Into<KeyPath>, value: u64, low: u64, high: u64) {
        let path = path.into();
        if value < low {
            self.bad(path, format!("= {value} is below {low}; raise it"));
        } else if value > high {
            self.bad(path, format!("= {value} exceeds {high}; lower it"));
        }
    }

    fn at_least_one(&mut self, path: impl Into<KeyPath>, value: u64) {
        self.range(path, value, 1, u64::MAX);
    }

    /// A finite number from `low` on.
    fn from(&mut self, path: impl Into<KeyPath>, value: f64, low: f64) {
        if !value.is_finite() {
            self.bad(path, format!("= {value} is no finite number; write one from {low} on"));
        } else if value < low {
            self.bad(path, format!("= {value} is below {low}; raise it"));
        }
    }

    fn above_zero(&mut self, path: impl Into<KeyPath>, value: f64) {
        if !(value.is_finite() && value > 0.0) {
            self.bad(path, format!("= {value} must be a finite number above 0"));
        }
    }

    fn takes_time(&mut self, path: impl Into<KeyPath>, value: Duration) {
        if value.is_zero() {
            self.bad(path, "= \"0s\" must be longer than nothing; write a duration such as \"5s\"");
        }
    }
}

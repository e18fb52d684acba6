//! The rules of `[workload]`.

use std::collections::HashSet;

use super::Findings;
use crate::profile::problem::KeyPath;
use crate::profile::{Class, Profile, Prompts, Route, Spread, Workload};

pub fn check(profile: &Profile, findings: &mut Findings) {
    let workload = &profile.workload;
    if workload.model.trim().is_empty() {
        findings.bad("workload.model", "is empty; name a model such as \"gpt-4.1\"");
    }
    prompts(KeyPath::from("workload.prompts"), &workload.prompts, findings);
    tokens(KeyPath::from("workload.input_tokens"), workload.input_tokens, findings);
    tokens(KeyPath::from("workload.output_tokens"), workload.output_tokens, findings);
    temperature(profile, findings);
    findings.at_least_one("workload.max_tokens", workload.max_tokens.into());
    findings.range("workload.batch.size", workload.batch.size.into(), 1, 1000);
    classes(&workload.classes, findings);
    frozen_samples(profile, findings);
}

/// In the range of each dialect the chain speaks.
fn temperature(profile: &Profile, findings: &mut Findings) {
    let temperature = profile.workload.temperature;
    if !(0.0..=2.0).contains(&temperature) {
        return findings.bad("workload.temperature", format!("= {temperature} is outside 0 to 2"));
    }
    for (model, name) in profile.chain() {
        let Some(dialect) = profile.routes.get(name).map(Route::spoken) else { continue };
        if !dialect.tells_sampling(model) {
            if temperature != Workload::default().temperature {
                let message = format!("workload.temperature = {temperature} is not sent to {model}, which takes none");
                findings.warn("workload.temperature", message);
            }
        } else if temperature > dialect.hottest() {
            let (most, dialect) = (dialect.hottest(), dialect.name());
            let message = format!(
                "= {temperature} exceeds {most}, the most that routes.{name} takes in dialect = \"{dialect}\"; lower it"
            );
            findings.bad("workload.temperature", message);
            return findings.also(&[&format!("routes.{name}.dialect")]);
        }
    }
}

fn prompts(path: KeyPath, prompts: &Prompts, findings: &mut Findings) {
    if let Prompts::Zipf { distinct, exponent } = prompts {
        findings.range(path.key("distinct"), *distinct, 1, 100_000_000);
        findings.from(path.key("exponent"), *exponent, 0.0);
    }
}

/// No model's context is longer.
const MOST_TOKENS: u64 = 10_000_000;

fn tokens(path: KeyPath, spread: Spread<u32>, findings: &mut Findings) {
    match spread {
        Spread::Fixed(number) => findings.range(path, number.into(), 1, MOST_TOKENS),
        Spread::LogNormal { median, p95 } => {
            findings.range(path.key("median"), median.into(), 1, MOST_TOKENS);
            findings.range(path.key("p95"), p95.into(), 0, MOST_TOKENS);
            if p95 < median {
                findings.bad(path.key("p95"), format!("= {p95} is below the median, {median}; raise it"));
            }
        }
    }
}

/// A lognormal's parameters.
pub fn spread_of(path: KeyPath, median: f64, p95: f64, findings: &mut Findings) {
    findings.above_zero(path.key("median"), median);
    if !p95.is_finite() {
        findings.above_zero(path.key("p95"), p95);
    } else if p95 < median {
        let message = format!("= {p95} is below the median, {median}; raise it");
        findings.bad(path.key("p95"), message);
    }
}

fn classes(classes: &[Class], findings: &mut Findings) {
    let at = |i: usize| KeyPath::from("workload.classes").key(i);
    let mut names = HashSet::new();
    for (i, class) in classes.iter().enumerate() {
        if class.name.trim().is_empty() {
            findings.bad(at(i).key("name"), "is empty; name the class");
        } else if !names.insert(&class.name) {
            findings.bad(at(i).key("name"), format!("= \"{}\" is taken by an earlier class", class.name));
        }
        findings.from(at(i).key("share"), class.share, 0.0);
        if let Some(own) = &class.prompts {
            prompts(at(i).key("prompts"), own, findings);
        }
        for (key, spread) in [("input_tokens", class.input_tokens), ("output_tokens", class.output_tokens)] {
            spread.into_iter().for_each(|spread| tokens(at(i).key(key), spread, findings));
        }
        if let Some(ttl) = class.cache.ttl {
            findings.takes_time(at(i).key("cache").key("ttl"), ttl);
        }
    }
    let sum: f64 = classes.iter().map(|class| class.share).sum();
    if !classes.is_empty() && sum <= 0.0 {
        findings.bad("workload.classes", "have no share above 0, so nothing would be sent; give one a share");
    }
}

fn frozen_samples(profile: &Profile, findings: &mut Findings) {
    let cache = &profile.stack.cache;
    let temperature = profile.workload.temperature;
    if temperature > 0.0 && (cache.local.is_some() || cache.redis.is_some()) {
        let message = format!(
            "workload.temperature = {temperature} with a cache: each prompt's first sample is served again until its TTL ends; \
             set temperature = 0 or leave the cache out"
        );
        findings.warn("workload.temperature", message);
    }
}

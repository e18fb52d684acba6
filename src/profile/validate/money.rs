//! The rules of `[cost]` and `[limits]`, and that each model asked has a price.

use super::{Findings, Prices};
use crate::profile::nearest::nearest;
use crate::profile::problem::KeyPath;
use crate::profile::{Money, Profile};

pub fn check(profile: &Profile, prices: Prices<'_>, findings: &mut Findings) {
    let cost = &profile.cost;
    findings.at_least_one("cost.calls_per_day", cost.calls_per_day);
    findings.above_zero("cost.cny_per_usd", cost.cny_per_usd);
    for (model, price) in &cost.prices {
        let path = KeyPath::from("cost.prices").key(model);
        let parts = [
            ("input", Some(price.input)),
            ("cached_input", price.cached_input),
            ("cache_write", price.cache_write),
            ("output", Some(price.output)),
        ];
        parts.into_iter().for_each(|(key, part)| part.into_iter().for_each(|p| findings.from(path.key(key), p, 0.0)));
    }
    if let Some(Money::Cny(amount) | Money::Usd(amount)) = profile.limits.budget
        && !(amount.is_finite() && amount > 0.0)
    {
        findings.bad("limits.budget", "must be above 0; write \"¥50\" or \"$5\"");
    }
    priced(profile, prices, findings);
}

fn priced(profile: &Profile, prices: Prices<'_>, findings: &mut Findings) {
    let first = (KeyPath::from("workload.model"), &profile.workload.model);
    let hops = profile.stack.fallback.iter().enumerate();
    let hops = hops.map(|(i, hop)| (KeyPath::from("stack.fallback").key(i).key("model"), &hop.model));
    for (path, model) in std::iter::once(first).chain(hops) {
        if model.trim().is_empty() || profile.cost.prices.contains_key(model) || (prices.has)(model) {
            continue;
        }
        let names = prices.names.iter().chain(profile.cost.prices.keys()).map(String::as_str);
        let hint = nearest(model, names).map(|name| format!(" (did you mean \"{name}\"?)")).unwrap_or_default();
        let table = KeyPath::from("cost.prices").key(model).section();
        let message = format!(
            "{path}: unknown model \"{model}\" has no price{hint}; \
             add {table} with input and output in USD per million tokens"
        );
        findings.wrong(path, &message);
    }
}

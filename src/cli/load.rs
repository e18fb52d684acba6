//! Flags and a profile's name -> a checked profile.

use super::Failure;
use super::args::LoadArgs;
use crate::cost::{PriceBook, Pricer};
use crate::profile::{Draft, Loaded, Override, Prices};

/// Loads what the flags ask for; warnings go to stderr.
pub fn load(args: &LoadArgs) -> Result<Loaded, Failure> {
    load_with(args, &[])
}

/// As [`load`], with further keys set over the flags' own.
pub fn load_with(args: &LoadArgs, further: &[Override]) -> Result<Loaded, Failure> {
    let mut overrides = flags(args);
    for text in &args.set {
        overrides.push(Override::set(text).map_err(|why| Failure::bad_input(format!("--set {text}: {why}")))?);
    }
    overrides.extend_from_slice(further);
    overrides.extend(args.expect.iter().map(|text| Override::flag(format!("--expect '{text}'"), "expect.+", text)));
    let (mut draft, priced) = match (&args.profile, &args.url) {
        (Some(name), _) => (Draft::open(name).map_err(Failure::bad_input)?, Priced::Always),
        (None, Some(url)) => (Draft::adhoc(url), Priced::IfKnown),
        (None, None) => return Err(Failure::bad_input("name a profile, or an endpoint with --url")),
    };
    for header in &args.headers {
        let (name, value) =
            header.split_once(':').ok_or_else(|| Failure::bad_input("-H: a header is written 'Name: value'"))?;
        draft = draft.with_header(name.trim(), value.trim());
    }
    finish(draft.with(&overrides), priced)
}

/// A profile by name with `--set`s alone.
pub fn named(name: &str, sets: &[String]) -> Result<Loaded, Failure> {
    let overrides = sets
        .iter()
        .map(|text| Override::set(text).map_err(|why| Failure::bad_input(format!("--set {text}: {why}"))))
        .collect::<Result<Vec<_>, _>>()?;
    finish(Draft::open(name).map_err(Failure::bad_input)?.with(&overrides), Priced::Always)
}

/// Whether a model without a price is refused, or counted as free: an ad-hoc run of a self-hosted model has no price.
#[derive(Clone, Copy, PartialEq)]
enum Priced {
    Always,
    IfKnown,
}

fn finish(draft: Draft, priced: Priced) -> Result<Loaded, Failure> {
    let book = PriceBook::builtin();
    let names: Vec<String> = book.names().map(str::to_owned).collect();
    let has = |model: &str| book.has_price(model) || priced == Priced::IfKnown;
    let mut loaded = draft.finish(Prices { has: &has, names: &names }).map_err(Failure::bad_input)?;
    let unpriced: Vec<String> = Pricer::new(&loaded.profile, book).unpriced().map(str::to_owned).collect();
    loaded.warnings.extend(unpriced.iter().map(|model| {
        format!(
            "{model} has no price and counts as free; \
             give one with --set 'cost.prices.\"{model}\"={{ input = 1.0, output = 4.0 }}' (USD per million tokens)"
        )
    }));
    Ok(loaded)
}

fn flags(args: &LoadArgs) -> Vec<Override> {
    let mut overrides = Vec::new();
    let mut flag = |typed: String, key: &str, value: toml_edit::Value| {
        overrides.push(Override::flag(typed, key, value));
    };
    if let Some(model) = &args.model {
        flag(format!("--model {model}"), "workload.model", model.into());
    }
    if let Some(name) = &args.api_key_env {
        flag("--api-key-env".into(), "routes.direct.api_key_env", name.into());
    }
    if let Some(users) = args.concurrency {
        flag(format!("--concurrency {users}"), "load.mode", "closed".into());
        flag(format!("--concurrency {users}"), "load.users", i64::from(users).into());
    }
    if let Some(rate) = args.rate {
        flag(format!("--rate {rate}"), "load.mode", "open".into());
        flag(format!("--rate {rate}"), "load.rate", rate.into());
    }
    if let Some(duration) = &args.duration {
        flag(format!("--duration {duration}"), "load.duration", duration.into());
    }
    if let Some(requests) = args.requests {
        flag(format!("--requests {requests}"), "load.requests", (requests as i64).into());
    }
    if let Some(route) = &args.route {
        flag(format!("--route {route}"), "stack.route", route.into());
    }
    if let Some(seed) = args.seed {
        flag(format!("--seed {seed}"), "seed", (seed as i64).into());
    }
    overrides
}

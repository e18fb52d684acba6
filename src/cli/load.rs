//! Flags and a profile's name -> a checked profile.

use super::Failure;
use super::args::LoadArgs;
use crate::cost::{PriceBook, Pricer};
use crate::profile::{Draft, Loaded, Override, Prices};

/// Loads the profile of this name, or the endpoint the flags name, with what the flags set.
pub fn load(profile: Option<&str>, args: &LoadArgs) -> Result<Loaded, Failure> {
    load_with(profile, args, &[])
}

/// As [`load`], with further keys set over the flags' own.
pub fn load_with(profile: Option<&str>, args: &LoadArgs, further: &[Override]) -> Result<Loaded, Failure> {
    finished(draft_with(profile, args, further)?, args)
}

/// What the flags make of the profile of this name, or of the endpoint they name.
pub fn draft(profile: Option<&str>, args: &LoadArgs) -> Result<Draft, Failure> {
    draft_with(profile, args, &[])
}

/// A draft of these flags, checked.
pub fn finished(draft: Draft, args: &LoadArgs) -> Result<Loaded, Failure> {
    if args.url.is_some() { finish_adhoc(draft) } else { finish(draft) }
}

fn draft_with(profile: Option<&str>, args: &LoadArgs, further: &[Override]) -> Result<Draft, Failure> {
    let mut overrides = flags(args);
    for text in &args.set {
        overrides.push(Override::set(text).map_err(|why| Failure::bad_input(format!("--set {text}: {why}")))?);
    }
    overrides.extend_from_slice(further);
    overrides.extend(args.expect.iter().map(|text| Override::flag(format!("--expect '{text}'"), "expect.+", text)));
    let mut draft = match (profile, &args.url) {
        (Some(name), _) => Draft::open(name).map_err(Failure::bad_input)?,
        (None, Some(url)) => Draft::adhoc(url),
        (None, None) => return Err(Failure::bad_input("name a profile, or an endpoint with --url")),
    };
    if args.requests.is_some() {
        // A number of requests instead of the profile's time.
        draft = draft.without("load.duration");
    }
    for header in &args.headers {
        let (name, value) =
            header.split_once(':').ok_or_else(|| Failure::bad_input("-H: a header is written 'Name: value'"))?;
        draft = draft.with_header(name.trim(), value.trim());
    }
    if let Some(path) = &args.cacert {
        let path = path.display().to_string();
        draft = draft.with_routes(&format!("--cacert {path}"), &["ca_file"], path);
    }
    if args.insecure {
        draft = draft.with_routes("--insecure", &["insecure"], true);
    }
    Ok(draft.with(&overrides))
}

/// A profile by name with `--set`s alone.
pub fn named(name: &str, sets: &[String]) -> Result<Loaded, Failure> {
    let overrides = sets
        .iter()
        .map(|text| Override::set(text).map_err(|why| Failure::bad_input(format!("--set {text}: {why}"))))
        .collect::<Result<Vec<_>, _>>()?;
    finish(Draft::open(name).map_err(Failure::bad_input)?.with(&overrides))
}

fn finish(draft: Draft) -> Result<Loaded, Failure> {
    let book = PriceBook::builtin();
    let names: Vec<String> = book.names().map(str::to_owned).collect();
    let has = |model: &str| book.has_price(model);
    draft.finish(Prices { has: &has, names: &names }).map_err(Failure::bad_input)
}

/// An endpoint's model may have any name: an ad-hoc run without its price is told so, not refused. A budget needs the
/// price, or it could not hold.
fn finish_adhoc(draft: Draft) -> Result<Loaded, Failure> {
    let mut loaded = draft.clone().finish(Prices::ANY).map_err(Failure::bad_input)?;
    if loaded.profile.limits.budget.is_some() {
        return finish(draft);
    }
    for model in Pricer::new(&loaded.profile, PriceBook::builtin()).unpriced() {
        loaded.warnings.push(format!(
            "{model} has no price, so its tokens are counted as free; with one, in USD per million tokens: \
             --set 'cost.prices.\"{model}\" = {{ input = 1.0, output = 4.0 }}'"
        ));
    }
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
    if let Some(dialect) = &args.dialect {
        flag(format!("--dialect {dialect}"), "routes.direct.dialect", dialect.into());
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
        flag(format!("--requests {requests}"), "load.requests", requests.into());
    }
    if let Some(route) = &args.route {
        flag(format!("--route {route}"), "stack.route", route.into());
    }
    if let Some(seed) = args.seed {
        flag(format!("--seed {seed}"), "seed", seed.into());
    }
    overrides
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn loaded(line: &[&str]) -> Result<Loaded, Failure> {
        let cli = Cli::try_parse_from([&["gatebench", "run"], line].concat()).unwrap();
        let Some(Command::Run { args, .. }) = cli.command else { panic!("run") };
        load(args.profile.as_deref(), &args.load)
    }

    const LOCAL: [&str; 4] = ["--url", "http://127.0.0.1:8000/v1", "--model", "my-model"];

    #[test]
    fn an_ad_hoc_run_of_a_model_without_a_price_is_warned_about_and_not_refused() {
        let warnings = loaded(&LOCAL).unwrap().warnings;
        assert!(warnings.len() == 1 && warnings[0].starts_with("my-model has no price"), "{warnings:?}");
    }

    #[test]
    fn the_price_that_the_warning_asks_for_ends_it() {
        let price = ["--set", "cost.prices.\"my-model\" = { input = 1.0, output = 4.0 }"];
        let loaded = loaded(&[&LOCAL[..], &price].concat()).unwrap();
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        assert_eq!(loaded.profile.cost.prices["my-model"].output, 4.0);
    }

    #[test]
    fn a_budget_needs_the_models_price() {
        let failure = loaded(&[&LOCAL[..], &["--set", "limits.budget=¥5"]].concat()).unwrap_err();
        assert!(failure.code == 2 && failure.text().contains("no price"), "{}", failure.text());
    }
}

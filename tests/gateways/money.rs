//! Money is tokens times prices, whatever a gateway says that it cost.

use gatebench::cost::{PriceBook, Pricer};
use gatebench::engine::{self, Until};
use gatebench::profile::expect::LatencyBounds;
use gatebench::profile::{Draft, Prices, Source};
use gatebench::report::Report;
use libtest_mimic::{Failed, Trial};
use serde_json::Value as Json;

use super::{recorded, server};

const CALLS: f64 = 5.0;

/// Everything that a gateway has been seen to say of cost.
const CLAIMS: &str = "x-litellm-response-cost: 99\nx-litellm-response-cost-original: 99\nx-litellm-key-spend: 99\n\
                      x-litellm-response-cost-discount-amount: 99\nx-cf-aig-cost: 99\ncf-aig-cost-after: 99\n";

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("a miss costs its tokens, whatever the gateway's cost headers say", || {
            // 19 input tokens of which 8 are cached, and 10 output.
            let price = (11.0 * 1.0 + 8.0 * 0.1 + 10.0 * 4.0) / 1e6;
            for file in [answer("litellm_miss", "")?, answer("litellm_miss", CLAIMS)?] {
                costs(&file, &[("/cost/usd", CALLS * price), ("/cost/saved/by_cache", 0.0)])?;
            }
            Ok(())
        }),
        Trial::test("a hit costs nothing and saves its tokens, whatever the gateway's cost headers say", || {
            let price = (19.0 * 1.0 + 10.0 * 4.0) / 1e6;
            for file in [answer("litellm_hit", "")?, answer("litellm_hit", CLAIMS)?] {
                costs(&file, &[("/cost/usd", 0.0), ("/cost/saved/by_cache", CALLS * price)])?;
            }
            Ok(())
        }),
        Trial::test("a hit that is counted as nothing saves what it would have cost, as an estimate", || {
            // 9 tokens of output; the input is that of the workload's prompts.
            let facts = run(&answer("openrouter_hit", "")?)?;
            let output = CALLS * 9.0 * 4.0 / 1e6;
            let saved = number(&facts, "/cost/saved/by_cache")?;
            if saved <= output { Err(format!("{saved} saved, of which {output} by output").into()) } else { Ok(()) }
        }),
    ]
}

/// An answer of the folder, with further lines in its head in place of those it has of cost.
fn answer(name: &str, claims: &str) -> Result<String, Failed> {
    let file = std::fs::read_to_string(recorded::folder().join(name).with_extension("http"))?;
    if claims.is_empty() {
        return Ok(file);
    }
    let (head, body) = file.split_once("\n\n").ok_or("there is no body")?;
    let is_cost = |line: &&str| line.contains("-cost") || line.contains("-spend");
    let head: Vec<_> = head.lines().filter(|line| !is_cost(line)).chain(claims.lines()).collect();
    Ok(format!("{}\n\n{body}", head.join("\n")))
}

fn costs(file: &str, expected: &[(&str, f64)]) -> Result<(), Failed> {
    let facts = run(file)?;
    for (path, expected) in expected {
        let actual = number(&facts, path)?;
        if (actual - expected).abs() > 1e-12 {
            return Err(format!("{path}: expected {expected}, but was {actual}").into());
        }
    }
    Ok(())
}

fn number(facts: &Json, path: &str) -> Result<f64, Failed> {
    facts.pointer(path).and_then(Json::as_f64).ok_or_else(|| format!("{path} is no number: {}", facts["cost"]).into())
}

/// The report of calls that are all answered so.
fn run(file: &str) -> Result<Json, Failed> {
    let base_url = server::start(server::on_the_wire(file)?)?;
    let profile = format!(
        r#"
        [load]
        mode = "closed"
        users = 1
        requests = {CALLS}
        warmup = "0s"

        [workload]
        model = "m"
        stream = false
        prompts = {{ kind = "unique" }}
        input_tokens = 20

        [cost]
        cny_per_usd = 1.0
        prices = {{ m = {{ input = 1.0, cached_input = 0.1, output = 4.0 }} }}

        [routes.gateway]
        base_url = "{base_url}"
        cny_per_usd = 1.0
        "#
    );
    let profile = Draft::from_text(Source::Builtin("test"), profile).finish(Prices::ANY)?.profile;
    let run = engine::start(profile, LatencyBounds::default(), Until::Planned)?.join()?;
    let report = Report::of(&run, &Pricer::new(&run.profile, PriceBook::builtin()), &[]);
    let facts = serde_json::to_value(&report)?;
    match facts.pointer("/load/succeeded").and_then(Json::as_f64) {
        Some(CALLS) => Ok(facts),
        _ => Err(format!("not all calls succeeded: {}", facts["error_examples"]).into()),
    }
}

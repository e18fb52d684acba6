//! One tiny call, as a run would make it: whether a model answers, how fast, and what that cost.
//! Must not know how an attempt is made.

use std::time::Instant;

use super::finding::{Note, ms};
use super::listing::Told;
use super::site::{LONGEST, Site};
use super::way::header_of;
use crate::chat::{Canonical, ChatRequest, Lane, Usage};
use crate::cost::{LanePrice, PriceBook, Pricer, Spend};
use crate::metrics::Tokens;
use crate::profile::{Money, Profile, nearest};
use crate::report::format::{money, ms as in_words};
use crate::route::{Ask, Failure, FailureKind, Reply};

/// Whether the tiny calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    Made,
    LeftOut,
}

const PROMPT: &str = "Say ok.";

/// More than the prompt and what providers wrap it in. No provider writes so little to its prompt cache.
const MOST: Usage = Usage { input: 64, cached_input: 0, cache_write: 0, cache_write_1h: 0, output: 1, estimated: true };

/// What the calls of a check cost, and what they may.
pub struct Till {
    pricer: Pricer,
    unpriced: Vec<String>,
    budget: Option<Money>,
    spent: Spend,
}

impl Till {
    pub fn of(profile: &Profile) -> Self {
        let pricer = Pricer::new(profile, PriceBook::builtin());
        let unpriced = pricer.unpriced().map(str::to_owned).collect();
        Self { pricer, unpriced, budget: profile.limits.budget, spent: Spend::default() }
    }

    fn price(&self, site: &Site<'_>) -> LanePrice {
        self.pricer.price(&Lane { model: site.models[0].into(), route: site.name.into() })
    }

    /// What a call there may cost; `None`: its model has no price.
    pub fn at_most(&self, site: &Site<'_>) -> Option<Spend> {
        let is_priced = !self.unpriced.iter().any(|model| model == site.models[0]);
        is_priced.then(|| self.price(site).spend(&tokens(&MOST)))
    }

    fn allows(&self, site: &Site<'_>) -> bool {
        let Some(budget) = self.budget else { return true };
        let mut most = self.spent;
        most += self.price(site).spend(&tokens(&MOST));
        most.in_currency_of(budget) <= budget.amount()
    }

    fn pay(&mut self, site: &Site<'_>, usage: &Usage) -> Spend {
        let cost = self.price(site).spend(&tokens(usage));
        self.spent += cost;
        cost
    }
}

fn tokens(usage: &Usage) -> Tokens {
    let mut tokens = Tokens::default();
    tokens.add(usage);
    tokens
}

/// Tiny, but in everything else as the profile's calls are.
fn request(profile: &Profile) -> ChatRequest {
    ChatRequest {
        temperature: Some(profile.workload.temperature),
        max_tokens: Some(1),
        stream: profile.workload.stream,
        ..ChatRequest::new(Canonical::user_message(PROMPT))
    }
}

pub async fn call(site: &Site<'_>, profile: &Profile, till: &mut Till, told: &Told) -> (Vec<Note>, Option<()>) {
    if let Some(budget) = till.budget.filter(|_| !till.allows(site)) {
        return (vec![Note::skip(format!("limits.budget = \"{budget}\" leaves too little for it"))], None);
    }
    let request = request(profile);
    let start = Instant::now();
    let deadline = start + LONGEST.min(profile.stack.timeout);
    let attempt =
        site.endpoint.attempt(&Ask { model: site.models[0], request: &request, deadline, keep_answer: false }).await;
    match attempt.result {
        Ok(reply) => (vec![answered(site, till, &reply, start)], Some(())),
        Err(failure) => {
            if let Some(usage) = &failure.billed {
                till.pay(site, usage);
            }
            (vec![failed(site, &failure, told)], None)
        }
    }
}

fn answered(site: &Site<'_>, till: &mut Till, reply: &Reply, start: Instant) -> Note {
    let took = reply.done - start;
    let usage = &reply.usage;
    let ttft = reply.first_token.map(|at| at - start);
    let first = ttft.map(|ttft| format!(", first token after {}", in_words(ms(ttft)))).unwrap_or_default();
    let counted = if usage.estimated { " (estimated: it sends no usage)" } else { "" };
    let (spend, price) = match (reply.gateway_hit, till.at_most(site)) {
        (true, _) => (Spend::default(), "free: the gateway's cache answered".to_owned()),
        (false, None) => (Spend::default(), "its price is not known".to_owned()),
        (false, Some(_)) => {
            let spend = till.pay(site, usage);
            (spend, format!("{} ({})", money('¥', spend.cny), money('$', spend.usd)))
        }
    };
    let simulated = if site.is_simulated() { ", simulated" } else { "" };
    let detail = format!(
        "{} answers{first}; {} + {} tokens{counted}, {price}{simulated}",
        site.models[0], usage.input, usage.output
    );
    let note = Note::ok(detail).took(took).fact("model", site.models[0]).fact("usage_estimated", usage.estimated);
    let note = note.fact("input_tokens", usage.input).fact("output_tokens", usage.output);
    note.fact("cny", spend.cny).fact("usd", spend.usd).fact("ttft_ms", ttft.map(ms))
}

fn failed(site: &Site<'_>, failure: &Failure, told: &Told) -> Note {
    let model = site.models[0];
    let said = format!("{model}: {}", failure.detail);
    let key = site.route.api_key_env.as_deref().unwrap_or("api_key_env, which is not set");
    let mend = match failure.kind {
        FailureKind::Status(401) => format!("check the key in {key}; it is sent as {}", header_of(site.dialect)),
        FailureKind::Status(402) => "top up the account".to_owned(),
        FailureKind::Status(403) => format!("the key in {key} may not call {model} here: see its permissions"),
        FailureKind::Status(404) => not_found(site, told),
        FailureKind::Status(429) if failure.permanent => "the account's quota is used up: top it up".to_owned(),
        FailureKind::Status(429) => {
            return Note::warn(said, "the key is at its rate limit already: what else uses it?");
        }
        FailureKind::Status(400..=499) => {
            "the provider refuses the request as the profile has it: see its words, then [workload]".to_owned()
        }
        FailureKind::Status(_) => "the provider is in trouble: see its status page, and try again".to_owned(),
        FailureKind::Timeout => {
            format!(
                "a check waits {} at most: is the model slow to load, or {} wrong?",
                in_words(ms(LONGEST)),
                site.address
            )
        }
        FailureKind::Stream => format!("the answer is not what dialect = \"{}\" says", site.dialect.name()),
        FailureKind::Connect | FailureKind::Pool | FailureKind::Other => {
            return Note::of_error(&said).or_mend(&format!("see the server's log, and {}", site.address));
        }
    };
    Note::fail(said, mend)
}

fn not_found(site: &Site<'_>, told: &Told) -> String {
    let names = told.names.iter().flatten().map(String::as_str);
    match nearest(site.models[0], names) {
        Some(name) if name != site.models[0] => format!("did you mean \"{name}\"? then set workload.model"),
        _ => format!(
            "check the model's name, that {} ends with the version (…/v1), and that dialect = \"{}\" is what is spoken there",
            site.address,
            site.dialect.name()
        ),
    }
}

/// What may be spent on calls to real endpoints, said before any is made; `None` when there is none.
pub fn announcement<'s, 'a: 's>(sites: impl Iterator<Item = &'s Site<'a>>, till: &Till) -> Option<String> {
    let mut most = Some(Spend::default());
    let mut calls = 0;
    for site in sites.filter(|site| !site.is_simulated()) {
        calls += 1;
        most = match (most, till.at_most(site)) {
            (Some(mut sum), Some(one)) => {
                sum += one;
                Some(sum)
            }
            _ => None,
        };
    }
    let cost = match most {
        Some(most) => format!("at most {} ({})", money('¥', most.cny), money('$', most.usd)),
        None => "a fraction of a cent".to_owned(),
    };
    let each = if calls == 1 { "one call" } else { "one call each" };
    let to = if calls == 1 { "a real endpoint".to_owned() } else { format!("{calls} real endpoints") };
    (calls > 0).then(|| format!("{each} of 1 token to {to} may cost {cost}; --no-call leaves it out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_is_within_what_is_set_aside() {
        assert!(PROMPT.len() as u32 <= MOST.input / 4);
    }
}

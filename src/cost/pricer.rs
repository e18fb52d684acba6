//! The price of each lane of a profile, and the bill of a ledger at these prices.
//! Must not know histograms, clocks or reports.

use std::collections::HashMap;

use super::book::{Currency, PriceBook};
use super::{Bill, Projection, Saved, Spend};
use crate::chat::{Lane, Usage};
use crate::metrics::{Ledger, LedgerRow, Tokens};
use crate::profile::{Cost, Profile};

/// USD per million tokens of a model on a route, and what a USD costs there.
///
/// A model with a USD list price is paid in USD, at the route's `cny_per_usd`. A model with an RMB list price alone is
/// paid in RMB as listed, whatever the route: its USD price is the RMB one at the market rate, and the exchange saves
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LanePrice {
    pub input: f64,
    pub cached_input: f64,
    pub cache_write: f64,
    pub cache_write_1h: f64,
    pub output: f64,
    pub cny_per_usd: f64,
}

impl LanePrice {
    /// List price in USD.
    pub fn usd(&self, tokens: &Tokens) -> f64 {
        let cached = tokens.cached_input.min(tokens.input);
        let written = tokens.cache_write.min(tokens.input - cached);
        let written_1h = tokens.cache_write_1h.min(written);
        let parts = [
            (tokens.input - cached - written, self.input),
            (cached, self.cached_input),
            (written - written_1h, self.cache_write),
            (written_1h, self.cache_write_1h),
            (tokens.output, self.output),
        ];
        parts.into_iter().map(|(tokens, price)| tokens as f64 * price).sum::<f64>() / 1e6
    }

    pub fn spend(&self, tokens: &Tokens) -> Spend {
        let usd = self.usd(tokens);
        Spend { usd, cny: usd * self.cny_per_usd }
    }
}

/// A profile's prices, resolved once a run.
#[derive(Clone, Debug)]
pub struct Pricer {
    book: PriceBook,
    cost: Cost,
    /// `cny_per_usd` of the routes that set one.
    rates: HashMap<String, f64>,
    /// Of the fallback chain.
    chain: Vec<(Lane, LanePrice)>,
}

impl Pricer {
    /// `book` is taken without the profile's own prices; they are added here.
    pub fn new(profile: &Profile, book: &PriceBook) -> Self {
        let rates =
            profile.routes.iter().filter_map(|(name, route)| Some((name.clone(), route.cny_per_usd?))).collect();
        let mut pricer =
            Self { book: book.with(&profile.cost.prices), cost: profile.cost.clone(), rates, chain: Vec::new() };
        let lanes = profile.chain().map(|(model, route)| Lane { model: model.into(), route: route.into() });
        pricer.chain = lanes.map(|lane| (lane.clone(), pricer.resolve(&lane))).collect();
        pricer
    }

    pub fn price(&self, lane: &Lane) -> LanePrice {
        let known = self.chain.iter().find(|(known, _)| known == lane);
        known.map_or_else(|| self.resolve(lane), |(_, price)| *price)
    }

    fn resolve(&self, lane: &Lane) -> LanePrice {
        let market = self.cost.cny_per_usd;
        let rate = self.rates.get(&*lane.route).copied().unwrap_or(market);
        let Some(list) = self.book.model(&lane.model).and_then(|model| model.list()) else {
            return LanePrice { cny_per_usd: rate, ..LanePrice::default() };
        };
        let (in_usd, cny_per_usd) = match list.currency {
            Currency::Usd => (1.0, rate),
            Currency::Cny => (1.0 / market, market),
        };
        LanePrice {
            input: list.input * in_usd,
            cached_input: list.cached() * in_usd,
            cache_write: list.written() * in_usd,
            cache_write_1h: list.written_1h() * in_usd,
            output: list.output * in_usd,
            cny_per_usd,
        }
    }

    /// What was paid: answers by models, and failed attempts that were billed all the same.
    pub fn spend(&self, ledger: &Ledger) -> Spend {
        let mut spend = Spend::default();
        for row in ledger.rows() {
            let price = self.price(&row.lane);
            spend += price.spend(&row.billed);
            spend += price.spend(&row.lost);
        }
        spend
    }

    pub fn bill(&self, ledger: &Ledger) -> Bill {
        let Spend { usd, cny } = self.spend(ledger);
        let (successes, _) = ledger.answered();
        let per_call = |money: f64| (successes > 0).then(|| money / successes as f64);
        let per_day = |money: f64| per_call(money).unwrap_or(0.0) * self.cost.calls_per_day as f64;
        let (mut saved, mut avoided) = (Saved::default(), Spend::default());
        for row in ledger.rows() {
            self.add_savings(row, &mut saved);
            avoided += self.price(&row.lane).spend(&asked_again(&row.avoided));
        }
        saved.by_cache = avoided.cny;
        Bill {
            usd,
            cny,
            usd_per_1k: per_call(usd).map(|usd| usd * 1000.0),
            cny_per_1k: per_call(cny).map(|cny| cny * 1000.0),
            projection: Projection {
                calls_per_day: self.cost.calls_per_day,
                usd_per_day: per_day(usd),
                cny_per_day: per_day(cny),
                cny_per_month: per_day(cny) * 30.0,
            },
            avoided,
            saved,
        }
    }

    fn add_savings(&self, row: &LedgerRow, saved: &mut Saved) {
        let price = self.price(&row.lane);
        let billed = price.usd(&row.billed);
        if row.lane != row.asked {
            let asked = self.price(&row.asked);
            let rate = asked.cny_per_usd.min(price.cny_per_usd);
            saved.by_fallback += asked.usd(&row.billed) * rate - billed * price.cny_per_usd;
        }
        saved.by_exchange += (billed + price.usd(&row.lost)) * (self.cost.cny_per_usd - price.cny_per_usd);
    }

    /// What one attempt with these tokens costs at most, on whichever lane of the chain: what a budget stop
    /// sets aside for each call in flight. The prompt cache may serve none of its input, and be written or not.
    pub fn attempt_at_most(&self, usage: &Usage) -> Spend {
        let of = |usage: Usage| {
            let mut tokens = Tokens::default();
            tokens.add(&usage);
            tokens
        };
        let written = Usage { cached_input: 0, ..*usage };
        let either = [of(written), of(Usage { cache_write: 0, cache_write_1h: 0, ..written })];
        self.chain
            .iter()
            .flat_map(|(_, price)| either.iter().map(|tokens| price.spend(tokens)))
            .fold(Spend::default(), |most, spend| Spend { usd: most.usd.max(spend.usd), cny: most.cny.max(spend.cny) })
    }

    /// The newest date among the prices in use; "profile" when all are the profile's own.
    pub fn prices_as_of(&self) -> &str {
        let dates = self.chain.iter().filter_map(|(lane, _)| self.book.model(&lane.model)?.list()?.date.as_deref());
        dates.max().unwrap_or("profile")
    }

    pub fn market_cny_per_usd(&self) -> f64 {
        self.cost.cny_per_usd
    }

    /// Models of the chain without a price: their tokens are counted as free.
    pub fn unpriced(&self) -> impl Iterator<Item = &str> {
        let models = self.chain.iter().map(|(lane, _)| &*lane.model);
        models.filter(|model| !self.book.has_price(model))
    }
}

/// A cache repeats what an answer counted when it was made. Were its prompt sent once more, the provider would serve what
/// it took then: taking it anew costs many times as much, and would not have been saved.
fn asked_again(tokens: &Tokens) -> Tokens {
    let cached_input = tokens.cached_input + tokens.cache_write;
    Tokens { cached_input, cache_write: 0, cache_write_1h: 0, ..*tokens }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Hop, Money, Price, Route};

    const M: u64 = 1_000_000;

    fn bill(ledger: &Ledger, profile: &Profile, book: &PriceBook) -> Bill {
        Pricer::new(profile, book).bill(ledger)
    }

    fn lane(model: &str, route: &str) -> Lane {
        Lane { model: model.into(), route: route.into() }
    }

    fn tokens(input: u64, cached_input: u64, output: u64) -> Tokens {
        Tokens { input, cached_input, output, ..Tokens::default() }
    }

    /// `direct` at the market's 7.3, `gateway` at 1.0; asks gpt-4.1 on the gateway.
    fn profile() -> Profile {
        let mut profile = Profile::default();
        profile.routes.insert("direct".into(), Route::default());
        profile.routes.insert("gateway".into(), Route { cny_per_usd: Some(1.0), ..Route::default() });
        profile.stack.route = "gateway".into();
        profile
    }

    fn billed(lane: &Lane, answers: u64, tokens: Tokens) -> Ledger {
        let mut ledger = Ledger::default();
        let row = ledger.row(lane, lane);
        row.answers = answers;
        row.billed = tokens;
        ledger
    }

    #[track_caller]
    fn close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{actual} is not {expected}");
    }

    #[test]
    fn half_a_billion_output_tokens_of_gpt_4_1_cost_4000_dollars_and_the_exchange_saves_25200_yuan() {
        let output = tokens(0, 0, 500 * M);
        let direct = bill(&billed(&lane("gpt-4.1", "direct"), 1, output), &profile(), PriceBook::builtin());
        close(direct.usd, 4_000.0);
        close(direct.cny, 29_200.0);
        close(direct.saved.by_exchange, 0.0);
        let gateway = bill(&billed(&lane("gpt-4.1", "gateway"), 1, output), &profile(), PriceBook::builtin());
        close(gateway.usd, 4_000.0);
        close(gateway.cny, 4_000.0);
        close(gateway.saved.by_exchange, 25_200.0);
        close(gateway.saved.total(), 25_200.0);
    }

    #[test]
    fn cached_input_costs_its_price_or_without_one_that_of_input() {
        let of =
            |model| bill(&billed(&lane(model, "gateway"), 1, tokens(3 * M, M, M)), &profile(), PriceBook::builtin());
        close(of("gpt-4.1").usd, 2.0 * 2.0 + 0.5 + 8.0);
        close(of("qwen-max").usd, 3.0 * 1.6 + 6.4);
    }

    #[test]
    fn input_written_to_the_prompt_cache_costs_its_price_and_for_an_hour_twice_that_of_input() {
        let of = |model, cache_write_1h| {
            let tokens = Tokens { cache_write: 4 * M, cache_write_1h, ..tokens(10 * M, 3 * M, M) };
            bill(&billed(&lane(model, "gateway"), 1, tokens), &profile(), PriceBook::builtin()).usd
        };
        // 3 fresh at 2, 3 read at 0.1, 4 written at 2.5 (of which 1 at 4), 1 out at 10.
        close(of("claude-sonnet-5-5", 0), 3.0 * 2.0 + 3.0 * 0.1 + 4.0 * 2.5 + 10.0);
        close(of("claude-sonnet-5-5", M), 3.0 * 2.0 + 3.0 * 0.1 + 3.0 * 2.5 + 4.0 + 10.0);
        // No price of its own: as plain input.
        close(of("gpt-4.1", M), 7.0 * 2.0 + 3.0 * 0.5 + 8.0);
        close(of("deepseek-flash", 0), 7.0 * 0.3 + 3.0 * 0.006 + 1.2);
    }

    #[test]
    fn money_is_set_aside_for_input_that_is_written_to_the_prompt_cache() {
        let mut profile = profile();
        profile.workload.model = "claude-sonnet-5-5".into();
        let pricer = Pricer::new(&profile, PriceBook::builtin());
        let usage = Usage { input: 1_000_000, cache_write: 1_000_000, ..Usage::default() };
        close(pricer.attempt_at_most(&usage).usd, 2.5);
        close(pricer.attempt_at_most(&Usage { cache_write_1h: 1_000_000, ..usage }).usd, 4.0);
        let own = Price { input: 2.0, cached_input: None, cache_write: Some(1.0), output: 2.0 };
        profile.cost.prices.insert("claude-sonnet-5-5".into(), own);
        close(Pricer::new(&profile, PriceBook::builtin()).attempt_at_most(&usage).usd, 2.0);
    }

    #[test]
    fn a_model_with_an_rmb_price_alone_is_paid_in_rmb_as_listed() {
        let bill = bill(&billed(&lane("qwen3-max", "gateway"), 1, tokens(M, 0, M)), &profile(), PriceBook::builtin());
        close(bill.cny, 12.5);
        close(bill.usd, 12.5 / 7.3);
        close(bill.saved.by_exchange, 0.0);
    }

    #[test]
    fn answers_from_caches_are_free_and_counted_as_saved() {
        let asked = lane("gpt-4.1", "gateway");
        let mut ledger = billed(&asked, 1, tokens(M, 0, M));
        let row = ledger.row(&asked, &asked);
        row.avoided_answers = 3;
        row.avoided = tokens(3 * M, 0, 3 * M);
        let bill = bill(&ledger, &profile(), PriceBook::builtin());
        close(bill.usd, 10.0);
        close(bill.usd_per_1k.unwrap(), 2_500.0);
        close(bill.saved.by_cache, 30.0);
        close(bill.projection.usd_per_day, 2.5 * 5e6);
        close(bill.projection.cny_per_month, 2.5 * 5e6 * 30.0);
    }

    #[test]
    fn what_a_prompt_cache_had_taken_before_is_saved_at_the_price_of_serving_it() {
        let asked = lane("claude-sonnet-5-5", "gateway");
        let mut ledger = billed(&asked, 1, Tokens { cache_write: M, cache_write_1h: M, ..tokens(M, 0, 0) });
        let row = ledger.row(&asked, &asked);
        row.avoided_answers = 2;
        row.avoided = Tokens { cache_write: 2 * M, cache_write_1h: 2 * M, ..tokens(4 * M, M, M) };
        let bill = bill(&ledger, &profile(), PriceBook::builtin());
        close(bill.usd, 4.0);
        // 1 fresh at 2, 1 read and 2 written, all now read, at 0.1, 1 out at 10.
        close(bill.avoided.usd, 2.0 + 3.0 * 0.1 + 10.0);
    }

    #[test]
    fn failed_attempts_that_were_billed_are_paid() {
        let asked = lane("gpt-4.1", "gateway");
        let mut ledger = billed(&asked, 1, tokens(M, 0, M));
        ledger.row(&asked, &asked).lost = tokens(M, 0, 0);
        let bill = bill(&ledger, &profile(), PriceBook::builtin());
        close(bill.usd, 12.0);
        close(bill.saved.by_exchange, 12.0 * 6.3);
    }

    #[test]
    fn a_cheaper_fallback_saves_the_difference_of_the_models_and_the_exchange_its_own() {
        let mut profile = profile();
        profile.stack.route = "direct".into();
        let (asked, answered) = (lane("gpt-4.1", "direct"), lane("gpt-4o-mini", "gateway"));
        let mut ledger = Ledger::default();
        let row = ledger.row(&asked, &answered);
        row.answers = 1;
        row.billed = tokens(M, 0, M);
        let bill = bill(&ledger, &profile, PriceBook::builtin());
        close(bill.cny, 0.75);
        close(bill.saved.by_fallback, 10.0 - 0.75);
        close(bill.saved.by_exchange, 0.75 * 6.3);
        assert!(bill.saved.total() <= 10.0 * 7.3 - bill.cny, "more is saved than the dearest way would have cost");
    }

    #[test]
    fn a_fallback_to_a_dearer_rate_is_held_against_what_the_asked_lane_would_have_cost() {
        let (asked, answered) = (lane("gpt-4.1", "gateway"), lane("gpt-4o-mini", "direct"));
        let mut ledger = Ledger::default();
        let row = ledger.row(&asked, &answered);
        row.answers = 1;
        row.billed = tokens(M, 0, M);
        let bill = bill(&ledger, &profile(), PriceBook::builtin());
        close(bill.cny, 0.75 * 7.3);
        close(bill.saved.by_fallback, 10.0 - 0.75 * 7.3);
        close(bill.saved.by_exchange, 0.0);
    }

    #[test]
    fn without_successes_there_is_no_price_of_a_thousand_calls() {
        let bill = bill(&Ledger::default(), &profile(), PriceBook::builtin());
        assert_eq!((bill.usd_per_1k, bill.cny_per_1k), (None, None));
        assert_eq!(bill.projection, Projection { calls_per_day: 5_000_000, ..Projection::default() });
    }

    #[test]
    fn a_budget_is_used_in_its_own_currency_and_reserved_at_the_dearest_lane() {
        let mut profile = profile();
        profile.stack.fallback = vec![
            Hop { model: "gpt-4o".into(), route: None },
            Hop { model: "gpt-4o-mini".into(), route: Some("direct".into()) },
        ];
        let pricer = Pricer::new(&profile, PriceBook::builtin());
        let spent = pricer.spend(&billed(&lane("gpt-4.1", "direct"), 1, tokens(M, 0, M)));
        close(spent.in_currency_of(Money::Usd(5.0)), 10.0);
        close(spent.in_currency_of(Money::Cny(5.0)), 73.0);
        let most = pricer.attempt_at_most(&Usage { input: 1_000_000, output: 1_000_000, ..Usage::default() });
        close(most.usd, 12.5);
        close(most.cny, 12.5);
    }

    #[test]
    fn prices_in_use_say_their_date_and_a_model_without_one_is_named() {
        let mut profile = profile();
        assert_eq!(Pricer::new(&profile, PriceBook::builtin()).prices_as_of(), "2026-11-22");
        profile.workload.model = "mine".into();
        let pricer = Pricer::new(&profile, PriceBook::builtin());
        assert_eq!(pricer.unpriced().collect::<Vec<_>>(), ["mine"]);
        profile
            .cost
            .prices
            .insert("mine".into(), Price { input: 1.0, cached_input: None, cache_write: None, output: 2.0 });
        let pricer = Pricer::new(&profile, PriceBook::builtin());
        assert_eq!(pricer.unpriced().count(), 0);
        assert_eq!(pricer.prices_as_of(), "profile");
        close(pricer.bill(&billed(&lane("mine", "gateway"), 1, tokens(M, 0, M))).usd, 3.0);
    }
}

//! The budget of a run: no call begins whose cost could carry the run beyond it.
//! Must not know who asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::chat::{Lane, Usage};
use crate::cost::{PriceBook, Pricer, Spend};
use crate::metrics::Tokens;
use crate::plan::Workload;
use crate::profile::{Money, Profile, PromptCaching, Prompts};
use crate::stack::{Outcome, ServedBy};

/// Money that one load may spend, or several that take turns. In billionths of the budget's currency.
#[derive(Debug)]
pub struct Fund {
    budget: Money,
    limit: u64,
    spent: AtomicU64,
    refused: AtomicBool,
}

impl Fund {
    /// `None` for a profile without a budget.
    pub fn of(profile: &Profile) -> Option<Arc<Self>> {
        let budget = profile.limits.budget?;
        let limit = (budget.amount() * 1e9) as u64;
        Some(Arc::new(Self { budget, limit, spent: AtomicU64::new(0), refused: AtomicBool::new(false) }))
    }
}

/// One load's access to a fund. Each call under way sets aside what the dearest one may cost.
#[derive(Debug)]
pub struct Purse {
    pricer: Pricer,
    fund: Arc<Fund>,
    under_way: AtomicU64,
    /// As far as sizes tell beforehand, and the dearest call so far.
    dearest: AtomicU64,
}

impl Purse {
    pub fn new(fund: Arc<Fund>, profile: &Profile, workload: &Workload) -> Self {
        let pricer = Pricer::new(profile, PriceBook::builtin());
        let dearest = billionths(pricer.attempt_at_most(&largest(profile, workload)), fund.budget);
        Self { pricer, fund, under_way: AtomicU64::new(0), dearest: AtomicU64::new(dearest) }
    }

    /// Sets money for `n` calls aside; `false` when there is too little left. The first refusal is final.
    pub fn begin(&self, n: u32) -> bool {
        let under_way = self.under_way.fetch_add(u64::from(n), Relaxed) + u64::from(n);
        let most = under_way.saturating_mul(self.dearest.load(Relaxed)).saturating_add(self.fund.spent.load(Relaxed));
        if most > self.fund.limit {
            self.give_back(n);
            self.fund.refused.store(true, Relaxed);
        }
        !self.is_refused()
    }

    /// `n` calls do not take place after all.
    pub fn give_back(&self, n: u32) {
        self.under_way.fetch_sub(u64::from(n), Relaxed);
    }

    /// A call is over: its cost takes the place of what was set aside.
    pub fn settle(&self, outcome: &Outcome) {
        let cost = billionths(self.cost(outcome), self.fund.budget);
        self.dearest.fetch_max(cost, Relaxed);
        self.fund.spent.fetch_add(cost, Relaxed);
        self.give_back(1);
    }

    pub fn is_refused(&self) -> bool {
        self.fund.refused.load(Relaxed)
    }

    fn cost(&self, outcome: &Outcome) -> Spend {
        let mut cost = Spend::default();
        let mut pay = |lane: &Lane, usage: &Usage| {
            let mut tokens = Tokens::default();
            tokens.add(usage);
            cost += self.pricer.price(lane).spend(&tokens);
        };
        for attempt in &outcome.tries {
            attempt.lost.iter().for_each(|usage| pay(&attempt.lane, usage));
        }
        if let Ok(served) = &outcome.result
            && served.by == ServedBy::Model
        {
            pay(&served.lane, &served.usage);
        }
        cost
    }
}

fn billionths(spend: Spend, budget: Money) -> u64 {
    (spend.in_currency_of(budget) * 1e9).ceil() as u64
}

/// A call that few exceed.
fn largest(profile: &Profile, workload: &Workload) -> Usage {
    let input = workload.most_input();
    Usage {
        input,
        cached_input: 0,
        // Some providers write each prompt to their cache unasked.
        cache_write: input,
        cache_write_1h: if may_write_for_an_hour(profile) { input } else { 0 },
        output: profile.workload.max_tokens,
        estimated: true,
    }
}

/// A route asks for it, or prompts of a file may carry `cache_control` of their own.
fn may_write_for_an_hour(profile: &Profile) -> bool {
    let asked = profile.routes.values().any(|route| route.prompt_cache == PromptCaching::OneHour);
    let workload = &profile.workload;
    let own = workload.classes.iter().filter_map(|class| class.prompts.as_ref());
    asked || own.chain([&workload.prompts]).any(|prompts| matches!(prompts, Prompts::File { .. }))
}

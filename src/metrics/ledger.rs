//! Tokens by who answered: what the `cost` room turns into money.

use crate::chat::{Lane, Usage};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// All input tokens, cached ones included.
    pub input: u64,
    /// Of `input`, those the provider's prompt cache served.
    pub cached_input: u64,
    /// Of `input`, those written to the provider's prompt cache.
    pub cache_write: u64,
    /// Of `cache_write`, those kept for an hour.
    pub cache_write_1h: u64,
    pub output: u64,
}

impl Tokens {
    pub fn add(&mut self, usage: &Usage) {
        self.input += u64::from(usage.input);
        self.cached_input += u64::from(usage.cached_input);
        self.cache_write += u64::from(usage.cache_write);
        self.cache_write_1h += u64::from(usage.cache_write_1h);
        self.output += u64::from(usage.output);
    }

    pub fn merge(&mut self, other: &Self) {
        self.input += other.input;
        self.cached_input += other.cached_input;
        self.cache_write += other.cache_write;
        self.cache_write_1h += other.cache_write_1h;
        self.output += other.output;
    }
}

/// What one lane answered and billed, for calls that first asked another (or the same).
#[derive(Clone, Debug)]
pub struct LedgerRow {
    pub asked: Lane,
    pub lane: Lane,
    /// Successful calls that a model answered.
    pub answers: u64,
    /// Their tokens.
    pub billed: Tokens,
    /// Tokens of failed attempts that were billed all the same.
    pub lost: Tokens,
    /// Successful calls that a cache or another call's answer served.
    pub avoided_answers: u64,
    /// The tokens they would have cost.
    pub avoided: Tokens,
}

#[derive(Clone, Debug, Default)]
pub struct Ledger {
    rows: Vec<LedgerRow>,
}

impl Ledger {
    pub fn rows(&self) -> &[LedgerRow] {
        &self.rows
    }

    /// The row of `lane` for calls that asked `asked`, made when it is new. There are as many as the chain is long,
    /// so a linear search beats a map.
    pub fn row(&mut self, asked: &Lane, lane: &Lane) -> &mut LedgerRow {
        let found = self.rows.iter().position(|row| row.lane.is(lane) && row.asked.is(asked));
        let at = found.unwrap_or_else(|| {
            self.rows.push(LedgerRow {
                asked: asked.clone(),
                lane: lane.clone(),
                answers: 0,
                billed: Tokens::default(),
                lost: Tokens::default(),
                avoided_answers: 0,
                avoided: Tokens::default(),
            });
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }

    pub fn merge(&mut self, other: &Self) {
        for theirs in &other.rows {
            let mine = self.row(&theirs.asked, &theirs.lane);
            mine.answers += theirs.answers;
            mine.billed.merge(&theirs.billed);
            mine.lost.merge(&theirs.lost);
            mine.avoided_answers += theirs.avoided_answers;
            mine.avoided.merge(&theirs.avoided);
        }
    }

    /// Successful calls, and among them those another model than the asked one answered.
    pub fn answered(&self) -> (u64, u64) {
        self.rows.iter().fold((0, 0), |(all, fallback), row| {
            let answers = row.answers + row.avoided_answers;
            (all + answers, fallback + if row.lane.model == row.asked.model { 0 } else { answers })
        })
    }
}

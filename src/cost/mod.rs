//! Tokens -> money: price book, exchange, projection.
//! Must not know how the tokens came about.
//!
//! ```text
//! built-in book + profile's prices --Pricer--> price of each lane --x Ledger--> Bill
//! ```

mod book;
mod pricer;

pub use book::{Currency, ListPrice, ModelPrices, PriceBook};
pub use pricer::{LanePrice, Pricer};

use crate::profile::Money;

/// The money of a set of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bill {
    pub usd: f64,
    /// What is paid, in RMB.
    pub cny: f64,
    /// Over successes; `None` without any.
    pub usd_per_1k: Option<f64>,
    pub cny_per_1k: Option<f64>,
    pub projection: Projection,
    /// What the answers from caches would have cost.
    pub avoided: Spend,
    pub saved: Saved,
}

/// The bill at the profile's `calls_per_day`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Projection {
    pub calls_per_day: u64,
    pub usd_per_day: f64,
    pub cny_per_day: f64,
    /// 30 days.
    pub cny_per_month: f64,
}

/// What was not paid, in RMB, by its cause. The causes never count the same yuan twice.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Saved {
    /// What the answers from caches would have cost on their lanes.
    pub by_cache: f64,
    /// For answers by another lane: what their tokens would have cost on the asked lane, less what they cost. Where the
    /// route that answered has the better rate, that part is `by_exchange`'s, and the asked lane is taken at it too.
    /// Negative when the fallback is the dearer one.
    pub by_fallback: f64,
    /// Against buying the same USD at the market rate.
    pub by_exchange: f64,
}

impl Saved {
    pub fn total(&self) -> f64 {
        self.by_cache + self.by_fallback + self.by_exchange
    }
}

/// An amount of list-price USD, and what is paid for it in RMB.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spend {
    pub usd: f64,
    pub cny: f64,
}

impl Spend {
    /// The amount in the currency of `money`.
    pub fn in_currency_of(&self, money: Money) -> f64 {
        match money {
            Money::Cny(_) => self.cny,
            Money::Usd(_) => self.usd,
        }
    }
}

impl std::ops::AddAssign for Spend {
    fn add_assign(&mut self, other: Self) {
        self.usd += other.usd;
        self.cny += other.cny;
    }
}

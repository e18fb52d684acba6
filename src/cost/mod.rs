//! Tokens -> money: price book, exchange, projection.
//! Must not know how the tokens came about.

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

/// What was not paid, in RMB, by its cause.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Saved {
    pub by_cache: f64,
    pub by_fallback: f64,
    pub by_exchange: f64,
}

//! What was paid and what was saved, with the prices' date. Must not know the page.

use super::markup::{Cell, element, table};
use super::plot::stacked_bar;
use crate::report::shape::Report;
use crate::report::text::format::{count, digits3, money};

pub fn section(report: &Report) -> String {
    let cost = &report.cost;
    let row = |what: &str, cny: Option<f64>, usd: Option<f64>| {
        let shown = |symbol, amount: Option<f64>| Cell::figure(amount.map_or("-".into(), |a| money(symbol, a)));
        vec![Cell::words(what), shown('¥', cny), shown('$', usd)]
    };
    let projection = &cost.projection;
    let a_day = format!("a day, at {} calls", count(projection.calls_per_day));
    let rows = [
        row("measured calls", Some(cost.cny), Some(cost.usd)),
        row("per 1,000 calls", cost.cny_per_1k, cost.usd_per_1k),
        row("all calls, with warm-up and drain", Some(cost.total_cny), Some(cost.total_usd)),
        row(&a_day, Some(projection.cny_per_day), Some(projection.usd_per_day)),
        row("a month", Some(projection.cny_per_month), None),
    ];
    let (date, rate) = (&cost.prices_as_of, digits3(cost.market_cny_per_usd));
    let mut out = table("Cost", &["", "RMB", "USD"], &rows);
    out += &element("p", "aside", &format!("prices as of {date}, market rate ¥{rate} per $1"));
    if !cost.unpriced.is_empty() {
        out += &element("p", "doubt", &format!("without a price, counted as free: {}", cost.unpriced.join(", ")));
    }
    out + &saved(report)
}

/// A cause that cost more than it saved has no place in a bar of savings, but is said.
fn saved(report: &Report) -> String {
    let saved = &report.cost.saved;
    let symbol = if saved.currency == "USD" { '$' } else { '¥' };
    let causes = [
        ("cache", "bar c", saved.by_cache),
        ("fallback", "bar a", saved.by_fallback),
        ("exchange", "bar b", saved.by_exchange),
    ];
    let parts = causes.map(|(cause, look, amount)| (look, format!("by {cause} {}", money(symbol, amount)), amount));
    let lost = parts.iter().filter(|(.., amount)| *amount < 0.0);
    let lost = lost.map(|(_, said, _)| element("p", "doubt", &format!("saved {said}: it cost more")));
    let lost: String = lost.collect();
    let title = format!("Saved in the measured window ({})", saved.currency);
    let whole = parts.iter().map(|(.., amount)| amount.max(0.0)).sum();
    format!("<div class=\"charts\">\n{}</div>\n", stacked_bar(&title, &parts, whole)) + &lost
}

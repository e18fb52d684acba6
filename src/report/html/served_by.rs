//! Who answered: a bar of the whole, with counts and shares. Must not know the page.

use super::histogram::TIERS;
use super::plot::stacked_bar;
use crate::report::shape::Report;
use crate::report::text::format::{count, percent};

pub fn chart(report: &Report) -> String {
    let tiers = &report.served_by;
    let shares = [tiers.local, tiers.redis, tiers.shared, tiers.gateway, tiers.model];
    let parts: Vec<_> = TIERS
        .iter()
        .zip(shares)
        .map(|((name, look), tier)| {
            let share = tier.share.map_or("-".to_owned(), percent);
            (*look, format!("{name} {share} ({})", count(tier.count)), tier.count as f64)
        })
        .collect();
    let whole = parts.iter().map(|(.., count)| count).sum();
    stacked_bar("Served by", &parts, whole)
}

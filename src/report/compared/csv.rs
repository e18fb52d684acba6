//! Comparison -> CSV (RFC 4180): a row a block, every figure a column named as expectations name it. What has no value is
//! empty.

use std::collections::BTreeSet;

use csv::{Terminator, WriterBuilder};

use crate::compare::Comparison;

pub fn csv(comparison: &Comparison) -> String {
    of_all([(None, comparison)])
}

/// Of several, each with its value in a column before all others.
pub fn of_all<'a>(all: impl IntoIterator<Item = (Option<&'a str>, &'a Comparison)>) -> String {
    let all: Vec<_> = all.into_iter().collect();
    let blocks = || all.iter().flat_map(|(_, one)| one.arms.iter().flat_map(|arm| &arm.blocks));
    let metrics: BTreeSet<_> = blocks().flat_map(|block| block.figures.keys()).collect();
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    let swept = all.iter().any(|(value, _)| value.is_some());
    let heads = ["block", "round", "arm", "at_s", "seconds", "succeeded", "failed"];
    let heads = swept.then_some("value").into_iter().chain(heads).chain(metrics.iter().map(|metric| metric.as_str()));
    writer.write_record(heads).expect("memory takes all of it");
    for (value, comparison) in &all {
        for record in records(comparison, &metrics) {
            writer.write_record(value.iter().map(|value| (*value).to_owned()).chain(record)).expect("as many as heads");
        }
    }
    let bytes = writer.into_inner().expect("memory takes all of it");
    String::from_utf8(bytes).expect("numbers and names are text")
}

/// In the order they were run.
fn records(comparison: &Comparison, metrics: &BTreeSet<&String>) -> Vec<Vec<String>> {
    let mut blocks: Vec<_> =
        comparison.arms.iter().flat_map(|arm| arm.blocks.iter().map(move |block| (&arm.name, block))).collect();
    blocks.sort_by_key(|(_, block)| block.at);
    let a_round = 2 * comparison.arms.len();
    let figure = |value: Option<&f64>| value.map_or(String::new(), f64::to_string);
    let record = |(arm, block): (&String, &crate::compare::BlockFacts)| {
        let fixed = [
            (block.at + 1).to_string(),
            (block.at / a_round + 1).to_string(),
            arm.clone(),
            block.at_s.to_string(),
            block.seconds.to_string(),
            block.succeeded.to_string(),
            block.failed.to_string(),
        ];
        fixed.into_iter().chain(metrics.iter().map(|metric| figure(block.figures.get(*metric)))).collect()
    };
    blocks.into_iter().map(record).collect()
}

//! The statistics of two runs at different times on made-up networks, whose truth is known: false alarms where the level
//! stays, and what is found, by intent or by a level that moved between the runs. No load.

use gatebench::compare::LEAST_BLOCKS;

use super::apart::{BLOCKS, Steady};
use super::table::Table;
use super::{Length, Problem};

const DIFFS: usize = 10_000;
const SEED: u64 = 7;

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    table.note(format!(
        "{DIFFS} diffs of equal runs, {BLOCKS} blocks each, whose blocks keep a share of the one before"
    ));
    for kept in [0.0, 0.3, 0.5] {
        let (samples, pairs) = seen(kept, BLOCKS, 1.0);
        table.at_most(&format!("{kept} kept: false alarms"), samples, 7.5, "%");
        table.at_most(&format!("{kept} kept: false alarms, in pairs"), pairs, 7.5, "%");
    }
    for (kept, blocks) in [(0.7, BLOCKS), (0.9, BLOCKS), (0.5, LEAST_BLOCKS), (0.5, 12), (0.5, 25)] {
        let (samples, pairs) = seen(kept, blocks, 1.0);
        let what = format!("{kept} kept, {blocks} blocks: false alarms; in pairs");
        table.figure(&what, format!("{samples:.1}%; {pairs:.1}%"));
    }
    for kept in [0.0, 0.5] {
        for (slower, percent) in [(1.03, 3), (1.05, 5), (1.1, 10)] {
            let (samples, pairs) = seen(kept, BLOCKS, slower);
            let what = format!("{kept} kept: {percent}% slower, by intent or drift, seen in");
            table.figure(&what, format!("{samples:.1}%; {pairs:.1}%"));
        }
    }
    Ok(())
}

/// In percent: as two samples, and in pairs.
fn seen(kept: f64, blocks: usize, slower: f64) -> (f64, f64) {
    let samples = Steady::new(kept, SEED).seen(DIFFS, |steady| steady.shift(blocks, slower));
    let pairs = Steady::new(kept, SEED).seen(DIFFS, |steady| steady.paired(blocks, slower));
    (samples * 100.0, pairs * 100.0)
}

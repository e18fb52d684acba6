//! The statistics of two runs at different times on made-up networks, whose truth is known: false alarms where the level
//! stays, what is found, and what a level that moves between the runs does. No load.

use gatebench::compare::LEAST_BLOCKS;

use super::apart::{BLOCKS, Steady};
use super::table::Table;
use super::{Length, Problem};

const PAIRS: usize = 10_000;
const SEED: u64 = 7;

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    table.note(format!(
        "{PAIRS} pairs of equal runs, {BLOCKS} blocks each, whose blocks keep a share of the one before"
    ));
    for kept in [0.0, 0.3, 0.5] {
        let alarms = Steady::new(kept, SEED).seen(PAIRS, BLOCKS, 1.0) * 100.0;
        table.at_most(&format!("{kept} kept: false alarms"), alarms, 7.5, "%");
    }
    for kept in [0.7, 0.9] {
        let alarms = Steady::new(kept, SEED).seen(PAIRS, BLOCKS, 1.0) * 100.0;
        table.figure(&format!("{kept} kept: false alarms"), format!("{alarms:.1}%"));
    }
    for blocks in [LEAST_BLOCKS, 12, 25] {
        let alarms = Steady::new(0.5, SEED).seen(PAIRS, blocks, 1.0) * 100.0;
        table.figure(&format!("0.5 kept, {blocks} blocks: false alarms"), format!("{alarms:.1}%"));
    }
    for kept in [0.0, 0.5] {
        for slower in [1.03, 1.05, 1.1] {
            let found = Steady::new(kept, SEED).seen(PAIRS, BLOCKS, slower) * 100.0;
            let percent = (slower - 1.0) * 100.0;
            table.figure(
                &format!("{kept} kept: {percent:.0}% slower by intent or by drift, seen in"),
                format!("{found:.1}%"),
            );
        }
    }
    Ok(())
}

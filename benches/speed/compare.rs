//! The statistics of a comparison on made-up networks that drift, whose truth is known: false alarms, what is found, and
//! what stopping early does. No load.

use gatebench::compare::{Effect, Verdict};

use super::series::{DRIFTS, Network, ROUNDS, effect, is_narrow, share, stopped, verdict};
use super::table::Table;
use super::{Length, Problem};

/// What is promised of 400, and enough to see it to 0.7 points.
const SERIES: [usize; 2] = [400, 4_000];
const SEED: u64 = 5;
/// From end to end, of a ratio.
const NARROW: f64 = 0.05;

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    for drift in DRIFTS {
        for series in SERIES {
            table.note(format!("{series} comparisons, drift {}", drift.name));
            of_a_drift(table, series, || Network::new(drift, SEED));
        }
    }
    let [_, many] = SERIES;
    for (slower, percent) in [(1.03, 3), (1.05, 5), (1.1, 10)] {
        let found = found(many, &mut Network::new(DRIFTS[2], SEED), slower);
        table.figure(&format!("both drifts: an arm {percent}% slower, found in"), format!("{:.1}%", found * 100.0));
    }
    let mut network = Network::new(DRIFTS[2], SEED);
    for blocks_an_arm in [12, 20, 40] {
        let rounds = blocks_an_arm / 2;
        let alarms = share(many, &mut network, |network| is_alarm(&effect(&network.interleaved(rounds, 1.0))));
        table.at_most(&format!("both drifts: false alarms, {blocks_an_arm} blocks an arm"), alarms * 100.0, 7.5, "%");
    }
    Ok(())
}

fn of_a_drift(table: &Table, series: usize, network: impl Fn() -> Network) {
    let alarms = share(series, &mut network(), |network| is_alarm(&effect(&network.interleaved(ROUNDS, 1.0))));
    table.at_most("false alarms, 40 blocks in turn", alarms * 100.0, 7.5, "%");
    let alarms = share(series, &mut network(), |network| network.alarms_one_after_the_other(2 * ROUNDS));
    table.figure("the same blocks one arm after the other, Mann-Whitney", format!("{:.1}%", alarms * 100.0));
    table.at_most("a 5% slower arm missed", 100.0 - found(series, &mut network(), 1.05) * 100.0, 10.0, "%");
    let (alarms, rounds) = stopping(series, &mut network(), |effect| is_narrow(effect, NARROW));
    table.at_most(&format!("false alarms, stopped by width after {rounds:.1} rounds"), alarms * 100.0, 7.5, "%");
    let (alarms, rounds) = stopping(series, &mut network(), is_alarm);
    let what = format!("false alarms, were it stopped by verdict ({rounds:.1} rounds)");
    table.figure(&what, format!("{:.1}%", alarms * 100.0));
}

fn is_alarm(effect: &Effect) -> bool {
    matches!(verdict(effect), Verdict::Better | Verdict::Worse)
}

fn found(series: usize, network: &mut Network, slower: f64) -> f64 {
    share(series, network, |network| verdict(&effect(&network.interleaved(ROUNDS, slower))) == Verdict::Worse)
}

/// False alarms of equal arms, and the mean number of rounds, of 30 at most.
fn stopping(series: usize, network: &mut Network, is_enough: impl Fn(&Effect) -> bool) -> (f64, f64) {
    let mut rounds = 0;
    let alarms = share(series, network, |network| {
        let seen = stopped(&network.interleaved(3 * ROUNDS, 1.0), &is_enough);
        rounds += seen.rounds;
        is_alarm(&seen)
    });
    (alarms, rounds as f64 / series as f64)
}

//! Whether a calibration says the same twice, and how near a real closed loop comes to it.

use super::measure::{median, spend};
use super::nginx::Nginx;
use super::table::Table;
use super::tools::{self, SMALL_CALLS, gatebench};
use super::{Length, Problem};

const ROUNDS: usize = 5;

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    let [mut closed, mut open, mut all_closed, mut all_open, mut took] = [const { Vec::new() }; 5];
    for _ in 0..ROUNDS {
        let said = spend(gatebench().args(["calibrate", "--again"]))?;
        let ([one, all], text) = (["1 replica,", "all cores"], &said.stdout);
        let columns = [(&mut closed, one, 0), (&mut open, one, 1), (&mut all_closed, all, 0), (&mut all_open, all, 1)];
        for (rates, line, column) in columns {
            rates.push(figure(text, line, column)?);
        }
        took.push(said.wall);
    }
    table.figure("it takes", format!("{:.1} s", median(took)));
    let figures = [
        ("closed loop, 1 replica", &closed),
        ("closed loop, all cores", &all_closed),
        ("open loop, 1 replica", &open),
        ("open loop, all cores", &all_open),
    ];
    for (what, rates) in figures {
        let middle = median(rates.iter().copied());
        let widest = rates.iter().map(|rate| (rate / middle - 1.0).abs()).fold(0.0, f64::max);
        table.figure(&format!("{what}, calls/s"), format!("{middle:.0}"));
        table.at_most("  farthest of its rounds from that", widest * 100.0, 10.0, "%");
    }
    let nginx = Nginx::start()?;
    let url = nginx.base_url();
    let mut sets = vec!["load.warmup=1s"];
    sets.extend(SMALL_CALLS);
    let run = tools::run(&["--url", &url, "--model", "gpt-4.1", "-c", "64", "-z", "5s"], &sets)?;
    let reached = run.number("/load/qps")? / median(closed) * 100.0;
    table.figure("a closed loop of 64 users against nginx reaches of it", format!("{reached:.0}%"));
    let warned = run.report.pointer("/run/warnings/0").and_then(|text| text.as_str()).unwrap_or("of nothing");
    table.note(format!("it was warned: {warned}"));
    Ok(())
}

/// The rate in a column of the line of these words.
fn figure(text: &str, words: &str, column: usize) -> Result<f64, Problem> {
    let line = text.lines().find(|line| line.contains(words)).ok_or("gatebench calibrate said something else")?;
    let rate = line.split_whitespace().filter_map(|word| word.strip_suffix("/s")).nth(column).ok_or("no rate there")?;
    Ok(rate.replace(',', "").parse()?)
}

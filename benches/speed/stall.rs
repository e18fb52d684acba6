//! Coordinated omission: a server that stops must show in the percentiles as long as it stopped.

use super::table::Table;
use super::tools::{self, SMALL_CALLS, Sim};
use super::{Length, Problem};

/// Of 10,000 calls the 1,000 due in the stop wait 1 s to 0 s, evenly: 1 in 100 of all waits 0.9 s or more.
const TRUE_P99_MS: f64 = 900.0;
const MOST_OFF_PERCENT: f64 = 5.0;

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    let sim = Sim::start(r#"preset = "local", faults = [ { at = "5s", for = "1s", kind = "hang" } ]"#)?;
    let mut sets = vec![
        "load.arrivals=constant",
        "load.warmup=0s",
        "stack.concurrency=1500",
        "stack.pool.max_connections=1500",
        "stack.pool.max_idle=1500",
    ];
    sets.extend(SMALL_CALLS);
    let run = tools::run(&["--url", sim.base_url(), "--model", "gpt-4.1", "-q", "1000", "-z", "10s"], &sets)?;
    sim.end()?;
    let p99 = run.number("/latency_ms/response/p99")?;
    table.figure("response p99", format!("{p99:.0} ms"));
    table.at_most("off 900 ms", (p99 / TRUE_P99_MS - 1.0).abs() * 100.0, MOST_OFF_PERCENT, "%");
    let missing = run.number("/load/planned")? - run.number("/load/succeeded")?;
    table.exactly("calls planned and not answered", missing.abs() as u64, 0);
    table.figure("calls planned", format!("{:.0}", run.number("/load/planned")?));
    table.figure("lag p99", format!("{:.2} ms", run.number("/latency_ms/lag/p99")?));
    Ok(())
}

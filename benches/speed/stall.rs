//! Coordinated omission: a server that stops must show in the percentiles as long as it stopped.

use super::table::{Allowed, Table};
use super::tools::{self, SMALL_CALLS, Sim};
use super::{Length, Problem};

/// Of 10,000 calls the 1,000 due in the stop wait 1 s to 0 s, evenly: a share q of all waits 1 s x (1 - 10 q) or more.
const TRUE_MS: [(&str, f64); 4] = [("mean", 50.0), ("p95", 500.0), ("p99", 900.0), ("p999", 990.0)];
/// A thousand answers at once take some 30 ms of two cores.
const ALLOWED: Allowed = Allowed { percent: 5.0, room: 30.0 };

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
    for (figure, truth) in TRUE_MS {
        let ours = run.number(&format!("/latency_ms/response/{figure}"))?;
        table.beside(&format!("response {figure}"), ours, truth, " ms", ALLOWED);
    }
    let planned = run.number("/load/planned")?;
    for (what, pointer) in
        [("sent", "/load/sent"), ("answered", "/load/succeeded"), ("samples", "/latency_ms/response/count")]
    {
        table.exactly(&format!("{what}, of {planned} planned"), run.number(pointer)? as u64, planned as u64);
    }
    table.figure("lag p99", format!("{:.2} ms", run.number("/latency_ms/lag/p99")?));
    Ok(())
}

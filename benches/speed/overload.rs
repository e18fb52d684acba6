//! Coordinated omission under overload: of an open loop beyond what is carried, every call waits for all before it.

use super::table::{Allowed, Table};
use super::tools::{self, SMALL_CALLS, Sim};
use super::{Length, Problem};

const RATE: f64 = 400.0;
const SECONDS: f64 = 10.0;
const CONNECTIONS: f64 = 40.0;
const SERVICE_MS: f64 = 200.0;

/// What the i-th call waits when c a second are carried of a: i x (1/c - 1/a); ms.
fn wait_ms(i: f64) -> f64 {
    let carried = CONNECTIONS / SERVICE_MS * 1e3;
    i * (1.0 / carried - 1.0 / RATE) * 1e3
}

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    let sim = Sim::start(&format!(r#"preset = "local", ttft = "{SERVICE_MS}ms""#))?;
    let connections =
        [format!("stack.pool.max_connections={CONNECTIONS}"), format!("stack.pool.max_idle={CONNECTIONS}")];
    let mut sets =
        vec!["load.arrivals=constant", "load.warmup=0s", "stack.concurrency=10000", "load.max_in_flight=10000"];
    sets.extend(connections.iter().map(String::as_str));
    sets.extend(SMALL_CALLS);
    let (rate, time) = (RATE.to_string(), format!("{SECONDS}s"));
    let run = tools::run(&["--url", sim.base_url(), "--model", "gpt-4.1", "-q", &rate, "-z", &time], &sets)?;
    sim.end()?;
    let allowed = Allowed { percent: 5.0, room: 0.0 };
    let calls = RATE * SECONDS;
    for (figure, share) in [("mean", 0.5), ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)] {
        let ours = run.number(&format!("/latency_ms/response/{figure}"))?;
        table.beside(&format!("response {figure}"), ours, SERVICE_MS + wait_ms(share * calls), " ms", allowed);
    }
    for (what, other) in [("sent", "planned"), ("succeeded", "planned")] {
        let (ours, wanted) = (run.number(&format!("/load/{what}"))?, run.number(&format!("/load/{other}"))?);
        table.exactly(&format!("calls {what}, of those {other}"), ours as u64, wanted as u64);
    }
    table.figure("in flight at the end, awaited and counted", format!("{:.0}", run.number("/load/drained")?));
    Ok(())
}

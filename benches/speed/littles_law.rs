//! Closed loops: users = rate x (service + think time). The report's own statement, and the same by its other figures,
//! which know nothing of it.

use super::table::{Allowed, Table};
use super::tools::{self, SMALL_CALLS, Sim};
use super::{Length, Problem};

const LOOPS: [(u32, u32); 3] = [(16, 0), (64, 20), (256, 50)];

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    for (users, think_ms) in LOOPS {
        let sim = Sim::start(r#"preset = "local", ttft = "20ms""#)?;
        let room = format!("stack.concurrency={users}");
        let connections = format!("stack.pool.max_connections={users}");
        let think = format!("load.think_time={think_ms}ms");
        let mut sets = vec!["load.warmup=1s", &room, &connections, &think];
        sets.extend(SMALL_CALLS);
        let concurrency = users.to_string();
        let run = tools::run(&["--url", sim.base_url(), "--model", "gpt-4.1", "-c", &concurrency, "-z", "8s"], &sets)?;
        let served = run.number("/attempts/total")?;
        sim.end()?;
        let allowed = Allowed { percent: 2.0, room: 0.0 };
        let what = |by: &str| format!("{users} users, {think_ms} ms think time: {by}");
        table.beside(&what("integrated"), run.number("/run/littles_law/accounted")?, users.into(), "", allowed);
        let response = run.number("/latency_ms/response/mean")?;
        let by_figures = run.number("/load/qps")? * (response + f64::from(think_ms)) / 1e3;
        table.beside(&what("qps x (response + think)"), by_figures, users.into(), "", allowed);
        let all = run.number("/load/sent")? + run.number("/load/warmup")?;
        table.exactly("  measured and warm-up calls, of all sent", all as u64, served as u64);
    }
    Ok(())
}

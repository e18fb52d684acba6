//! How much load the tool makes when nothing holds it back, and who pays for it.

use super::table::Table;
use super::tools::{self, SMALL_CALLS, Sim};
use super::{Length, Problem};

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    for replicas in ["1", "2"] {
        let sim = Sim::start(r#"preset = "local""#)?;
        let spread = format!("stack.replicas={replicas}");
        let mut sets = vec!["load.warmup=1s", &spread];
        sets.extend(SMALL_CALLS);
        let run = tools::run(&["--url", sim.base_url(), "--model", "gpt-4.1", "-c", "64", "-z", "6s"], &sets)?;
        let served = sim.end()?;
        let calls = run.number("/attempts/total")?;
        let cpu = |cpu: f64| format!("{:.3} s", cpu * 1e5 / calls);
        table.figure(&format!("calls/s, {replicas} replica(s)"), format!("{:.0}", run.number("/load/qps")?));
        table.figure("  CPU of gatebench per 100k calls", cpu(run.spent.cpu));
        table.figure("  CPU of the sim per 100k calls", cpu(served.cpu));
    }
    Ok(())
}

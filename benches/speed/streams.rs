//! Many streams at once from a simulator in another process: is the generator late, and does it see the truth?

use super::table::Table;
use super::tools::{self, Sim};
use super::{Length, Problem};

const TTFT_MS: f64 = 200.0;
const MOST_LAG_MS: f64 = 5.0;
const MOST_TTFT_OFF_MS: f64 = 2.0;

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    let sim = Sim::start(r#"preset = "local", ttft = "200ms", tokens_per_second = 50"#)?;
    // 240 tokens take 0.2 + 4.8 s, so 200 arrivals a second are 1,000 streams.
    let sets = [
        "load.arrivals=constant",
        "load.warmup=7s",
        "workload.stream=true",
        "workload.input_tokens=100",
        "workload.output_tokens=240",
        "stack.concurrency=1500",
        "stack.pool.max_connections=1500",
        "stack.pool.max_idle=1500",
    ];
    let run = tools::run(&["--url", sim.base_url(), "--model", "gpt-4.1", "-q", "200", "-z", "15s"], &sets)?;
    let served = sim.end()?;
    table.figure("streams finished well", format!("{:.0}", run.number("/load/succeeded")?));
    table.figure(
        "streams failed or dropped",
        format!("{:.0}", run.number("/load/failed")? + run.number("/load/dropped")?),
    );
    table.figure(
        "concurrent streams (finished a second x duration)",
        format!("{:.0}", run.number("/load/qps")? * run.number("/latency_ms/service/mean")? / 1e3),
    );
    table.figure("connections at the peak", format!("{:.0}", run.number("/connections/peak")?));
    table.at_most("lag p99", run.number("/latency_ms/lag/p99")?, MOST_LAG_MS, " ms");
    let off = (run.number("/latency_ms/ttft/p50")? - TTFT_MS).abs();
    table.at_most("TTFT p50, off what the sim was told", off, MOST_TTFT_OFF_MS, " ms");
    table.figure("TTFT p99", format!("{:.1} ms", run.number("/latency_ms/ttft/p99")?));
    table
        .figure("between tokens, p50 (20 ms is true)", format!("{:.2} ms", run.number("/latency_ms/inter_token/p50")?));
    let tokens = run.number("/attempts/total")? * 240.0;
    let cores = |cpu: f64| format!("{:.2} s ({:.2} us a token)", cpu, cpu * 1e6 / tokens);
    table.figure("CPU of gatebench", cores(run.spent.cpu));
    table.figure("CPU of the sim", cores(served.cpu));
    table.figure("peak memory of gatebench", format!("{:.1} MB", run.spent.peak_mb));
    Ok(())
}

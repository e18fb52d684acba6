//! Poisson arrivals as they reach a server that shares no code with us, held against a Poisson process. The tests and
//! their critical values are those that the plan has to pass, written anew.

use std::time::Instant;

use super::raw::Witness;
use super::table::Table;
use super::tools::{self, SMALL_CALLS};
use super::{Length, Problem};

/// Slow enough that a wake-up's delay is small against the gaps: at 1,000/s it would be a tenth of one.
const RATE: f64 = 200.0;
/// Chance that a Poisson process is refused: sqrt(-ln(0.001 / 2) / 2), and the normal quantile.
const KOLMOGOROV: f64 = 1.95;
const NORMAL: f64 = 3.29;

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    let witness = Witness::start()?;
    let (url, rate) = (format!("http://{}/v1", witness.authority), RATE.to_string());
    let mut sets = vec!["load.arrivals=poisson", "load.warmup=0s"];
    sets.extend(SMALL_CALLS);
    let run = tools::run(&["--url", &url, "--model", "gpt-4.1", "-q", &rate, "-z", "20s"], &sets)?;
    let came = witness.came();
    table.exactly("requests that came, of those sent", came.len() as u64, run.number("/load/sent")? as u64);
    let gaps: Vec<f64> = came.windows(2).map(|two| (two[1] - two[0]).as_secs_f64() * RATE).collect();
    let n = gaps.len() as f64;
    let (dispersion, bins) = dispersion(&came);
    let tests = [
        ("gaps: distance from the exponential", distance(&gaps), KOLMOGOROV / n.sqrt()),
        ("counts: dispersion's distance from 1", (dispersion - 1.0).abs(), NORMAL * (2.0 / bins).sqrt()),
        ("neighbouring gaps: correlation", correlation(&gaps).abs(), NORMAL / n.sqrt()),
    ];
    for (what, off, most) in tests {
        table.at_most(what, off * 100.0, (most * 1e4).round() / 1e2, "%");
    }
    for figure in ["p50", "p99"] {
        let lag = run.number(&format!("/latency_ms/lag/{figure}"))?;
        table.figure(&format!("lag {figure}, of a mean gap of {:.0} ms", 1e3 / RATE), format!("{lag:.3} ms"));
    }
    Ok(())
}

fn distance(gaps: &[f64]) -> f64 {
    let mut gaps = gaps.to_vec();
    gaps.sort_by(f64::total_cmp);
    let n = gaps.len() as f64;
    let off = (0..).zip(&gaps).map(|(i, gap)| {
        let truth = 1.0 - (-gap).exp();
        (truth - f64::from(i) / n).max(f64::from(i + 1) / n - truth)
    });
    off.fold(0.0, f64::max)
}

/// Variance / mean of the counts in whole bins of 10 expected, and how many there are.
fn dispersion(came: &[Instant]) -> (f64, f64) {
    let bin = |at: &Instant| ((*at - came[0]).as_secs_f64() * RATE / 10.0) as usize;
    let mut counts = vec![0.0; came.last().map_or(0, bin)];
    came.iter().map(bin).for_each(|bin| counts.get_mut(bin).into_iter().for_each(|count| *count += 1.0));
    let bins = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / bins;
    (counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / (bins - 1.0) / mean, bins)
}

fn correlation(gaps: &[f64]) -> f64 {
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let together: f64 = gaps.windows(2).map(|two| (two[0] - mean) * (two[1] - mean)).sum();
    together / gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>()
}

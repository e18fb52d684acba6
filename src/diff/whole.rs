//! A run's own figure by a metric's name, from its report.

use serde_json::Value;

use crate::metrics::ratio;
use crate::report::Report;

/// In the metric's unit; `None` without samples.
pub fn figure(report: &Report, metric: &str) -> Option<f64> {
    let load = &report.load;
    let finished = load.succeeded + load.failed;
    match metric {
        "qps" => load.qps,
        "goodput" => load.goodput,
        "errors" => ratio(load.failed, finished),
        "hit_rate" => report.hit_rate,
        "fallback_rate" => report.fallback_rate,
        "amplification" => report.amplification,
        "reuse" => report.connections.reuse,
        "cost.usd_per_1k" => report.cost.usd_per_1k,
        "cost.cny_per_1k" => report.cost.cny_per_1k,
        "cache_errors.redis" => Some(report.cache_errors.redis.values().sum::<u64>() as f64),
        _ => {
            let (family, member) = metric.rsplit_once('.')?;
            match family {
                "errors" => ratio(report.errors.get(member).copied().unwrap_or(0), finished),
                "hit_rate" => member_of(&report.served_by, &[member, "share"]),
                _ => member_of(&report.latency_ms, &[family, member]),
            }
        }
    }
}

/// Latencies and tiers are called in JSON as metrics are.
fn member_of(facts: &impl serde::Serialize, path: &[&str]) -> Option<f64> {
    let facts = serde_json::to_value(facts).ok()?;
    path.iter().try_fold(&facts, |value, name| value.get(name)).and_then(Value::as_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::block_metrics;
    use crate::report::tests::synthetic;

    #[test]
    fn every_metric_that_a_report_keeps_blocks_of_has_its_own_figure_there() {
        let report = synthetic::report(&[]);
        for metric in block_metrics() {
            let blocks = report.blocks.figures.get(&metric);
            let Some(of_block) = blocks.and_then(|values| values[0]) else { continue };
            // Its only block is all of the run.
            let whole = figure(&report, &metric).unwrap_or_else(|| panic!("{metric}"));
            assert!((of_block - whole).abs() <= 0.01 * whole.abs(), "{metric}: {of_block} and {whole}");
        }
        assert_eq!(figure(&report, "errors.429"), Some(0.007));
        assert_eq!(figure(&report, "service.redis.p50"), None);
    }
}

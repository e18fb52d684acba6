//! The report's figures as tables: expectations, latency, models, errors, epochs, events. Must not know the charts.

use super::markup::{Cell, table};
use crate::metrics::{Summary, ratio};
use crate::report::shape::{Judged, Report};
use crate::report::text::format::{count, digits3, money, ms, percent};
use crate::report::text::met;

fn or_dash<T>(value: Option<T>, show: impl Fn(T) -> String) -> Cell {
    Cell::figure(value.map_or("-".to_owned(), show))
}

pub fn expectations(report: &Report) -> String {
    let became = |judged: &Judged| match (judged.passed, &judged.undecided) {
        (true, _) => "✓ held",
        (false, None) => "✗ failed",
        (false, Some(_)) => "? could not be judged",
    };
    let row =
        |judged: &Judged| vec![Cell::words(&judged.expect), Cell::words(became(judged)), Cell::words(met(judged))];
    let rows: Vec<_> = report.expectations.iter().map(row).collect();
    table("Expectations", &["expected", "verdict", "actual"], &rows)
}

pub fn latency(report: &Report) -> String {
    let all = &report.latency_ms;
    let metrics = [
        ("response", &all.response),
        ("service", &all.service),
        ("service, local", &all.service_local),
        ("service, redis", &all.service_redis),
        ("service, shared", &all.service_shared),
        ("service, gateway", &all.service_gateway),
        ("service, model", &all.service_model),
        ("time to first token", &all.ttft),
        ("between tokens", &all.inter_token),
        ("wait for the pool", &all.pool_wait),
        ("wait for the limit", &all.limit_wait),
        ("connect", &all.connect),
        ("generator's lag", &all.lag),
        ("whole batch", &all.batch),
    ];
    let row = |(name, summary): (&str, &Option<Summary>)| {
        let Summary { count: n, p50, p90, p99, p999, max, .. } = *summary.as_ref()?;
        let figures = [p50, p90, p99, p999, max].map(|figure| Cell::figure(ms(figure)));
        Some([Cell::words(name), Cell::figure(count(n))].into_iter().chain(figures).collect())
    };
    let rows: Vec<_> = metrics.into_iter().filter_map(row).collect();
    table("Latency", &["", "n", "p50", "p90", "p99", "p99.9", "max"], &rows)
}

pub fn models(report: &Report) -> String {
    let mut models: Vec<_> = report.models.iter().collect();
    models.sort_by_key(|(_, model)| std::cmp::Reverse(model.count));
    let rows: Vec<_> = models
        .into_iter()
        .map(|(name, model)| vec![Cell::words(name), Cell::figure(count(model.count)), or_dash(model.share, percent)])
        .collect();
    table("Models", &["answered by", "count", "share"], &rows)
}

pub fn errors(report: &Report) -> String {
    let finished = report.load.succeeded + report.load.failed;
    let example = |kind: &String| report.error_examples.get(kind).map_or("", String::as_str);
    let row = |(kind, n): (&String, &u64)| {
        let share = or_dash(ratio(*n, finished), percent);
        vec![Cell::words(kind), Cell::figure(count(*n)), share, Cell::words(example(kind))]
    };
    let rows: Vec<_> = report.errors.iter().filter(|(_, n)| **n > 0).map(row).collect();
    let cache = &report.cache_errors;
    let misses = cache.redis.iter().filter(|(_, n)| **n > 0).map(|(kind, n)| {
        let example = cache.examples.get(kind).map_or("", String::as_str);
        vec![Cell::words(kind), Cell::figure(count(*n)), Cell::words(example)]
    });
    let misses: Vec<_> = misses.collect();
    table("Errors", &["kind", "count", "of finished", "the first said"], &rows)
        + &table("Redis errors (each a miss, no failed call)", &["kind", "count", "the first said"], &misses)
}

/// What each change did; nothing of a run without one.
pub fn epochs(report: &Report) -> String {
    let rows: Vec<_> = report
        .epochs
        .iter()
        .map(|epoch| {
            let changed = if epoch.changed.is_empty() { "the start".to_owned() } else { epoch.changed.join(", ") };
            let of_response =
                |figure: fn(&Summary) -> f64| or_dash(epoch.response_ms.as_ref(), |response| ms(figure(response)));
            let per_1k = (epoch.succeeded > 0).then(|| epoch.cost_cny * 1000.0 / epoch.succeeded as f64);
            vec![
                Cell::words(epoch.epoch.to_string()),
                Cell::words(changed),
                Cell::figure(digits3(epoch.seconds)),
                Cell::figure(count(epoch.succeeded)),
                of_response(|response| response.p50),
                of_response(|response| response.p99),
                or_dash(epoch.qps, digits3),
                or_dash(epoch.hit_rate, percent),
                or_dash(per_1k, |cny| money('¥', cny)),
            ]
        })
        .collect();
    let heads = ["epoch", "what changed", "seconds", "n", "p50", "p99", "QPS", "hits", "RMB/1k"];
    if rows.len() > 1 { table("Epochs", &heads, &rows) } else { String::new() }
}

pub fn events(report: &Report) -> String {
    let rows: Vec<_> = report
        .events
        .iter()
        .map(|event| {
            vec![Cell::words(format!("{:.1}s", event.at_s)), Cell::words(&event.kind), Cell::words(&event.text)]
        })
        .collect();
    table("Events", &["at", "kind", "what"], &rows)
}

pub fn environment(report: &Report) -> String {
    let environment = &report.environment;
    let kernel = environment.kernel.as_deref().unwrap_or("-");
    let cpus = environment.cpus.to_string();
    let rows = [
        ("gatebench", report.gatebench.as_str()),
        ("build", &environment.build),
        ("system", &environment.os),
        ("kernel", kernel),
        ("architecture", &environment.arch),
        ("CPUs", &cpus),
    ];
    let rows = rows.map(|(name, value)| vec![Cell::words(name), Cell::words(value)]);
    table("Environment", &["", ""], &rows)
}

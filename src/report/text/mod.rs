//! Report -> the summary for people. Must not know the run: what it says is what JSON says.

pub mod format;
mod money;
mod page;
mod verdict;

pub use page::{Page, Style, Tone};
pub use verdict::{closing_words, in_unit, met, shortfall};

use super::shape::{Counted, LittlesLaw, Report, Share};
use crate::metrics::{Stop, Summary};
use format::{clipped, compact, count, left, money, ms, percent, right};
use page::INDENT;

/// The summary, as wide as its style says.
pub fn text(report: &Report, style: Style) -> String {
    let mut page = Page::new(style);
    header(&mut page, report);
    if report.epochs.len() > 1 {
        epochs(&mut page, report);
        if report.run.stop == Stop::Quit {
            // Nobody tuned for the mean of all settings that were tried.
            let (cny, usd) = (report.cost.total_cny, report.cost.total_usd);
            page.row("cost", &[format!("{} / {} in all", money('¥', cny), money('$', usd))]);
            return page.finish();
        }
        page.words(Tone::Doubt, "what follows is of all epochs together, under whichever settings");
        page.gap();
    }
    load(&mut page, report);
    latency(&mut page, report);
    served_by(&mut page, report);
    models(&mut page, report);
    page.gap();
    traffic(&mut page, report);
    money::rows(&mut page, report);
    verdict::expectations(&mut page, report);
    verdict::closing(&mut page, report);
    page.finish()
}

/// What was run: the profile's description, else its model and route.
pub fn name(report: &Report) -> String {
    let of_profile = |pointer| report.profile.pointer(pointer).and_then(|text| text.as_str()).unwrap_or_default();
    match of_profile("/description") {
        "" => format!("{} through {}", of_profile("/workload/model"), of_profile("/stack/route")),
        description => description.to_owned(),
    }
}

fn header(page: &mut Page, report: &Report) {
    let title = format!("gatebench {} · {}", report.gatebench, name(report));
    let title = page.paint(Tone::Heading, &clipped(&title, page.width()));
    page.line(&title);
    let run = &report.run;
    let window = format!(
        "measured {} of {} from {}",
        format::seconds(run.measured_s),
        format::seconds(run.duration_s),
        run.started_at.split('.').next().map_or_else(String::new, |at| at.trim_end_matches('Z').to_owned() + "Z"),
    );
    let (tone, word) = match (run.valid, report.load.succeeded) {
        (false, _) => (Tone::Bad, "INVALID"),
        (true, 0) => (Tone::Bad, "nothing succeeded"),
        (true, _) => (Tone::Good, "valid"),
    };
    let mut pieces = vec![(Tone::Plain, window.as_str()), (tone, word)];
    pieces.extend(stopped(run.stop).map(|stopped| (Tone::Doubt, stopped)));
    page.toned(&pieces);
    for reason in &run.invalid_because {
        page.words(Tone::Bad, &format!("INVALID: {reason}"));
    }
    if !run.insecure_routes.is_empty() {
        let routes = run.insecure_routes.join(", ");
        page.words(Tone::Doubt, &format!("certificates were not checked (insecure): {routes}"));
    }
    for warning in &run.warnings {
        page.words(Tone::Doubt, &format!("WARNING: {warning}"));
    }
    if report.environment.build == "debug" {
        page.words(Tone::Doubt, "a debug build of gatebench: build with --release before you trust its figures");
    }
    page.gap();
}

fn stopped(stop: Stop) -> Option<&'static str> {
    Some(match stop {
        Stop::Finished => return None,
        Stop::Budget => "stopped by limits.budget",
        Stop::Quit => "up to when it was asked for",
        Stop::Interrupted => "interrupted, partial",
        Stop::Terminated => "terminated, partial",
        Stop::Hopeless => "given up: no further call can succeed",
        Stop::Aborted => "aborted, partial",
    })
}

/// What each change did.
fn epochs(page: &mut Page, report: &Report) {
    let heads = ["seconds", "n", "p50", "p99", "qps", "hits", "RMB/1k"];
    page.heading("epochs", &(heads.map(|head| right(head, 8)).concat() + "  what changed"));
    for epoch in &report.epochs {
        let of_response =
            |figure: fn(&Summary) -> f64| epoch.response_ms.as_ref().map_or("-".to_owned(), |r| ms(figure(r)));
        let or_dash = |value: Option<f64>, show: fn(f64) -> String| value.map_or("-".to_owned(), show);
        let per_1k = (epoch.succeeded > 0).then(|| epoch.cost_cny * 1000.0 / epoch.succeeded as f64);
        let cells = [
            format::digits3(epoch.seconds),
            compact(epoch.succeeded as f64),
            of_response(|r| r.p50),
            of_response(|r| r.p99),
            or_dash(epoch.qps, format::digits3),
            or_dash(epoch.hit_rate, percent),
            or_dash(per_1k, format::amount),
        ];
        let changed = if epoch.changed.is_empty() { "the start".to_owned() } else { epoch.changed.join(", ") };
        let line = format!(
            "  {}{}  {changed}",
            left(&epoch.epoch.to_string(), 11),
            cells.map(|text| right(&text, 8)).concat()
        );
        page.line(&clipped(&line, page.width()));
    }
    page.gap();
}

fn load(page: &mut Page, report: &Report) {
    let load = &report.load;
    let share = |part: u64, whole: u64| crate::metrics::ratio(part, whole).map_or(String::new(), in_brackets);
    let mut pieces = vec![
        format!("{} planned", count(load.planned)),
        format!("{} sent{}", count(load.sent), load.achieved.map_or(String::new(), in_brackets)),
        format!("{} succeeded", count(load.succeeded)),
        format!("{} failed{}", count(load.failed), share(load.failed, load.succeeded + load.failed)),
        format!("{} dropped", count(load.dropped)),
    ];
    if report.run.abandoned > 0 {
        pieces.push(format!("{} no longer awaited", count(report.run.abandoned)));
    }
    page.row("load", &pieces);
    let borders = [(load.warmup, "in the warm-up, not counted"), (load.drained, "answered after the window")];
    let borders = borders.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(*n)));
    let borders: Vec<_> = borders.collect();
    if !borders.is_empty() {
        page.row("", &borders);
    }
    if let (Some(qps), Some(goodput)) = (load.qps, load.goodput) {
        let window = format::seconds(report.run.measured_s);
        let (qps, goodput) = (format::digits3(qps), format::digits3(goodput));
        page.row("", &[format!("{qps} successes/s over {window}"), format!("goodput {goodput}/s")]);
    }
    if let Some(law) = &report.run.littles_law {
        page.row("", &[littles_law(law)]);
    }
    if let Some(generator) = &report.run.generator {
        let (busiest, capacity) = (format::digits3(generator.busiest_per_s), format::digits3(generator.capacity_per_s));
        let used = percent(generator.used);
        page.row(
            "",
            &[format!("busiest second {busiest} calls/s: {used} of what this machine can generate ({capacity}/s)")],
        );
    }
}

fn littles_law(law: &LittlesLaw) -> String {
    let (users, rate, accounted) = (law.users, law.calls_per_s, law.accounted);
    let [users, rate, accounted] = [users, rate, accounted].map(format::digits3);
    let think = if law.think_ms > 0.0 { format!(" + {} think", ms(law.think_ms)) } else { String::new() };
    let verdict = if law.holds { "holds" } else { "does not hold" };
    format!(
        "Little's law {verdict}: {rate}/s x ({}{think}) = {accounted} of {users} users ({:+.1}%)",
        ms(law.service_ms),
        law.deviation * 100.0
    )
}

fn in_brackets(ratio: f64) -> String {
    format!(" ({})", percent(ratio))
}

fn latency(page: &mut Page, report: &Report) {
    let all = &report.latency_ms;
    let rows = [
        ("response", &all.response),
        ("service", &all.service),
        ("ttft", &all.ttft),
        ("inter-token", &all.inter_token),
        ("pool wait", &all.pool_wait),
        ("limit wait", &all.limit_wait),
        ("connect", &all.connect),
        ("lag", &all.lag),
        ("batch", &all.batch),
    ];
    let rows: Vec<_> = rows.into_iter().filter_map(|(name, summary)| Some((name, summary.as_ref()?))).collect();
    if rows.is_empty() {
        return;
    }
    page.gap();
    page.heading("latency", &(["p50", "p90", "p95", "p99", "p99.9", "max"].map(cell).concat() + &right("n", 12)));
    for (name, summary) in rows {
        let Summary { p50, p90, p95, p99, p999, max, count: n, .. } = *summary;
        let figures = [p50, p90, p95, p99, p999, max].map(|figure| cell(&ms(figure))).concat();
        page.line(&format!("  {}{figures}{}", left(name, 11), right(&count(n), 12)));
    }
}

fn cell(text: &str) -> String {
    right(text, 9)
}

fn served_by(page: &mut Page, report: &Report) {
    let (tiers, times) = (&report.served_by, &report.latency_ms);
    let rows = [
        ("local", tiers.local, &times.service_local),
        ("redis", tiers.redis, &times.service_redis),
        ("shared", tiers.shared, &times.service_shared),
        ("gateway", tiers.gateway, &times.service_gateway),
        ("model", tiers.model, &times.service_model),
    ];
    let hits = report.hit_rate.map_or(String::new(), |rate| format!("hit rate {}", percent(rate)));
    page.gap();
    page.heading("served by", &format!("{}{}{}   {hits}", cell("count"), cell("share"), cell("p50")));
    for (name, tier, service) in rows {
        let p50 = service.as_ref().map_or("-".to_owned(), |service| ms(service.p50));
        page.line(&format!("  {}{}{}   {}", left(name, 11), shares(&tier), cell(&p50), bar(tier.share)));
    }
}

fn shares(share: &Share) -> String {
    cell(&count(share.count)) + &cell(&share.share.map_or("-".to_owned(), percent))
}

fn bar(share: Option<f64>) -> String {
    format::bar(share.unwrap_or(0.0), 24)
}

fn models(page: &mut Page, report: &Report) {
    const NAME: usize = 29;
    if report.models.is_empty() {
        return;
    }
    let fallback = report.fallback_rate.map_or(String::new(), |rate| format!("by fallback {}", percent(rate)));
    page.gap();
    page.heading("models", &format!("{}{}{}   {fallback}", " ".repeat(NAME - 11), cell("count"), cell("share")));
    let mut by_count: Vec<_> = report.models.iter().collect();
    by_count.sort_by_key(|(_, model)| std::cmp::Reverse(model.count));
    for (name, model) in by_count {
        let share = Share { count: model.count, share: model.share };
        page.line(&format!("  {}{}   {}", left(name, NAME), shares(&share), bar(model.share)));
        for (route, answers) in &model.routes {
            let line = format!("    {}{}", left(&format!("through {route}"), NAME - 2), cell(&count(*answers)));
            let line = page.paint(Tone::Aside, &line);
            page.line(&line);
        }
    }
}

fn traffic(page: &mut Page, report: &Report) {
    let counts = |counts: &std::collections::BTreeMap<String, u64>| -> Vec<String> {
        counts.iter().filter(|(_, n)| **n > 0).map(|(name, n)| format!("{name} {}", count(*n))).collect()
    };
    let finished = report.load.succeeded + report.load.failed;
    match counts(&report.errors) {
        kinds if kinds.is_empty() => page.row("errors", &["none".to_owned()]),
        kinds => page.row("errors", &[kinds, vec![format!("of {} finished", count(finished))]].concat()),
    }
    for (kind, example) in &report.error_examples {
        page.hanging(&" ".repeat(INDENT), INDENT, Tone::Doubt, &format!("first {kind}: {example}"));
    }
    let cache_errors = counts(&report.cache_errors.redis);
    if !cache_errors.is_empty() {
        page.row("redis errors", &[cache_errors, vec!["each a miss, no failed call".to_owned()]].concat());
    }
    for (kind, example) in &report.cache_errors.examples {
        page.hanging(&" ".repeat(INDENT), INDENT, Tone::Doubt, &format!("first {kind}: {example}"));
    }
    page.row("attempts", &attempts(report));
    let failed = counts(&report.attempts.failed);
    if !failed.is_empty() {
        page.row("", &[format!("failed attempts: {}", failed.join(", "))]);
    }
    page.row("connections", &connections(report));
}

fn attempts(report: &Report) -> Vec<String> {
    let attempts = &report.attempts;
    let mut pieces = vec![format!("{} sent to routes", count(attempts.measured))];
    if attempts.total > attempts.measured {
        pieces.push(format!("{} with warm-up and drain", count(attempts.total)));
    }
    if attempts.unsent.measured > 0 {
        pieces.push(format!("{} not sent", count(attempts.unsent.measured)));
    }
    if let Some(amplification) = report.amplification {
        pieces.push(format!("{} a call past the caches", format::digits3(amplification)));
    }
    pieces
}

fn connections(report: &Report) -> Vec<String> {
    let connections = &report.connections;
    if report.profile.pointer("/stack/pool/client").is_some_and(|client| client == "reqwest") {
        let opened = format!("{} opened with warm-up and drain", count(connections.opened.total));
        return vec![opened, "reqwest tells no more of them".to_owned()];
    }
    if connections.opened.total + connections.reused.total == 0 {
        return vec!["none".to_owned()];
    }
    let mut pieces = vec![
        match connections.opened {
            Counted { measured, total } if measured == total => format!("{} opened", count(total)),
            Counted { measured, total } => format!("{} opened ({} with warm-up)", count(measured), count(total)),
        },
        format!(
            "{} reused{}",
            count(connections.reused.measured),
            connections.reuse.map_or(String::new(), in_brackets)
        ),
        format!("peak {}", count(connections.peak)),
    ];
    if connections.stale > 0 {
        pieces.push(format!("{} stale, sent again on fresh ones", count(connections.stale)));
    }
    let causes = connections.closed.iter().map(|(cause, n)| format!("{cause} {}", count(*n)));
    let causes = causes.collect::<Vec<_>>().join(", ");
    if !causes.is_empty() {
        pieces.push(format!("closed: {causes}"));
    }
    pieces
}

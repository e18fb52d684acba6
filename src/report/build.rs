//! Run -> [`Report`]: every figure taken from the run, nothing measured here.
//! Must not know text or files.

use std::collections::BTreeMap;

use base64::Engine;
use hdrhistogram::serialization::{Serializer, V2Serializer};

use super::blocks::BlockFacts;
use super::figures::{ERROR_KINDS, Figures, error_kind};
use super::heatmap::Heatmap;
use super::shape::*;
use super::validity::invalid_because;
use super::verdict::judge;
use super::{environment, littles_law, redact};
use crate::cost::{Bill, Pricer};
use crate::metrics::{Epoch, LedgerRow, Run, Stop, Tally, Time, Times, Tokens, ratio};
use crate::profile::expect::Expectation;
use crate::route::{Closing, FailureKind};
use crate::stack::{CacheError, ServedBy};

impl Report {
    /// `pricer` is of the profile that ran.
    pub fn of(run: &Run, pricer: &Pricer, expectations: &[Expectation]) -> Self {
        let tally = &run.measured;
        let bill = pricer.bill(&tally.ledger);
        let figures = Figures::of_run(run, &bill);
        let single = |name| super::metric_value(name, &figures);
        Self {
            schema: Self::SCHEMA.to_owned(),
            gatebench: env!("CARGO_PKG_VERSION").to_owned(),
            profile: redact::profile(&run.profile),
            run: run_facts(run, &figures),
            load: load_facts(run, &figures),
            latency_ms: Latencies::of(&tally.times),
            served_by: tiers(tally),
            hit_rate: tally.hit_rate(),
            fallback_rate: single("fallback_rate"),
            models: models(tally),
            errors: non_zero(ERROR_KINDS.map(|kind| (kind, figures.errors_of(kind)))),
            error_examples: examples(tally),
            cache_errors: cache_errors(tally),
            attempts: attempts(run),
            amplification: single("amplification"),
            connections: connections(run, single("reuse")),
            tokens: token_facts(tally),
            cost: cost_facts(&bill, &pricer.bill(&run.total.ledger), pricer),
            expectations: expectations.iter().map(|expectation| judge(expectation, &figures)).collect(),
            epochs: run.epochs.iter().map(epoch_facts).collect(),
            events: run.events.iter().map(event_facts).collect(),
            series: run.series.points().to_vec(),
            heatmap: Heatmap::of(run.series.points()),
            blocks: BlockFacts::of(&run.blocks, pricer),
            histograms: histograms(&tally.times),
            simulated: run.simulated.iter().cloned().collect(),
            environment: environment::here(),
        }
    }
}

fn run_facts(run: &Run, figures: &Figures) -> RunFacts {
    let mut invalid_because = invalid_because(figures);
    if run.abandoned > 0 && run.stop == Stop::Finished {
        invalid_because.push(format!("{} calls were still in flight after stack.timeout had passed", run.abandoned));
    }
    let littles_law = littles_law::of(run);
    RunFacts {
        started_at: run.started_at.to_string(),
        duration_s: run.duration.as_secs_f64(),
        measured_s: run.measured_window.as_secs_f64(),
        valid: invalid_because.is_empty(),
        invalid_because,
        warnings: littles_law.iter().filter_map(littles_law::warning).collect(),
        littles_law,
        generator: None,
        interrupted: matches!(run.stop, Stop::Interrupted | Stop::Terminated),
        stop: run.stop,
        given_up_because: run.given_up.clone(),
        aborted_because: None,
        abandoned: run.abandoned,
        insecure_routes: run.profile.unchecked_routes().map(str::to_owned).collect(),
    }
}

fn load_facts(run: &Run, figures: &Figures) -> LoadFacts {
    let tally = figures.tally;
    LoadFacts {
        planned: figures.planned,
        sent: tally.sent,
        succeeded: tally.succeeded,
        failed: tally.failed,
        dropped: figures.dropped,
        warmup: run.total.sent.saturating_sub(tally.sent),
        drained: tally.drained,
        qps: figures.per_second(tally.completed),
        goodput: figures.per_second(tally.good),
        achieved: figures.achieved(),
    }
}

impl Latencies {
    fn of(times: &Times) -> Self {
        let of = |time| times.summary(time);
        Self {
            response: of(Time::Response),
            service: of(Time::Service),
            ttft: of(Time::Ttft),
            inter_token: of(Time::InterToken),
            pool_wait: of(Time::PoolWait),
            limit_wait: of(Time::LimitWait),
            connect: of(Time::Connect),
            lag: of(Time::Lag),
            dns: of(Time::Dns),
            tcp: of(Time::Tcp),
            tls: of(Time::Tls),
            batch: of(Time::Batch),
            service_local: of(Time::ServiceLocal),
            service_redis: of(Time::ServiceRedis),
            service_shared: of(Time::ServiceShared),
            service_gateway: of(Time::ServiceGateway),
            service_model: of(Time::ServiceModel),
        }
    }
}

fn tiers(tally: &Tally) -> Tiers {
    let share = |by: ServedBy| {
        let count = tally.served_by[by as usize];
        Share { count, share: ratio(count, tally.succeeded) }
    };
    Tiers {
        local: share(ServedBy::Local),
        redis: share(ServedBy::Redis),
        shared: share(ServedBy::Shared),
        gateway: share(ServedBy::Gateway),
        model: share(ServedBy::Model),
    }
}

fn models(tally: &Tally) -> BTreeMap<String, ModelShare> {
    let mut models: BTreeMap<String, ModelShare> = BTreeMap::new();
    let answers = |row: &LedgerRow| row.answers + row.avoided_answers;
    let answered = || tally.ledger.rows().iter().filter(|row| answers(row) > 0);
    let one_route = answered().all(|row| Some(&row.lane.route) == answered().next().map(|first| &first.lane.route));
    for row in answered() {
        let model = models.entry(row.lane.model.to_string()).or_default();
        model.count += answers(row);
        if !one_route {
            *model.routes.entry(row.lane.route.to_string()).or_default() += answers(row);
        }
    }
    for model in models.values_mut() {
        model.share = ratio(model.count, tally.succeeded);
    }
    models
}

fn non_zero<'a>(counts: impl IntoIterator<Item = (&'a str, u64)>) -> BTreeMap<String, u64> {
    counts.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count)).collect()
}

fn by_kind(counts: &BTreeMap<FailureKind, u64>) -> BTreeMap<String, u64> {
    let mut named = BTreeMap::new();
    for (kind, count) in counts {
        *named.entry(error_kind(*kind).to_owned()).or_default() += count;
    }
    named
}

/// What the first failure of each kind said.
pub fn examples(tally: &Tally) -> BTreeMap<String, String> {
    let said = tally.examples.iter().filter(|(_, example)| !example.is_empty());
    said.map(|(kind, example)| (error_kind(*kind).to_owned(), example.clone())).collect()
}

fn cache_errors(tally: &Tally) -> CacheErrors {
    let count = |error: CacheError| (error.name().to_owned(), tally.cache_errors[error as usize]);
    let said = |error: CacheError| Some((error.name().to_owned(), tally.cache_examples[error as usize].clone()?));
    CacheErrors {
        redis: CacheError::ALL.map(count).into(),
        examples: CacheError::ALL.into_iter().filter_map(said).collect(),
    }
}

fn attempts(run: &Run) -> Attempts {
    let unsent = |tally: &Tally| tally.attempts.saturating_sub(tally.requests);
    Attempts {
        measured: run.measured.requests,
        total: run.total.requests,
        unsent: Counted { measured: unsent(&run.measured), total: unsent(&run.total) },
        failed: by_kind(&run.measured.failed_attempts),
        routes: route_attempts(&run.total),
    }
}

fn route_attempts(tally: &Tally) -> BTreeMap<String, RouteAttempts> {
    let mut routes: BTreeMap<String, RouteAttempts> = BTreeMap::new();
    for row in tally.lanes.rows() {
        let route = routes.entry(row.lane.route.to_string()).or_default();
        let add = |counts: &mut BTreeMap<String, u64>, more: &BTreeMap<FailureKind, u64>| {
            more.iter().for_each(|(kind, count)| *counts.entry(kind.to_string()).or_default() += count);
        };
        route.sent += row.sent;
        route.succeeded += row.sent - row.failed.values().sum::<u64>();
        add(&mut route.failed, &row.failed);
        add(&mut route.unsent, &row.unsent);
        if row.sent > 0 {
            *route.models.entry(row.lane.model.to_string()).or_default() += row.sent;
        }
    }
    routes
}

fn connections(run: &Run, reuse: Option<f64>) -> Connections {
    // The pool's own count is the truth, but not every transport has one.
    let counted = |measured, total: u64, gauge: u64| Counted { measured, total: total.max(gauge) };
    Connections {
        opened: counted(run.measured.opened, run.total.opened, run.gauges.opened),
        reused: counted(run.measured.reused, run.total.reused, run.gauges.reused),
        reuse,
        stale: run.gauges.stale,
        peak: run.gauges.peak,
        closed: non_zero(Closing::ALL.map(|cause| (cause.name(), run.gauges.closed[cause as usize]))),
    }
}

fn token_facts(tally: &Tally) -> TokenFacts {
    let mut facts = TokenFacts { estimated_answers: tally.estimated_usage, ..TokenFacts::default() };
    let all = |tokens: &Tokens| tokens.input + tokens.output;
    for row in tally.ledger.rows() {
        facts.input += row.billed.input;
        facts.cached_input += row.billed.cached_input;
        facts.cache_write += row.billed.cache_write;
        facts.cache_write_1h += row.billed.cache_write_1h;
        facts.output += row.billed.output;
        facts.lost += all(&row.lost);
        facts.avoided += all(&row.avoided);
    }
    facts
}

fn cost_facts(bill: &Bill, total: &Bill, pricer: &Pricer) -> CostFacts {
    let projection = bill.projection;
    CostFacts {
        usd: bill.usd,
        cny: bill.cny,
        usd_per_1k: bill.usd_per_1k,
        cny_per_1k: bill.cny_per_1k,
        total_usd: total.usd,
        total_cny: total.cny,
        prices_as_of: pricer.prices_as_of().to_owned(),
        market_cny_per_usd: pricer.market_cny_per_usd(),
        unpriced: pricer.unpriced().map(str::to_owned).collect(),
        projection: ProjectionFacts {
            calls_per_day: projection.calls_per_day,
            usd_per_day: projection.usd_per_day,
            cny_per_day: projection.cny_per_day,
            cny_per_month: projection.cny_per_month,
        },
        saved: SavedFacts {
            currency: "CNY".to_owned(),
            by_cache: bill.saved.by_cache,
            by_fallback: bill.saved.by_fallback,
            by_exchange: bill.saved.by_exchange,
        },
    }
}

fn epoch_facts(epoch: &Epoch) -> EpochFacts {
    let tally = &epoch.tally;
    EpochFacts {
        epoch: epoch.number,
        changed: epoch.changed.clone(),
        seconds: epoch.seconds,
        sent: tally.sent,
        succeeded: tally.succeeded,
        failed: tally.failed,
        qps: epoch.qps(),
        hit_rate: tally.hit_rate(),
        errors: tally.error_rate(),
        response_ms: tally.times.summary(Time::Response),
        ttft_ms: tally.times.summary(Time::Ttft),
        cost_usd: epoch.bill.usd,
        cost_cny: epoch.bill.cny,
    }
}

fn event_facts(event: &crate::metrics::Event) -> EventFacts {
    EventFacts { at_s: event.at.as_secs_f64(), kind: event.kind.to_owned(), text: event.text.clone() }
}

/// Of each kind of time that has values, as reports carry them.
pub fn histograms(times: &Times) -> BTreeMap<String, String> {
    let encode = |time| {
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(times.get(time).filter(|histogram| !histogram.is_empty())?, &mut bytes).ok()?;
        Some(base64::prelude::BASE64_STANDARD.encode(bytes))
    };
    Time::ALL.into_iter().filter_map(|time| Some((time.name().to_owned(), encode(time)?))).collect()
}

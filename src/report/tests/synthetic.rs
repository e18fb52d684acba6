//! A synthetic run, made call by call through the recorder's own tally.

use std::sync::Arc;
use std::time::{Duration, Instant};

use smallvec::smallvec;

use crate::chat::{Lane, Usage};
use crate::cost::{PriceBook, Pricer};
use crate::metrics::{Bands, Epoch, Event, Gauges, Point, Run, Sample, Series, Stop, Stretch, Tally};
use crate::profile::expect::Expectation;
use crate::profile::expect::LatencyBounds;
use crate::profile::{Hop, Profile, Route};
use crate::report::Report;
use crate::route::{Closing, Connect, Connection, Failure, FailureKind};
use crate::stack::{CacheError, Outcome, Served, ServedBy, Try};

pub fn ms(ms: f64) -> Duration {
    Duration::from_secs_f64(ms / 1e3)
}

fn lane(model: &str, route: &str) -> Lane {
    Lane { model: model.into(), route: route.into() }
}

pub fn attempt(lane: &Lane, connection: Connection) -> Try {
    Try {
        began: Instant::now(),
        lane: lane.clone(),
        limit_wait: Duration::ZERO,
        pool_wait: Some(ms(0.02)),
        connection: Some(connection),
        sent: true,
        failed: None,
        lost: None,
    }
}

/// Makes calls that all were intended at one moment: only differences count.
pub struct Calls {
    pub start: Instant,
    pub asked: Lane,
    pub lag: Duration,
}

impl Calls {
    pub fn new() -> Self {
        Self { start: Instant::now(), asked: lane("gpt-4.1", "gateway"), lag: ms(0.08) }
    }

    fn sample(&self, outcome: Outcome) -> Sample {
        let sent = self.start + self.lag;
        Sample {
            epoch: 0,
            ended_in: 0,
            measured: true,
            in_window: true,
            service_in_window: outcome.done - sent,
            intended: self.start,
            sent,
            outcome,
        }
    }

    /// 200 tokens in, 60 out, answered after `service`.
    pub fn answered(&self, by: ServedBy, lane: &Lane, service: Duration, tries: Vec<Try>) -> Sample {
        let done = self.start + self.lag + service;
        let streamed = matches!(by, ServedBy::Model | ServedBy::Gateway);
        let served = Served {
            by,
            lane: lane.clone(),
            usage: Usage { input: 200, output: 60, ..Usage::default() },
            first_token: streamed.then(|| self.start + self.lag + service / 4),
            last_token: streamed.then_some(done),
        };
        self.sample(Outcome {
            done,
            asked: self.asked.clone(),
            result: Ok(served),
            reached_chain: !tries.is_empty(),
            tries: tries.into(),
            cache_errors: smallvec![],
        })
    }

    pub fn failed(&self, kind: FailureKind) -> Sample {
        let detail = String::new();
        self.sample(Outcome {
            done: self.start + ms(900.0),
            asked: self.asked.clone(),
            result: Err(Failure { kind, retry_after: None, permanent: false, billed: None, detail }),
            reached_chain: true,
            tries: smallvec![attempt(&self.asked, Connection::Reused)],
            cache_errors: smallvec![CacheError::Timeout],
        })
    }
}

const OPENED: Connection = Connection::Opened(Connect {
    dns: Duration::ZERO,
    tcp: Duration::from_millis(38),
    tls: Duration::from_millis(41),
    total: Duration::from_millis(79),
});

/// 1,000 calls: 300 from the local cache, 100 from the gateway's, 480 by the first model, 110 by the second on the
/// other route after a 429 of the first, 10 failures.
pub fn tally() -> Tally {
    tally_with(300, 480)
}

/// The same, with so many calls from the local cache and by the first model.
pub fn tally_with(local: u32, model: u32) -> Tally {
    let calls = Calls::new();
    let (first, second) = (calls.asked.clone(), lane("deepseek-v3.2", "direct"));
    let mut samples = Vec::new();
    samples.extend((0..local).map(|_| calls.answered(ServedBy::Local, &first, ms(0.021), vec![])));
    samples.extend((0..100).map(|i| {
        let tries = vec![attempt(&first, Connection::Reused)];
        calls.answered(ServedBy::Gateway, &first, ms(45.0 + f64::from(i) / 10.0), tries)
    }));
    samples.extend((0..model).map(|i| {
        let connection = if i < 64 { OPENED } else { Connection::Reused };
        calls.answered(ServedBy::Model, &first, ms(600.0 + f64::from(i)), vec![attempt(&first, connection)])
    }));
    samples.extend((0..110).map(|i| {
        let tries = vec![attempt(&first, Connection::Reused), attempt(&second, Connection::Reused)];
        calls.answered(ServedBy::Model, &second, ms(1400.0 + 8.0 * f64::from(i)), tries)
    }));
    samples.extend((0..7).map(|_| calls.failed(FailureKind::Status(429))));
    samples.extend([500, 503, 401].map(|status| calls.failed(FailureKind::Status(status))));
    let mut tally = Tally::new(3);
    let bounds = LatencyBounds { response: Some(ms(2000.0)), ..LatencyBounds::default() };
    for sample in &samples {
        tally.record(sample);
        tally.record_in_window(sample, &bounds);
    }
    tally
}

pub fn profile() -> Profile {
    let mut profile = Profile { description: "support bot, evening peak".into(), ..Profile::default() };
    profile.routes.insert("gateway".into(), Route { cny_per_usd: Some(1.0), ..Route::default() });
    profile.routes.insert("direct".into(), Route::default());
    profile.stack.route = "gateway".into();
    profile.stack.fallback = vec![Hop { model: "deepseek-v3.2".into(), route: Some("direct".into()) }];
    profile
}

pub fn run_of(measured: Tally) -> Run {
    let mut closed = [0; Closing::ALL.len()];
    closed[Closing::Shutdown as usize] = 61;
    closed[Closing::IdleTimeout as usize] = 3;
    let mut series = Series::default();
    series.push(point());
    let profile = Arc::new(profile());
    let epoch = Epoch {
        number: 0,
        changed: Vec::new(),
        profile: profile.clone(),
        began: Duration::ZERO,
        seconds: 20.0,
        ended: measured.completed,
        planned: measured.sent,
        dropped: 0,
        bill: Pricer::new(&profile, PriceBook::builtin()).bill(&measured.ledger),
        tally: Arc::new(measured.clone()),
    };
    let blocks = vec![Stretch { seconds: 20.0, tally: measured.clone() }];
    Run {
        profile,
        started_at: "2026-11-23T02:00:00Z".parse().unwrap(),
        duration: Duration::from_millis(24_130),
        measured_window: Duration::from_secs(20),
        stop: Stop::Finished,
        given_up: None,
        planned: measured.sent,
        dropped: 0,
        total: measured.clone(),
        measured,
        gauges: Gauges { peak: 64, opened: 64, reused: 743, closed, ..Gauges::default() },
        abandoned: 0,
        simulated: Vec::new(),
        series,
        blocks,
        epochs: vec![epoch],
        events: vec![Event { at: Duration::from_secs(5), kind: "fallback", text: "deepseek-v3.2 took over".into() }],
    }
}

fn point() -> Point {
    Point {
        at_s: 0.0,
        seconds: 1.0,
        epoch: 0,
        warmup: false,
        begun: 50,
        sent: 50,
        succeeded: 49,
        failed: 1,
        dropped: 0,
        local: 15,
        redis: 0,
        shared: 0,
        gateway: 5,
        model: 29,
        p50_ms: Some(700.0),
        p99_ms: None,
        in_flight: 12,
        connections: 30,
        cost_usd: 0.02,
        cost_cny: 0.02,
        bands: Bands::default(),
    }
}

pub fn report_of(run: &Run, expectations: &[&str]) -> Report {
    let expectations: Vec<_> = expectations.iter().map(|text| Expectation::parse(text).unwrap()).collect();
    let mut report = Report::of(run, &Pricer::new(&run.profile, PriceBook::builtin()), &expectations);
    // Where and when the test runs must not show in a snapshot.
    report.environment.build = "release".into();
    report.gatebench = "0.1.0".into();
    report
}

pub fn report(expectations: &[&str]) -> Report {
    report_of(&run_of(tally()), expectations)
}

//! One simulated route's state: what it is set to, its limits, its gateway cache, its faults, its counts.
//! Must not know HTTP.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::profile::{FaultKind, GatewayCache, PromptCache, Simulated};

use super::answer::Answer;
use super::cache::{Cache, Meaning};
use super::faults::{Schedule, Weather};
use super::limits::{Excess, Limits, Standing};
use super::prompt_cache::{Beginning, Beginnings, Served};
use super::stats::Tally;
use super::timer::locked;
use super::wire::Distance;

pub(super) struct Provider {
    pub(super) name: String,
    pub(super) distance: Arc<Distance>,
    pub(super) tally: Arc<Tally>,
    spec: Mutex<Arc<Simulated>>,
    schedule: Mutex<Schedule>,
    limits: Mutex<Limits>,
    cache: Mutex<Cache>,
    prompts: Mutex<Beginnings>,
    seed: u64,
    drawn: AtomicU64,
}

/// What chance decides about one request.
pub(super) struct Draw {
    pub(super) id: u64,
    pub(super) fails: bool,
    pub(super) ttft: Duration,
    /// Between two tokens; zero: all at once.
    pub(super) gap: Duration,
}

/// How many times longer a slow provider takes.
const SLOW: u32 = 10;
/// No single wait is longer, whatever a distribution draws.
const LONGEST: f64 = 24.0 * 3600.0;

impl Provider {
    pub(super) fn new(name: &str, spec: Simulated, seed: u64) -> Arc<Self> {
        let now = Instant::now();
        let distance = Arc::new(Distance::default());
        distance.set(spec.rtt);
        distance.swing.set(spec.drift);
        Arc::new(Self {
            name: name.to_owned(),
            distance,
            tally: Arc::default(),
            spec: Mutex::new(Arc::new(spec)),
            schedule: Mutex::new(Schedule::starting(now)),
            limits: Mutex::new(Limits::new(now)),
            cache: Mutex::default(),
            prompts: Mutex::default(),
            seed,
            drawn: AtomicU64::new(0),
        })
    }

    pub(super) fn spec(&self) -> Arc<Simulated> {
        Arc::clone(&locked(&self.spec))
    }

    pub(super) fn set(&self, spec: Simulated) {
        self.distance.set(spec.rtt);
        self.distance.swing.set(spec.drift);
        *locked(&self.spec) = Arc::new(spec);
    }

    pub(super) fn restart_clock(&self, repeat: Option<Duration>) {
        locked(&self.schedule).restart(Instant::now(), repeat);
    }

    pub(super) fn delay_faults(&self, by: Duration) {
        locked(&self.schedule).delay(by);
    }

    pub(super) fn strike(&self, kind: FaultKind, model: Option<String>, lasts: Duration) {
        locked(&self.schedule).strike(kind, model, lasts, Instant::now());
    }

    pub(super) fn weather(&self, spec: &Simulated, model: &str) -> Weather {
        locked(&self.schedule).weather(&spec.faults, model, Instant::now())
    }

    /// The k-th request draws the same under the same seed; how far its TTFT has drifted is the moment's.
    pub(super) fn draw(&self, spec: &Simulated, weather: &Weather) -> Draw {
        let ordinal = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(self.seed.wrapping_add(ordinal));
        let seconds = |s: f64| Duration::from_secs_f64(if s.is_finite() { s.clamp(0.0, LONGEST) } else { 0.0 });
        let fails = spec.error_rate > 0.0 && rng.random::<f64>() < spec.error_rate;
        let ttft = self.distance.swing.applied(seconds(spec.ttft.sample(&mut rng, |ttft| ttft.as_secs_f64())));
        let speed = spec.tokens_per_second.sample(&mut rng, |speed| speed);
        let gap = seconds(if speed > 0.0 { speed.recip() } else { 0.0 });
        let times = if weather.is_slow { SLOW } else { 1 };
        Draw { id: rng.random(), fails, ttft: ttft * times, gap: gap * times }
    }

    pub(super) fn admit(self: &Arc<Self>, spec: &Simulated, tokens: u64) -> (Result<Slot, Excess>, Standing) {
        let mut limits = locked(&self.limits);
        let admitted = limits.admit(spec, tokens, Instant::now());
        (admitted.map(|()| Slot(Arc::clone(self))), limits.standing(spec))
    }

    /// What the prompt cache serves of a prompt, and what of it it takes, to be served from `ready` on.
    pub(super) fn read_prompt(&self, beginnings: &[Beginning], policy: &PromptCache, ready: Instant) -> Served {
        locked(&self.prompts).pass(beginnings, policy.min_tokens, Instant::now(), ready)
    }

    pub(super) fn cached(&self, key: &Meaning, policy: &GatewayCache) -> Option<Arc<Answer>> {
        locked(&self.cache).get(key, policy, Instant::now())
    }
}

/// A request in progress, under the concurrency limit until it is dropped.
pub(super) struct Slot(Arc<Provider>);

impl Drop for Slot {
    fn drop(&mut self) {
        locked(&self.0.limits).release();
    }
}

/// An answer that the gateway will cache once it is complete.
pub(super) struct Keep {
    pub(super) provider: Arc<Provider>,
    pub(super) key: Meaning,
    pub(super) policy: GatewayCache,
    pub(super) answer: Arc<Answer>,
}

impl Keep {
    pub(super) fn store(self) {
        locked(&self.provider.cache).put(self.key, self.answer, &self.policy, Instant::now());
    }
}

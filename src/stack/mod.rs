//! The policies a request passes: key, caches, single flight, limit, retry, fallback.
//! Must not know the screen, reports, or how a request travels (`route`).
//!
//! ```text
//! Call -> key -> local cache -> single flight -> Redis -> for each hop of the chain { retry { limit -> route } } -> Outcome
//! ```
//!
//! A stack is one replica's and lives on its thread. [`Stack::call`] takes the way above in `trip`; each policy on it
//! is a file of its own, its decisions plain functions of (state, now, rng).

mod fallback;
mod flight;
mod kept;
mod key;
mod limiter;
mod local;
mod managed_redis;
mod outcome;
mod redis_probe;
mod redis_tier;
mod retry;
mod stores;
mod trip;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::chat::{Lane, Name};
use crate::plan::Call;
use crate::profile::Profile;
use crate::route::{Endpoint, PoolGauge};
use flight::Flights;
use limiter::Limiter;
use local::LocalCache;
use redis_tier::RedisTier;
use stores::Stores;

pub use kept::Kept;
pub use key::{Key, cache_key};
pub use managed_redis::{ManagedRedis, ManagedRedisError};
pub use outcome::{CacheError, Outcome, Served, ServedBy, Try};
pub use redis_probe::{RedisObstacle, RedisSelf, probe_redis};

/// One replica's client stack.
pub struct Stack {
    endpoints: Vec<(Name, Rc<Endpoint>)>,
    limiter: Limiter,
    flights: Flights,
    policy: RefCell<Rc<Policy>>,
    rng: RefCell<SmallRng>,
    stores: Rc<Stores>,
    /// How long no time passed for the local cache.
    stood: Cell<Duration>,
}

/// The settings of one epoch: a call keeps those it began with.
struct Policy {
    epoch: u32,
    profile: Arc<Profile>,
    chain: Vec<Hop>,
    local: Option<Rc<LocalCache>>,
    redis: Option<Rc<RedisTier>>,
}

struct Hop {
    lane: Lane,
    endpoint: Rc<Endpoint>,
}

impl Stack {
    /// `profile`: validated, with the managed Redis's address in the place of `managed`. `endpoints`: every route of
    /// the profile, by name. `seed`: of this replica's jitter. `epoch`: the number of these settings, which is not 0
    /// for a replica that joins a load under way.
    pub fn new(profile: Arc<Profile>, endpoints: Vec<(Name, Rc<Endpoint>)>, seed: u64, epoch: u32) -> Self {
        let mut stack = Self {
            limiter: Limiter::new(profile.stack.concurrency),
            flights: Flights::default(),
            policy: RefCell::new(Rc::new(Policy {
                epoch,
                profile: profile.clone(),
                chain: Vec::new(),
                local: None,
                redis: None,
            })),
            rng: RefCell::new(SmallRng::seed_from_u64(seed)),
            stores: Rc::default(),
            stood: Cell::default(),
            endpoints,
        };
        let first = stack.policy(profile, epoch);
        stack.policy = RefCell::new(Rc::new(first));
        stack
    }

    /// One call, from its key to its outcome; it never outlives `stack.timeout`. The epoch is that of the settings
    /// it ran under.
    pub async fn call(&self, call: &Call) -> (u32, Outcome) {
        let policy = self.policy.borrow().clone();
        (policy.epoch, trip::take(self, &policy, call).await)
    }

    /// Changes settings: calls that begin from now on see them.
    pub fn apply(&self, profile: Arc<Profile>, epoch: u32) {
        self.limiter.resize(profile.stack.concurrency);
        for (name, endpoint) in &self.endpoints {
            endpoint.configure(&profile.stack.pool);
            if let Some(route) = profile.routes.get(&**name) {
                endpoint.set_gateway_cache(route.cache);
            }
        }
        let next = self.policy(profile, epoch);
        self.policy.replace(Rc::new(next));
    }

    /// The load stood for so long in all: what the local cache holds has aged by that much less.
    pub fn set_stood(&self, stood: Duration) {
        self.stood.set(stood);
    }

    /// What time it is for the local cache.
    fn local_clock(&self) -> Instant {
        Instant::now() - self.stood.get()
    }

    /// What the pools hold and have done, summed over routes.
    pub fn pools(&self) -> PoolGauge {
        self.endpoints.iter().fold(PoolGauge::default(), |mut sum, (_, endpoint)| {
            sum.add(&endpoint.gauge());
            sum
        })
    }

    /// Calls waiting for the limiter.
    pub fn waiting(&self) -> u32 {
        self.limiter.waiting()
    }

    /// Errors of cache writes that no call waited for, since the last time.
    pub fn take_late_cache_errors(&self) -> Vec<CacheError> {
        self.stores.take_errors()
    }

    /// What the first error of each class said, of the caches there are now.
    pub fn cache_error_examples(&self) -> Vec<(CacheError, Arc<str>)> {
        self.policy.borrow().redis.iter().flat_map(|redis| redis.examples()).collect()
    }

    /// Awaits the cache writes under way.
    pub async fn stores_done(&self) {
        self.stores.all_done().await;
    }

    /// Awaits the writes under way and closes the idle connections.
    pub async fn shut_down(&self) {
        self.stores_done().await;
        for (_, endpoint) in &self.endpoints {
            endpoint.shut_down().await;
        }
    }

    /// The policy of `profile`, with the caches of the one before where their settings allow it.
    fn policy(&self, profile: Arc<Profile>, epoch: u32) -> Policy {
        let before = self.policy.borrow();
        let cache = &profile.stack.cache;
        let local = cache.local.as_ref().map(|wanted| match &before.local {
            Some(kept) => {
                kept.configure(wanted);
                kept.clone()
            }
            None => Rc::new(LocalCache::new(wanted)),
        });
        let redis = cache.redis.as_ref().and_then(|wanted| match &before.redis {
            Some(kept) => {
                kept.configure(wanted.ttl, wanted.timeout);
                Some(kept.clone())
            }
            // Validated: the address can be read.
            None => RedisTier::new(wanted).ok().map(Rc::new),
        });
        Policy { epoch, chain: self.chain(&profile), local, redis, profile }
    }

    fn chain(&self, profile: &Profile) -> Vec<Hop> {
        let endpoint = |lane: &Lane| {
            let found = self.endpoints.iter().find(|(name, _)| *name == lane.route);
            found.expect("validated: every hop's route exists").1.clone()
        };
        fallback::hops(profile).into_iter().map(|lane| Hop { endpoint: endpoint(&lane), lane }).collect()
    }
}

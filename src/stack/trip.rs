//! The way of one call through the stack.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;

use super::flight::{Role, Shared};
use super::kept::Kept;
use super::key::{Key, cache_key};
use super::outcome::{CacheError, Outcome, Served, ServedBy, Try};
use super::retry::{self, RetryDecision};
use super::{Hop, Policy, Stack, fallback};
use crate::chat::Usage;
use crate::plan::Call;
use crate::route::{Ask, Failure, FailureKind, Reply};

/// One call under way.
struct Trip<'a> {
    stack: &'a Stack,
    policy: &'a Policy,
    call: &'a Call,
    deadline: Instant,
    /// The last byte, when it came over a route: what follows it (storing, telling others) is not the call's time.
    last_byte: Option<Instant>,
    reached_chain: bool,
    tries: SmallVec<[Try; 1]>,
    cache_errors: SmallVec<[CacheError; 1]>,
}

/// Takes `call` through the stack under `policy`.
pub async fn take(stack: &Stack, policy: &Policy, call: &Call) -> Outcome {
    let mut trip = Trip {
        stack,
        policy,
        call,
        deadline: Instant::now() + policy.profile.stack.timeout,
        last_byte: None,
        reached_chain: false,
        tries: SmallVec::new(),
        cache_errors: SmallVec::new(),
    };
    let result = trip.answer().await;
    Outcome {
        done: trip.last_byte.unwrap_or_else(Instant::now),
        asked: policy.chain[0].lane.clone(),
        result,
        reached_chain: trip.reached_chain,
        tries: trip.tries,
        cache_errors: trip.cache_errors,
    }
}

impl Trip<'_> {
    /// Local cache, then single flight, then the rest.
    async fn answer(&mut self) -> Result<Served, Failure> {
        let shares = self.policy.profile.stack.single_flight && (self.call.cache.local || self.call.cache.redis);
        let first = &self.policy.chain[0];
        if !shares && !self.caches() {
            return self.fetch(None).await;
        }
        let key = self.key(first);
        if let Some(served) = self.look_up_locally(&key) {
            return Ok(served);
        }
        if !shares {
            return self.fetch(Some(key)).await;
        }
        match self.stack.flights.join(key) {
            Role::Leads(leader) => {
                let result = self.fetch(Some(key)).await;
                leader.land(&result);
                result
            }
            Role::Follows(flight) => match tokio::time::timeout_at(self.deadline.into(), flight).await {
                Ok(Ok(shared)) => follow(&shared),
                Ok(Err(_)) => Err(own_failure(FailureKind::Other, "the call it shared was given up")),
                Err(_) => Err(out_of_time("waiting for the call it shares")),
            },
        }
    }

    /// Redis, then each hop of the chain. `key` is the first hop's, if this call is cached or shared.
    async fn fetch(&mut self, key: Option<Key>) -> Result<Served, Failure> {
        if let Some(key) = &key
            && let Some(served) = self.look_up_in_redis(key).await
        {
            return Ok(served);
        }
        self.reached_chain = true;
        let chain = &self.policy.chain;
        let mut key = key.filter(|_| self.caches());
        for (at, hop) in chain.iter().enumerate() {
            if at > 0 && self.caches() {
                let own = self.key(hop);
                if let Some(served) = self.look_up_locally(&own) {
                    return Ok(served);
                }
                if let Some(served) = self.look_up_in_redis(&own).await {
                    return Ok(served);
                }
                key = Some(own);
            }
            match self.ask(hop).await {
                Ok(reply) => return Ok(self.served(hop, key, reply)),
                Err(failure) => {
                    let over = at + 1 == chain.len() || Instant::now() >= self.deadline;
                    if over || !fallback::moves_on(&self.policy.profile.stack.fallback_on, &failure) {
                        return Err(failure);
                    }
                }
            }
        }
        unreachable!("a chain has a last hop")
    }

    /// One hop, with its retries.
    async fn ask(&mut self, hop: &Hop) -> Result<Reply, Failure> {
        let retry = &self.policy.profile.stack.retry;
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(hop).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let left = self.deadline.saturating_duration_since(Instant::now());
            let decision = retry::after_failure(retry, attempt, &failure, left, &mut *self.stack.rng.borrow_mut());
            match decision {
                RetryDecision::Stop => return Err(failure),
                RetryDecision::Retry { delay } => tokio::time::sleep(delay).await,
            }
            attempt += 1;
        }
    }

    async fn attempt(&mut self, hop: &Hop) -> Result<Reply, Failure> {
        let began = Instant::now();
        let Some((place, limit_wait)) = self.stack.limiter.enter(self.deadline).await else {
            return Err(out_of_time("waiting for a place among the calls in flight (stack.concurrency)"));
        };
        let ask = Ask {
            model: &hop.lane.model,
            request: &self.call.request,
            deadline: self.deadline,
            keep_answer: self.caches(),
        };
        let attempt = hop.endpoint.attempt(&ask).await;
        drop(place);
        self.tries.push(Try {
            began,
            lane: hop.lane.clone(),
            limit_wait,
            pool_wait: attempt.pool_wait,
            connection: attempt.connection,
            sent: attempt.sent,
            failed: attempt.result.as_ref().err().map(|failure| failure.kind),
            lost: attempt.result.as_ref().err().and_then(|failure| failure.billed),
        });
        attempt.result
    }

    fn served(&mut self, hop: &Hop, key: Option<Key>, mut reply: Reply) -> Served {
        self.last_byte = Some(reply.done);
        if let (Some(key), Some(answer)) = (key, reply.answer.take()) {
            self.store(key, Arc::new(Kept { lane: hop.lane.clone(), answer }));
        }
        Served {
            by: if reply.gateway_hit { ServedBy::Gateway } else { ServedBy::Model },
            lane: hop.lane.clone(),
            usage: reply.usage,
            first_token: reply.first_token,
            last_token: reply.last_token,
        }
    }

    /// Some cache tier exists that this call may use.
    fn caches(&self) -> bool {
        let (policy, class) = (self.policy, &self.call.cache);
        (policy.local.is_some() && class.local) || (policy.redis.is_some() && class.redis)
    }

    fn key(&self, hop: &Hop) -> Key {
        cache_key(&self.policy.profile.stack.cache.key, &hop.lane.model, &self.call.request)
    }

    fn look_up_locally(&self, key: &Key) -> Option<Served> {
        let cache = self.policy.local.as_ref().filter(|_| self.call.cache.local)?;
        let kept = cache.get(key, self.stack.local_clock())?;
        Some(kept_as(&kept, ServedBy::Local))
    }

    async fn look_up_in_redis(&mut self, key: &Key) -> Option<Served> {
        let cache = self.policy.redis.as_ref().filter(|_| self.call.cache.redis)?;
        match cache.get(key).await {
            Ok(None) => None,
            Ok(Some(kept)) => {
                let served = kept_as(&kept, ServedBy::Redis);
                self.store_locally(*key, &Arc::new(kept));
                Some(served)
            }
            Err(error) => {
                self.cache_errors.push(error);
                None
            }
        }
    }

    /// Into each tier the call may use. No call waits for Redis to take it.
    fn store(&self, key: Key, kept: Arc<Kept>) {
        self.store_locally(key, &kept);
        let (Some(cache), true) = (&self.policy.redis, self.call.cache.redis) else { return };
        let ttl = self.call.cache.ttl;
        let (cache, store) = (Rc::clone(cache), self.stack.stores.begin());
        tokio::task::spawn_local(async move {
            if let Err(error) = cache.put(&key, &kept, ttl).await {
                store.failed(error);
            }
        });
    }

    fn store_locally(&self, key: Key, kept: &Arc<Kept>) {
        if let (Some(cache), true) = (&self.policy.local, self.call.cache.local) {
            cache.put(key, kept.clone(), self.call.cache.ttl, self.stack.local_clock());
        }
    }
}

fn kept_as(kept: &Kept, by: ServedBy) -> Served {
    let usage: Usage = kept.answer.usage;
    Served { by, lane: kept.lane.clone(), usage, first_token: None, last_token: None }
}

/// The leader's result as a follower has it: its tokens were billed once, its times were another's.
fn follow(shared: &Shared) -> Result<Served, Failure> {
    match shared {
        Ok(served) => Ok(Served { by: ServedBy::Shared, first_token: None, last_token: None, ..served.clone() }),
        Err(failure) => Err(Failure { billed: None, ..failure.clone() }),
    }
}

fn out_of_time(doing: &str) -> Failure {
    own_failure(FailureKind::Timeout, &format!("stack.timeout passed while {doing}"))
}

fn own_failure(kind: FailureKind, detail: &str) -> Failure {
    Failure { kind, retry_after: None, permanent: false, billed: None, detail: detail.to_owned() }
}

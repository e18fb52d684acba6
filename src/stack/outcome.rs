//! What became of one call: who answered, what each attempt met, what the caches did wrong.

use std::time::{Duration, Instant};

use smallvec::SmallVec;

use crate::chat::{Lane, Usage};
use crate::route::{Connection, Failure, FailureKind};

/// One call when it is over.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub done: Instant,
    /// The chain's first hop.
    pub asked: Lane,
    pub result: Result<Served, Failure>,
    /// It got past the caches and single flight, to the fallback chain.
    pub reached_chain: bool,
    pub tries: SmallVec<[Try; 1]>,
    /// Each was a miss.
    pub cache_errors: SmallVec<[CacheError; 1]>,
}

/// A successful call's answer.
#[derive(Clone, Debug)]
pub struct Served {
    pub by: ServedBy,
    /// Who made the answer, now or when it was stored.
    pub lane: Lane,
    pub usage: Usage,
    /// Of streamed answers that came over a route.
    pub first_token: Option<Instant>,
    pub last_token: Option<Instant>,
}

/// Who answered a successful call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServedBy {
    Local,
    Redis,
    /// Another call in flight, by single flight.
    Shared,
    /// The gateway's own cache.
    Gateway,
    Model,
}

impl ServedBy {
    pub const ALL: [Self; 5] = [Self::Local, Self::Redis, Self::Shared, Self::Gateway, Self::Model];

    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Redis => "redis",
            Self::Shared => "shared",
            Self::Gateway => "gateway",
            Self::Model => "model",
        }
    }
}

/// What went wrong with the Redis tier: a miss each, never a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CacheError {
    Timeout,
    Refused,
    /// A value under our key that is none of ours.
    Corrupt,
    Other,
}

impl CacheError {
    pub const ALL: [Self; 4] = [Self::Timeout, Self::Refused, Self::Corrupt, Self::Other];

    pub fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Corrupt => "corrupt",
            Self::Other => "other",
        }
    }
}

/// One attempt of a call, as it is counted.
#[derive(Clone, Debug)]
pub struct Try {
    /// It asked for a place among the calls in flight.
    pub began: Instant,
    pub lane: Lane,
    pub limit_wait: Duration,
    pub pool_wait: Option<Duration>,
    pub connection: Option<Connection>,
    /// A request was handed to a connection (an attempt that got none sent nothing).
    pub sent: bool,
    /// How it failed, if it did.
    pub failed: Option<FailureKind>,
    /// Billed although the attempt failed.
    pub lost: Option<Usage>,
}

impl Try {
    /// How long opening its connection took, if it did.
    pub fn connecting(&self) -> Duration {
        match self.connection {
            Some(Connection::Opened(connect)) => connect.total,
            _ => Duration::ZERO,
        }
    }
}

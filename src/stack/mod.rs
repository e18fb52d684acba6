//! The policies a request passes: key, caches, single flight, limit, retry, fallback.
//! Must not know the screen, reports, or how a request travels (`route`).

mod fallback;
mod kept;
mod key;
mod local;
mod managed_redis;
mod outcome;
mod redis_tier;
mod retry;

pub use fallback::{hops, moves_on};
pub use kept::Kept;
pub use key::{Key, cache_key};
pub use local::LocalCache;
pub use managed_redis::{ManagedRedis, ManagedRedisError};
pub use outcome::{CacheError, Outcome, Served, ServedBy, Try};
pub use redis_tier::{RedisTier, RedisUrlError};
pub use retry::{RetryDecision, after_failure};

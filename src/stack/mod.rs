//! The policies a request passes: key, caches, single flight, limit, retry, fallback.
//! Must not know the screen, reports, or how a request travels (`route`).

mod fallback;
mod key;
mod outcome;
mod retry;

pub use fallback::{hops, moves_on};
pub use key::{Key, cache_key};
pub use outcome::{CacheError, Outcome, Served, ServedBy, Try};
pub use retry::{RetryDecision, after_failure};

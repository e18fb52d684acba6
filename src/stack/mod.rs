//! The policies a request passes: key, caches, single flight, limit, retry, fallback.
//! Must not know the screen, reports, or how a request travels (`route`).

mod outcome;

pub use outcome::{CacheError, Outcome, Served, ServedBy, Try};

//! One attempt at one endpoint: transports, dialects, streams, usage, gateway headers, error classes.
//! Must not know policies: whether to retry, where to go next, what to cache is the stack's.
//!
//! ```text
//! Ask --dialect--> request --transport (exact pool | reqwest)--> response --sse, dialect--> Attempt
//! ```
//!
//! Everything here lives on one thread (a replica's) where local tasks can be spawned: in a
//! `LocalRuntime` or a `LocalSet`. Nothing needs a lock.

mod access;
mod alarm;
mod connect;
mod dialect;
mod endpoint;
mod exact;
mod failure;
mod fetched;
mod gateway;
mod headers;
mod pool;
mod probe;
#[doc(hidden)]
pub mod reading;
mod secret;
mod sse;
mod stale;
mod target;
mod through_reqwest;
mod tolled;
mod transport;
mod trust;
mod unreachable;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::{Duration, Instant};

pub use access::Access;
pub use endpoint::{Endpoint, EndpointConfig, Proxy, RouteError};
pub use fetched::Fetched;
pub use gateway::{GATEWAYS, Gateway, OptOut, Signal};
pub use probe::{Obstacle, ObstacleKind, Probe, Reached, Resolved, Secured, Tongue};
pub use secret::Secret;
pub use trust::check_authorities;

use crate::chat::{Answer, ChatRequest, Usage};

/// What one attempt is to ask.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub model: &'a str,
    pub request: &'a ChatRequest,
    /// The call's own end: no wait of the attempt goes beyond it.
    pub deadline: Instant,
    /// Keep the text of the answer, for a cache or for callers that share it.
    pub keep_answer: bool,
}

/// What became of one attempt, with its times.
#[derive(Debug)]
pub struct Attempt {
    /// Wait for a free connection, without connecting. `None`: the transport cannot tell (reqwest).
    pub pool_wait: Option<Duration>,
    /// `None` when no connection was obtained, or when the transport cannot tell.
    pub connection: Option<Connection>,
    /// The request was handed to a connection, so a server may have seen and billed it. With reqwest also when time ran
    /// out before it was known.
    pub sent: bool,
    pub result: Result<Reply, Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    Opened(Connect),
    Reused,
}

/// How long it took to open a connection, from the first packet to ready to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connect {
    pub dns: Duration,
    pub tcp: Duration,
    /// Zero on plain HTTP.
    pub tls: Duration,
    pub total: Duration,
}

/// A complete successful answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub usage: Usage,
    /// Arrival of the first generated token, visible or reasoning; only of a streamed answer.
    pub first_token: Option<Instant>,
    /// Arrival of the last generated token; only of a streamed answer.
    pub last_token: Option<Instant>,
    /// The last byte.
    pub done: Instant,
    /// The gateway said that its own cache served this.
    pub gateway_hit: bool,
    /// With [`Ask::keep_answer`].
    pub answer: Option<Answer>,
}

/// A failed attempt, classed.
#[derive(Clone, Debug)]
pub struct Failure {
    pub kind: FailureKind,
    /// What the server asked us to wait.
    pub retry_after: Option<Duration>,
    /// `insufficient_quota` and its like: trying again cannot help.
    pub permanent: bool,
    /// Tokens that were billed although the attempt failed (a stream that broke after its usage or some deltas).
    pub billed: Option<Usage>,
    /// One line for people: status, the server's message, never a key.
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// An HTTP status of 400 or more.
    Status(u16),
    /// DNS, TCP or TLS failed, or the connection broke before the head of the answer.
    Connect,
    /// Connecting, a gap between bytes, or the whole call took too long.
    Timeout,
    /// The answer broke, was truncated, or carried an error inside a 200.
    Stream,
    /// No connection within `acquire_timeout`, or `when_full = "fail"`.
    Pool,
    Other,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{status}"),
            Self::Connect => f.write_str("connect"),
            Self::Timeout => f.write_str("timeout"),
            Self::Stream => f.write_str("stream"),
            Self::Pool => f.write_str("pool"),
            Self::Other => f.write_str("other"),
        }
    }
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Closing {
    /// Not kept, since `max_idle` was reached (or is 0).
    MaxIdle,
    /// Opened beyond `max_connections` and discarded after use.
    Overflow,
    IdleTimeout,
    /// The server closed it while idle, or said `connection: close`.
    Server,
    /// An error, a timeout or an aborted answer left it unusable.
    Error,
    /// The pool was made smaller while in use.
    Drained,
    /// The run ended.
    Shutdown,
}

impl Closing {
    pub const ALL: [Self; 7] =
        [Self::MaxIdle, Self::Overflow, Self::IdleTimeout, Self::Server, Self::Error, Self::Drained, Self::Shutdown];

    pub fn name(self) -> &'static str {
        match self {
            Self::MaxIdle => "max_idle",
            Self::Overflow => "overflow",
            Self::IdleTimeout => "idle_timeout",
            Self::Server => "server",
            Self::Error => "error",
            Self::Drained => "drain",
            Self::Shutdown => "shutdown",
        }
    }
}

/// What a pool holds now and has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolGauge {
    pub open: u32,
    pub idle: u32,
    pub waiting: u32,
    /// Most connections open at once.
    pub peak: u32,
    pub opened: u64,
    pub reused: u64,
    /// Kept connections that turned out closed by the server when a request was sent on them, which then went out
    /// again on a fresh one. Neither that sending nor that reuse counts otherwise.
    pub stale: u64,
    /// By [`Closing`], in the order of [`Closing::ALL`].
    pub closed: [u64; Closing::ALL.len()],
}

impl PoolGauge {
    /// Sums two pools; the peak becomes the sum of the peaks.
    pub fn add(&mut self, other: &Self) {
        self.open += other.open;
        self.idle += other.idle;
        self.waiting += other.waiting;
        self.peak += other.peak;
        self.opened += other.opened;
        self.reused += other.reused;
        self.stale += other.stale;
        for (mine, theirs) in self.closed.iter_mut().zip(other.closed) {
            *mine += theirs;
        }
    }
}

//! The Redis tier: answers shared by all replicas. Whatever Redis does wrong is a miss and a counted error, never a
//! failed call. Must not know who started the server (`managed_redis`).
//!
//! ```text
//! get, put --> Link: Connecting  wait for the first attempt, within the timeout
//!                    Up          one multiplexed connection, a timeout for each command
//!                    Down        the error of the last attempt, at once
//!               ^-- a task of its own connects, one attempt at a time, and says hello (PING)
//! ```
//!
//! It is a circuit: a broken connection opens it, and so do 5 commands in a row without an answer in time, so that a
//! Redis which hangs costs some calls their timeout and not all. While it is open every lookup is a miss at once; it is
//! tried again after 50 ms, 100 ms … 1 s, and closed by an answer.

mod trouble;

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, Cmd, ConnectionInfo, IntoConnectionInfo, RedisError, RedisResult, Value};
use tokio::sync::watch;
use tokio::task::AbortHandle;

pub(super) use self::trouble::Place;
use self::trouble::classify;
use super::{CacheError, Kept, Key};
use crate::profile::RedisCache;

/// Longest time to connect, with authentication and the choice of a database.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Pauses between attempts to connect double from the first to the longest. A connection that lived shorter than the
/// longest counts as a failed attempt, so a server that accepts and hangs up is not pressed.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Commands in a row without an answer in time after which the server is left alone for a pause.
const LATE_IN_A_ROW: u32 = 5;

/// Unacknowledged bytes this old mean that the peer is gone; the kernel then ends the connection. A server that is
/// merely slow still acknowledges.
#[cfg(target_os = "linux")]
const PEER_TIMEOUT: Duration = Duration::from_secs(5);

/// A replica's access to Redis. Lives on one current-thread runtime and connects with the first command.
pub struct RedisTier {
    client: Client,
    link: watch::Sender<Link>,
    keeper: OnceCell<Keeper>,
    ttl: Cell<Duration>,
    timeout: Cell<Duration>,
    place: Place,
    /// Commands without an answer in time since the last answer, and on which connection.
    late: Cell<(u64, u32)>,
    /// What the first error of each class said, in the order of [`CacheError::ALL`].
    examples: RefCell<[Option<Arc<str>>; CacheError::ALL.len()]>,
}

/// An address that cannot be used. Its text holds nothing of the URL, which may carry a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisUrlError {
    #[error(
        "stack.cache.redis.url is no address of a Redis; write \"redis://host:port/db\", \
         \"redis://:password@host:port/db\", \"unix:///path/to/socket\" or \"managed\""
    )]
    Unreadable,
    #[error("stack.cache.redis.url asks for TLS (rediss://), which gatebench does not speak; write \"redis://...\"")]
    Tls,
}

#[derive(Clone)]
enum Link {
    /// No attempt to connect has ended yet.
    Connecting,
    /// The number tells connections apart, so that a late error of an old one does not end its successor.
    Up(MultiplexedConnection, u64),
    Down(CacheError, Arc<str>),
}

/// The task that connects; ends with the tier.
struct Keeper(AbortHandle);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for RedisTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTier").field("ttl", &self.ttl).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl RedisTier {
    /// `settings.url` is an address; whoever manages a server has put that server's in the place of `managed`.
    pub fn new(settings: &RedisCache) -> Result<Self, RedisUrlError> {
        let address = address(&settings.url)?;
        Ok(Self {
            place: Place::of(&address),
            client: Client::open(address).map_err(|_| RedisUrlError::Unreadable)?,
            link: watch::Sender::new(Link::Connecting),
            keeper: OnceCell::new(),
            ttl: Cell::new(settings.ttl),
            timeout: Cell::new(settings.timeout),
            late: Cell::default(),
            examples: RefCell::default(),
        })
    }

    /// A new TTL holds for what is stored from now on, a new timeout for the next command.
    pub fn configure(&self, ttl: Duration, timeout: Duration) {
        self.ttl.set(ttl);
        self.timeout.set(timeout);
    }

    /// A kept answer. An error is a miss.
    pub async fn get(&self, key: &Key) -> Result<Option<Kept>, CacheError> {
        match self.command(redis::cmd("GET").arg(name(key))).await? {
            Value::Nil => Ok(None),
            Value::BulkString(bytes) => Kept::decode(bytes).map(Some).ok_or_else(|| self.foreign()),
            _ => Err(self.foreign()),
        }
    }

    fn foreign(&self) -> CacheError {
        self.note(CacheError::Corrupt, || self.place.foreign().into())
    }

    /// What the first error of each class said.
    pub fn examples(&self) -> impl Iterator<Item = (CacheError, Arc<str>)> {
        let examples = self.examples.borrow().clone();
        CacheError::ALL.into_iter().zip(examples).filter_map(|(error, said)| Some((error, said?)))
    }

    fn note(&self, error: CacheError, said: impl FnOnce() -> Arc<str>) -> CacheError {
        self.examples.borrow_mut()[error as usize].get_or_insert_with(said);
        error
    }

    /// Keeps an answer for `ttl`, the caller's own, or else for the tier's. A TTL of zero keeps nothing.
    pub async fn put(&self, key: &Key, kept: &Kept, ttl: Option<Duration>) -> Result<(), CacheError> {
        let ttl = ttl.unwrap_or(self.ttl.get());
        if ttl.is_zero() {
            return Ok(());
        }
        self.command(redis::cmd("SET").arg(name(key)).arg(kept.encode()).arg("PX").arg(expiry_ms(ttl))).await?;
        Ok(())
    }

    async fn command(&self, command: &Cmd) -> Result<Value, CacheError> {
        self.keeper.get_or_init(|| Keeper(spawn_keeper(self.client.clone(), self.place.clone(), self.link.clone())));
        let timeout = self.timeout.get();
        let asked_on = Cell::new(None);
        let reply = async {
            let (mut connection, number) = self.connection().await?;
            asked_on.set(Some(number));
            let reply = command.query_async(&mut connection).await;
            self.late.set((number, 0));
            reply.map_err(|error| self.judge(&error, number))
        };
        tokio::time::timeout(timeout, reply).await.unwrap_or_else(|_| Err(self.too_late(timeout, asked_on.get())))
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, u64), CacheError> {
        let mut link = self.link.subscribe();
        let settled = link.wait_for(|link| !matches!(link, Link::Connecting)).await;
        match settled.as_deref() {
            Ok(Link::Up(connection, number)) => Ok((connection.clone(), *number)),
            Ok(Link::Down(error, said)) => Err(self.note(*error, || said.clone())),
            Ok(Link::Connecting) | Err(_) => Err(CacheError::Other),
        }
    }

    /// Classes a command's error, and takes the connection down if it broke.
    fn judge(&self, error: &RedisError, number: u64) -> CacheError {
        let class = classify(error);
        if error.is_io_error() || error.is_unrecoverable_error() {
            self.take_down(number, class, self.place.words(error).into());
        }
        self.note(class, || self.place.words(error).into())
    }

    /// A command had no answer in time; too many in a row take the connection down that they were sent on.
    fn too_late(&self, timeout: Duration, asked_on: Option<u64>) -> CacheError {
        if let Some(number) = asked_on {
            let (of, before) = self.late.get();
            let in_a_row = if of == number { before + 1 } else { 1 };
            self.late.set((number, in_a_row));
            if in_a_row >= LATE_IN_A_ROW {
                self.take_down(number, CacheError::Timeout, self.place.late(timeout).into());
            }
        }
        self.note(CacheError::Timeout, || self.place.late(timeout).into())
    }

    fn take_down(&self, number: u64, error: CacheError, said: Arc<str>) {
        self.link.send_if_modified(|link| {
            let is_current = matches!(link, Link::Up(_, current) if *current == number);
            if is_current {
                *link = Link::Down(error, said);
            }
            is_current
        });
    }
}

pub(super) fn address(url: &str) -> Result<ConnectionInfo, RedisUrlError> {
    if url.starts_with("rediss:") || url.starts_with("valkeys:") {
        return Err(RedisUrlError::Tls);
    }
    let info = url.into_connection_info().map_err(|_| RedisUrlError::Unreadable)?;
    // Without NODELAY a command would wait for the acknowledgement of the one before.
    let tcp = TcpSettings::default().set_nodelay(true);
    #[cfg(target_os = "linux")]
    let tcp = tcp.set_user_timeout(PEER_TIMEOUT);
    Ok(info.set_tcp_settings(tcp))
}

fn name(key: &Key) -> String {
    format!("gatebench:1:{key}")
}

/// PX takes at least 1 ms, and refuses what overflows a date.
fn expiry_ms(ttl: Duration) -> u64 {
    const CENTURY_MS: u128 = 100 * 365 * 24 * 3600 * 1000;
    ttl.as_millis().clamp(1, CENTURY_MS) as u64
}

fn spawn_keeper(client: Client, place: Place, link: watch::Sender<Link>) -> AbortHandle {
    let connect = move || {
        let client = client.clone();
        async move { tokio::time::timeout(2 * CONNECT_TIMEOUT, connect(client)).await.unwrap_or_else(|_| Err(silent())) }
    };
    tokio::spawn(keep_connected(connect, place, link)).abort_handle()
}

/// Up is who answers: a socket that is accepted and a greeting that is not refused say little.
pub(super) async fn connect(client: Client) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        // Each command has the tier's own timeout, which may change.
        .set_response_timeout(None);
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    let hello = tokio::time::timeout(CONNECT_TIMEOUT, redis::cmd("PING").query_async::<Value>(&mut connection)).await;
    match hello.unwrap_or_else(|_| Err(silent())) {
        // A user may be allowed to do all we need, but not this.
        Err(error) if error.code() != Some("NOPERM") => Err(error),
        _ => Ok(connection),
    }
}

pub(super) fn silent() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

/// Connects, waits until the connection is lost, and again; never two attempts at a time.
async fn keep_connected<F>(connect: impl Fn() -> F, place: Place, link: watch::Sender<Link>)
where
    F: Future<Output = RedisResult<MultiplexedConnection>>,
{
    let mut pause = FIRST_PAUSE;
    for number in 0.. {
        match connect().await {
            Ok(connection) => {
                let opened = Instant::now();
                link.send_replace(Link::Up(connection, number));
                let _ = link.subscribe().wait_for(|link| !matches!(link, Link::Up(..))).await;
                if opened.elapsed() > LONGEST_PAUSE {
                    pause = FIRST_PAUSE;
                }
            }
            Err(error) => {
                link.send_replace(Link::Down(classify(&error), place.words(&error).into()));
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests;

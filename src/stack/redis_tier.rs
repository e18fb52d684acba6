//! The Redis tier: answers shared by all replicas. Whatever Redis does wrong is a miss and a counted error, never a
//! failed call. Must not know who started the server (`managed_redis`).
//!
//! ```text
//! get, put --> Link: Connecting  wait for the first attempt, within the timeout
//!                    Up          one multiplexed connection, a timeout for each command
//!                    Down        the error of the last attempt, at once
//!               ^-- a task of its own connects, one attempt at a time
//! ```

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, Cmd, ConnectionInfo, IntoConnectionInfo, RedisError, RedisResult, Value};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::{CacheError, Kept, Key};
use crate::profile::RedisCache;

/// Longest time to connect, with authentication and the choice of a database.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Pauses between attempts to connect double from the first to the longest. A connection that lived shorter than the
/// longest counts as a failed attempt, so a server that accepts and hangs up is not pressed.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

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
    Down(CacheError),
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
        Ok(Self {
            client: Client::open(address(&settings.url)?).map_err(|_| RedisUrlError::Unreadable)?,
            link: watch::Sender::new(Link::Connecting),
            keeper: OnceCell::new(),
            ttl: Cell::new(settings.ttl),
            timeout: Cell::new(settings.timeout),
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
            Value::BulkString(bytes) => Kept::decode(bytes).map(Some).ok_or(CacheError::Corrupt),
            _ => Err(CacheError::Corrupt),
        }
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
        self.keeper.get_or_init(|| Keeper(spawn_keeper(self.client.clone(), self.link.clone())));
        let reply = async {
            let (mut connection, number) = self.connection().await?;
            let reply = command.query_async(&mut connection).await;
            reply.map_err(|error| self.judge(&error, number))
        };
        tokio::time::timeout(self.timeout.get(), reply).await.unwrap_or(Err(CacheError::Timeout))
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, u64), CacheError> {
        let mut link = self.link.subscribe();
        let settled = link.wait_for(|link| !matches!(link, Link::Connecting)).await;
        match settled.as_deref() {
            Ok(Link::Up(connection, number)) => Ok((connection.clone(), *number)),
            Ok(Link::Down(error)) => Err(*error),
            Ok(Link::Connecting) | Err(_) => Err(CacheError::Other),
        }
    }

    /// Classes a command's error, and takes the connection down if it broke.
    fn judge(&self, error: &RedisError, number: u64) -> CacheError {
        let class = classify(error);
        if error.is_io_error() || error.is_unrecoverable_error() {
            self.link.send_if_modified(|link| {
                let is_current = matches!(link, Link::Up(_, current) if *current == number);
                if is_current {
                    *link = Link::Down(class);
                }
                is_current
            });
        }
        class
    }
}

fn address(url: &str) -> Result<ConnectionInfo, RedisUrlError> {
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

fn classify(error: &RedisError) -> CacheError {
    if error.is_timeout() {
        CacheError::Timeout
    } else if error.is_io_error() {
        CacheError::Refused
    } else if error.code() == Some("WRONGTYPE") {
        CacheError::Corrupt
    } else {
        CacheError::Other
    }
}

fn spawn_keeper(client: Client, link: watch::Sender<Link>) -> AbortHandle {
    let connect = move || {
        let client = client.clone();
        async move {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT_TIMEOUT))
                // Each command has the tier's own timeout, which may change.
                .set_response_timeout(None);
            client.get_multiplexed_async_connection_with_config(&config).await
        }
    };
    tokio::spawn(keep_connected(connect, link)).abort_handle()
}

/// Connects, waits until the connection is lost, and again; never two attempts at a time.
async fn keep_connected<F>(connect: impl Fn() -> F, link: watch::Sender<Link>)
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
                link.send_replace(Link::Down(classify(&error)));
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::chat::{Canonical, ChatRequest};
    use crate::profile::CacheField;
    use crate::stack::kept::tests::answered;
    use crate::stack::managed_redis::ask;
    use crate::stack::{ManagedRedis, cache_key};

    const AMPLE: Duration = Duration::from_secs(10);

    fn key(text: &str) -> Key {
        let request = ChatRequest {
            messages: Canonical::user_message(text),
            temperature: None,
            max_tokens: None,
            top_p: None,
            seed: None,
            tools: None,
            response_format: None,
            stream: false,
        };
        cache_key(&[CacheField::Messages], "", &request)
    }

    fn tier_at(url: &str, timeout: Duration) -> RedisTier {
        RedisTier::new(&RedisCache { url: url.into(), ttl: Duration::from_secs(3600), timeout }).unwrap()
    }

    fn server() -> (ManagedRedis, RedisTier) {
        let server = ManagedRedis::start().unwrap_or_else(|error| panic!("these tests need redis-server: {error}"));
        let tier = tier_at(&server.url(), AMPLE);
        (server, tier)
    }

    /// What the server itself says.
    fn tell(server: &ManagedRedis, command: &str) -> String {
        ask(&server.socket(), &format!("{command}\r\n")).unwrap()
    }

    fn signal(server: &ManagedRedis, signal: libc::c_int) {
        // SAFETY: kill only sends a signal, and the child is not reaped before `server` is dropped.
        assert_eq!(unsafe { libc::kill(server.pid() as libc::pid_t, signal) }, 0);
    }

    /// Asks until the answer is the one awaited.
    async fn until(tier: &RedisTier, text: &str, is_awaited: fn(&Result<Option<Kept>, CacheError>) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let found = tier.get(&key(text)).await;
            if is_awaited(&found) {
                return;
            }
            assert!(Instant::now() < end, "still {found:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn what_is_put_is_got_and_nothing_else() {
        let (_server, tier) = server();
        assert_eq!(tier.put(&key("a"), &answered("Hello"), None).await, Ok(()));
        assert_eq!(tier.get(&key("a")).await, Ok(Some(answered("Hello"))));
        assert_eq!(tier.get(&key("b")).await, Ok(None));
    }

    #[tokio::test]
    async fn tiers_of_several_replicas_share_the_answers() {
        let (server, one) = server();
        let other = tier_at(&server.url(), AMPLE);
        one.put(&key("a"), &answered("Hello"), None).await.unwrap();
        assert_eq!(other.get(&key("a")).await, Ok(Some(answered("Hello"))));
    }

    #[tokio::test]
    async fn a_lookup_is_one_get_and_a_store_one_set() {
        let (server, tier) = server();
        tier.get(&key("a")).await.unwrap();
        tier.put(&key("a"), &answered("Hello"), None).await.unwrap();
        tier.get(&key("a")).await.unwrap();
        let stats = commandstats(&server);
        assert!(stats.contains("cmdstat_get:calls=2,") && stats.contains("cmdstat_set:calls=1,"), "{stats}");
    }

    fn commandstats(server: &ManagedRedis) -> String {
        let output = Command::new("redis-cli").arg("-s").arg(server.socket()).args(["info", "commandstats"]).output();
        String::from_utf8(output.expect("redis-cli is installed with redis-server").stdout).unwrap()
    }

    #[tokio::test]
    async fn an_answer_expires_in_redis_after_its_ttl() {
        let (server, tier) = server();
        let left_ms = |text| -> i64 {
            tell(&server, &format!("PTTL {}", name(&key(text)))).trim_matches([':', '\r', '\n']).parse().unwrap()
        };
        tier.put(&key("tier"), &answered("a"), None).await.unwrap();
        assert!((3_500_000..=3_600_000).contains(&left_ms("tier")));
        tier.put(&key("own"), &answered("a"), Some(Duration::from_secs(60))).await.unwrap();
        assert!((30_000..=60_000).contains(&left_ms("own")));
        tier.put(&key("ever"), &answered("a"), Some(Duration::MAX)).await.unwrap();
        assert!(left_ms("ever") > 0);
        tier.configure(Duration::from_secs(120), AMPLE);
        tier.put(&key("changed"), &answered("a"), None).await.unwrap();
        assert!((90_000..=120_000).contains(&left_ms("changed")));
        tier.put(&key("short"), &answered("a"), Some(Duration::from_micros(10))).await.unwrap();
        until(&tier, "short", |found| *found == Ok(None)).await;
    }

    #[tokio::test]
    async fn a_ttl_of_zero_stores_nothing() {
        let (server, tier) = server();
        assert_eq!(tier.put(&key("a"), &answered("a"), Some(Duration::ZERO)).await, Ok(()));
        assert_eq!(tell(&server, "DBSIZE"), ":0\r\n");
    }

    #[tokio::test]
    async fn a_foreign_value_under_our_key_is_corrupt_until_an_answer_replaces_it() {
        let (server, tier) = server();
        for command in ["SET", "LPUSH"] {
            tell(&server, "FLUSHALL");
            tell(&server, &format!("{command} {} garbage", name(&key("a"))));
            assert_eq!(tier.get(&key("a")).await, Err(CacheError::Corrupt), "{command}");
            tier.put(&key("a"), &answered("Hello"), None).await.unwrap();
            assert_eq!(tier.get(&key("a")).await, Ok(Some(answered("Hello"))));
        }
    }

    #[tokio::test]
    async fn a_full_or_read_only_server_is_an_error_while_lookups_go_on() {
        let (server, tier) = server();
        tell(&server, "CONFIG SET maxmemory-policy noeviction maxmemory 1");
        assert_eq!(tier.put(&key("a"), &answered("a"), None).await, Err(CacheError::Other));
        tell(&server, "CONFIG SET maxmemory 0");
        assert_eq!(tier.put(&key("a"), &answered("a"), None).await, Ok(()));
        tell(&server, "REPLICAOF 127.0.0.1 1");
        assert_eq!(tier.put(&key("a"), &answered("b"), None).await, Err(CacheError::Other));
        assert_eq!(tier.get(&key("a")).await, Ok(Some(answered("a"))));
    }

    #[tokio::test]
    async fn a_killed_server_is_refused_at_once_and_its_successor_is_found() {
        let (server, tier) = server();
        tier.put(&key("a"), &answered("a"), None).await.unwrap();
        signal(&server, libc::SIGKILL);
        until(&tier, "a", |found| *found == Err(CacheError::Refused)).await;
        let start = Instant::now();
        for _ in 0..100 {
            assert_eq!(tier.get(&key("a")).await, Err(CacheError::Refused));
            assert_eq!(tier.put(&key("a"), &answered("a"), None).await, Err(CacheError::Refused));
        }
        assert!(start.elapsed() < AMPLE / 2, "200 misses took {:?}", start.elapsed());
        let _successor = serve(&server);
        until(&tier, "a", |found| *found == Ok(None)).await;
        assert_eq!(tier.put(&key("a"), &answered("a"), None).await, Ok(()));
    }

    /// Another server on the same socket, killed with the guard.
    fn serve(server: &ManagedRedis) -> impl Drop {
        struct Killed(Child);
        impl Drop for Killed {
            fn drop(&mut self) {
                let _ = self.0.kill();
                let _ = self.0.wait();
            }
        }
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--unixsocket"]).arg(server.socket()).stdout(Stdio::null());
        Killed(command.spawn().unwrap())
    }

    #[tokio::test]
    async fn a_server_that_hangs_is_a_timeout_and_is_used_again_when_it_goes_on() {
        let (server, tier) = server();
        tier.put(&key("a"), &answered("a"), None).await.unwrap();
        tier.put(&key("b"), &answered("b"), None).await.unwrap();
        let timeout = Duration::from_millis(30);
        tier.configure(AMPLE, timeout);
        signal(&server, libc::SIGSTOP);
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(tier.get(&key("a")).await, Err(CacheError::Timeout));
            assert_eq!(tier.put(&key("c"), &answered("c"), None).await, Err(CacheError::Timeout));
        }
        assert!((timeout * 6..Duration::from_secs(5)).contains(&start.elapsed()), "{:?}", start.elapsed());
        signal(&server, libc::SIGCONT);
        tier.configure(AMPLE, AMPLE);
        assert_eq!(tier.get(&key("b")).await, Ok(Some(answered("b"))), "no late answer is taken for another's");
    }

    #[tokio::test]
    async fn nobody_there_is_refused() {
        let tier = tier_at("unix:///gatebench-no-such-socket", AMPLE);
        assert_eq!(tier.get(&key("a")).await, Err(CacheError::Refused));
        assert_eq!(tier.put(&key("a"), &answered("a"), None).await, Err(CacheError::Refused));
    }

    /// A listener that handles each connection so, and the number it accepted.
    async fn listener(greeting: Option<&'static [u8]>) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = accepted.clone();
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                if let Some(greeting) = greeting {
                    let _ = stream.read(&mut [0; 1024]).await;
                    let _ = stream.write_all(greeting).await;
                } else {
                    kept.push(stream);
                }
            }
        });
        (url, accepted)
    }

    #[tokio::test]
    async fn any_number_of_lookups_make_one_attempt_to_connect() {
        let (url, accepted) = listener(None).await;
        let tier = tier_at(&url, Duration::from_millis(100));
        let found = futures_util::future::join_all((0..50).map(|n| {
            let tier = &tier;
            async move { tier.get(&key(&n.to_string())).await }
        }));
        assert!(found.await.iter().all(|found| *found == Err(CacheError::Timeout)));
        assert_eq!(accepted.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_server_that_is_no_redis_is_a_counted_error_and_is_not_pressed() {
        let (url, accepted) = listener(Some(b"HTTP/1.1 400 Bad Request\r\n\r\n")).await;
        let tier = tier_at(&url, AMPLE);
        let end = Instant::now() + Duration::from_millis(300);
        while Instant::now() < end {
            assert!(tier.get(&key("a")).await.is_err());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // At 0, 50, 150 and 350 ms.
        assert!((1..=4).contains(&accepted.load(Ordering::Relaxed)), "{accepted:?} attempts");
    }

    #[tokio::test]
    async fn an_address_may_hold_a_password_and_a_database() {
        let (server, without) = server();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        tell(&server, "CONFIG SET bind 127.0.0.1");
        assert_eq!(tell(&server, &format!("CONFIG SET port {port}")), "+OK\r\n");
        assert_eq!(tell(&server, "CONFIG SET requirepass p%ss"), "+OK\r\n");
        let tier = tier_at(&format!("redis://:p%25ss@127.0.0.1:{port}/3"), AMPLE);
        assert_eq!(tier.put(&key("a"), &answered("a"), None).await, Ok(()));
        assert_eq!(tier.get(&key("a")).await, Ok(Some(answered("a"))));
        let wrong = tier_at(&format!("redis://:wrong@127.0.0.1:{port}/3"), AMPLE);
        assert_eq!(wrong.get(&key("a")).await, Err(CacheError::Other));
        assert_eq!(without.get(&key("a")).await, Err(CacheError::Other));
        let other_database = tier_at(&format!("redis://:p%25ss@127.0.0.1:{port}/4"), AMPLE);
        assert_eq!(other_database.get(&key("a")).await, Ok(None));
    }

    #[test]
    fn no_text_of_ours_holds_the_password() {
        let tier = tier_at("redis://user:hunter2@127.0.0.1:6379/0", AMPLE);
        assert!(!format!("{tier:?}").contains("hunter2"));
        for url in ["redis://user:hunter2@127.0.0.1:port", "redis://:hunter2@h/x", "http://hunter2", "hunter2", ""] {
            let error = RedisTier::new(&RedisCache { url: url.into(), ..RedisCache::default() }).unwrap_err();
            assert_eq!(error, RedisUrlError::Unreadable);
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn tls_is_refused_in_words() {
        let settings = RedisCache { url: "rediss://127.0.0.1".into(), ..RedisCache::default() };
        assert_eq!(RedisTier::new(&settings).unwrap_err(), RedisUrlError::Tls);
    }
}

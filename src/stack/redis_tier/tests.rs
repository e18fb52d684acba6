//! The tier against a real redis-server, and against what is none.

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
    let request = ChatRequest::new(Canonical::user_message(text));
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
    for _ in 0..2 {
        assert_eq!(tier.get(&key("a")).await, Err(CacheError::Timeout));
        assert_eq!(tier.put(&key("c"), &answered("c"), None).await, Err(CacheError::Timeout));
    }
    assert!((timeout * 4..Duration::from_secs(5)).contains(&start.elapsed()), "{:?}", start.elapsed());
    signal(&server, libc::SIGCONT);
    tier.configure(AMPLE, AMPLE);
    assert_eq!(tier.get(&key("b")).await, Ok(Some(answered("b"))), "no late answer is taken for another's");
}

#[tokio::test]
async fn a_server_that_hangs_on_is_left_alone_until_it_answers_again() {
    let (server, tier) = server();
    tier.put(&key("a"), &answered("a"), None).await.unwrap();
    let timeout = Duration::from_millis(30);
    tier.configure(AMPLE, timeout);
    signal(&server, libc::SIGSTOP);
    for _ in 0..LATE_IN_A_ROW {
        assert_eq!(tier.get(&key("a")).await, Err(CacheError::Timeout));
    }
    let start = Instant::now();
    for _ in 0..500 {
        assert_eq!(tier.get(&key("a")).await, Err(CacheError::Timeout));
    }
    // 500 timeouts would be 15 s.
    assert!(start.elapsed() < timeout * 100, "{:?}", start.elapsed());
    tier.configure(AMPLE, AMPLE);
    signal(&server, libc::SIGCONT);
    until(&tier, "a", |found| *found == Ok(Some(answered("a")))).await;
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

//! What a Redis says of itself before it is made a tier.
//! Must not know who started it, or what is kept in it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use redis::{AsyncConnectionConfig, Client, ConnectionInfo, RedisError};

use super::redis_tier::{CONNECT_TIMEOUT, RedisUrlError, address};

/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(3);

/// A server that answers.
#[derive(Clone, Debug)]
pub struct RedisSelf {
    /// Host and port, or the socket's path; no password.
    pub address: String,
    /// Of one PING.
    pub ping: Duration,
    /// `INFO`, field by field; empty where we may not ask.
    pub info: HashMap<String, String>,
}

#[derive(Clone, Debug, thiserror::Error)]
#[error("{address}: {detail}")]
pub struct RedisObstacle {
    pub kind: RedisObstacleKind,
    pub address: String,
    /// Never a password.
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisObstacleKind {
    Url(RedisUrlError),
    Late,
    /// Nobody to talk to: refused, no such host, no such socket.
    Unreachable,
    NeedsPassword,
    WrongPassword,
    Other,
}

/// Connects within the tier's own bound, pings, asks for `INFO`; all of it takes 7 s at most.
pub async fn probe_redis(url: &str) -> Result<RedisSelf, RedisObstacle> {
    let info = address(url).map_err(|why| {
        let (kind, address) = (RedisObstacleKind::Url(why), "stack.cache.redis.url".to_owned());
        RedisObstacle { kind, address, detail: why.to_string() }
    })?;
    let name = info.addr().to_string();
    let failed = |error: RedisError| obstacle(&name, &info, &error);
    let client = Client::open(info.clone()).map_err(failed)?;
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_TIMEOUT)).set_response_timeout(Some(ANSWER));
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await.map_err(failed)?;
    let start = Instant::now();
    let _: String = redis::cmd("PING").query_async(&mut connection).await.map_err(failed)?;
    let ping = start.elapsed();
    // An ACL may forbid it: what it would say is good to know, not needed.
    let said: String = redis::cmd("INFO").query_async(&mut connection).await.unwrap_or_default();
    let fields = said.lines().filter_map(|line| line.split_once(':'));
    let info = fields.map(|(field, value)| (field.to_owned(), value.trim().to_owned())).collect();
    Ok(RedisSelf { address: name, ping, info })
}

fn obstacle(address: &str, info: &ConnectionInfo, error: &RedisError) -> RedisObstacle {
    let said = error.to_string();
    let kind = match error.code() {
        Some("NOAUTH") => RedisObstacleKind::NeedsPassword,
        Some("WRONGPASS") => RedisObstacleKind::WrongPassword,
        _ if error.kind() == redis::ErrorKind::AuthenticationFailed => RedisObstacleKind::WrongPassword,
        _ if error.is_timeout() => RedisObstacleKind::Late,
        _ if error.is_io_error() => RedisObstacleKind::Unreachable,
        _ => RedisObstacleKind::Other,
    };
    let password = info.redis_settings().password().filter(|password| !password.is_empty());
    let detail = password.map_or(said.clone(), |password| said.replace(password, "[password]"));
    RedisObstacle { kind, address: address.to_owned(), detail }
}

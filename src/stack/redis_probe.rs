//! What a Redis says of itself before it is made a tier.
//! Must not know who started it, or what is kept in it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, FromRedisValue, RedisResult};

use super::redis_tier::{CONNECT_TIMEOUT, Place, address, connect, silent};

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

/// Why there is nobody to talk to. No text holds a password.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}")]
pub struct RedisObstacle {
    pub what: String,
    pub mend: Option<String>,
}

/// Connects as the tier does, pings, asks for `INFO`; takes 4 s at most.
pub async fn probe_redis(url: &str) -> Result<RedisSelf, RedisObstacle> {
    let info = address(url).map_err(|why| RedisObstacle { what: why.to_string(), mend: None })?;
    let (name, place) = (info.addr().to_string(), Place::of(&info));
    let asked = async {
        let connecting = tokio::time::timeout(2 * CONNECT_TIMEOUT, connect(Client::open(info)?)).await;
        let mut connection = connecting.unwrap_or_else(|_| Err(silent()))?;
        let start = Instant::now();
        let answer = ask::<redis::Value>(&mut connection, &redis::cmd("PING")).await;
        let ping = start.elapsed();
        // A user may be allowed to do all we need, but neither of these.
        answer.or_else(|error| if error.code() == Some("NOPERM") { Ok(redis::Value::Nil) } else { Err(error) })?;
        let info = ask::<String>(&mut connection, &redis::cmd("INFO")).await.unwrap_or_default();
        Ok((ping, info))
    };
    let (ping, said) = asked.await.map_err(|error| {
        let (what, mend) = place.said(&error);
        RedisObstacle { what, mend: mend.map(str::to_owned) }
    })?;
    let fields = said.lines().filter_map(|line| line.split_once(':'));
    let info = fields.map(|(field, value)| (field.to_owned(), value.trim().to_owned())).collect();
    Ok(RedisSelf { address: name, ping, info })
}

async fn ask<T: FromRedisValue>(connection: &mut MultiplexedConnection, command: &Cmd) -> RedisResult<T> {
    tokio::time::timeout(CONNECT_TIMEOUT, command.query_async(connection)).await.unwrap_or_else(|_| Err(silent()))
}

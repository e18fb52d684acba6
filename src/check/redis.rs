//! The Redis tier in words: whether it answers, what it is, and whether it keeps what it is given.
//! Must not know its protocol.

use super::finding::{Note, ms};
use crate::profile::RedisCache;
use crate::report::format::ms as in_words;
use crate::stack::{ManagedRedis, ManagedRedisError, RedisObstacle, RedisSelf, probe_redis};

pub async fn redis(tier: &RedisCache) -> (Vec<Note>, Option<()>) {
    if tier.url != RedisCache::MANAGED {
        return (said(tier, probe_redis(&tier.url).await, None), None);
    }
    // Started as a run would, which takes some milliseconds.
    match ManagedRedis::start() {
        Ok(server) => (said(tier, probe_redis(&server.url()).await, Some(&server)), None),
        Err(why @ ManagedRedisError::NotInstalled) => (vec![Note::of_error(&why)], None),
        Err(why) => {
            let mend =
                "see whether redis-server starts by hand, or leave the tier out: remove `redis` from [stack.cache]";
            (vec![Note::fail(why.to_string(), mend)], None)
        }
    }
}

fn said(tier: &RedisCache, probed: Result<RedisSelf, RedisObstacle>, managed: Option<&ManagedRedis>) -> Vec<Note> {
    let redis = match probed {
        Ok(redis) => redis,
        Err(RedisObstacle { what, mend }) => {
            let mend = mend.unwrap_or_else(|| "see its log, and stack.cache.redis.url".to_owned());
            return vec![Note::fail(what, mend)];
        }
    };
    let version = version(&redis);
    let place = managed.map_or(format!("at {}", redis.address), |_| "starts and".to_owned());
    let ping = ms(redis.ping);
    let note = Note::ok(format!("{version} {place} answers")).took(redis.ping).fact("version", version);
    let mut notes = vec![note.fact("managed", managed.is_some()).fact("ping_ms", ping)];
    if redis.ping > tier.timeout {
        let bound = in_words(ms(tier.timeout));
        notes.push(Note::warn(
            format!(
                "a PING takes {}, and stack.cache.redis.timeout is {bound}: every look-up would be a miss",
                in_words(ping)
            ),
            "raise the timeout, or bring Redis nearer",
        ));
    }
    if managed.is_none() {
        notes.extend(doubts(&redis));
    }
    notes
}

fn version(redis: &RedisSelf) -> String {
    let field = |name: &str| redis.info.get(name);
    match (field("valkey_version"), field("redis_version")) {
        (Some(version), _) => format!("Valkey {version}"),
        (None, Some(version)) => format!("Redis {version}"),
        (None, None) => "Redis (INFO is not allowed to us)".to_owned(),
    }
}

fn doubts(redis: &RedisSelf) -> Vec<Note> {
    let is = |field: &str, value: &str| redis.info.get(field).is_some_and(|said| said == value);
    let mut doubts = Vec::new();
    if is("maxmemory_policy", "noeviction") && !is("maxmemory", "0") {
        let size = redis.info.get("maxmemory_human").map_or("", String::as_str);
        doubts.push(Note::warn(
            format!("noeviction with maxmemory {size}: once full, it refuses whatever is to be kept"),
            "CONFIG SET maxmemory-policy allkeys-lru, if nothing but caches is in it",
        ));
    }
    if is("role", "slave") {
        let mend = "name its primary in stack.cache.redis.url";
        doubts.push(Note::warn("it is a replica, which takes no writes: nothing would be kept", mend));
    }
    if is("cluster_enabled", "1") {
        let mend = "name a Redis that is no cluster, or a proxy in front of it";
        doubts.push(Note::warn("it is a node of a cluster: keys of other nodes would be errors and misses", mend));
    }
    doubts
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::check::finding::{Finding, Status, Step};

    fn found(info: &[(&str, &str)], ping: Duration) -> Vec<Finding> {
        let info = info.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
        let redis = RedisSelf { address: "cache:6379".into(), ping, info };
        let notes = said(&RedisCache::default(), Ok(redis), None);
        notes.into_iter().map(|note| note.of("redis", Step::Redis)).collect()
    }

    fn warnings(info: &[(&str, &str)]) -> usize {
        found(info, Duration::from_millis(1)).iter().filter(|finding| finding.status == Status::Warn).count()
    }

    #[test]
    fn a_redis_that_would_keep_nothing_is_warned_about() {
        assert_eq!(warnings(&[("redis_version", "7.2"), ("maxmemory", "0"), ("maxmemory_policy", "noeviction")]), 0);
        assert_eq!(warnings(&[("maxmemory", "1048576"), ("maxmemory_policy", "allkeys-lru")]), 0);
        assert_eq!(warnings(&[("maxmemory", "1048576"), ("maxmemory_policy", "noeviction")]), 1);
        assert_eq!(warnings(&[("role", "slave"), ("cluster_enabled", "1")]), 2);
        assert_eq!(warnings(&[]), 0);
    }

    #[test]
    fn a_redis_farther_than_the_tiers_timeout_is_warned_about() {
        let found = found(&[("redis_version", "7.2.4")], Duration::from_millis(80));
        assert_eq!((found[0].status, &*found[0].detail), (Status::Ok, "Redis 7.2.4 at cache:6379 answers"));
        assert!(found[1].status == Status::Warn && found[1].detail.contains("80.0ms"), "{found:?}");
    }

    #[test]
    fn a_fork_that_speaks_the_same_is_called_by_its_name() {
        let info = [("redis_version", "7.2.4"), ("valkey_version", "8.0.1")];
        assert!(found(&info, Duration::ZERO)[0].detail.starts_with("Valkey 8.0.1"));
    }
}

//! What Redis did wrong: its class, and words that say how to mend it. They hold the server's place, never its password.
//! Must not know what is done about it.

use std::time::Duration;

use redis::{ConnectionInfo, ErrorKind, RedisError};

use super::{CONNECT_TIMEOUT, LATE_IN_A_ROW, LONGEST_PAUSE};
use crate::stack::CacheError;

pub(super) fn classify(error: &RedisError) -> CacheError {
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

/// Where the server is, for messages.
#[derive(Clone, Debug)]
pub(in crate::stack) struct Place {
    address: String,
    password: Option<String>,
}

impl Place {
    pub(in crate::stack) fn of(info: &ConnectionInfo) -> Self {
        let password = info.redis_settings().password().filter(|password| !password.is_empty());
        Self { address: info.addr().to_string(), password: password.map(str::to_owned) }
    }

    /// A command or a connect that failed.
    pub(super) fn words(&self, error: &RedisError) -> String {
        match self.said(error) {
            (what, Some(mend)) => format!("{what}: {mend}"),
            (what, None) => what,
        }
    }

    /// What a failed command or connect met, and how to mend it.
    pub(in crate::stack) fn said(&self, error: &RedisError) -> (String, Option<&'static str>) {
        let at = &self.address;
        if error.is_timeout() {
            let what = format!("no answer from {at} within {CONNECT_TIMEOUT:?} of connecting");
            return (what, Some("is it a Redis, and does it hang?"));
        }
        if error.is_connection_refusal() {
            let mend = "is redis-server up, and stack.cache.redis.url right?";
            return (format!("nothing listens at {at}"), Some(mend));
        }
        if error.is_connection_dropped() {
            let what = format!("the Redis at {at} hung up ({})", self.told(error));
            return (what, Some("was it stopped, or is it full (maxclients)?"));
        }
        if error.is_io_error() {
            let what = format!("no connection to {at} ({})", self.told(error));
            return (what, Some("is stack.cache.redis.url right?"));
        }
        match error.kind() {
            ErrorKind::AuthenticationFailed if self.password.is_some() => {
                let what = format!("the Redis at {at} refuses the password of the url");
                return (what, Some("correct it, or leave it out if none is set"));
            }
            ErrorKind::Parse => {
                return (format!("what answers at {at} is no Redis"), Some("check host and port of the url"));
            }
            _ => {}
        }
        match error.code().and_then(mend) {
            Some((what, mend)) => (format!("the Redis at {at} {what}"), Some(mend)),
            None => (format!("the Redis at {at} refuses: {}", self.told(error)), None),
        }
    }

    /// A value under a key of ours that no gatebench wrote.
    pub(super) fn foreign(&self) -> String {
        format!(
            "a value under a key of ours (gatebench:1:…) at {} is not ours: who else writes there? use a database of its \
             own (redis://host/1)",
            self.address
        )
    }

    /// No reply to a command in time.
    pub(super) fn late(&self, timeout: Duration) -> String {
        format!(
            "no answer from {} within {timeout:?} (stack.cache.redis.timeout): it hangs or is slow; after {LATE_IN_A_ROW} in \
             a row it is left alone for up to {LONGEST_PAUSE:?}",
            self.address
        )
    }

    /// What the server or the system said, which might repeat what it was sent.
    fn told(&self, error: &RedisError) -> String {
        const LONGEST: usize = 120;
        let said: String = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        let said = match &self.password {
            Some(password) => said.replace(password.as_str(), "[password]"),
            None => said,
        };
        said.chars().take(LONGEST).collect()
    }
}

/// How to mend what a Redis answers, by the first word of its error.
fn mend(code: &str) -> Option<(&'static str, &'static str)> {
    let mend = match code {
        "NOAUTH" => "asks for a password: put it into the url, redis://:PASSWORD@host",
        "WRONGPASS" => "refuses the password of the url: correct it",
        "NOPERM" => "does not let the url's user GET and SET gatebench:*: give it that right (ACL SETUSER)",
        "WRONGTYPE" => {
            "has no string under a key of ours (gatebench:1:…): who else writes there? use a database of its own \
             (redis://host/1)"
        }
        "OOM" => "is out of memory: raise maxmemory, or let it evict (maxmemory-policy allkeys-lru)",
        "READONLY" => "is a read-only replica: write its primary into the url",
        "LOADING" => "is still loading its data: it is used as soon as it has",
        "MISCONF" => "cannot save to its disk and stores nothing: mend that, or set stop-writes-on-bgsave-error no",
        "MASTERDOWN" => "is a replica that lost its primary: write another server into the url",
        "MOVED" | "ASK" | "CLUSTERDOWN" | "CROSSSLOT" => {
            "is part of a cluster, which gatebench does not follow: write a single server or a proxy into the url"
        }
        _ => return None,
    };
    mend.split_once(": ")
}

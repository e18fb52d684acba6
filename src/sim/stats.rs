//! What a simulated route saw: connections, requests, statuses, models, tokens. The oracle of a client's own counts.
//! Must not know why anything was answered as it was.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::prompt_cache::Served;
use super::timer::locked;

/// As `GET /sim/stats` answers. Connections that only asked for `/sim/…` are in none of the counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stats {
    pub accepted: u64,
    pub live: u64,
    pub peak_live: u64,
    pub handshakes: u64,
    /// Chat requests whose head arrived.
    pub requests: u64,
    /// Of them, those that are not answered to the end yet.
    pub in_progress: u64,
    pub peak_in_progress: u64,
    /// Most in progress on one connection; above 1 only over HTTP/2.
    pub peak_streams: u64,
    /// Most requests that one connection carried.
    pub busiest_connection: u64,
    /// Connections of `accepted` that speak HTTP/2.
    pub http2: u64,
    /// Connections closed here, since they were idle for the route's `idle_timeout`.
    pub closed_idle: u64,
    /// By the status sent, or `aborted` (the client left), `reset`, `truncated`, `error` (inside a 200). Once nothing
    /// is in flight they sum up to `requests`.
    pub by_status: BTreeMap<String, u64>,
    pub by_model: BTreeMap<String, u64>,
    /// Tokens the provider would bill; the gateway's cache hits are not among them.
    pub tokens_in: u64,
    pub tokens_out: u64,
    /// Of `tokens_in`, those the provider's prompt cache served, and those it took at a price of their own.
    #[serde(default)]
    pub tokens_cached: u64,
    #[serde(default)]
    pub tokens_cache_write: u64,
    pub gateway_hits: u64,
}

#[derive(Default)]
pub(super) struct Tally(Mutex<Stats>);

impl Tally {
    pub(super) fn snapshot(&self) -> Stats {
        let mut stats = locked(&self.0).clone();
        stats.peak_live = stats.peak_live.max(stats.live);
        stats
    }

    pub(super) fn billed(&self, tokens_in: u64, tokens_out: u64) {
        let mut stats = locked(&self.0);
        stats.tokens_in += tokens_in;
        stats.tokens_out += tokens_out;
    }

    pub(super) fn prompt_cache(&self, served: Served) {
        let mut stats = locked(&self.0);
        stats.tokens_cached += served.read;
        stats.tokens_cache_write += served.written;
    }

    pub(super) fn gateway_hit(&self) {
        locked(&self.0).gateway_hits += 1;
    }
}

fn count(counts: &mut BTreeMap<String, u64>, key: &str) {
    match counts.get_mut(key) {
        Some(n) => *n += 1,
        None => drop(counts.insert(key.to_owned(), 1)),
    }
}

/// One chat request, in progress until it is dropped; dropped without a status it counts as aborted.
pub(super) struct Ticket {
    presence: Arc<Presence>,
    open: bool,
}

impl Ticket {
    pub(super) fn open(presence: &Arc<Presence>) -> Self {
        presence.begin();
        Self { presence: Arc::clone(presence), open: true }
    }

    pub(super) fn asks(&self, model: &str) {
        count(&mut locked(&self.tally().0).by_model, model);
    }

    pub(super) fn close(self, status: http::StatusCode) {
        self.close_as(status.as_str());
    }

    pub(super) fn close_as(mut self, outcome: &str) {
        self.open = false;
        count(&mut locked(&self.tally().0).by_status, outcome);
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.presence.tally
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.open {
            count(&mut locked(&self.tally().0).by_status, "aborted");
        }
        self.presence.end();
    }
}

/// One connection. It counts from its accept on; if its first request shows that it only reads the counters, that is
/// taken back. The peak moves when a connection is known to be a client's, so an observer leaves no trace in it.
pub(super) struct Presence {
    tally: Arc<Tally>,
    guest: AtomicU8,
    handshaken: AtomicBool,
    traffic: Mutex<Traffic>,
    rested: Notify,
}

/// The chat requests of one connection.
struct Traffic {
    carried: u64,
    in_progress: u64,
    idle_since: Instant,
    is_http2: bool,
}

const UNKNOWN: u8 = 0;
const CLIENT: u8 = 1;
const OBSERVER: u8 = 2;

impl Presence {
    pub(super) fn accepted(tally: &Arc<Tally>) -> Self {
        let mut stats = locked(&tally.0);
        stats.accepted += 1;
        stats.live += 1;
        drop(stats);
        let traffic = Traffic { carried: 0, in_progress: 0, idle_since: Instant::now(), is_http2: false };
        Self {
            tally: Arc::clone(tally),
            guest: AtomicU8::new(UNKNOWN),
            handshaken: AtomicBool::new(false),
            traffic: Mutex::new(traffic),
            rested: Notify::new(),
        }
    }

    fn begin(&self) {
        let mut traffic = locked(&self.traffic);
        traffic.carried += 1;
        traffic.in_progress += 1;
        let mut stats = locked(&self.tally.0);
        stats.requests += 1;
        stats.in_progress += 1;
        stats.peak_in_progress = stats.peak_in_progress.max(stats.in_progress);
        stats.peak_streams = stats.peak_streams.max(traffic.in_progress);
        stats.busiest_connection = stats.busiest_connection.max(traffic.carried);
    }

    fn end(&self) {
        let mut traffic = locked(&self.traffic);
        traffic.in_progress -= 1;
        traffic.idle_since = Instant::now();
        locked(&self.tally.0).in_progress -= 1;
        drop(traffic);
        self.rested.notify_one();
    }

    /// Since when nothing is in progress; `None` while something is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let traffic = locked(&self.traffic);
        (traffic.in_progress == 0).then_some(traffic.idle_since)
    }

    /// Returns when a request has ended.
    pub(super) async fn rested(&self) {
        self.rested.notified().await;
    }

    pub(super) fn speaks_http2(&self) {
        let before = std::mem::replace(&mut locked(&self.traffic).is_http2, true);
        locked(&self.tally.0).http2 += u64::from(!before);
    }

    pub(super) fn closed_idle(&self) {
        if self.guest.load(Ordering::Relaxed) != OBSERVER {
            locked(&self.tally.0).closed_idle += 1;
        }
    }

    pub(super) fn handshake(&self) {
        self.handshaken.store(true, Ordering::Relaxed);
        locked(&self.tally.0).handshakes += 1;
    }

    pub(super) fn is_client(&self) {
        match self.guest.swap(CLIENT, Ordering::Relaxed) {
            CLIENT => return,
            OBSERVER => {
                let mut stats = locked(&self.tally.0);
                stats.accepted += 1;
                stats.live += 1;
                stats.handshakes += u64::from(self.handshaken.load(Ordering::Relaxed));
            }
            _ => {}
        }
        let mut stats = locked(&self.tally.0);
        stats.peak_live = stats.peak_live.max(stats.live);
    }

    pub(super) fn is_observer(&self) {
        if self.guest.compare_exchange(UNKNOWN, OBSERVER, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let mut stats = locked(&self.tally.0);
            stats.accepted -= 1;
            stats.live -= 1;
            stats.handshakes -= u64::from(self.handshaken.load(Ordering::Relaxed));
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if self.guest.load(Ordering::Relaxed) != OBSERVER {
            let mut stats = locked(&self.tally.0);
            stats.peak_live = stats.peak_live.max(stats.live);
            stats.live -= 1;
        }
    }
}

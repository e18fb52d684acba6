//! The local tier: answers in a replica's own memory, least recently used out first.
//! Must not know the clock: `now` comes in, expiry is kept with the entry.

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::{Kept, Key};
use crate::profile;

/// One replica's cache. LRU, as the in-process caches most applications deploy (cachetools, lru-cache) are; moka's
/// default, TinyLFU, would show hit rates that those do not reach.
pub struct LocalCache {
    /// Swapped when the capacity changes; never borrowed across an await.
    entries: RefCell<Entries>,
    capacity: Cell<u64>,
    ttl: Cell<Duration>,
}

type Entries = Cache<Key, Entry, BuildHasherDefault<DigestHasher>>;

/// moka's own time to live reads a clock that cannot be injected, so the entry carries its end.
#[derive(Clone)]
struct Entry {
    kept: Arc<Kept>,
    expires_at: Instant,
}

impl LocalCache {
    pub fn new(settings: &profile::LocalCache) -> Self {
        Self {
            entries: RefCell::new(entries(settings.capacity)),
            capacity: Cell::new(settings.capacity),
            ttl: Cell::new(settings.ttl),
        }
    }

    /// A new TTL holds for what is stored from now on; entries keep the end they were given. A new capacity starts
    /// an empty cache.
    pub fn configure(&self, settings: &profile::LocalCache) {
        self.ttl.set(settings.ttl);
        if self.capacity.replace(settings.capacity) != settings.capacity {
            self.entries.replace(entries(settings.capacity));
        }
    }

    /// A kept answer, if it has not expired; an expired one makes room.
    pub fn get(&self, key: &Key, now: Instant) -> Option<Arc<Kept>> {
        let entries = self.entries.borrow();
        let entry = entries.get(key)?;
        if now < entry.expires_at {
            return Some(entry.kept);
        }
        entries.invalidate(key);
        None
    }

    /// Keeps an answer for `ttl`, the caller's own, or else for the tier's.
    pub fn put(&self, key: Key, kept: Arc<Kept>, ttl: Option<Duration>, now: Instant) {
        let ttl = ttl.unwrap_or(self.ttl.get());
        // A time too far to be told is as good as never; a TTL of zero keeps nothing.
        let expires_at = now.checked_add(ttl).unwrap_or_else(|| now + Duration::from_secs(u32::MAX.into()));
        if expires_at > now {
            self.entries.borrow().insert(key, Entry { kept, expires_at });
        }
    }
}

fn entries(capacity: u64) -> Entries {
    Cache::builder()
        .max_capacity(capacity)
        .eviction_policy(EvictionPolicy::lru())
        .build_with_hasher(BuildHasherDefault::default())
}

/// Passes on the 8 bytes that a [`Key`] gives as its hash: a digest needs no hashing.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Canonical, ChatRequest};
    use crate::profile::Cache as CacheSettings;
    use crate::stack::cache_key;
    use crate::stack::kept::tests::answered;

    const TTL: Duration = Duration::from_secs(60);

    fn request(text: &str) -> ChatRequest {
        ChatRequest {
            messages: Canonical::user_message(text),
            temperature: Some(0.0),
            max_tokens: Some(500),
            top_p: None,
            seed: None,
            tools: None,
            response_format: None,
            stream: true,
        }
    }

    fn key(text: &str) -> Key {
        cache_key(&CacheSettings::default().key, "gpt-4.1", &request(text))
    }

    fn cache(capacity: u64) -> LocalCache {
        LocalCache::new(&profile::LocalCache { capacity, ttl: TTL })
    }

    fn put(cache: &LocalCache, text: &str, ttl: Option<Duration>, now: Instant) {
        cache.put(key(text), Arc::new(answered(text)), ttl, now);
    }

    #[test]
    fn an_answer_is_kept_until_its_time_and_no_longer() {
        let (cache, start) = (cache(10), Instant::now());
        put(&cache, "a", None, start);
        assert_eq!(*cache.get(&key("a"), start + TTL - Duration::from_nanos(1)).unwrap(), answered("a"));
        assert_eq!(cache.get(&key("b"), start), None);
        assert_eq!(cache.get(&key("a"), start + TTL), None);
        assert_eq!(cache.get(&key("a"), start), None, "an expired entry is removed");
    }

    #[test]
    fn a_ttl_of_ones_own_replaces_the_tiers() {
        let (cache, start) = (cache(10), Instant::now());
        put(&cache, "short", Some(Duration::from_secs(1)), start);
        put(&cache, "long", Some(TTL * 60), start);
        put(&cache, "never", Some(Duration::ZERO), start);
        put(&cache, "ever", Some(Duration::MAX), start);
        let later = start + TTL;
        assert_eq!(cache.get(&key("short"), later), None);
        assert!(cache.get(&key("long"), later).is_some());
        assert_eq!(cache.get(&key("never"), start), None);
        assert!(cache.get(&key("ever"), later).is_some());
    }

    #[test]
    fn storing_again_renews_the_answer_and_its_time() {
        let (cache, start) = (cache(10), Instant::now());
        put(&cache, "a", None, start);
        cache.put(key("a"), Arc::new(answered("newer")), None, start + TTL / 2);
        assert_eq!(*cache.get(&key("a"), start + TTL).unwrap(), answered("newer"));
    }

    #[test]
    fn a_full_cache_drops_the_least_recently_used() {
        let (cache, now) = (cache(2), Instant::now());
        let settle = || cache.entries.borrow().run_pending_tasks();
        for text in ["a", "b"] {
            put(&cache, text, None, now);
            settle();
        }
        assert!(cache.get(&key("a"), now).is_some());
        put(&cache, "c", None, now);
        settle();
        assert!(cache.get(&key("a"), now).is_some() && cache.get(&key("c"), now).is_some());
        assert_eq!(cache.get(&key("b"), now), None);
    }

    #[test]
    fn a_new_ttl_holds_for_what_is_stored_from_now_on() {
        let (cache, start) = (cache(10), Instant::now());
        put(&cache, "before", None, start);
        cache.configure(&profile::LocalCache { capacity: 10, ttl: Duration::from_secs(1) });
        put(&cache, "after", None, start);
        let later = start + Duration::from_secs(2);
        assert!(cache.get(&key("before"), later).is_some());
        assert_eq!(cache.get(&key("after"), later), None);
    }

    #[test]
    fn a_new_capacity_starts_an_empty_cache() {
        let (cache, now) = (cache(10), Instant::now());
        put(&cache, "a", None, now);
        cache.configure(&profile::LocalCache { capacity: 11, ttl: TTL });
        assert_eq!(cache.get(&key("a"), now), None);
    }

    #[test]
    fn a_cache_without_capacity_keeps_nothing_for_long() {
        let (cache, now) = (cache(0), Instant::now());
        put(&cache, "a", None, now);
        cache.entries.borrow().run_pending_tasks();
        assert_eq!(cache.get(&key("a"), now), None);
    }

    /// `cargo test --release --lib stack::local -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement, for a release build on a quiet machine"]
    fn a_hit_of_a_1_kb_request_costs_under_3_us() {
        let fields = CacheSettings::default().key;
        let cache = LocalCache::new(&profile::LocalCache::default());
        let requests: Vec<_> = (0..1000).map(|n| request(&format!("{n:<1000}"))).collect();
        let now = Instant::now();
        for request in &requests {
            cache.put(cache_key(&fields, "gpt-4.1", request), Arc::new(answered("yes")), None, now);
        }
        let best = |work: &dyn Fn(&ChatRequest)| {
            let round = || {
                let start = Instant::now();
                requests.iter().cycle().take(100_000).for_each(work);
                start.elapsed().as_nanos() as f64 / 100_000.0
            };
            (0..10).map(|_| round()).fold(f64::INFINITY, f64::min)
        };
        let key = best(&|request| {
            std::hint::black_box(cache_key(&fields, "gpt-4.1", request));
        });
        let hit = best(&|request| {
            let kept = cache.get(&cache_key(&fields, "gpt-4.1", request), Instant::now());
            assert!(std::hint::black_box(kept).is_some());
        });
        println!("key {key:.0} ns, key and local hit {hit:.0} ns");
        assert!(hit < 3_000.0, "{hit:.0} ns");
    }
}

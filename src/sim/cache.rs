//! The cache inside a simulated gateway: exact match on the meaning of a request, least recently used goes first.
//! Must not know HTTP; the clock comes in from outside.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use crate::profile::GatewayCache;

use super::answer::Answer;

pub(super) type Meaning = [u8; 32];

#[derive(Default)]
pub(super) struct Cache {
    entries: HashMap<Meaning, Entry>,
    /// By the moment of last use, oldest first.
    order: BTreeMap<u64, Meaning>,
    uses: u64,
}

struct Entry {
    answer: Arc<Answer>,
    stored: Instant,
    used: u64,
}

impl Cache {
    pub(super) fn get(&mut self, key: &Meaning, policy: &GatewayCache, now: Instant) -> Option<Arc<Answer>> {
        let entry = self.entries.get_mut(key)?;
        self.order.remove(&entry.used);
        if now.saturating_duration_since(entry.stored) >= policy.ttl {
            self.entries.remove(key);
            return None;
        }
        self.uses += 1;
        entry.used = self.uses;
        self.order.insert(self.uses, *key);
        Some(Arc::clone(&entry.answer))
    }

    pub(super) fn put(&mut self, key: Meaning, answer: Arc<Answer>, policy: &GatewayCache, now: Instant) {
        self.uses += 1;
        let entry = Entry { answer, stored: now, used: self.uses };
        if let Some(old) = self.entries.insert(key, entry) {
            self.order.remove(&old.used);
        }
        self.order.insert(self.uses, key);
        while self.entries.len() as u64 > policy.capacity {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::ask::Ask;
    use super::super::prompt_cache::Served;
    use super::*;

    fn answer() -> Arc<Answer> {
        let body = br#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#;
        Arc::new(Answer::to(&Ask::parse(body, None).unwrap(), Served::default(), 1, 2))
    }

    #[test]
    fn an_entry_lives_for_its_ttl() {
        let policy = GatewayCache { capacity: 10, ttl: Duration::from_secs(5) };
        let (mut cache, now) = (Cache::default(), Instant::now());
        cache.put([1; 32], answer(), &policy, now);
        assert!(cache.get(&[1; 32], &policy, now + Duration::from_millis(4999)).is_some());
        assert!(cache.get(&[1; 32], &policy, now + Duration::from_secs(5)).is_none());
        assert!(cache.entries.is_empty() && cache.order.is_empty());
    }

    #[test]
    fn beyond_its_capacity_the_least_recently_used_goes() {
        let policy = GatewayCache { capacity: 2, ttl: Duration::from_secs(5) };
        let (mut cache, now) = (Cache::default(), Instant::now());
        cache.put([1; 32], answer(), &policy, now);
        cache.put([2; 32], answer(), &policy, now);
        assert!(cache.get(&[1; 32], &policy, now).is_some());
        cache.put([3; 32], answer(), &policy, now);
        assert!(cache.get(&[2; 32], &policy, now).is_none());
        assert!(cache.get(&[1; 32], &policy, now).is_some() && cache.get(&[3; 32], &policy, now).is_some());
        assert_eq!(cache.order.len(), 2);
    }
}

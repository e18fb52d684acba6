//! The provider's cache of the beginnings of prompts: what was read once need not be read again while it is kept.
//! Must not know dialects, which decide what beginnings there are; the clock comes in from outside.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// A beginning of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beginning {
    /// Of all that stands in it.
    pub(super) hash: u64,
    pub(super) tokens: u64,
    /// How long it is to be kept; `None`: it is only looked for.
    pub(super) kept_for: Option<Duration>,
}

/// Tokens of one prompt by what the cache did with them; what is in neither was just read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Served {
    pub(super) read: u64,
    pub(super) written: u64,
    /// Of `written`.
    pub(super) written_1h: u64,
}

pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// Beyond it the oldest go: no load makes a simulated route grow without end.
const MOST: usize = 1 << 16;

#[derive(Default)]
pub(super) struct Beginnings {
    kept: HashMap<u64, Kept>,
    /// In the order in which they were first kept.
    order: VecDeque<u64>,
}

#[derive(Clone, Copy)]
struct Kept {
    /// The prompt that is the first with it must have been read.
    ready: Instant,
    until: Instant,
    ttl: Duration,
}

impl Beginnings {
    /// Looks for the longest beginning up to the last that is to be kept, and keeps those. `beginnings`: the shortest
    /// first. `ready`: when this prompt will have been read.
    pub(super) fn pass(&mut self, beginnings: &[Beginning], least: u64, now: Instant, ready: Instant) -> Served {
        let long = |beginning: &&Beginning| beginning.tokens >= least;
        let to_keep = || beginnings.iter().filter(long).filter_map(|one| Some((one, one.kept_for?)));
        let Some((last, _)) = to_keep().next_back() else { return Served::default() };
        let read = beginnings.iter().filter(|one| one.tokens <= last.tokens).rfind(|one| self.is_kept(one.hash, now));
        let read = read.map(|one| (one.hash, one.tokens));
        if let Some((hash, _)) = read {
            self.refresh(hash, now);
        }
        let read = read.map_or(0, |(_, tokens)| tokens);
        let mut served = Served { read, written: last.tokens - read, written_1h: 0 };
        for (beginning, ttl) in to_keep() {
            if ttl >= HOUR {
                served.written_1h = beginning.tokens.saturating_sub(read);
            }
            self.keep(beginning.hash, ttl, now, ready);
        }
        served
    }

    fn is_kept(&self, hash: u64, now: Instant) -> bool {
        self.kept.get(&hash).is_some_and(|kept| kept.ready <= now && now < kept.until)
    }

    fn refresh(&mut self, hash: u64, now: Instant) {
        if let Some(kept) = self.kept.get_mut(&hash) {
            kept.until = now + kept.ttl;
        }
    }

    fn keep(&mut self, hash: u64, ttl: Duration, now: Instant, ready: Instant) {
        match self.kept.get_mut(&hash) {
            Some(kept) if now < kept.until => {
                kept.ready = kept.ready.min(ready);
                kept.ttl = ttl;
                kept.until = kept.until.max(ready + ttl);
            }
            Some(kept) => *kept = Kept { ready, until: ready + ttl, ttl },
            None => {
                self.kept.insert(hash, Kept { ready, until: ready + ttl, ttl });
                self.order.push_back(hash);
            }
        }
        while self.kept.len() > MOST {
            let Some(oldest) = self.order.pop_front() else { break };
            self.kept.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTES_5: Duration = Duration::from_secs(300);
    const LEAST: u64 = 1024;

    fn marked(hash: u64, tokens: u64, ttl: Duration) -> Beginning {
        Beginning { hash, tokens, kept_for: Some(ttl) }
    }

    fn served(read: u64, written: u64, written_1h: u64) -> Served {
        Served { read, written, written_1h }
    }

    #[test]
    fn a_beginning_is_written_once_and_read_until_it_was_not_used_for_its_time() {
        let (mut cache, start) = (Beginnings::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let prompt = [marked(1, 2000, MINUTES_5)];
        assert_eq!(cache.pass(&prompt, LEAST, start, start), served(0, 2000, 0));
        assert_eq!(cache.pass(&prompt, LEAST, at(299), at(299)), served(2000, 0, 0));
        assert_eq!(cache.pass(&prompt, LEAST, at(598), at(598)), served(2000, 0, 0));
        assert_eq!(cache.pass(&prompt, LEAST, at(898), at(898)), served(0, 2000, 0));
    }

    #[test]
    fn it_is_there_only_once_the_first_prompt_with_it_was_read() {
        let (mut cache, start) = (Beginnings::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let prompt = [marked(1, 2000, MINUTES_5)];
        assert_eq!(cache.pass(&prompt, LEAST, start, at(300)).written, 2000);
        assert_eq!(cache.pass(&prompt, LEAST, at(299), at(600)).written, 2000);
        assert_eq!(cache.pass(&prompt, LEAST, at(300), at(600)).read, 2000);
    }

    #[test]
    fn what_a_longer_prompt_shares_with_an_earlier_one_is_read_and_the_rest_written() {
        let (mut cache, now) = (Beginnings::default(), Instant::now());
        cache.pass(&[marked(1, 1500, MINUTES_5), marked(2, 1800, MINUTES_5)], LEAST, now, now);
        let other = [marked(1, 1500, MINUTES_5), marked(3, 2100, MINUTES_5)];
        assert_eq!(cache.pass(&other, LEAST, now, now), served(1500, 600, 0));
        // A beginning that is no longer marked is found all the same, but nothing beyond the last mark is looked at.
        let unmarked = |hash, tokens| Beginning { hash, tokens, kept_for: None };
        assert_eq!(
            cache.pass(&[unmarked(1, 1500), marked(4, 1700, MINUTES_5), unmarked(3, 2100)], LEAST, now, now),
            served(1500, 200, 0)
        );
        assert_eq!(cache.pass(&[unmarked(1, 1500)], LEAST, now, now), served(0, 0, 0));
    }

    #[test]
    fn what_is_short_is_not_kept_and_an_hour_is_counted_apart() {
        let (mut cache, now) = (Beginnings::default(), Instant::now());
        assert_eq!(cache.pass(&[marked(1, 1023, MINUTES_5)], LEAST, now, now), served(0, 0, 0));
        let prompt = [marked(2, 1500, HOUR), marked(3, 1800, MINUTES_5)];
        assert_eq!(cache.pass(&prompt, LEAST, now, now), served(0, 1800, 1500));
        let later = now + MINUTES_5;
        assert_eq!(cache.pass(&prompt, LEAST, later, later), served(1500, 300, 0));
    }

    #[test]
    fn it_never_grows_beyond_its_bound() {
        let (mut cache, now) = (Beginnings::default(), Instant::now());
        for hash in 0..=MOST as u64 {
            cache.pass(&[marked(hash, 2000, MINUTES_5)], LEAST, now, now);
        }
        assert_eq!((cache.kept.len(), cache.order.len()), (MOST, MOST));
        assert_eq!(cache.pass(&[marked(MOST as u64, 2000, MINUTES_5)], LEAST, now, now).read, 2000);
    }
}

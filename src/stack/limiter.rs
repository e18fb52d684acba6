//! Calls in flight to routes, a replica's: a semaphore whose size can change while it is held.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

#[derive(Debug)]
pub struct Limiter {
    semaphore: Semaphore,
    limit: Cell<u32>,
    /// Permits to take out of circulation as they come back, after the limit was lowered.
    surplus: Cell<u32>,
    waiting: Cell<u32>,
}

impl Limiter {
    pub fn new(limit: u32) -> Self {
        Self {
            semaphore: Semaphore::new(limit as usize),
            limit: Cell::new(limit),
            surplus: Cell::new(0),
            waiting: Cell::new(0),
        }
    }

    /// A place among those in flight, and how long it took; `None` at the deadline.
    pub async fn enter(&self, deadline: Instant) -> Option<(Place<'_>, Duration)> {
        if let Ok(permit) = self.semaphore.try_acquire() {
            return Some((self.place(permit), Duration::ZERO));
        }
        let _waiting = Waiting::new(&self.waiting);
        let began = Instant::now();
        let acquired = tokio::time::timeout_at(deadline.into(), self.semaphore.acquire()).await.ok()?;
        Some((self.place(acquired.ok()?), began.elapsed()))
    }

    /// Applies to the next call; those in flight are never cut.
    pub fn resize(&self, limit: u32) {
        let before = self.limit.replace(limit);
        if limit >= before {
            let raise = limit - before;
            let paid = raise.min(self.surplus.get());
            self.surplus.set(self.surplus.get() - paid);
            self.semaphore.add_permits((raise - paid) as usize);
        } else {
            let lower = before - limit;
            let taken = self.semaphore.forget_permits(lower as usize) as u32;
            self.surplus.set(self.surplus.get() + lower - taken);
        }
    }

    /// Calls waiting for a place.
    pub fn waiting(&self) -> u32 {
        self.waiting.get()
    }

    fn place<'a>(&'a self, permit: SemaphorePermit<'a>) -> Place<'a> {
        Place { limiter: self, permit: Some(permit) }
    }
}

/// Held while an attempt is in flight.
#[derive(Debug)]
pub struct Place<'a> {
    limiter: &'a Limiter,
    permit: Option<SemaphorePermit<'a>>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let surplus = self.limiter.surplus.get();
        if let (1.., Some(permit)) = (surplus, self.permit.take()) {
            permit.forget();
            self.limiter.surplus.set(surplus - 1);
        }
    }
}

struct Waiting<'a>(&'a Cell<u32>);

impl<'a> Waiting<'a> {
    fn new(count: &'a Cell<u32>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn places(limiter: &Limiter, n: usize) -> Vec<Place<'_>> {
        let mut places = Vec::new();
        for _ in 0..n {
            let soon = Instant::now() + Duration::from_millis(5);
            if let Some((place, _)) = limiter.enter(soon).await {
                places.push(place);
            }
        }
        places
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_limit_are_in_flight() {
        let limiter = Limiter::new(2);
        assert_eq!(places(&limiter, 3).await.len(), 2);
        assert_eq!(limiter.waiting(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lowered_limit_holds_once_those_in_flight_have_left() {
        let limiter = Limiter::new(4);
        let held = places(&limiter, 4).await;
        limiter.resize(1);
        drop(held);
        assert_eq!(places(&limiter, 3).await.len(), 1);
        limiter.resize(3);
        assert_eq!(places(&limiter, 9).await.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_lowered_and_raised_again_while_full_is_what_it_was() {
        let limiter = Limiter::new(4);
        let held = places(&limiter, 4).await;
        limiter.resize(1);
        limiter.resize(5);
        drop(held);
        assert_eq!(places(&limiter, 9).await.len(), 5);
    }
}

//! Calls in flight to routes, a replica's: first come, first served, and never more than the limit of the moment begin.
//! Must not know what the calls do.
//!
//! tokio's semaphore does not serve: of a limit that is lowered it cannot take back a permit that is on its way to a
//! waiter, and if that waiter gives up, one call too many gets in.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

#[derive(Debug)]
pub struct Limiter {
    limit: Cell<u32>,
    in_flight: Cell<u32>,
    waiting: Cell<u32>,
    /// Those who wait; whoever gave up is skipped. Not empty only while the limit is reached.
    queue: RefCell<VecDeque<oneshot::Sender<()>>>,
}

impl Limiter {
    pub fn new(limit: u32) -> Self {
        Self {
            limit: Cell::new(limit),
            in_flight: Cell::default(),
            waiting: Cell::default(),
            queue: RefCell::default(),
        }
    }

    /// A place among those in flight, and how long it took; `None` at the deadline.
    pub async fn enter(&self, deadline: Instant) -> Option<(Place<'_>, Duration)> {
        if self.has_room() {
            return Some((self.place(), Duration::ZERO));
        }
        let mut waiting = Waiting::join(self);
        let began = Instant::now();
        let turn = tokio::time::timeout_at(deadline.into(), &mut waiting.turn).await;
        matches!(turn, Ok(Ok(()))).then(|| (Place(self), began.elapsed()))
    }

    /// Applies to the next call; those in flight are never cut.
    pub fn resize(&self, limit: u32) {
        self.limit.set(limit);
        self.admit();
    }

    /// Calls waiting for a place.
    pub fn waiting(&self) -> u32 {
        self.waiting.get()
    }

    fn has_room(&self) -> bool {
        self.in_flight.get() < self.limit.get()
    }

    fn place(&self) -> Place<'_> {
        self.in_flight.set(self.in_flight.get() + 1);
        Place(self)
    }

    /// Hands free places to those who wait.
    fn admit(&self) {
        while self.has_room() {
            let Some(first) = self.queue.borrow_mut().pop_front() else { return };
            if first.send(()).is_ok() {
                self.in_flight.set(self.in_flight.get() + 1);
            }
        }
    }

    fn leave(&self) {
        self.in_flight.set(self.in_flight.get() - 1);
        self.admit();
    }
}

/// Held while an attempt is in flight.
#[derive(Debug)]
pub struct Place<'a>(&'a Limiter);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// A place in the queue; leaving it early gives back what came in the meantime.
struct Waiting<'a> {
    limiter: &'a Limiter,
    turn: oneshot::Receiver<()>,
}

impl<'a> Waiting<'a> {
    fn join(limiter: &'a Limiter) -> Self {
        let (sender, turn) = oneshot::channel();
        limiter.queue.borrow_mut().push_back(sender);
        limiter.waiting.set(limiter.waiting.get() + 1);
        Self { limiter, turn }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.limiter.waiting.set(self.limiter.waiting.get() - 1);
        self.turn.close();
        if self.turn.try_recv().is_ok() {
            self.limiter.leave();
        }
        // Those who give up are mostly at the front: without this, a queue that nothing leaves would only grow.
        let mut queue = self.limiter.queue.borrow_mut();
        while queue.front().is_some_and(oneshot::Sender::is_closed) {
            queue.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use futures_util::future::poll_immediate;
    use tokio::sync::Notify;

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

    /// Each takes a place, notes its number and holds on until it is told to go.
    struct Crowd {
        limiter: Rc<Limiter>,
        entered: Rc<RefCell<Vec<usize>>>,
        tasks: Vec<tokio::task::JoinHandle<()>>,
        leave: Vec<Rc<Notify>>,
    }

    impl Crowd {
        fn before(limit: u32) -> Self {
            Self { limiter: Rc::new(Limiter::new(limit)), entered: Rc::default(), tasks: vec![], leave: vec![] }
        }

        async fn joins(&mut self, people: usize) {
            for _ in 0..people {
                let (number, told) = (self.tasks.len(), Rc::new(Notify::new()));
                let (limiter, entered, leave) = (self.limiter.clone(), self.entered.clone(), told.clone());
                self.leave.push(told);
                self.tasks.push(tokio::task::spawn_local(async move {
                    let deadline = Instant::now() + Duration::from_secs(60);
                    let Some((_place, _)) = limiter.enter(deadline).await else { return };
                    entered.borrow_mut().push(number);
                    leave.notified().await;
                }));
            }
            settle().await;
        }

        async fn leaves(&self, number: usize) {
            self.leave[number].notify_one();
            settle().await;
        }

        /// Gives up its wait, or leaves its place.
        async fn is_cancelled(&self, number: usize) {
            self.tasks[number].abort();
            settle().await;
        }

        fn entered(&self) -> Vec<usize> {
            self.entered.borrow().clone()
        }
    }

    /// Lets everybody do what can be done now.
    async fn settle() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    async fn locally(test: impl Future<Output = ()>) {
        tokio::task::LocalSet::new().run_until(test).await;
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_enter_in_the_order_they_came() {
        locally(async {
            let mut crowd = Crowd::before(2);
            crowd.joins(6).await;
            assert_eq!((crowd.entered(), crowd.limiter.waiting()), (vec![0, 1], 4));
            for leaving in [1, 0, 2, 3] {
                crowd.leaves(leaving).await;
            }
            assert_eq!((crowd.entered(), crowd.limiter.waiting()), (vec![0, 1, 2, 3, 4, 5], 0));
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_who_comes_later_passes_those_who_wait() {
        locally(async {
            let mut crowd = Crowd::before(1);
            crowd.joins(2).await;
            // The place is free, and the one in line has not had a turn to take it.
            crowd.leave[0].notify_one();
            tokio::task::yield_now().await;
            crowd.joins(1).await;
            assert_eq!(crowd.entered(), [0, 1]);
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_wait_gives_its_turn_and_a_place_it_was_just_given_to_the_next() {
        locally(async {
            let mut crowd = Crowd::before(1);
            crowd.joins(4).await;
            crowd.is_cancelled(1).await;
            assert_eq!(crowd.limiter.waiting(), 2);
            crowd.leaves(0).await;
            assert_eq!(crowd.entered(), [0, 2]);
            // Given the place and cancelled in one breath.
            crowd.leave[2].notify_one();
            tokio::task::yield_now().await;
            crowd.is_cancelled(3).await;
            crowd.joins(1).await;
            assert_eq!((crowd.entered().last(), crowd.limiter.waiting()), (Some(&4), 0));
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_lowered_while_a_place_is_handed_over_holds_though_its_taker_gives_up() {
        let limiter = Limiter::new(2);
        let mut held = places(&limiter, 2).await;
        let mut waiter = Box::pin(limiter.enter(Instant::now() + Duration::from_secs(60)));
        assert!(poll_immediate(&mut waiter).await.is_none());
        held.pop();
        limiter.resize(1);
        drop(waiter);
        assert!(places(&limiter, 1).await.is_empty(), "one is in flight already");
        drop(held);
        assert_eq!(places(&limiter, 2).await.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_raised_limit_lets_in_those_who_wait_at_once() {
        locally(async {
            let mut crowd = Crowd::before(1);
            crowd.joins(5).await;
            crowd.limiter.resize(4);
            settle().await;
            assert_eq!((crowd.entered(), crowd.limiter.waiting()), (vec![0, 1, 2, 3], 1));
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_the_deadline_without_a_place() {
        let limiter = Limiter::new(1);
        let held = places(&limiter, 1).await;
        let begun = tokio::time::Instant::now();
        assert!(limiter.enter(Instant::now() + Duration::from_millis(50)).await.is_none());
        assert!(begun.elapsed() >= Duration::from_millis(45) && limiter.waiting() == 0);
        drop(held);
        assert_eq!(places(&limiter, 2).await.len(), 1);
    }
}

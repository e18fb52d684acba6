//! The books of a connection pool, exact to the unit: who may open, reuse, wait, and why each connection ended.
//! Must not know how a connection is opened or what travels on it.
//!
//! ```text
//! acquire --> Kept(Wire)      the most recently used idle connection
//!         \-> Vacant(Permit)  the right to open one --Permit::open--> Wire
//! release --> idle | first waiter | closed
//! ```
//!
//! A [`Permit`] is a place in the pool. It is shared by the connection's driver task and whoever holds the [`Wire`],
//! and goes back when both are gone: only then is the socket really closed.

mod wire;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;

pub(super) use wire::{Permit, Wire};

use super::alarm::Alarm;
use super::{Closing, PoolGauge};
use crate::profile::{self, WhenFull};

/// The pool's settings, as they are now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) max_connections: u32,
    pub(super) max_idle: u32,
    pub(super) when_full: WhenFull,
    pub(super) idle_timeout: Duration,
    pub(super) acquire_timeout: Duration,
}

impl Limits {
    pub(super) fn of(pool: &profile::Pool) -> Self {
        Self {
            max_connections: pool.max_connections,
            max_idle: pool.max_idle,
            when_full: pool.when_full,
            idle_timeout: pool.idle_timeout,
            acquire_timeout: pool.acquire_timeout,
        }
    }

    /// A pool that opens beyond its maximum keeps no more than the maximum: urllib3's `maxsize`.
    fn idle_cap(&self) -> usize {
        self.max_idle.min(self.max_connections) as usize
    }
}

/// Why no connection was obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// Full, and `when_full = "fail"`.
    Full,
    /// None came free within `acquire_timeout`.
    Waited,
    /// The call's deadline came first.
    Deadline,
}

#[derive(Debug)]
pub(super) enum Slot {
    Kept(Wire),
    Vacant(Permit),
}

pub(super) struct Pool {
    limits: Cell<Limits>,
    open: Cell<u32>,
    /// Of `open`, those that are on their way out.
    leaving: Cell<u32>,
    waiting: Cell<u32>,
    peak: Cell<u32>,
    opened: Cell<u64>,
    reused: Cell<u64>,
    stale: Cell<u64>,
    closed: [Cell<u64>; Closing::ALL.len()],
    /// Oldest first.
    idle: RefCell<VecDeque<Idle>>,
    /// First come, first served; those that gave up are skipped.
    waiters: RefCell<VecDeque<oneshot::Sender<Slot>>>,
    reaper: RefCell<Option<AbortHandle>>,
    /// Set when nothing is kept any more: why.
    shut: Cell<Option<Closing>>,
    left: Notify,
}

struct Idle {
    wire: Wire,
    since: Instant,
}

impl Pool {
    pub(super) fn new(limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            limits: Cell::new(limits),
            open: Cell::default(),
            leaving: Cell::default(),
            waiting: Cell::default(),
            peak: Cell::default(),
            opened: Cell::default(),
            reused: Cell::default(),
            stale: Cell::default(),
            closed: Default::default(),
            idle: RefCell::default(),
            waiters: RefCell::default(),
            reaper: RefCell::default(),
            shut: Cell::default(),
            left: Notify::new(),
        })
    }

    /// A kept connection or the right to open one, and how long that was waited for.
    pub(super) async fn acquire(self: &Rc<Self>, alarm: &mut Alarm<'_>) -> (Result<Slot, Denied>, Duration) {
        if let Some(wire) = self.take_idle() {
            return (Ok(Slot::Kept(wire)), Duration::ZERO);
        }
        let limits = self.limits.get();
        if self.open.get() < limits.max_connections || limits.when_full == WhenFull::Open {
            return (Ok(Slot::Vacant(Permit::new(self))), Duration::ZERO);
        }
        if limits.when_full == WhenFull::Fail {
            return (Err(Denied::Full), Duration::ZERO);
        }
        let start = Instant::now();
        alarm.set(start + limits.acquire_timeout);
        let slot = self.wait(alarm).await;
        (slot, start.elapsed())
    }

    async fn wait(self: &Rc<Self>, alarm: &mut Alarm<'_>) -> Result<Slot, Denied> {
        loop {
            let mut waiting = Waiting::join(self);
            let slot = alarm.limit(&mut waiting.turn).await;
            drop(waiting);
            match slot {
                // It died between being handed over and being received.
                Ok(Ok(Slot::Kept(wire))) if wire.sender.is_closed() => wire.close(Closing::Server),
                Ok(Ok(Slot::Kept(wire))) => {
                    self.reused.set(self.reused.get() + 1);
                    return Ok(Slot::Kept(wire));
                }
                Ok(Ok(vacant)) => return Ok(vacant),
                // The queue went away: nothing will come.
                Ok(Err(_)) => return Err(Denied::Waited),
                Err(_) if Instant::now() >= alarm.deadline() => return Err(Denied::Deadline),
                Err(_) => return Err(Denied::Waited),
            }
            if self.open.get() < self.limits.get().max_connections {
                return Ok(Slot::Vacant(Permit::new(self)));
            }
        }
    }

    /// The most recently used idle connection that still lives.
    fn take_idle(&self) -> Option<Wire> {
        loop {
            let Idle { wire, .. } = self.idle.borrow_mut().pop_back()?;
            if !wire.sender.is_closed() {
                self.reused.set(self.reused.get() + 1);
                return Some(wire);
            }
            wire.close(Closing::Server);
        }
    }

    /// A connection whose exchange ended well comes back, at `now`.
    pub(super) fn release(self: &Rc<Self>, mut wire: Wire, now: Instant) {
        if wire.sender.is_ready() {
            self.keep(wire, now);
        } else if wire.sender.is_closed() {
            wire.close(Closing::Server);
        } else {
            // The answer came before the connection was done with the request; it is in use until it is.
            let pool = Rc::downgrade(self);
            let patience = self.limits.get().idle_timeout;
            tokio::task::spawn_local(async move {
                let ready = tokio::time::timeout(patience, wire.sender.ready()).await;
                match (ready, pool.upgrade()) {
                    (Ok(Ok(())), Some(pool)) => pool.keep(wire, Instant::now()),
                    (Ok(Err(_)), _) => wire.close(Closing::Server),
                    _ => drop(wire),
                }
            });
        }
    }

    fn keep(self: &Rc<Self>, wire: Wire, now: Instant) {
        let limits = self.limits.get();
        let beyond = self.staying() > limits.max_connections;
        if let Some(cause) = self.shut.get() {
            return wire.close(cause);
        }
        // Never more than the maximum are opened, so the maximum has been lowered since.
        if beyond && limits.when_full != WhenFull::Open {
            return wire.close(Closing::Drained);
        }
        let surplus = if beyond { Closing::Overflow } else { Closing::MaxIdle };
        if limits.idle_cap() == 0 {
            return wire.close(surplus);
        }
        let Some(wire) = self.hand_over(wire) else { return };
        if self.idle.borrow().len() >= limits.idle_cap() {
            return wire.close(surplus);
        }
        self.idle.borrow_mut().push_back(Idle { wire, since: now });
        self.watch_idle();
    }

    /// To the first who still waits; otherwise back to the caller.
    fn hand_over(&self, mut wire: Wire) -> Option<Wire> {
        while let Some(turn) = self.next_waiter() {
            match turn.send(Slot::Kept(wire)) {
                Ok(()) => return None,
                Err(Slot::Kept(back)) => wire = back,
                Err(Slot::Vacant(_)) => unreachable!("a kept connection was sent"),
            }
        }
        Some(wire)
    }

    fn next_waiter(&self) -> Option<oneshot::Sender<Slot>> {
        let mut waiters = self.waiters.borrow_mut();
        loop {
            let turn = waiters.pop_front()?;
            if !turn.is_closed() {
                return Some(turn);
            }
        }
    }

    /// Lets those wait no longer for whom there is room.
    fn admit(self: &Rc<Self>) {
        let limits = self.limits.get();
        while self.open.get() < limits.max_connections || limits.when_full == WhenFull::Open {
            let Some(turn) = self.next_waiter() else { return };
            // Refused only by a waiter that just left; the permit then goes back by itself.
            let _ = turn.send(Slot::Vacant(Permit::new(self)));
        }
    }

    fn staying(&self) -> u32 {
        self.open.get() - self.leaving.get()
    }

    /// Live change: what is too much closes as it falls idle; what waits is let in as far as there is room now.
    pub(super) fn configure(self: &Rc<Self>, limits: Limits) {
        self.limits.set(limits);
        let idle = self.idle.borrow().len();
        let beyond = match limits.when_full {
            WhenFull::Open => 0,
            WhenFull::Wait | WhenFull::Fail => self.staying().saturating_sub(limits.max_connections) as usize,
        };
        let surplus = beyond.max(idle.saturating_sub(limits.idle_cap())).min(idle);
        self.close_oldest(surplus, Closing::Drained);
        if let Some(reaper) = self.reaper.take() {
            reaper.abort();
        }
        if !self.idle.borrow().is_empty() {
            self.watch_idle();
        }
        self.admit();
    }

    /// Closes what is idle now and whatever is released from now on, without waiting for it. Those who still come or
    /// wait are served by connections of their own.
    pub(super) fn retire(&self) {
        self.shut.set(Some(Closing::Drained));
        if let Some(reaper) = self.reaper.take() {
            reaper.abort();
        }
        let idle = self.idle.borrow().len();
        self.close_oldest(idle, Closing::Drained);
    }

    fn close_oldest(&self, count: usize, cause: Closing) {
        let closing: Vec<_> = self.idle.borrow_mut().drain(..count).collect();
        closing.into_iter().for_each(|idle| idle.wire.close(cause));
    }

    /// Closes what is idle now and whatever is released from now on; returns when the idle ones are gone.
    pub(super) async fn shut_down(&self) {
        const PATIENCE: Duration = Duration::from_millis(500);
        self.shut.set(Some(Closing::Shutdown));
        if let Some(reaper) = self.reaper.take() {
            reaper.abort();
        }
        let drivers: Vec<_> = self.idle.borrow().iter().map(|idle| idle.wire.driver.clone()).collect();
        self.close_oldest(drivers.len(), Closing::Shutdown);
        // A polite close writes (TLS says goodbye), so a peer that does not read can hold it up.
        if tokio::time::timeout(PATIENCE, self.all_left()).await.is_err() {
            drivers.iter().for_each(AbortHandle::abort);
            let _ = tokio::time::timeout(PATIENCE, self.all_left()).await;
        }
    }

    async fn all_left(&self) {
        while self.leaving.get() > 0 {
            self.left.notified().await;
        }
    }

    fn watch_idle(self: &Rc<Self>) {
        let mut reaper = self.reaper.borrow_mut();
        if reaper.is_none() {
            *reaper = Some(tokio::task::spawn_local(reap(Rc::downgrade(self))).abort_handle());
        }
    }

    /// Closes what has been idle too long; when to look again, if anything is left.
    fn expire(&self, now: Instant) -> Option<Instant> {
        let timeout = self.limits.get().idle_timeout;
        loop {
            let mut idle = self.idle.borrow_mut();
            let due = idle.front()?.since + timeout;
            if due > now {
                return Some(due);
            }
            let expired = idle.pop_front();
            drop(idle);
            expired?.wire.close(Closing::IdleTimeout);
        }
    }

    /// The driver of an idle connection ended by itself.
    fn forget(&self, permit: &Rc<Permit>) {
        let mut idle = self.idle.borrow_mut();
        let Some(at) = idle.iter().position(|idle| Rc::ptr_eq(&idle.wire.permit, permit)) else { return };
        let dead = idle.remove(at);
        drop(idle);
        if let Some(dead) = dead {
            dead.wire.close(Closing::Server);
        }
    }

    pub(super) fn gauge(&self) -> PoolGauge {
        PoolGauge {
            open: self.open.get(),
            idle: self.idle.borrow().len() as u32,
            waiting: self.waiting.get(),
            peak: self.peak.get(),
            opened: self.opened.get(),
            reused: self.reused.get(),
            stale: self.stale.get(),
            closed: std::array::from_fn(|i| self.closed[i].get()),
        }
    }
}

async fn reap(pool: Weak<Pool>) {
    loop {
        let due = {
            let Some(pool) = pool.upgrade() else { return };
            let Some(due) = pool.expire(Instant::now()) else {
                pool.reaper.take();
                return;
            };
            due
        };
        tokio::time::sleep_until(due.into()).await;
    }
}

/// A place in the queue; leaving it early gives back what came in the meantime.
struct Waiting<'a> {
    pool: &'a Rc<Pool>,
    turn: oneshot::Receiver<Slot>,
}

impl<'a> Waiting<'a> {
    fn join(pool: &'a Rc<Pool>) -> Self {
        let (sender, turn) = oneshot::channel();
        pool.waiters.borrow_mut().push_back(sender);
        pool.waiting.set(pool.waiting.get() + 1);
        Self { pool, turn }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.pool.waiting.set(self.pool.waiting.get() - 1);
        self.turn.close();
        if let Ok(Slot::Kept(wire)) = self.turn.try_recv() {
            self.pool.release(wire, Instant::now());
        }
        // Those who give up are mostly at the front: without this, a queue that nothing leaves would only grow.
        let mut waiters = self.pool.waiters.borrow_mut();
        while waiters.front().is_some_and(oneshot::Sender::is_closed) {
            waiters.pop_front();
        }
    }
}

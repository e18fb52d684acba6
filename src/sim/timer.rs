//! Precise wakeups: a worker's heap of due times, rung by a thread that sleeps until the next one.
//! Must not know what is waited for.
//!
//! Tokio's timer rounds up to whole milliseconds, once for each wait; the wire waits several times on the way of one
//! request and each would add its own. Here only the sleeping thread's wakeup is late, by some 0.1 ms.
//!
//! ```text
//! Alarm --due--> heap of the worker --earliest--> sleeper thread --> ticker task of the worker --> the tasks due
//! ```

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;

/// The ticker asks for its next round no sooner than this, so that a thousand paced streams cost at most 4,000 wakeups
/// a second and not one a token.
const GRAIN: Duration = Duration::from_micros(250);

/// Due times of one worker thread. [`Timer::run`] must be polled on that worker.
pub(super) struct Timer {
    heap: Mutex<BinaryHeap<Reverse<Entry>>>,
    sleeper: Arc<Sleeper>,
}

struct Entry {
    due: Instant,
    bell: Arc<AtomicWaker>,
}

impl Timer {
    pub(super) fn start() -> io::Result<Arc<Self>> {
        let sleeper = Arc::new(Sleeper::default());
        let thread = Arc::clone(&sleeper);
        std::thread::Builder::new().name("sim-timer".into()).spawn(move || thread.sleep())?;
        Ok(Arc::new(Self { heap: Mutex::default(), sleeper }))
    }

    /// Rings what is due, for ever.
    pub(super) async fn run(&self) {
        let mut ringing = Vec::new();
        poll_fn(|cx| {
            self.sleeper.ticker.register(cx.waker());
            let now = Instant::now();
            let next = {
                let mut heap = locked(&self.heap);
                while heap.peek().is_some_and(|Reverse(entry)| entry.due <= now) {
                    ringing.extend(heap.pop().map(|Reverse(entry)| entry.bell));
                }
                heap.peek().map(|Reverse(entry)| entry.due)
            };
            ringing.drain(..).for_each(|bell| bell.wake());
            if let Some(due) = next {
                self.sleeper.wake_at(due.max(now + GRAIN));
            }
            Poll::<()>::Pending
        })
        .await;
    }

    fn add(&self, due: Instant, bell: Arc<AtomicWaker>) {
        locked(&self.heap).push(Reverse(Entry { due, bell }));
        self.sleeper.wake_at(due);
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.sleeper.stop();
    }
}

/// One place that waits: it can be set again and again.
pub(super) struct Alarm {
    timer: Arc<Timer>,
    bell: Arc<AtomicWaker>,
    armed: Option<Instant>,
}

impl Alarm {
    pub(super) fn new(timer: &Arc<Timer>) -> Self {
        Self { timer: Arc::clone(timer), bell: Arc::default(), armed: None }
    }

    /// Ready once `due` has come, never before.
    pub(super) fn poll_until(&mut self, due: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= due {
            return Poll::Ready(());
        }
        // Registered before the clock is read for good: a ring that finds no waker has then rung after `due`.
        self.bell.register(cx.waker());
        if Instant::now() >= due {
            return Poll::Ready(());
        }
        if self.armed != Some(due) {
            self.armed = Some(due);
            self.timer.add(due, Arc::clone(&self.bell));
        }
        Poll::Pending
    }

    pub(super) async fn until(&mut self, due: Instant) {
        poll_fn(|cx| self.poll_until(due, cx)).await;
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // What stays in the heap must not keep the task's memory until it is due.
        drop(self.bell.take());
    }
}

/// The thread that sleeps for a worker.
#[derive(Default)]
struct Sleeper {
    wish: Mutex<Wish>,
    changed: Condvar,
    ticker: AtomicWaker,
}

#[derive(Default)]
struct Wish {
    due: Option<Instant>,
    stopped: bool,
}

impl Sleeper {
    fn wake_at(&self, due: Instant) {
        let mut wish = locked(&self.wish);
        if wish.due.is_none_or(|earlier| due < earlier) {
            wish.due = Some(due);
            drop(wish);
            self.changed.notify_one();
        }
    }

    fn stop(&self) {
        locked(&self.wish).stopped = true;
        self.changed.notify_one();
    }

    fn sleep(&self) {
        let mut wish = locked(&self.wish);
        while !wish.stopped {
            let now = Instant::now();
            wish = match wish.due {
                None => self.changed.wait(wish).unwrap_or_else(PoisonError::into_inner),
                Some(due) if due > now => {
                    self.changed.wait_timeout(wish, due - now).unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    wish.due = None;
                    drop(wish);
                    self.ticker.wake();
                    locked(&self.wish)
                }
            };
        }
    }
}

/// A panic elsewhere leaves every state here valid, so a poisoned lock is as good as any.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.due.cmp(&other.due)
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Entry {}

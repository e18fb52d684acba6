//! One timer for all the waits of an attempt.
//! Must not know what is waited for.
//!
//! A timer registered per wait, or per chunk of a stream, costs more than reading the chunk. So the one timer is
//! left where it is while the due time moves on, and is set anew only when it fires too early.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Instant;

use tokio::time::Sleep;

/// The wait took longer than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Late;

pub(super) struct Alarm<'a> {
    sleep: Pin<&'a mut Sleep>,
    due: Instant,
    deadline: Instant,
}

impl<'a> Alarm<'a> {
    /// `sleep` may be due at any time; nothing is registered until a wait is in fact pending.
    pub(super) fn new(sleep: Pin<&'a mut Sleep>, deadline: Instant) -> Self {
        Self { sleep, due: deadline, deadline }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The next wait ends at `due` at the latest, and never after the deadline.
    pub(super) fn set(&mut self, due: Instant) {
        self.due = due.min(self.deadline);
        if self.due < self.sleep.deadline().into_std() {
            self.sleep.as_mut().reset(self.due.into());
        }
    }

    /// What `future` gives, unless it is late. It is never late at once: what the future has handed to other tasks is
    /// theirs to do first, so that a request counted as sent has been written when it is given up.
    pub(super) async fn limit<F: Future>(&mut self, future: F) -> Result<F::Output, Late> {
        let mut future = pin!(future);
        let mut had_a_turn = false;
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            let first_turn = !std::mem::replace(&mut had_a_turn, true);
            while self.sleep.as_mut().poll(cx).is_ready() {
                if Instant::now() >= self.due {
                    if first_turn {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    return Poll::Ready(Err(Late));
                }
                self.sleep.as_mut().reset(self.due.into());
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_timer_left_too_early_does_not_end_the_wait() {
        let start = Instant::now();
        let sleep = pin!(tokio::time::sleep_until((start + Duration::from_millis(20)).into()));
        let mut alarm = Alarm::new(sleep, start + Duration::from_secs(60));
        alarm.set(start + Duration::from_millis(80));
        assert_eq!(alarm.limit(std::future::pending::<()>()).await, Err(Late));
        assert!(start.elapsed() >= Duration::from_millis(80));
    }

    #[tokio::test]
    async fn what_a_late_wait_has_handed_over_is_done_before_it_is_given_up() {
        tokio::task::LocalSet::new()
            .run_until(async {
                let (hand_over, handed) = tokio::sync::oneshot::channel();
                let (done, mut is_done) = tokio::sync::oneshot::channel();
                tokio::task::spawn_local(async move { done.send(handed.await) });
                tokio::task::yield_now().await;
                let past = Instant::now() - Duration::from_secs(1);
                let sleep = pin!(tokio::time::sleep_until(past.into()));
                let mut alarm = Alarm::new(sleep, past);
                let late = async {
                    let _ = hand_over.send("request");
                    std::future::pending::<()>().await;
                };
                assert_eq!(alarm.limit(late).await, Err(Late));
                assert_eq!(is_done.try_recv(), Ok(Ok("request")));
            })
            .await;
    }

    #[tokio::test]
    async fn no_wait_goes_beyond_the_deadline() {
        let start = Instant::now();
        let deadline = start + Duration::from_millis(30);
        let sleep = pin!(tokio::time::sleep_until(deadline.into()));
        let mut alarm = Alarm::new(sleep, deadline);
        alarm.set(start + Duration::from_secs(60));
        assert_eq!(alarm.limit(std::future::pending::<()>()).await, Err(Late));
        assert!(start.elapsed() >= Duration::from_millis(30) && start.elapsed() < Duration::from_secs(20));
    }
}

//! A closed loop's users in one replica. Must not know how many there are to be, and when.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Replica;
use crate::engine::population::Population;

impl Replica {
    /// Users beyond the target leave after the call they are in.
    pub(super) fn set_users(self: &Rc<Self>, target: u32) {
        self.users.set(target);
        for id in self.living_users.get()..target {
            self.living_users.set(id + 1);
            self.count_users(Population::arrive);
            tokio::task::spawn_local(self.clone().user());
        }
    }

    /// A user of a closed loop: asks, reads, thinks, asks again.
    async fn user(self: Rc<Self>) {
        let (mut intended, bell) = (Instant::now(), Arc::default());
        while let Some((first, size, measured)) = self.next_call(intended) {
            let batch = self.batch(first, size, intended, measured).await;
            let think_time = self.settings.borrow().profile.load.think_time;
            let asked = std::mem::replace(&mut intended, batch.done + think_time);
            if self.counts(asked) {
                self.rounds.set(self.rounds.get() + intended.saturating_duration_since(asked));
            }
            if self.window.get().is_some_and(|window| window.holds(intended)) {
                continue;
            }
            if !think_time.is_zero() {
                let done = self.measured(batch.done);
                self.count_users(|population, now| population.think(done, now));
                self.sleeper.until(intended, &bell).await;
                let wanted = self.measured(intended);
                self.count_users(|population, now| population.ask(wanted, now));
            } else if !batch.left_the_thread {
                // Answered without ever waiting: let the others have a turn.
                tokio::task::yield_now().await;
            }
        }
        self.living_users.set(self.living_users.get() - 1);
        self.count_users(Population::leave);
    }

    fn count_users<T>(&self, count: impl FnOnce(&mut Population, Duration) -> T) -> T {
        let mut population = self.population.get();
        let counted = count(&mut population, self.measured(Instant::now()));
        self.population.set(population);
        counted
    }

    /// How long users were there, and for how much of it they thought.
    pub(super) fn user_times(&self) -> (Duration, Duration) {
        self.count_users(Population::times)
    }

    /// The number of a user's next call; `None` when this user is to leave.
    fn next_call(&self, intended: Instant) -> Option<(u64, u32, bool)> {
        let window = self.window.get()?;
        let leaves = self.living_users.get() > self.users.get();
        if leaves
            || !self.accepting.get()
            || self.control.is_stopped()
            || self.control.is_pause_to_come()
            || window.is_over(intended)
            || window.holds(intended)
        {
            return None;
        }
        let batch = self.settings.borrow().profile.workload.batch.size;
        let measured = window.is_measured(intended);
        if !self.control.affords(batch) {
            return None;
        }
        if measured && !self.control.begin_measured(batch, window.requests) {
            self.control.forgo(batch, false);
            return None;
        }
        Some((self.control.take_calls(batch), batch, measured))
    }
}

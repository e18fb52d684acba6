//! How long a closed loop's users were there and how long they thought: what their calls are held against (Little's
//! law). Must not know calls. Its clock is the time of the measured window that has passed, so that warm-up, pauses and
//! drain need no thought here.

use std::time::Duration;

#[derive(Clone, Copy, Debug, Default)]
pub struct Population {
    users: Presence,
    thinking: Presence,
}

/// Some who come and go, and for how long they were there, summed over them.
#[derive(Clone, Copy, Debug, Default)]
struct Presence {
    count: u32,
    since: Duration,
    time: Duration,
}

impl Presence {
    /// A pause that reaches a replica late sets its clock back a little: that time is not counted again.
    fn pass(&mut self, now: Duration) {
        self.time += now.saturating_sub(self.since) * self.count;
        self.since = self.since.max(now);
    }
}

impl Population {
    pub fn arrive(&mut self, now: Duration) {
        self.users.pass(now);
        self.users.count += 1;
    }

    pub fn leave(&mut self, now: Duration) {
        self.users.pass(now);
        self.users.count -= 1;
    }

    /// A user has its answer since `done` and thinks.
    pub fn think(&mut self, done: Duration, now: Duration) {
        self.thinking.pass(now);
        self.thinking.count += 1;
        self.thinking.time += now.saturating_sub(done);
    }

    /// It wanted to ask again at `intended`; that it woke later is no thinking.
    pub fn ask(&mut self, intended: Duration, now: Duration) {
        self.thinking.pass(now);
        self.thinking.count -= 1;
        self.thinking.time = self.thinking.time.saturating_sub(now.saturating_sub(intended));
    }

    /// Users' time and think time until now.
    pub fn times(&mut self, now: Duration) -> (Duration, Duration) {
        self.users.pass(now);
        self.thinking.pass(now);
        (self.users.time, self.thinking.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn users_are_counted_by_the_time_they_are_there() {
        let mut population = Population::default();
        population.arrive(ms(0));
        population.arrive(ms(100));
        assert_eq!(population.times(ms(200)), (ms(300), ms(0)));
        population.leave(ms(250));
        assert_eq!(population.times(ms(1000)), (ms(250 + 150 + 750), ms(0)));
    }

    #[test]
    fn thinking_is_from_the_answer_to_when_the_next_call_was_wanted_however_late_either_is_noticed() {
        let mut population = Population::default();
        population.arrive(ms(0));
        population.think(ms(100), ms(103));
        population.ask(ms(150), ms(157));
        assert_eq!(population.times(ms(200)), (ms(200), ms(50)));
    }

    #[test]
    fn a_clock_that_is_set_back_counts_no_time_twice() {
        let mut population = Population::default();
        population.arrive(ms(0));
        population.times(ms(105));
        population.times(ms(100));
        assert_eq!(population.times(ms(200)), (ms(200), ms(0)));
    }

    #[test]
    fn who_still_thinks_at_the_end_of_the_window_has_thought_until_then() {
        let mut population = Population::default();
        population.arrive(ms(0));
        population.think(ms(900), ms(900));
        assert_eq!(population.times(ms(1000)), (ms(1000), ms(100)));
    }
}

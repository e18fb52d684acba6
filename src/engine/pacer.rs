//! The thread that hands out arrivals of an open loop at their due time.
//!
//! A sleeping thread of its own wakes some 0.1 ms late; tokio's timer alone would be 1 to 2 ms late.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::control::{Control, Window};
use super::messages::{Cut, Post, ToPacer, ToReplica};
use crate::plan::{Arrivals, Ramp};
use crate::profile::Profile;

/// Longest sleep: how soon a stop or a change of rate is seen.
const NAP: Duration = Duration::from_millis(20);

pub struct Pacer {
    pub control: Arc<Control>,
    pub window: Window,
    pub profile: Arc<Profile>,
    pub ramp: Ramp,
    pub replicas: Vec<Post>,
    pub inbox: mpsc::Receiver<ToPacer>,
    /// The end of the block under way.
    pub cut: Option<Cut>,
}

impl Pacer {
    /// Runs until the window is over, `requests` were handed out, or the load is stopped.
    pub fn run(mut self) {
        sharpen_sleep();
        let mut arrivals = self.arrivals(Duration::ZERO);
        let mut turn = 0;
        let mut next = arrivals.next();
        while !self.control.is_stopped() {
            // Before the messages: once a pause has come, its clock is among them.
            let is_held = self.control.is_pause_to_come();
            while let Some(message) = self.message() {
                if self.take(message) {
                    arrivals = self.arrivals(self.window.elapsed(Instant::now()));
                    next = arrivals.next();
                }
            }
            // A due time beyond what an Instant holds is never.
            let due = next.and_then(|due| self.window.start.checked_add(due));
            let now = Instant::now();
            match due {
                _ if self.window.holds(now) && due.is_none_or(|due| self.window.holds(due)) => self.tell_of_the_cut(),
                _ if is_held => std::thread::sleep(NAP),
                Some(due) if due <= now => {
                    if self.window.is_over(due) || !self.hand_out(due, &mut turn) {
                        break;
                    }
                    next = arrivals.next();
                }
                _ if self.window.is_over(now) => break,
                _ => {
                    let next = due.into_iter().chain(self.window.paused).min();
                    std::thread::sleep(next.map_or(NAP, |next| next.saturating_duration_since(now).min(NAP)));
                }
            }
        }
        self.control.end_pacing();
    }

    /// In a pause it waits for one, so that the load goes on at once.
    fn message(&self) -> Option<ToPacer> {
        match self.cut.is_none() && self.window.holds(Instant::now()) {
            true => self.inbox.recv_timeout(NAP).ok(),
            false => self.inbox.try_recv().ok(),
        }
    }

    /// All that was due before it is in the replicas' queues.
    fn tell_of_the_cut(&mut self) {
        if let Some(cut) = self.cut.take() {
            self.replicas.iter().for_each(|replica| replica.send(ToReplica::Cut(cut)));
        }
    }

    /// Whether arrivals begin anew.
    fn take(&mut self, message: ToPacer) -> bool {
        match message {
            ToPacer::Change(profile, ramp) => {
                (self.profile, self.ramp) = (profile, ramp);
                return true;
            }
            ToPacer::Clock(window) => self.window = window,
            ToPacer::Cut(cut) => self.cut = Some(cut),
            ToPacer::Replicas { staying, leaving } => {
                self.replicas = staying;
                leaving.finish();
            }
        }
        false
    }

    fn arrivals(&self, from: Duration) -> Arrivals {
        let Profile { load, workload, seed, .. } = &*self.profile;
        Arrivals::new(self.ramp.clone(), load.arrivals, workload.batch.size, *seed, from)
    }

    /// Gives one arrival to the next replica in turn, or drops it; `false` when `requests` or the budget are used up.
    fn hand_out(&self, due: Instant, turn: &mut usize) -> bool {
        let (control, batch) = (&self.control, self.profile.workload.batch.size);
        let measured = self.window.is_measured(due);
        if !control.affords(batch) {
            return false;
        }
        if measured {
            if !control.begin_measured(batch, self.window.requests) {
                control.forgo(batch, false);
                return false;
            }
            control.planned.fetch_add(u64::from(batch), Relaxed);
        }
        let first = control.take_calls(batch);
        let in_flight = control.in_flight.fetch_add(u64::from(batch), Relaxed) + u64::from(batch);
        if in_flight > self.profile.load.max_in_flight as u64 {
            control.in_flight.fetch_sub(u64::from(batch), Relaxed);
            control.forgo(batch, false);
            control.dropped.fetch_add(u64::from(batch), Relaxed);
            if measured {
                control.dropped_measured.fetch_add(u64::from(batch), Relaxed);
            }
            return true;
        }
        *turn = (*turn + 1) % self.replicas.len();
        self.replicas[*turn].send(ToReplica::Arrival { first, size: batch, intended: due, measured });
        true
    }
}

/// Linux rounds a thread's sleeps up by its timer slack, 50 us by default.
pub fn sharpen_sleep() {
    #[cfg(target_os = "linux")]
    // SAFETY: PR_SET_TIMERSLACK takes one integer and changes only this thread.
    unsafe {
        libc::prctl(libc::PR_SET_TIMERSLACK, 1, 0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Until;
    use crate::profile::{Draft, Prices, Source};

    /// As it goes after Ctrl-Z: the pacer goes on before the conductor has dealt with the pause and its end.
    #[test]
    fn a_process_that_was_stopped_in_a_pause_sends_nothing_of_what_it_missed() {
        let text = "[load]\nrate = 100.0\narrivals = \"constant\"\n[routes.gateway]\nsimulate = \"local\"\n";
        let profile = Draft::from_text(Source::Adhoc, text.into()).finish(Prices::ANY).unwrap().profile;
        let (control, (sender, mut arrivals)) = (Arc::<Control>::default(), tokio::sync::mpsc::unbounded_channel());
        let (to_pacer, inbox) = mpsc::channel();
        let missed = Duration::from_secs(10);
        let now = Instant::now();
        let window = Window::new(now - missed, &profile.load, Until::Stopped);
        let pacer = Pacer {
            control: control.clone(),
            window,
            ramp: Ramp::of(&profile.load),
            profile: Arc::new(profile),
            replicas: vec![Post { number: 0, sender }],
            inbox,
            cut: None,
        };
        control.ask_for_pause();
        let running = std::thread::spawn(move || pacer.run());
        std::thread::sleep(4 * NAP);
        assert!(arrivals.try_recv().is_err(), "a pause was asked for");
        let paused = Window { paused: Some(window.start), ..window };
        let (resumed, pause) = paused.resumed(Instant::now()).unwrap();
        assert!(pause >= missed);
        to_pacer.send(ToPacer::Clock(paused)).unwrap();
        to_pacer.send(ToPacer::Clock(resumed)).unwrap();
        control.pause_has_come();
        for _ in 0..5 {
            let Some(ToReplica::Arrival { intended, .. }) = arrivals.blocking_recv() else { panic!("no arrival") };
            assert!(intended >= resumed.start);
        }
        control.stop();
        running.join().unwrap();
    }
}

//! The thread that leads a run: asks replicas for their recordings at each tick, merges them, publishes the
//! snapshot, moves users along their ramp, and ends the run.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::control::{Control, Window};
use super::gathering::Gathering;
use super::messages::{Finished, FromReplica, Message, Settings, ToReplica};
use crate::metrics::{Phase, Run, Snapshot, Stop};
use crate::plan::Ramp;
use crate::profile::{Batch, BatchMode, Mode, Profile};
use crate::route::FailureKind;

/// How often readers get a new picture.
const TICK: Duration = Duration::from_millis(200);
/// How long an interrupted run awaits what is in flight.
const INTERRUPTED_GRACE: Duration = Duration::from_secs(2);
/// Failed calls after which a run without a single success, and without hope of one, is given up.
const HOPELESS_AFTER: u64 = 5;

pub struct Conductor {
    pub control: Arc<Control>,
    pub window: Window,
    pub profile: Arc<Profile>,
    pub replicas: Vec<UnboundedSender<ToReplica>>,
    pub to_pacer: mpsc::Sender<(Arc<Profile>, Ramp)>,
    pub inbox: mpsc::Receiver<Message>,
    pub snapshots: watch::Sender<Arc<Snapshot>>,
    pub gathering: Gathering,
    pub ramp: Ramp,
    pub phase: Phase,
    pub stop: Stop,
    pub finished: Vec<Finished>,
    /// Replicas that ended without finishing.
    pub lost: usize,
    /// Of every `stack.timeout` there was: calls keep the one they began with.
    pub longest_timeout: Duration,
}

impl Conductor {
    /// Leads until every replica has ended; the run's record.
    pub fn lead(mut self) -> Run {
        let mut next_tick = self.window.start + TICK;
        self.assign_users();
        while self.finished.len() + self.lost < self.replicas.len() {
            let wake = self.next_wake(next_tick);
            match self.inbox.recv_timeout(wake.saturating_duration_since(Instant::now())) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = Instant::now();
            self.advance(now);
            if now >= next_tick {
                next_tick = (next_tick + TICK).max(now);
                self.tick(now);
            }
        }
        self.end()
    }

    /// The next tick, or the window's end if that is sooner.
    fn next_wake(&self, tick: Instant) -> Instant {
        match (self.phase, self.window.end) {
            (Phase::Warmup | Phase::Measure, Some(end)) if end > Instant::now() => tick.min(end),
            _ => tick,
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Replica(FromReplica::Report(report)) => self.gathering.add(report),
            Message::Replica(FromReplica::Finished(finished)) => self.finished.push(*finished),
            Message::Replica(FromReplica::Lost) => self.lost += 1,
            Message::Replica(FromReplica::Ready(_)) => {}
            Message::Change { profile, settings, changed } => self.change(profile, settings, changed),
            Message::Stop(why) => self.finish(why),
        }
    }

    fn tick(&mut self, now: Instant) {
        self.gathering.tick(now, &self.window, &self.control);
        self.judge();
        self.assign_users();
        for replica in &self.replicas {
            let _ = replica.send(ToReplica::Report);
        }
        self.publish(now);
    }

    fn advance(&mut self, now: Instant) {
        if self.phase == Phase::Warmup && now >= self.window.measure {
            self.phase = Phase::Measure;
        }
        if matches!(self.phase, Phase::Warmup | Phase::Measure) && self.is_planned_out(now) {
            self.finish(if self.control.is_spent() { Stop::Budget } else { Stop::Finished });
        }
    }

    /// Nothing more is due.
    fn is_planned_out(&self, now: Instant) -> bool {
        match self.profile.load.mode {
            _ if self.control.is_spent() => true,
            Mode::Open => self.control.is_paced_out(),
            Mode::Closed => self.window.is_over(now) || self.has_begun_all(),
        }
    }

    /// Ends a run early that cannot succeed.
    fn judge(&mut self) {
        if self.phase == Phase::Drain {
            return;
        }
        let (total, gauges) = (self.gathering.total(), self.gathering.gauges());
        let all = |kinds: fn(&FailureKind) -> bool| total.failures.keys().all(kinds);
        // A connection once opened may still bring an answer, however slow.
        let unreachable = || gauges.opened + total.requests == 0 && all(|kind| *kind == FailureKind::Connect);
        let refused = || all(|kind| matches!(kind, FailureKind::Status(401 | 403)));
        if total.succeeded == 0 && total.failed >= HOPELESS_AFTER && (unreachable() || refused()) {
            self.finish(Stop::Hopeless);
        }
    }

    /// Every one of `load.requests` has begun.
    fn has_begun_all(&self) -> bool {
        self.window.requests.is_some_and(|asked| self.control.measured_calls.load(Relaxed) >= asked)
    }

    fn finish(&mut self, why: Stop) {
        let by_a_person = |stop| matches!(stop, Stop::Interrupted | Stop::Terminated);
        if self.phase == Phase::Drain {
            if by_a_person(why) && !by_a_person(self.stop) {
                self.stop = why;
                self.tell_to_finish(INTERRUPTED_GRACE, None);
            }
            return;
        }
        self.phase = Phase::Drain;
        self.stop = why;
        if why == Stop::Budget {
            self.gathering.event("budget", "a further call could exceed limits.budget: load stopped".into());
        }
        self.control.stop();
        // The window of a run of `requests` is open until the last answer.
        let now = Instant::now();
        let open = why == Stop::Finished && self.has_begun_all() && !self.window.is_over(now);
        if !open {
            self.gathering.close_window(now, &self.window);
        }
        let Batch { size, mode } = self.profile.workload.batch;
        let in_turn = if open && mode == BatchMode::Serial { size } else { 1 };
        let grace = match by_a_person(why) {
            true => INTERRUPTED_GRACE,
            false => self.longest_timeout * in_turn + Duration::from_secs(1),
        };
        let cut = (!open && !self.window.is_over(now)).then_some(now);
        self.tell_to_finish(grace, cut);
    }

    fn tell_to_finish(&self, grace: Duration, cut: Option<Instant>) {
        for replica in &self.replicas {
            let _ = replica.send(ToReplica::Finish { grace, cut });
        }
    }

    fn change(&mut self, new: Arc<Profile>, settings: Settings, changed: Vec<String>) {
        if self.phase == Phase::Drain {
            return;
        }
        let old = std::mem::replace(&mut self.profile, new.clone());
        if old.load.rate != new.load.rate || old.load.users != new.load.users {
            self.ramp = Ramp::constant(match new.load.mode {
                Mode::Open => new.load.rate,
                Mode::Closed => f64::from(new.load.users),
            });
        }
        let paced_anew = old.load.rate != new.load.rate
            || old.load.arrivals != new.load.arrivals
            || old.load.max_in_flight != new.load.max_in_flight
            || old.workload.batch != new.workload.batch;
        if paced_anew {
            let _ = self.to_pacer.send((new.clone(), self.ramp.clone()));
        }
        for replica in &self.replicas {
            let _ = replica.send(ToReplica::Change(settings.clone()));
        }
        self.longest_timeout = self.longest_timeout.max(new.stack.timeout);
        self.gathering.close_second(Instant::now(), &self.window, &self.control);
        self.gathering.begin_epoch(settings.epoch, &new, changed, &self.window);
    }

    /// Spreads the ramp's users over the replicas.
    fn assign_users(&self) {
        if self.profile.load.mode == Mode::Open || self.phase == Phase::Drain {
            return;
        }
        let users = self.ramp.level(self.window.start.elapsed()).round() as u32;
        let replicas = self.replicas.len() as u32;
        for (i, replica) in self.replicas.iter().enumerate() {
            let share = users / replicas + u32::from((i as u32) < users % replicas);
            let _ = replica.send(ToReplica::Users(share));
        }
    }

    fn publish(&self, now: Instant) {
        if self.snapshots.receiver_count() > 0 {
            let snapshot = self.gathering.snapshot(now, self.phase, &self.profile, &self.window, &self.control);
            self.snapshots.send_replace(Arc::new(snapshot));
        }
    }

    fn end(mut self) -> Run {
        let now = Instant::now();
        for finished in &mut self.finished {
            let last = std::mem::take(&mut finished.last.recordings);
            self.gathering.add_recordings(last);
            self.gathering.set_gauges(finished.last.replica, finished.last.gauges);
        }
        self.gathering.close_second(now, &self.window, &self.control);
        self.phase = Phase::Done;
        self.publish(now);
        self.gathering.into_run(now, self.profile, self.stop, &self.window, &self.control, self.finished)
    }
}

//! The thread that leads a run: asks replicas for their recordings at each tick, merges them, publishes the
//! snapshot, moves users along their ramp, and ends the run.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::blocks::UnderWay;
use super::control::{Control, Until, Window};
use super::gathering::Gathering;
use super::messages::{Ended, Finished, FromReplica, Lasts, Message, Post, ToPacer, ToReplica};
use crate::metrics::{Phase, Run, Snapshot, Stop};
use crate::plan::Ramp;
use crate::profile::{Batch, BatchMode, Mode, Profile};
use crate::route::FailureKind;
use crate::sim;

/// How often readers get a new picture.
const TICK: Duration = Duration::from_millis(200);
/// How long a run that was ended before its time awaits what is in flight.
const SHORT_GRACE: Duration = Duration::from_secs(2);
/// Failed calls after which a run without a single success, and without hope of one, is given up.
const HOPELESS_AFTER: u64 = 5;

/// What a conductor leads.
pub struct Led {
    pub control: Arc<Control>,
    pub window: Window,
    pub profile: Arc<Profile>,
    pub replicas: Vec<Post>,
    /// The simulated ones.
    pub routes: Vec<sim::RouteHandle>,
    pub until: Until,
    /// Of the rate, or of the users.
    pub ramp: Ramp,
}

pub struct Conductor {
    pub control: Arc<Control>,
    pub window: Window,
    pub profile: Arc<Profile>,
    pub replicas: Vec<Post>,
    /// Replicas that finish what they began while the load goes on without them.
    pub leaving: Vec<Post>,
    pub routes: Vec<sim::RouteHandle>,
    pub to_pacer: mpsc::Sender<ToPacer>,
    inbox: mpsc::Receiver<Message>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    pub gathering: Gathering,
    pub until: Until,
    pub ramp: Ramp,
    pub phase: Phase,
    stop: Stop,
    pub ended: Ended,
    /// Of every `stack.timeout` there was: calls keep the one they began with.
    pub longest_timeout: Duration,
    /// Events whose end is still to be told.
    pub lasting: Vec<(&'static str, Lasts)>,
    /// Who wants the run as it stands.
    curious: Vec<mpsc::Sender<Run>>,
    /// Of a load that runs in blocks.
    pub under_way: Option<UnderWay>,
}

type Pictures = watch::Receiver<Arc<Snapshot>>;

impl Conductor {
    pub fn new(led: Led, to_pacer: mpsc::Sender<ToPacer>, inbox: mpsc::Receiver<Message>) -> (Self, Pictures) {
        let Led { control, window, profile, replicas, routes, until, ramp } = led;
        let gathering = Gathering::new(&profile, replicas.len(), window.start);
        let first = gathering.snapshot(window.start, Phase::Warmup, &profile, &window);
        let (publish, snapshots) = watch::channel(Arc::new(first));
        let conductor = Self {
            longest_timeout: profile.stack.timeout,
            control,
            window,
            profile,
            replicas,
            leaving: Vec::new(),
            routes,
            to_pacer,
            inbox,
            snapshots: publish,
            gathering,
            until,
            ramp,
            phase: Phase::Warmup,
            stop: Stop::Finished,
            ended: Ended::none(),
            lasting: Vec::new(),
            curious: Vec::new(),
            under_way: None,
        };
        (conductor, snapshots)
    }

    /// Leads until every replica has ended; the run's record.
    pub fn lead(mut self) -> Run {
        let mut next_tick = self.window.start + TICK;
        self.assign_users();
        while !(self.replicas.is_empty() && self.leaving.is_empty()) {
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
            Message::Replica(FromReplica::Part(part)) => self.add_part(*part),
            Message::Replica(FromReplica::Finished(finished)) => self.part(*finished),
            Message::Replica(FromReplica::Lost(number)) => self.lose(number),
            Message::Change(change) => self.change(change),
            Message::Pause(at) => self.pause(at),
            Message::Resume(at) => self.resume(at),
            Message::Block(asked) => self.begin_block(asked),
            Message::Note { kind, text, lasts } => self.note(kind, text, lasts),
            Message::SoFar(reply) => self.curious.push(reply),
            Message::Stop(why) => self.finish(why),
            Message::Abort(why) => self.abort(why),
        }
    }

    /// Keeps what a replica leaves behind. One that the run never had, since its change came too late, leaves nothing.
    fn part(&mut self, finished: Finished) {
        if self.strike_off(finished.last.replica) {
            self.gathering.add(finished.last);
            self.ended.add(&finished.total, finished.last_done, finished.abandoned);
        }
    }

    /// One that panicked: its calls are gone with it.
    fn lose(&mut self, number: usize) {
        if self.strike_off(number) {
            self.gathering.lose(number);
        }
    }

    /// Whether the run had this replica.
    fn strike_off(&mut self, number: usize) -> bool {
        let before = self.replicas.len() + self.leaving.len();
        self.replicas.retain(|replica| replica.number != number);
        self.leaving.retain(|replica| replica.number != number);
        self.await_no_part_of(number);
        self.replicas.len() + self.leaving.len() < before
    }

    fn tick(&mut self, now: Instant) {
        self.gathering.tick(&self.window);
        self.tell_ends(now);
        self.tell_so_far();
        self.judge();
        self.assign_users();
        // All that was asked for a tick ago has come in by now.
        self.publish(now);
        self.gathering.ask(now, &self.control);
        for replica in self.replicas.iter().chain(&self.leaving) {
            replica.send(ToReplica::Report);
        }
    }

    fn tell_so_far(&mut self) {
        for reply in std::mem::take(&mut self.curious) {
            // Who no longer waits needs no answer.
            let _ = reply.send(self.gathering.so_far(&self.profile, &self.window));
        }
    }

    fn advance(&mut self, now: Instant) {
        if self.phase == Phase::Warmup && self.window.is_measured(now) {
            self.phase = Phase::Measure;
        }
        if self.control.given_up().is_some() {
            self.finish(Stop::Hopeless);
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

    /// Gives a run up that cannot succeed. (A refused key is noticed where its call ends: see `Keys`.)
    fn judge(&mut self) {
        if self.phase != Phase::Drain
            && let Some(why) = self.in_vain()
        {
            self.control.give_up(why);
            self.finish(Stop::Hopeless);
        }
    }

    /// Why no call can succeed, if none has and none can.
    fn in_vain(&self) -> Option<String> {
        let (total, gauges) = (self.gathering.total(), self.gathering.gauges());
        if total.succeeded > 0 || total.failed < HOPELESS_AFTER {
            return None;
        }
        let all = |kinds: fn(&FailureKind) -> bool| total.failures.keys().all(kinds);
        let said = total.examples.values().next().map_or("", String::as_str).trim_end_matches('.');
        // A connection once opened may still bring an answer, however slow.
        let no_connection = gauges.opened + total.requests == 0;
        if no_connection && all(|kind| matches!(kind, FailureKind::Connect | FailureKind::Timeout)) {
            return Some(format!("no call got a connection: {said}"));
        }
        let forbidden = all(|kind| *kind == FailureKind::Status(403));
        forbidden.then(|| format!("every call was refused: {said}; may this key use this model, from this place?"))
    }

    /// Every one of `load.requests` has begun.
    fn has_begun_all(&self) -> bool {
        self.window.requests.is_some_and(|asked| self.control.measured_calls.load(Relaxed) >= asked)
    }

    /// A load that is over already is not aborted.
    fn abort(&mut self, why: String) {
        if self.phase != Phase::Drain {
            self.gathering.event("aborted", why);
            self.finish(Stop::Aborted);
        }
    }

    fn finish(&mut self, why: Stop) {
        if self.phase == Phase::Drain {
            if by_a_person(why) && !by_a_person(self.stop) {
                self.stop = why;
                self.tell_to_finish(SHORT_GRACE, None);
            }
            return;
        }
        self.phase = Phase::Drain;
        self.under_way = None;
        self.stop = why;
        if why == Stop::Budget {
            self.gathering.event("budget", "a further call could exceed limits.budget: load stopped".into());
        }
        if let Some(why) = self.control.given_up() {
            self.gathering.event("given up", why.to_owned());
        }
        self.control.stop();
        // The window of a run of `requests` is open until the last answer.
        let now = Instant::now();
        let open = why == Stop::Finished && self.has_begun_all() && !self.window.is_over(now);
        if !open {
            self.gathering.close_window(now, &self.window);
        }
        let grace = match by_a_person(why) || why == Stop::Aborted {
            true => SHORT_GRACE,
            false => self.grace(if open { self.serial_batch() } else { 1 }),
        };
        let cut = (!open && !self.window.is_over(now)).then(|| self.window.clock(now));
        self.tell_to_finish(grace, cut);
    }

    /// Calls of a batch that follow each other.
    pub fn serial_batch(&self) -> u32 {
        let Batch { size, mode } = self.profile.workload.batch;
        if mode == BatchMode::Serial { size } else { 1 }
    }

    fn tell_to_finish(&self, grace: Duration, cut: Option<Instant>) {
        for replica in self.replicas.iter().chain(&self.leaving) {
            replica.send(ToReplica::Finish { grace, cut });
        }
    }

    /// Spreads the ramp's users over the replicas.
    pub fn assign_users(&self) {
        if self.profile.load.mode == Mode::Open || self.phase == Phase::Drain {
            return;
        }
        let now = Instant::now();
        let users = match self.window.holds(now) {
            true => 0,
            false => self.ramp.level(self.window.elapsed(now)).round() as u32,
        };
        // None is left if all that stay have panicked.
        let replicas = self.replicas.len().max(1) as u32;
        for (i, replica) in self.replicas.iter().enumerate() {
            replica.send(ToReplica::Users(users / replicas + u32::from((i as u32) < users % replicas)));
        }
    }

    pub fn publish(&self, now: Instant) {
        if self.snapshots.receiver_count() > 0 {
            let snapshot = self.gathering.snapshot(now, self.phase, &self.profile, &self.window);
            self.snapshots.send_replace(Arc::new(snapshot));
        }
    }

    fn end(mut self) -> Run {
        let now = Instant::now();
        self.gathering.ask(now, &self.control);
        self.gathering.close_second(&self.window);
        self.phase = Phase::Done;
        self.publish(now);
        // The last answers may tell it too, when all calls have begun.
        let given_up = self.control.given_up().filter(|_| !by_a_person(self.stop)).map(str::to_owned);
        let stop = if given_up.is_some() { Stop::Hopeless } else { self.stop };
        let mut run = self.gathering.run(&self.profile, stop, &self.window, self.ended);
        run.given_up = given_up;
        run
    }
}

fn by_a_person(stop: Stop) -> bool {
    matches!(stop, Stop::Interrupted | Stop::Terminated | Stop::Quit)
}

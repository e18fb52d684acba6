//! One replica: a thread with a current-thread runtime, a stack, a recorder, and nothing shared on a call's way.

mod cut;
mod users;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::runtime::LocalOptions;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;

use super::EngineError;
use super::control::{Control, Window};
use super::endpoints::Endpoints;
use super::messages::{Finished, FromReplica, Message, Report, Settings, ToReplica};
use super::population::Population;
use super::sleeper::Sleeper;
use crate::metrics::{Gauges, Recorder, Sample};
use crate::profile::expect::LatencyBounds;
use crate::profile::{BatchMode, Mode};
use crate::stack::{Outcome, Stack};

pub struct Setup {
    pub number: usize,
    pub settings: Settings,
    pub endpoints: Arc<Endpoints>,
    pub bounds: LatencyBounds,
    pub control: Arc<Control>,
}

/// Says whether it could start, then runs a replica until [`ToReplica::Finish`].
pub fn run(
    setup: Setup,
    inbox: UnboundedReceiver<ToReplica>,
    outbox: mpsc::Sender<Message>,
    ready: mpsc::Sender<Result<(), EngineError>>,
) {
    // A LocalRuntime's tasks are the scheduler's own; a LocalSet's would be woken by I/O through a lock and a queue.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(EngineError::Thread(error)));
            return;
        }
    };
    let _farewell = Farewell { number: setup.number, outbox: outbox.clone() };
    runtime.block_on(async {
        match Replica::new(setup) {
            Ok(replica) => {
                let _ = ready.send(Ok(()));
                drop(ready);
                Rc::new(replica).serve(inbox, &outbox).await;
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    });
}

/// Tells the conductor of a replica that panicked, which would wait for it for ever.
struct Farewell {
    number: usize,
    outbox: mpsc::Sender<Message>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.outbox.send(FromReplica::Lost(self.number).into());
        }
    }
}

struct Replica {
    number: usize,
    control: Arc<Control>,
    stack: Stack,
    recorder: RefCell<Recorder>,
    settings: RefCell<Settings>,
    window: Cell<Option<Window>>,
    accepting: Cell<bool>,
    /// A batch under way begins no further call. Not at the end of a run of `requests`: its batches are among them.
    cuts_batches: Cell<bool>,
    in_flight: Cell<u64>,
    /// Arrivals that are not over, those included whose task has not run yet.
    arrived: Cell<u64>,
    idle: Notify,
    users: Cell<u32>,
    living_users: Cell<u32>,
    population: Cell<Population>,
    /// What users' rounds took in the block under way, from wanting to ask until wanting to ask again.
    rounds: Cell<Duration>,
    sleeper: Sleeper,
    last_done: Cell<Option<Instant>>,
    /// Calls begun before it were given up by a block's cut and are in no block's figures.
    counts_from: Cell<Option<Instant>>,
}

impl Replica {
    fn new(setup: Setup) -> Result<Self, EngineError> {
        let profile = setup.settings.profile.clone();
        let endpoints = setup.endpoints.build(&profile)?;
        let seed = profile.seed ^ (setup.number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Ok(Self {
            number: setup.number,
            control: setup.control,
            stack: Stack::new(profile, endpoints, seed, setup.settings.epoch),
            recorder: RefCell::new(Recorder::new(setup.bounds)),
            settings: RefCell::new(setup.settings),
            window: Cell::new(None),
            accepting: Cell::new(true),
            cuts_batches: Cell::new(false),
            in_flight: Cell::new(0),
            arrived: Cell::new(0),
            idle: Notify::new(),
            users: Cell::new(0),
            living_users: Cell::new(0),
            population: Cell::default(),
            rounds: Cell::default(),
            sleeper: Sleeper::start()?,
            last_done: Cell::new(None),
            counts_from: Cell::new(None),
        })
    }

    /// Takes messages until told to finish, and then until nothing is in flight or the grace is over.
    async fn serve(self: Rc<Self>, mut inbox: UnboundedReceiver<ToReplica>, outbox: &mpsc::Sender<Message>) {
        let mut end: Option<Instant> = None;
        while end.is_none() || self.in_flight.get() + self.arrived.get() > 0 {
            let over = tokio::time::sleep_until(end.unwrap_or_else(Instant::now).into());
            tokio::select! {
                biased;
                message = inbox.recv() => match message {
                    Some(ToReplica::Finish { grace, cut }) => {
                        let wanted = Instant::now() + grace;
                        end = Some(end.map_or(wanted, |end| end.min(wanted)));
                        if let (Some(_), Some(window)) = (cut, self.window.get()) {
                            self.window.set(Some(Window { end: cut, ..window }));
                        }
                        self.accepting.set(false);
                        self.users.set(0);
                        let over = self.window.get().is_none_or(|window| window.is_over(Instant::now()));
                        self.cuts_batches.set(over);
                    }
                    Some(message) => self.take(message, outbox),
                    None => break,
                },
                () = self.idle.notified(), if end.is_some() => {}
                () = over, if end.is_some() => break,
            }
        }
        self.finish(outbox).await;
    }

    fn take(self: &Rc<Self>, message: ToReplica, outbox: &mpsc::Sender<Message>) {
        match message {
            ToReplica::Clock(window) => {
                self.stack.set_stood(window.stood);
                self.window.set(Some(window));
            }
            ToReplica::Arrival { first, size, intended, measured } => {
                let replica = self.clone();
                self.arrived.set(self.arrived.get() + 1);
                tokio::task::spawn_local(async move {
                    replica.batch(first, size, intended, measured).await;
                    replica.control.in_flight.fetch_sub(u64::from(size), Relaxed);
                    replica.arrived.set(replica.arrived.get() - 1);
                    replica.idle.notify_one();
                });
            }
            ToReplica::Users(target) => self.set_users(target),
            ToReplica::Report => {
                let _ = outbox.send(FromReplica::Report(self.report()).into());
            }
            ToReplica::Cut(cut) => drop(tokio::task::spawn_local(self.clone().cut(cut, outbox.clone()))),
            ToReplica::Change(settings) => {
                self.stack.apply(settings.profile.clone(), settings.epoch);
                self.settings.replace(settings);
            }
            ToReplica::Finish { .. } => unreachable!("serve takes it"),
        }
    }

    /// Closes the pools and hands over the totals.
    async fn finish(&self, outbox: &mpsc::Sender<Message>) {
        // Users that still think are there until now, not until the pools are closed.
        let (user_time, think_time) = self.user_times();
        self.stack.shut_down().await;
        self.living_users.set(0);
        let mut last = self.report();
        last.gauges = Gauges { user_time, think_time, ..last.gauges };
        let total = self.recorder.borrow_mut().take_total();
        let finished = Finished { last, total, last_done: self.last_done.get(), abandoned: self.in_flight.get() };
        let _ = outbox.send(FromReplica::Finished(Box::new(finished)).into());
    }

    fn report(&self) -> Report {
        let mut recorder = self.recorder.borrow_mut();
        let measured = self.window.get().is_some_and(|window| window.is_measured(Instant::now()));
        for error in self.stack.take_late_cache_errors() {
            recorder.record_cache_error(self.settings.borrow().epoch, measured, error);
        }
        for (error, said) in self.stack.cache_error_examples() {
            recorder.record_cache_example(error, &said);
        }
        let pools = self.stack.pools();
        let (user_time, think_time) = self.user_times();
        let gauges = Gauges {
            in_flight: self.in_flight.get(),
            limit_waiting: self.stack.waiting().into(),
            users: self.living_users.get().into(),
            user_time,
            think_time,
            open: pools.open.into(),
            idle: pools.idle.into(),
            pool_waiting: pools.waiting.into(),
            peak: pools.peak.into(),
            opened: pools.opened,
            reused: pools.reused,
            stale: pools.stale,
            closed: pools.closed,
        };
        Report { replica: self.number, recordings: recorder.take_intervals(), gauges }
    }

    /// Time of the measured window that has passed at `at`.
    fn measured(&self, at: Instant) -> Duration {
        self.window.get().map_or(Duration::ZERO, |window| window.measured(at))
    }

    /// What was begun at `at` was not given up by a cut since.
    fn counts(&self, at: Instant) -> bool {
        self.counts_from.get().is_none_or(|from| at >= from)
    }

    /// `size` calls from number `first` on.
    async fn batch(&self, first: u64, size: u32, intended: Instant, measured: bool) -> Batch {
        let (mode, epoch) = {
            let settings = self.settings.borrow();
            (settings.profile.workload.batch.mode, settings.epoch)
        };
        if size == 1 {
            return self.call(first, intended, measured).await;
        }
        let numbers = first..first + u64::from(size);
        let mut whole = Batch { calls: 0, done: intended, left_the_thread: false, succeeded: true };
        match mode {
            BatchMode::Gather => {
                for one in join_all(numbers.map(|i| self.call(i, intended, measured))).await {
                    whole.add(&one);
                }
            }
            BatchMode::Serial => {
                for i in numbers {
                    let one = self.call(i, whole.done, measured).await;
                    whole.add(&one);
                    if self.cuts_batches.get() {
                        break;
                    }
                }
            }
        }
        if whole.calls < size {
            self.control.forgo(size - whole.calls, measured && self.is_open_loop());
        } else if whole.succeeded {
            let time = whole.done.saturating_duration_since(intended);
            self.recorder.borrow_mut().record_batch(epoch, measured, time);
        }
        whole
    }

    fn is_open_loop(&self) -> bool {
        self.settings.borrow().profile.load.mode == Mode::Open
    }

    /// One call, from the plan to its sample.
    async fn call(&self, number: u64, intended: Instant, measured: bool) -> Batch {
        let call = self.settings.borrow().workload.call(number);
        let sent = Instant::now();
        let sent_at = self.measured(sent);
        self.in_flight.set(self.in_flight.get() + 1);
        let (epoch, outcome) = self.stack.call(&call).await;
        self.in_flight.set(self.in_flight.get() - 1);
        if self.in_flight.get() == 0 {
            self.idle.notify_one();
        }
        self.control.learn_from(&outcome);
        let counts = self.counts(sent);
        let measured = measured && counts;
        let done = outcome.done;
        let ended_in = self.settings.borrow().epoch;
        // What the warm-up brings into a window of time, its drain takes out again; a window of `requests` has no drain.
        let is_in = |window: Window| window.contains(done) && (measured || window.requests.is_none());
        let in_window = counts && self.window.get().is_some_and(is_in);
        let service_in_window = self.measured(done).saturating_sub(sent_at);
        let sample = Sample { epoch, ended_in, measured, in_window, service_in_window, intended, sent, outcome };
        self.recorder.borrow_mut().record(&sample);
        if measured {
            self.last_done.set(self.last_done.get().max(Some(done)));
        }
        let Outcome { result, tries, .. } = &sample.outcome;
        Batch { calls: 1, done, left_the_thread: !tries.is_empty(), succeeded: result.is_ok() }
    }
}

/// What became of calls issued together.
struct Batch {
    calls: u32,
    done: Instant,
    /// It waited for a route at least once.
    left_the_thread: bool,
    /// All of them.
    succeeded: bool,
}

impl Batch {
    fn add(&mut self, one: &Self) {
        self.calls += one.calls;
        self.done = self.done.max(one.done);
        self.left_the_thread |= one.left_the_thread;
        self.succeeded &= one.succeeded;
    }
}

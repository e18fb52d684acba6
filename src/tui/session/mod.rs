//! The loop between the workbench and the world: keys, snapshots and signals in, effects and frames out.
//! Must not know what keys mean or what is drawn.

mod arms;
mod files;

use std::future::poll_fn;
use std::io::{Write, stderr};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use crossterm::event::{Event, EventStream, MouseEventKind};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use futures_util::StreamExt;
use ratatui::layout::{Position, Rect, Size};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::action::{Action, Effect};
use super::app::App;
use super::screens;
use super::terminal::{self, Guard, Screen};
use super::theme::Theme;
use crate::calibration::Calibration;
use crate::compare::Comparison;
use crate::engine::{self, EngineError, Handle, Until};
use crate::metrics::{Run, Snapshot, Stop};
use crate::profile::Loaded;
use crate::profile::expect::{Expectation, LatencyBounds};
use crate::report;
use arms::Arms;

/// Between frames, at least.
const FRAME: Duration = Duration::from_millis(50);
/// Without a further step for so long, a tuned setting is applied.
const SETTLES: Duration = Duration::from_millis(150);
/// For the load to pause, at most.
const PAUSES: Duration = Duration::from_millis(500);
/// For calls that were handed out just before a pause to begin.
const BEGINS: Duration = Duration::from_millis(50);

/// A profile to open the workbench on.
pub struct Workbench {
    pub loaded: Loaded,
    pub bounds: LatencyBounds,
    pub expectations: Vec<Expectation>,
    pub theme: Theme,
    /// What this machine can generate, if that is known.
    pub calibration: Option<Calibration>,
}

/// What is left when the screen is closed.
pub struct Left {
    pub run: Run,
    /// Those that came to an end, in their order.
    pub comparisons: Vec<Arc<Comparison>>,
    /// [`Stop::Quit`], or the signal that ended the session.
    pub why: Stop,
    /// What was written, in words.
    pub notes: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum WorkbenchError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the terminal: {0}")]
    Terminal(#[from] std::io::Error),
}

impl Workbench {
    /// Starts the load, shows it until a person leaves, and ends it. The terminal is as it was when this returns.
    pub fn open(self) -> Result<Left, WorkbenchError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let engine = engine::start(self.loaded.profile.clone(), self.bounds, Until::Stopped)?;
            let title = format!("gatebench {}", self.loaded.source.name());
            let signals = Signals::listen()?;
            terminal::tame_panics();
            let (guard, screen) = Guard::take(&title)?;
            let mut session = Session::new(&self, engine, guard, screen, title)?;
            session.run(signals).await?;
            session.leave()
        })
    }
}

/// Those that end the session, caught before the terminal is taken.
struct Signals {
    interrupts: Signal,
    terminations: Signal,
    hangups: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupts: signal(SignalKind::interrupt())?,
            terminations: signal(SignalKind::terminate())?,
            hangups: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupts.recv() => Stop::Interrupted,
            _ = self.terminations.recv() => Stop::Terminated,
            _ = self.hangups.recv() => Stop::Terminated,
        }
    }
}

struct Session<'a> {
    workbench: &'a Workbench,
    app: App,
    /// Until the load is over.
    engine: Option<Handle>,
    /// The load that ended by itself: the budget was spent, or there was no hope.
    over: Option<Run>,
    arms: Arms,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    guard: Guard,
    screen: Screen,
    title: String,
    /// When what was tuned has settled.
    settles: Option<Instant>,
    is_dirty: bool,
    next_frame: Instant,
    left: Option<Stop>,
    notes: Vec<String>,
}

impl<'a> Session<'a> {
    fn new(
        workbench: &'a Workbench,
        engine: Handle,
        guard: Guard,
        screen: Screen,
        title: String,
    ) -> Result<Self, WorkbenchError> {
        let snapshots = engine.snapshots();
        let snapshot = snapshots.borrow().clone();
        let Loaded { source, profile, arms, .. } = &workbench.loaded;
        let mut app = App::new(source.name(), profile.clone(), arms.clone(), snapshot, screen.size()?);
        app.calibration = workbench.calibration.clone();
        Ok(Self {
            workbench,
            app,
            engine: Some(engine),
            over: None,
            arms: Arms::default(),
            snapshots,
            guard,
            screen,
            title,
            settles: None,
            is_dirty: true,
            next_frame: Instant::now(),
            left: None,
            notes: Vec::new(),
        })
    }

    async fn run(&mut self, mut signals: Signals) -> Result<(), WorkbenchError> {
        let mut events = EventStream::new();
        while self.left.is_none() {
            let wake = self.next_wake();
            tokio::select! {
                event = events.next() => {
                    self.take(event);
                    // All that is queued before the next frame. A terminal that is gone has errors without end.
                    while self.left.is_none() && let Some(event) = queued(&mut events).await {
                        self.take(event);
                    }
                }
                changed = self.snapshots.changed(), if self.engine.is_some() => match changed {
                    Ok(()) => {
                        let snapshot = self.snapshots.borrow_and_update().clone();
                        self.update(Action::Snapshot(snapshot));
                    }
                    Err(_) => self.end_load()?,
                },
                news = self.arms.news() => self.take_news(news),
                why = signals.next() => self.left = Some(why),
                () = sleep_until(wake.unwrap_or_else(Instant::now).into()), if wake.is_some() => {}
            }
            let now = Instant::now();
            if self.settles.is_some_and(|at| at <= now) {
                self.settles = None;
                self.update(Action::Settled);
            }
            if self.is_dirty && self.next_frame <= now {
                self.draw()?;
            }
        }
        Ok(())
    }

    fn next_wake(&self) -> Option<Instant> {
        let frame = self.is_dirty.then_some(self.next_frame);
        [self.settles, frame].into_iter().flatten().min()
    }

    fn take(&mut self, event: Option<std::io::Result<Event>>) {
        let action = match event {
            Some(Ok(Event::Key(key))) => Action::Key(key),
            Some(Ok(Event::Mouse(mouse))) if mouse.kind == MouseEventKind::Moved => return,
            Some(Ok(Event::Mouse(mouse))) => Action::Mouse(mouse),
            Some(Ok(Event::Paste(text))) => Action::Paste(text),
            Some(Ok(Event::Resize(width, height))) => Action::Resize(Size::new(width, height)),
            Some(Ok(Event::FocusGained | Event::FocusLost)) => return,
            // The terminal is gone.
            Some(Err(_)) | None => {
                self.left = Some(Stop::Terminated);
                return;
            }
        };
        self.update(action);
    }

    fn update(&mut self, action: Action) {
        self.is_dirty = true;
        for effect in self.app.update(action) {
            if let Err(action) = self.perform(effect) {
                self.update(action);
            }
        }
    }

    /// Does it; what the app is to be told of a failure.
    fn perform(&mut self, effect: Effect) -> Result<(), Action> {
        let failed = |error: EngineError| Action::Failed(error.to_string());
        match effect {
            Effect::Settle => self.settles = Some(Instant::now() + SETTLES),
            Effect::Quit => self.left = Some(Stop::Quit),
            Effect::Suspend => self.suspend().map_err(|error| Action::Failed(error.to_string()))?,
            Effect::Write(profile) => self.write(&profile),
            Effect::Export => self.export(),
            Effect::Apply { profile, changed } => {
                let applied = self.engine()?.apply(*profile, changed);
                let answer = applied.map_or_else(|error| Action::Refused(error.to_string()), |_| Action::Accepted);
                self.update(answer);
            }
            Effect::Pause => self.engine()?.pause().map_err(failed)?,
            Effect::Resume => self.engine()?.resume().map_err(failed)?,
            Effect::Compare { course, profile } => self.compare(*course, &profile)?,
            Effect::StopComparison => self.arms.stop(Stop::Quit),
            Effect::Inject { route, kind, model, lasts } => {
                self.engine()?.inject(&route, kind, model, lasts).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn engine(&mut self) -> Result<&mut Handle, Action> {
        self.engine.as_mut().ok_or_else(|| Action::Failed(EngineError::Over.to_string()))
    }

    /// The conductor ended by itself.
    fn end_load(&mut self) -> Result<(), WorkbenchError> {
        let snapshot = self.snapshots.borrow().clone();
        self.update(Action::Snapshot(snapshot));
        if let Some(engine) = self.engine.take() {
            let run = engine.join()?;
            let ended = Action::Ended { stop: run.stop, why: report::shortfall(&self.report(&run)) };
            self.over = Some(run);
            self.update(ended);
        }
        Ok(())
    }

    /// A stopped process cannot send: the load pauses, or it would fall behind its plan.
    fn suspend(&mut self) -> std::io::Result<()> {
        let running = self.engine.as_ref().filter(|_| !self.app.is_paused);
        // An engine that is gone is seen by the loop.
        running.iter().for_each(|engine| drop(engine.pause()));
        if running.is_some() {
            await_pause(&self.snapshots);
        }
        let back = self.guard.suspend(&self.title);
        running.iter().for_each(|engine| drop(engine.resume()));
        back?;
        let size = self.screen.size()?;
        // Not `clear`, which asks the terminal where the cursor is: the answer would be read as keys, or awaited for 2 s.
        self.screen.resize(Rect::from((Position::ORIGIN, size)))?;
        self.update(Action::Resize(size));
        Ok(())
    }

    fn draw(&mut self) -> Result<(), WorkbenchError> {
        self.is_dirty = false;
        self.next_frame = Instant::now() + FRAME;
        self.screen.autoresize()?;
        let mut frame = self.screen.get_frame();
        screens::draw(&self.app, &self.workbench.theme, frame.area(), frame.buffer_mut());
        // Not around the drawing: a panic there must not leave the terminal waiting for the update's end.
        queue!(self.screen.backend_mut(), BeginSynchronizedUpdate)?;
        self.screen.flush()?;
        self.screen.swap_buffers();
        queue!(self.screen.backend_mut(), EndSynchronizedUpdate)?;
        Ok(self.screen.backend_mut().flush()?)
    }

    /// Gives the terminal back, ends the load, and waits for what is in flight.
    fn leave(mut self) -> Result<Left, WorkbenchError> {
        let why = self.left.unwrap_or(Stop::Quit);
        drop(self.screen);
        drop(self.guard);
        self.arms.stop(why);
        let run = match (self.engine, self.over) {
            (Some(engine), _) => {
                // Not `eprintln`, which panics when the terminal is gone.
                let _ = writeln!(stderr(), "ending the load: awaiting the calls in flight for at most 2 s");
                engine.stop(why);
                engine.join()?
            }
            (None, Some(run)) => run,
            (None, None) => return Err(EngineError::Over.into()),
        };
        // One that cannot even start has nothing to show.
        let _ = self.arms.join();
        Ok(Left { run, comparisons: self.arms.over, why, notes: self.notes })
    }
}

/// What has come already, without awaiting more. Asked for with the task's own waker: the stream wakes whoever found it
/// empty first and nobody else, so that after `now_or_never` no key wakes the loop.
async fn queued(events: &mut EventStream) -> Option<Option<std::io::Result<Event>>> {
    poll_fn(|context| match events.poll_next_unpin(context) {
        Poll::Ready(event) => Poll::Ready(Some(event)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Stopped before it pauses, the load would make up for all that was due meanwhile.
fn await_pause(snapshots: &watch::Receiver<Arc<Snapshot>>) {
    let asked = Instant::now();
    while !snapshots.borrow().paused && asked.elapsed() < PAUSES {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(BEGINS);
}

//! Runs a plan on a stack: replicas, pacing, live changes, epochs, budget stop, shutdown.
//! Must not know the screen.
//!
//! ```text
//! pacer (open loop) --arrivals--> replica threads --recordings--> conductor --> watch<Arc<Snapshot>> --> readers
//!                                      ^------- users, settings, finish ---'
//! Handle --changes, stop--> conductor
//! ```

mod conductor;
mod control;
mod endpoints;
mod gathering;
mod messages;
mod pacer;
mod purse;
mod recently;
mod replica;
mod spells;

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use crate::metrics::{Phase, Run, Snapshot, Stop};
use crate::plan::{PromptFileError, Ramp, Workload};
use crate::profile::expect::LatencyBounds;
use crate::profile::{Mode, Profile, RedisCache};
use crate::route::RouteError;
use crate::sim;
use crate::stack::{ManagedRedis, ManagedRedisError};
use conductor::Conductor;
use control::{Control, Window};
use endpoints::Endpoints;
use gathering::Gathering;
use messages::{FromReplica, Message, Settings, ToReplica};
use pacer::Pacer;
use replica::Setup;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("routes.{route}: the environment variable {variable} is not set; export {variable}=… with the key in it")]
    NoKey { route: String, variable: String },
    #[error("routes.{route}.ca_file: {}: {source}; name a readable PEM file", path.display())]
    CaFile { route: String, path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Prompts(#[from] PromptFileError),
    #[error(transparent)]
    Route(#[from] RouteError),
    #[error("simulated routes: {0}")]
    Sim(#[from] sim::SimError),
    #[error(transparent)]
    Redis(#[from] ManagedRedisError),
    #[error("could not start a thread: {0}; check the limit of processes (ulimit -u)")]
    Thread(#[from] std::io::Error),
    #[error("{0} cannot change while load runs; start a new run")]
    Fixed(&'static str),
    #[error("the run is over")]
    Over,
    #[error("the run's {0} thread ended unexpectedly; this is a bug in gatebench")]
    Broken(&'static str),
}

impl EngineError {
    /// The user's input is at fault and nothing was sent.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::NoKey { .. } | Self::CaFile { .. } | Self::Prompts(_) => true,
            Self::Route(error) => !matches!(error, RouteError::Client { .. }),
            Self::Sim(_) | Self::Redis(_) | Self::Thread(_) | Self::Fixed(_) | Self::Over | Self::Broken(_) => false,
        }
    }
}

/// A run under way. Dropped without [`Handle::join`], it ends the load at once.
pub struct Handle {
    control: Arc<Control>,
    to_conductor: mpsc::Sender<Message>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    conductor: Option<JoinHandle<Run>>,
    replicas: Vec<JoinHandle<()>>,
    /// As it runs now.
    profile: Arc<Profile>,
    /// As replicas have it.
    settings: Settings,
    sims: Option<sim::Server>,
    redis: Option<ManagedRedis>,
}

/// Starts a validated profile's load. Call it from the main thread if the profile has a managed Redis: the server
/// is bound to the life of the thread that starts it.
pub fn start(profile: Profile, bounds: LatencyBounds) -> Result<Handle, EngineError> {
    let workload = Arc::new(Workload::new(&profile)?);
    let redis = match &profile.stack.cache.redis {
        Some(redis) if redis.url == RedisCache::MANAGED => Some(ManagedRedis::start()?),
        _ => None,
    };
    let sims = endpoints::simulate(&profile)?;
    let endpoints = Arc::new(Endpoints::new(&profile, sims.as_ref())?);
    let control = Arc::new(Control::of(&profile, &workload));
    let profile = Arc::new(profile);
    let settings = Settings { epoch: 0, profile: resolved(&profile, redis.as_ref()), workload };
    let (to_conductor, inbox) = mpsc::channel();

    let crew = Crew { settings: &settings, endpoints, bounds, control: &control };
    let (replicas, to_replicas) = crew.start(&to_conductor, &inbox)?;

    let window = Window::new(Instant::now(), &profile.load);
    if let Some(sims) = &sims {
        sims.restart_clock(None);
    }
    for replica in &to_replicas {
        let _ = replica.send(ToReplica::Go(window));
    }
    let (to_pacer, changes) = mpsc::channel();
    if profile.load.mode == Mode::Open {
        let pacer = Pacer {
            control: control.clone(),
            window,
            profile: profile.clone(),
            replicas: to_replicas.clone(),
            changes,
        };
        thread("pacer", move || pacer.run())?;
    }
    let longest_timeout = profile.stack.timeout;
    let gathering = Gathering::new(&profile, to_replicas.len(), window.start);
    let first = gathering.snapshot(window.start, Phase::Warmup, &profile, &window, &control);
    let (publish, snapshots) = watch::channel(Arc::new(first));
    let conductor = Conductor {
        control: control.clone(),
        window,
        ramp: Ramp::of(&profile.load),
        profile: profile.clone(),
        replicas: to_replicas,
        to_pacer,
        inbox,
        snapshots: publish,
        gathering,
        phase: Phase::Warmup,
        stop: Stop::Finished,
        finished: Vec::new(),
        lost: 0,
        longest_timeout,
    };
    let conductor = thread("conductor", move || conductor.lead())?;
    Ok(Handle {
        control,
        to_conductor,
        snapshots,
        conductor: Some(conductor),
        replicas,
        profile,
        settings,
        sims,
        redis,
    })
}

/// The profile as replicas need it: with the managed Redis's address in its place.
fn resolved(profile: &Arc<Profile>, redis: Option<&ManagedRedis>) -> Arc<Profile> {
    let Some(server) = redis else { return profile.clone() };
    let mut resolved = Profile::clone(profile);
    if let Some(redis) = &mut resolved.stack.cache.redis {
        redis.url = server.url();
    }
    Arc::new(resolved)
}

impl Handle {
    /// Pictures of the run, a new one some five times a second.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// The profile as it runs now.
    pub fn profile(&self) -> &Arc<Profile> {
        &self.profile
    }

    /// Changes settings while load runs: opens an epoch and says its number. `profile` must be validated, with the
    /// routes and replicas that the run began with; `changed` says in words what differs.
    pub fn apply(&mut self, profile: Profile, changed: Vec<String>) -> Result<u32, EngineError> {
        if self.is_finished() {
            return Err(EngineError::Over);
        }
        if profile.stack.replicas != self.profile.stack.replicas {
            return Err(EngineError::Fixed("stack.replicas"));
        }
        let workload = if profile.workload == self.profile.workload {
            self.settings.workload.clone()
        } else {
            Arc::new(Workload::new(&profile)?)
        };
        if let Some(sims) = &self.sims {
            for handle in sims.routes() {
                let spec = |p: &Profile| p.routes.get(handle.name()).and_then(|route| route.simulate.clone());
                match (spec(&self.profile), spec(&profile)) {
                    (old, Some(new)) if old.as_ref() != Some(&new) => handle.set(new),
                    _ => {}
                }
            }
        }
        let wants_redis = profile.stack.cache.redis.as_ref().is_some_and(|redis| redis.url == RedisCache::MANAGED);
        if wants_redis && self.redis.is_none() {
            self.redis = Some(ManagedRedis::start()?);
        }
        self.profile = Arc::new(profile);
        let profile = resolved(&self.profile, self.redis.as_ref());
        self.settings = Settings { epoch: self.settings.epoch + 1, profile, workload };
        let change = Message::Change { profile: self.profile.clone(), settings: self.settings.clone(), changed };
        self.to_conductor.send(change).map_err(|_| EngineError::Broken("conductor"))?;
        Ok(self.settings.epoch)
    }

    /// Ends the load; what is in flight is still awaited (briefly, if a person asked).
    pub fn stop(&self, why: Stop) {
        // A conductor that is gone has stopped already.
        let _ = self.to_conductor.send(Message::Stop(why));
    }

    pub fn is_finished(&self) -> bool {
        self.conductor.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// The simulated routes of this run.
    pub fn simulated(&self) -> &[sim::RouteHandle] {
        self.sims.as_ref().map_or(&[], sim::Server::routes)
    }

    /// The process of the managed Redis, if the run has one.
    pub fn redis_pid(&self) -> Option<u32> {
        self.redis.as_ref().map(ManagedRedis::pid)
    }

    /// Waits for the run's end.
    pub fn join(mut self) -> Result<Run, EngineError> {
        let conductor = self.conductor.take().expect("joined once");
        let mut run = conductor.join().map_err(|_| EngineError::Broken("conductor"))?;
        for replica in self.replicas.drain(..) {
            replica.join().map_err(|_| EngineError::Broken("replica"))?;
        }
        run.simulated = self.simulated().iter().map(|route| (route.name().to_owned(), route.stats())).collect();
        Ok(run)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.control.stop();
        self.stop(Stop::Interrupted);
    }
}

/// What replicas are started from.
struct Crew<'a> {
    settings: &'a Settings,
    endpoints: Arc<Endpoints>,
    bounds: LatencyBounds,
    control: &'a Arc<Control>,
}

type Started = (Vec<JoinHandle<()>>, Vec<UnboundedSender<ToReplica>>);

impl Crew<'_> {
    /// Starts every replica and waits until each is ready or says why it is not.
    fn start(
        &self,
        to_conductor: &mpsc::Sender<Message>,
        inbox: &mpsc::Receiver<Message>,
    ) -> Result<Started, EngineError> {
        let count = self.settings.profile.stack.replicas as usize;
        let (mut handles, mut senders) = (Vec::new(), Vec::new());
        for number in 0..count {
            let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
            let setup = Setup {
                number,
                settings: self.settings.clone(),
                endpoints: self.endpoints.clone(),
                bounds: self.bounds,
                control: self.control.clone(),
            };
            let outbox = to_conductor.clone();
            handles.push(thread(&format!("replica {number}"), move || replica::run(setup, receiver, outbox))?);
            senders.push(sender);
        }
        for _ in 0..count {
            match inbox.recv_timeout(Duration::from_secs(30)) {
                Ok(Message::Replica(FromReplica::Ready(ready))) => ready?,
                _ => return Err(EngineError::Broken("replica")),
            }
        }
        Ok((handles, senders))
    }
}

fn thread<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> std::io::Result<JoinHandle<T>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

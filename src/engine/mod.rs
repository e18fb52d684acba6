//! Runs a plan on a stack: replicas, pacing, live changes, epochs, budget stop, shutdown.
//! Must not know the screen.
//!
//! ```text
//! pacer (open loop) --arrivals--> replica threads --recordings--> conductor --> watch<Arc<Snapshot>> --> readers
//!        ^                             ^------- users, settings, finish ---'|
//!        '---------------- rate, clock, replicas ---------------------------'
//! Handle --changes, pause, stop--> conductor
//! ```

mod blocks;
mod conductor;
mod control;
mod crew;
mod cutting;
mod endpoints;
pub mod files;
mod gathering;
mod keys;
mod messages;
mod pacer;
mod population;
mod purse;
mod recently;
mod replica;
mod sleeper;
mod spells;
mod steering;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::metrics::{Block, Run, Snapshot, Stop};
use crate::plan::{self, PromptFileError, Ramp, Workload};
use crate::profile::expect::LatencyBounds;
use crate::profile::{FaultKind, Mode, Profile, RedisCache};
use crate::route::RouteError;
use crate::sim;
use crate::stack::{ManagedRedis, ManagedRedisError};
use conductor::{Conductor, Led};
pub use control::Until;
use control::{Control, Window};
use crew::Crew;
use endpoints::Endpoints;
pub use endpoints::{config as endpoint_config, simulate};
use files::TooFewFiles;
use keys::Keys;
use messages::{AskedBlock, Change, Lasts, Message, Settings, ToReplica};
use pacer::Pacer;
pub use purse::Fund;
use purse::Purse;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("routes.{route}: the environment variable {variable} is not set; export {variable}=… with the key in it")]
    NoKey { route: String, variable: String },
    #[error(
        "routes.{route}: {variable} holds a line break or another character that no header can carry; \
         export {variable}=… with the key alone, on one line"
    )]
    NoHeader { route: String, variable: String },
    #[error("routes.{route}.ca_file: {}: {source}; name a readable PEM file", path.display())]
    CaFile { route: String, path: PathBuf, source: std::io::Error },
    #[error(
        "routes.{route}.ca_file: {}: {why}; give certificates as PEM (-----BEGIN CERTIFICATE-----)", path.display()
    )]
    Authorities { route: String, path: PathBuf, why: String },
    #[error(transparent)]
    Files(#[from] TooFewFiles),
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
    #[error("routes.{route} is not simulated, so it cannot be broken here; {mend}")]
    NotSimulated { route: String, mend: String },
    #[error("the run is over")]
    Over,
    #[error("the run's {0} thread ended unexpectedly; this is a bug in gatebench")]
    Broken(&'static str),
}

impl EngineError {
    /// The user's input is at fault and nothing was sent.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::NoKey { .. }
            | Self::NoHeader { .. }
            | Self::CaFile { .. }
            | Self::Authorities { .. }
            | Self::Files(_)
            | Self::Prompts(_)
            | Self::NotSimulated { .. } => true,
            Self::Route(error) => !matches!(error, RouteError::Client { .. }),
            Self::Sim(_) | Self::Redis(_) | Self::Thread(_) | Self::Over | Self::Broken(_) => false,
        }
    }
}

/// How long simulated routes may take to see what was sent last; the end of a connection takes half a round trip.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A run under way. Dropped without [`Handle::join`], it ends the load at once.
pub struct Handle {
    to_conductor: mpsc::Sender<Message>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    conductor: Option<JoinHandle<Run>>,
    crew: Crew,
    /// As it runs now.
    profile: Arc<Profile>,
    /// As replicas have it.
    settings: Settings,
    sims: Option<sim::Server>,
    redis: Option<ManagedRedis>,
}

/// Starts a validated profile's load. Call it from the main thread if the profile has a managed Redis: the server
/// is bound to the life of the thread that starts it.
pub fn start(profile: Profile, bounds: LatencyBounds, until: Until) -> Result<Handle, EngineError> {
    let fund = Fund::of(&profile);
    start_on(fund, profile, bounds, until)
}

/// As [`start`], with money that other loads may spend as well.
pub fn start_on(
    fund: Option<Arc<Fund>>,
    profile: Profile,
    bounds: LatencyBounds,
    until: Until,
) -> Result<Handle, EngineError> {
    files::provide(&[&profile])?;
    let workload = Arc::new(Workload::new(&profile)?);
    let redis = match &profile.stack.cache.redis {
        Some(redis) if redis.url == RedisCache::MANAGED => Some(ManagedRedis::start()?),
        _ => None,
    };
    let sims = simulate(&profile)?;
    let endpoints = Arc::new(Endpoints::new(&profile, sims.as_ref())?);
    let keys = Keys::of(&profile, endpoints.accesses());
    let purse = fund.map(|fund| Purse::new(fund, &profile, &workload));
    let control = Arc::new(Control::new(purse, keys));
    let profile = Arc::new(profile);
    let settings = Settings { epoch: 0, profile: resolved(&profile, redis.as_ref()), workload };
    let (to_conductor, inbox) = mpsc::channel();
    let mut crew = Crew { endpoints, bounds, control, to_conductor: to_conductor.clone(), threads: Vec::new() };
    let replicas = crew.hire(profile.stack.replicas as usize, &settings)?;

    let window = Window::new(Instant::now(), &profile.load, until);
    if let Some(sims) = &sims {
        sims.restart_clock(period(&profile, until));
    }
    for replica in &replicas {
        replica.send(ToReplica::Clock(window));
    }
    let ramp = ramp(&profile, until);
    let (to_pacer, to_be_paced) = mpsc::channel();
    if profile.load.mode == Mode::Open {
        let pacer = Pacer {
            control: crew.control.clone(),
            window,
            profile: profile.clone(),
            ramp: ramp.clone(),
            replicas: replicas.clone(),
            inbox: to_be_paced,
            cut: None,
        };
        thread("pacer", move || pacer.run())?;
    }
    let routes = sims.iter().flat_map(sim::Server::routes).cloned().collect();
    let led = Led { control: crew.control.clone(), window, profile: profile.clone(), replicas, routes, until, ramp };
    let (conductor, snapshots) = Conductor::new(led, to_pacer, inbox);
    let conductor = Some(thread("conductor", move || conductor.lead())?);
    Ok(Handle { to_conductor, snapshots, conductor, crew, profile, settings, sims, redis })
}

fn period(profile: &Profile, until: Until) -> Option<Duration> {
    plan::period(profile).filter(|_| until != Until::Planned)
}

/// The level of a profile's load on the run's clock.
fn ramp(profile: &Profile, until: Until) -> Ramp {
    let once = Ramp::of(&profile.load);
    match period(profile, until) {
        Some(period) => once.repeating(period),
        None => once,
    }
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
    /// routes and the mode that the run began with; `changed` says in words what differs. More replicas than before
    /// have started when it returns, fewer end when they have done what they began.
    pub fn apply(&mut self, profile: Profile, changed: Vec<String>) -> Result<u32, EngineError> {
        if self.is_finished() {
            return Err(EngineError::Over);
        }
        files::provide(&[&profile])?;
        let workload = if profile.workload == self.profile.workload {
            self.settings.workload.clone()
        } else {
            Arc::new(Workload::new(&profile)?)
        };
        let wants_redis = profile.stack.cache.redis.as_ref().is_some_and(|redis| redis.url == RedisCache::MANAGED);
        // One that was killed from outside is started anew.
        if wants_redis && !self.redis.as_mut().is_some_and(ManagedRedis::is_alive) {
            self.redis = Some(ManagedRedis::start()?);
        }
        let profile = Arc::new(profile);
        let epoch = self.settings.epoch + 1;
        let settings = Settings { epoch, profile: resolved(&profile, self.redis.as_ref()), workload };
        let more = profile.stack.replicas.saturating_sub(self.profile.stack.replicas);
        let joining = self.crew.hire(more as usize, &settings)?;
        self.set_simulated(&profile);
        self.profile = profile.clone();
        self.settings = settings.clone();
        self.send(Message::Change(Change { profile, settings, changed, joining }))?;
        Ok(epoch)
    }

    fn set_simulated(&self, new: &Profile) {
        for handle in self.simulated() {
            let spec = |p: &Profile| p.routes.get(handle.name()).and_then(|route| route.simulate.clone());
            match (spec(&self.profile), spec(new)) {
                (old, Some(new)) if old.as_ref() != Some(&new) => handle.set(new),
                _ => {}
            }
        }
    }

    /// Sends nothing until [`Handle::resume`]; what is in flight goes on. The pause is in no rate's time, and the plan
    /// goes on where it was.
    pub fn pause(&self) -> Result<(), EngineError> {
        self.crew.control.ask_for_pause();
        self.send(Message::Pause(Instant::now()))
    }

    pub fn resume(&self) -> Result<(), EngineError> {
        self.send(Message::Resume(Instant::now()))
    }

    /// Lets a load that stands ([`Until::Blocks`]) send for `length` of its clock, and awaits what is then in flight. The
    /// k-th block of two loads of one profile has the same calls: at the same moments of the block in an open loop, in the
    /// same order in a closed one. [`EngineError::Over`] if the load ends meanwhile, for [`Handle::join`] to say why.
    ///
    /// Local caches do not age while the load stands. What others keep does: Redis, a gateway's cache, idle connections.
    pub async fn block(&self, length: Duration) -> Result<Block, EngineError> {
        let (reply, block) = oneshot::channel();
        self.send(Message::Block(AskedBlock { at: Instant::now(), length, reply }))?;
        block.await.map_err(|_| EngineError::Over)
    }

    /// Breaks a simulated route now, for all models or one.
    pub fn inject(
        &self,
        route: &str,
        kind: FaultKind,
        model: Option<String>,
        lasts: Duration,
    ) -> Result<(), EngineError> {
        let handle = self.simulated().iter().find(|simulated| simulated.name() == route);
        let handle = handle.ok_or_else(|| self.not_simulated(route))?;
        let what = match &model {
            Some(model) => format!("{route} ({model}): {}", kind.name()),
            None => format!("{route}: {}", kind.name()),
        };
        let until = Instant::now() + lasts;
        handle.add_fault(kind, model, lasts);
        let text = format!("{what} for {}", humantime::format_duration(lasts));
        let lasts = Some(Lasts { until, over: format!("{what} over") });
        self.send(Message::Note { kind: "fault", text, lasts })
    }

    fn not_simulated(&self, route: &str) -> EngineError {
        let names: Vec<&str> = self.simulated().iter().map(sim::RouteHandle::name).collect();
        let mend = match names[..] {
            [] => "no route of this profile has `simulate`".to_owned(),
            _ => format!("simulated are: {}", names.join(", ")),
        };
        EngineError::NotSimulated { route: route.to_owned(), mend }
    }

    /// Adds an event to the run's.
    pub fn note(&self, kind: &'static str, text: String) -> Result<(), EngineError> {
        self.send(Message::Note { kind, text, lasts: None })
    }

    /// The run as it stands, for a report in its midst; takes up to 0.2 s. Measured calls have 2 significant digits
    /// and its end reads [`Stop::Quit`]; calls under way are in `abandoned` and in no other figure.
    pub fn so_far(&self) -> Result<Run, EngineError> {
        let (reply, answer) = mpsc::channel();
        self.send(Message::SoFar(reply))?;
        let mut run = answer.recv().map_err(|_| EngineError::Over)?;
        run.simulated = self.simulated_counts();
        Ok(run)
    }

    /// To a conductor that may have led the run to its end.
    fn send(&self, message: Message) -> Result<(), EngineError> {
        self.to_conductor.send(message).map_err(|_| EngineError::Over)
    }

    /// Ends the load; what is in flight is still awaited (briefly, if a person asked).
    pub fn stop(&self, why: Stop) {
        // A conductor that is gone has stopped already.
        let _ = self.to_conductor.send(Message::Stop(why));
    }

    /// As [`Handle::stop`], for a reason that becomes an event; the run ends as [`Stop::Aborted`], unless its load is
    /// over already. What is in flight is awaited briefly.
    pub fn abort(&self, why: String) {
        let _ = self.to_conductor.send(Message::Abort(why));
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

    fn simulated_counts(&self) -> Vec<(String, sim::Stats)> {
        self.simulated().iter().map(|route| (route.name().to_owned(), route.stats())).collect()
    }

    /// Waits for the run's end.
    pub fn join(mut self) -> Result<Run, EngineError> {
        let conductor = self.conductor.take().expect("joined once");
        let mut run = conductor.join().map_err(|_| EngineError::Broken("conductor"))?;
        self.crew.join()?;
        self.sims.iter().for_each(|sims| sims.await_quiet(LAST_WORDS));
        run.simulated = self.simulated_counts();
        Ok(run)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.crew.control.stop();
        self.stop(Stop::Interrupted);
    }
}

fn thread<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> std::io::Result<JoinHandle<T>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

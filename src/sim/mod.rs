//! Simulated routes on real sockets: wire (RTT, TLS, drift), provider (TTFT, tokens/s, limits, prompt cache), gateway cache, faults.
//! Must not know `route` or `stack`: shared code would hide its own bugs. It runs on threads of its own.
//!
//! ```text
//! socket -> wire -> TLS -> hyper -> endpoint -> provider { limits, faults, gateway cache, prompt cache, draws }
//!                              dialect -/ \-> answer -> payload (paced by timer) -> back the same way
//! ```

mod answer;
mod anthropic_answer;
mod anthropic_ask;
mod ask;
mod cache;
mod dialect;
mod drift;
mod endpoint;
mod faults;
mod limits;
mod payload;
mod prompt_cache;
mod provider;
mod quiet;
mod refusal;
mod serve;
mod stats;
#[cfg(test)]
mod tests;
mod timer;
mod tls;
mod wire;
mod worker;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};

use crate::profile::{FaultKind, Simulated, TlsVersion};

use provider::Provider;
use quiet::Doors;
pub use serve::{Ended, serve};
pub use stats::Stats;
use timer::Timer;
use tls::Authority;
use worker::Site;

/// Where and on how much a server runs.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The first route's address, the others follow on the next ports; with port 0 each gets a free one.
    pub listen: SocketAddr,
    /// The same seed gives the k-th request of a route the same TTFT, speed and errors.
    pub seed: u64,
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), seed: 7, threads: 1 }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SimError {
    #[error("cannot listen on {address} for the simulated route {route}: {source}; choose another with --listen")]
    Listen { route: String, address: SocketAddr, source: io::Error },
    #[error("port {first} leaves no room for {routes} routes on the ports after it; choose a lower one with --listen")]
    Ports { first: u16, routes: usize },
    #[error("cannot start the simulated routes' threads: {0}")]
    Threads(io::Error),
    #[error("cannot make the simulated routes' certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("cannot set up TLS for the simulated routes: {0}")]
    Tls(#[from] rustls::Error),
    #[error("cannot write the simulated routes' CA to {}: {source}", path.display())]
    WriteCa { path: PathBuf, source: io::Error },
    #[error("cannot say where the simulated routes are: {0}")]
    Announce(io::Error),
}

/// Simulated routes that serve until this is dropped.
pub struct Server {
    routes: Vec<RouteHandle>,
    authority: Authority,
    doors: Doors,
    /// Its end stops the threads.
    running: Option<watch::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

/// One simulated route, to watch and to change while it serves.
#[derive(Clone)]
pub struct RouteHandle {
    provider: Arc<Provider>,
    address: SocketAddr,
    base_url: String,
}

impl Server {
    /// Serves `routes`, by name, each on a listener of its own.
    pub fn start(routes: &[(String, Simulated)], options: Options) -> Result<Self, SimError> {
        let authority = Authority::new(reachable(options.listen.ip()))?;
        let mut crew = Crew::gather(options.threads.max(1))?;
        let mut handles = Vec::with_capacity(routes.len());
        let mut listeners = Vec::with_capacity(routes.len());
        for (index, (name, spec)) in routes.iter().enumerate() {
            let address = nth_address(options.listen, index, routes.len())?;
            let listen = |source| SimError::Listen { route: name.clone(), address, source };
            let listener = crew.listen(address).map_err(listen)?;
            let bound = listener.local_addr().map_err(listen)?;
            let tls = authority.server(spec)?.map(Into::into);
            // Routes differ in their draws, and adding one changes no other's.
            let seed = options.seed.wrapping_add((index as u64) << 40);
            let provider = Provider::new(name, spec.clone(), seed);
            handles.push(RouteHandle::new(Arc::clone(&provider), bound, spec.tls));
            listeners.push((listener, Site { provider, tls, http: spec.http }));
        }
        let doors = Doors::of(listeners.iter().map(|(listener, _)| listener)).map_err(SimError::Threads)?;
        let (running, threads) = crew.start(listeners).map_err(SimError::Threads)?;
        Ok(Self { routes: handles, authority, doors, running: Some(running), threads })
    }

    /// In the order they were given.
    pub fn routes(&self) -> &[RouteHandle] {
        &self.routes
    }

    pub fn route(&self, name: &str) -> Option<&RouteHandle> {
        self.routes.iter().find(|route| route.name() == name)
    }

    /// Waits until all that clients sent is counted, once they have closed their connections; for `patience` at most.
    pub fn await_quiet(&self, patience: Duration) {
        quiet::await_quiet(&self.doors, &self.routes, patience);
    }

    /// The CA a client must trust.
    pub fn ca_pem(&self) -> &str {
        self.authority.ca_pem()
    }

    pub fn write_ca(&self, path: &Path) -> Result<(), SimError> {
        std::fs::write(path, self.ca_pem()).map_err(|source| SimError::WriteCa { path: path.to_owned(), source })
    }

    /// Every route's planned faults count from now; with `repeat` (not 0) they come again each time it has passed.
    pub fn restart_clock(&self, repeat: Option<Duration>) {
        self.routes.iter().for_each(|route| route.provider.restart_clock(repeat));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.running.take());
        for thread in self.threads.drain(..) {
            // A worker that panicked has been reported by the panic itself.
            let _ = thread.join();
        }
    }
}

impl RouteHandle {
    fn new(provider: Arc<Provider>, bound: SocketAddr, tls: TlsVersion) -> Self {
        let address = SocketAddr::new(reachable(bound.ip()), bound.port());
        let scheme = if tls == TlsVersion::Off { "http" } else { "https" };
        Self { provider, address, base_url: format!("{scheme}://{address}/v1") }
    }

    pub fn name(&self) -> &str {
        &self.provider.name
    }

    /// Up to and with the version: `https://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `GET /sim/stats` answers.
    pub fn stats(&self) -> Stats {
        self.provider.tally.snapshot()
    }

    /// What the route is set to now.
    pub fn spec(&self) -> Simulated {
        (*self.provider.spec()).clone()
    }

    /// The planned faults that are still to come, come later: the load was paused for so long.
    pub fn delay_faults(&self, by: Duration) {
        self.provider.delay_faults(by);
    }

    /// Takes effect with the next request; what is in progress ends as it began. `tls`, `resume` and `http` stay as
    /// they were at the start.
    pub fn set(&self, spec: Simulated) {
        self.provider.set(spec);
    }

    /// Breaks the route now, for all models or one.
    pub fn add_fault(&self, kind: FaultKind, model: Option<String>, lasts: Duration) {
        self.provider.strike(kind, model, lasts);
    }
}

/// Where a client on this machine reaches what listens on `ip`.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

fn nth_address(first: SocketAddr, index: usize, routes: usize) -> Result<SocketAddr, SimError> {
    let port = match first.port() {
        0 => Some(0),
        port => u16::try_from(index).ok().and_then(|index| port.checked_add(index)),
    };
    let port = port.ok_or(SimError::Ports { first: first.port(), routes })?;
    Ok(SocketAddr::new(first.ip(), port))
}

/// The workers before they start: made early, so that whatever fails does so in [`Server::start`].
struct Crew(Vec<(Runtime, Arc<Timer>)>);

impl Crew {
    fn gather(threads: usize) -> Result<Self, SimError> {
        let workers: io::Result<_> = (0..threads).map(|_| Ok((worker::runtime()?, Timer::start()?))).collect();
        Ok(Self(workers.map_err(SimError::Threads)?))
    }

    /// Listens on the first worker.
    fn listen(&mut self, address: SocketAddr) -> io::Result<TcpListener> {
        // A thousand users may connect at once, and a full queue costs a client a second.
        const BACKLOG: u32 = 4096;
        let _inside = self.0[0].0.enter();
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    }

    fn start(mut self, listeners: Vec<(TcpListener, Site)>) -> io::Result<(watch::Sender<()>, Vec<JoinHandle<()>>)> {
        let (running, stop) = watch::channel(());
        let mut threads = Vec::with_capacity(self.0.len());
        let mut workers = std::mem::take(&mut self.0).into_iter();
        let first = workers.next();
        let mut others = Vec::new();
        for (runtime, timer) in workers {
            let (to, handed) = mpsc::unbounded_channel();
            others.push(to);
            let stop = stop.clone();
            threads.push(spawn(move || worker::serve(&runtime, &timer, handed, stop))?);
        }
        if let Some((runtime, timer)) = first {
            threads.push(spawn(move || worker::accept(&runtime, &timer, listeners, others, stop))?);
        }
        Ok((running, threads))
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        // A server that could not start may have been asked for inside a runtime, where dropping another one blocks,
        // and so panics.
        self.0.drain(..).for_each(|(runtime, _)| runtime.shutdown_background());
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("sim".into()).spawn(work)
}

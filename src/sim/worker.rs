//! The threads of a simulated server: one runtime each; the first accepts and deals connections out in turn.
//! Must not know what is answered.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use super::endpoint::Endpoint;
use super::provider::Provider;
use super::stats::Presence;
use super::timer::{Alarm, Timer};
use super::wire::Wire;

/// A route with its door.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) provider: Arc<Provider>,
    pub(super) tls: Option<TlsAcceptor>,
}

/// A connection on its way to another worker.
pub(super) struct Handover {
    socket: std::net::TcpStream,
    accepted: Instant,
    presence: Arc<Presence>,
    site: Site,
}

pub(super) type Stop = watch::Receiver<()>;

pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().build()
}

/// Serves what other workers hand over, until `stop`'s sender is gone.
pub(super) fn serve(runtime: &Runtime, timer: &Arc<Timer>, mut handed: mpsc::UnboundedReceiver<Handover>, stop: Stop) {
    let served = Arc::clone(timer);
    runtime.spawn(async move {
        while let Some(Handover { socket, accepted, presence, site }) = handed.recv().await {
            if let Ok(socket) = TcpStream::from_std(socket) {
                tokio::spawn(connection(socket, accepted, presence, site, Arc::clone(&served)));
            }
        }
    });
    run(runtime, timer, stop);
}

/// Accepts on every listener, keeps its share of the connections and hands the others over in turn.
pub(super) fn accept(
    runtime: &Runtime,
    timer: &Arc<Timer>,
    listeners: Vec<(TcpListener, Site)>,
    others: Vec<mpsc::UnboundedSender<Handover>>,
    stop: Stop,
) {
    for (listener, site) in listeners {
        runtime.spawn(welcome(listener, site, Arc::clone(timer), others.clone()));
    }
    run(runtime, timer, stop);
}

fn run(runtime: &Runtime, timer: &Arc<Timer>, mut stop: Stop) {
    let ticking = Arc::clone(timer);
    runtime.spawn(async move { ticking.run().await });
    // Nothing is ever sent: the error says that the server was dropped.
    runtime.block_on(async { while stop.changed().await.is_ok() {} });
}

async fn welcome(listener: TcpListener, site: Site, timer: Arc<Timer>, others: Vec<mpsc::UnboundedSender<Handover>>) {
    // Out of file descriptors, most likely: some will be free soon.
    const RETRY: Duration = Duration::from_millis(10);
    let mut turn = 0;
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            Alarm::new(&timer).until(Instant::now() + RETRY).await;
            continue;
        };
        let accepted = Instant::now();
        let presence = Arc::new(Presence::accepted(&site.provider.tally));
        turn = (turn + 1) % (others.len() + 1);
        match others.get(turn) {
            None => drop(tokio::spawn(connection(socket, accepted, presence, site.clone(), Arc::clone(&timer)))),
            Some(other) => {
                if let Ok(socket) = socket.into_std() {
                    // The other worker is gone only when the server ends.
                    let _ = other.send(Handover { socket, accepted, presence, site: site.clone() });
                }
            }
        }
    }
}

async fn connection(socket: TcpStream, accepted: Instant, presence: Arc<Presence>, site: Site, timer: Arc<Timer>) {
    let Site { provider, tls } = site;
    let reset = Arc::new(AtomicBool::new(false));
    // Without it a token may wait 40 ms for the acknowledgement of the one before.
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let wire = Wire::new(socket, accepted, Arc::clone(&provider.distance), &timer, Arc::clone(&reset));
    let endpoint = Endpoint { provider, timer, presence: Arc::clone(&presence), reset };
    match tls {
        None => http(wire, endpoint).await,
        Some(acceptor) => {
            if let Ok(secured) = acceptor.accept(wire).await {
                presence.handshake();
                http(secured, endpoint).await;
            }
        }
    }
}

async fn http(io: impl AsyncRead + AsyncWrite + Unpin, endpoint: Endpoint) {
    // How a connection ends is in the counts already: each request has a ticket.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(io), endpoint).await;
}

//! The threads of a simulated server: one runtime each; the first accepts and deals connections out in turn.
//! Must not know what is answered.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use crate::profile::Http;

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
    pub(super) http: Http,
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
    let Site { provider, tls, http } = site;
    let reset = Arc::new(AtomicBool::new(false));
    // Without it a token may wait 40 ms for the acknowledgement of the one before.
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let wire = Wire::new(socket, accepted, Arc::clone(&provider.distance), &timer, Arc::clone(&reset));
    let endpoint = Endpoint { provider, timer, presence: Arc::clone(&presence), reset };
    match tls {
        None => serve_http(wire, endpoint, http).await,
        Some(acceptor) => {
            if let Ok(secured) = acceptor.accept(wire).await {
                presence.handshake();
                serve_http(secured, endpoint, http).await;
            }
        }
    }
}

async fn serve_http(io: impl AsyncRead + AsyncWrite + Unpin + 'static, endpoint: Endpoint, http: Http) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(endpoint.provider.spec().max_streams);
    let builder = match http {
        Http::V1 => builder.http1_only(),
        Http::V2 => builder.http2_only(),
        Http::Auto => builder,
    };
    let presence = Arc::clone(&endpoint.presence);
    let idle = idle_out(Arc::clone(&presence), Arc::clone(&endpoint.provider), Alarm::new(&endpoint.timer));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), endpoint));
    tokio::select! {
        biased;
        // How a connection ends is in the counts already: each request has a ticket.
        _ = connection.as_mut() => return,
        () = idle => {}
    }
    presence.closed_idle();
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Returns when the connection has had no request for the route's `idle_timeout`.
async fn idle_out(presence: Arc<Presence>, provider: Arc<Provider>, mut alarm: Alarm) {
    loop {
        let timeout = provider.spec().idle_timeout;
        match presence.idle_since() {
            Some(since) if !timeout.is_zero() => {
                let due = since + timeout;
                if Instant::now() >= due {
                    return;
                }
                alarm.until(due).await;
            }
            _ => presence.rested().await,
        }
    }
}

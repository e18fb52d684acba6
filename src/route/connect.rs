//! Opening a connection: DNS, TCP and TLS, timed apart.
//! Must not know the pool, nor HTTP beyond handing the stream to it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Connect;
use super::failure::Fault;
use super::unreachable;

/// How long connecting may take, and what the socket is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    /// Bounds DNS and TCP together.
    pub(super) connect: Duration,
    pub(super) tls: Duration,
    /// Zero: off.
    pub(super) keepalive: Duration,
}

/// Where connections lead, and how they are secured.
pub(super) struct Connector {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Option<(TlsConnector, ServerName<'static>)>,
}

pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connector {
    /// `host` may be an IPv6 literal, in brackets or not.
    pub(super) fn new(host: &str, port: u16, tls: Option<Arc<ClientConfig>>) -> Result<Self, String> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = match tls {
            Some(config) => {
                let name = ServerName::try_from(host.clone()).map_err(|e| e.to_string())?;
                Some((TlsConnector::from(config), name))
            }
            None => None,
        };
        Ok(Self { host, port, tls })
    }

    pub(super) async fn connect(&self, patience: Patience) -> Result<(Stream, Connect), Fault> {
        let start = Instant::now();
        let end = start + patience.connect;
        let late = |what| {
            let place = self.place();
            Fault::Timeout(format!(
                "{what} {place} took longer than {:?} (stack.pool.connect_timeout)",
                patience.connect
            ))
        };
        let addresses = timeout_at(end.into(), self.resolve())
            .await
            .map_err(|_| late("resolving"))?
            .map_err(|e| Fault::Broken(unreachable::resolving(&self.host, &e)))?;
        let resolved = Instant::now();
        let tcp = first_that_answers(&addresses, end).await.map_err(|e| match e.kind() {
            io::ErrorKind::TimedOut => late("connecting to"),
            _ => Fault::Broken(unreachable::connecting(&self.place(), &e)),
        })?;
        let connected = Instant::now();
        tune(&tcp, patience.keepalive);
        let stream = match &self.tls {
            None => Stream::Plain(tcp),
            Some((tls, name)) => {
                let handshake = timeout(patience.tls, tls.connect(name.clone(), tcp)).await;
                let stream = handshake
                    .map_err(|_| Fault::Timeout(format!("the TLS handshake took longer than {:?}", patience.tls)))?
                    .map_err(|e| Fault::Broken(unreachable::securing(&self.place(), &e)))?;
                Stream::Tls(Box::new(stream))
            }
        };
        let ready = Instant::now();
        let tls = if self.tls.is_some() { ready - connected } else { Duration::ZERO };
        let dns = if addresses.literal { Duration::ZERO } else { resolved - start };
        Ok((stream, Connect { dns, tcp: connected - resolved, tls, total: ready - start }))
    }

    pub(super) fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    pub(super) async fn resolve(&self) -> io::Result<Addresses> {
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return Ok(Addresses { list: vec![SocketAddr::new(ip, self.port)], literal: true });
        }
        let list: Vec<_> = lookup_host((self.host.as_str(), self.port)).await?.collect();
        if list.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        Ok(Addresses { list, literal: false })
    }
}

pub(super) struct Addresses {
    pub(super) list: Vec<SocketAddr>,
    /// Written as such: no name was resolved.
    pub(super) literal: bool,
}

/// In order; each gets its share of the time that is left, so that one that swallows packets does not use it all.
pub(super) async fn first_that_answers(addresses: &Addresses, end: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for (at, address) in addresses.list.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let share = left / (addresses.list.len() - at) as u32;
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

/// Neither is needed for a correct exchange, so a platform that refuses one is no reason to fail.
fn tune(tcp: &TcpStream, keepalive: Duration) {
    let _ = tcp.set_nodelay(true);
    if !keepalive.is_zero() {
        let every = socket2::TcpKeepalive::new().with_time(keepalive).with_interval(keepalive);
        let _ = socket2::SockRef::from(tcp).set_tcp_keepalive(&every);
    }
}

//! The way to an endpoint one step at a time, for whoever wants to see how far it leads.
//! Must not know what is asked there: it sends no request with a key.
//!
//! ```text
//! resolve -> reach -> secure      each bounded, timed, and with its own ways to fail
//! ```

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http::header::HOST;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ProtocolVersion;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::connect::{Addresses, Connector, first_that_answers};
use super::endpoint::{EndpointConfig, RouteError, tls};
use super::target::Target;
use super::trust::{self, Trust};
use super::unreachable;
use crate::profile;

pub struct Probe {
    connector: Connector,
    authority: String,
    connect_timeout: Duration,
    tls_timeout: Duration,
}

/// A host's addresses.
pub struct Resolved {
    addresses: Addresses,
    pub took: Duration,
}

impl Resolved {
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses.list
    }

    /// The host is written as an address: no name was resolved.
    pub fn is_literal(&self) -> bool {
        self.addresses.literal
    }
}

/// A TCP connection.
pub struct Reached {
    tcp: TcpStream,
    pub peer: SocketAddr,
    pub took: Duration,
}

/// What a TLS handshake came to.
pub struct Secured {
    /// `"1.3"`, `"1.2"`.
    pub version: &'static str,
    /// What the server chose of `h2` and `http/1.1`; `None`: it does not negotiate.
    pub protocol: Option<String>,
    /// The server's own, as DER.
    pub certificate: Option<Vec<u8>>,
    pub took: Duration,
}

/// Why a step led nowhere: what it met; how to mend it.
#[derive(Debug, thiserror::Error)]
#[error("{said}")]
pub struct Obstacle {
    pub kind: ObstacleKind,
    pub said: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObstacleKind {
    /// The step's time was up.
    Late,
    /// The name has no address, or nobody could say.
    Name,
    /// No TCP connection.
    Connection,
    /// The certificate is not to be believed.
    Certificate,
    /// The other side does not take part in TLS, or not in ours.
    Handshake,
}

/// What a port speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    Http,
    Https,
}

impl Probe {
    /// Longest look for what else a port may speak.
    pub const SECOND_LOOK: Duration = Duration::from_secs(3);

    /// Offers HTTP/2 and HTTP/1.1, whichever the run will use, so that the server's choice tells what it can do.
    pub fn new(config: &EndpointConfig, pool: &profile::Pool) -> Result<Self, RouteError> {
        let target = Target::parse(config)?;
        let tls = match target.secure {
            true => {
                let mut tls = tls(config)?;
                tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
                Some(Arc::new(tls))
            }
            false => None,
        };
        let connector =
            Connector::new(&target.host, target.port, tls).map_err(|why| RouteError::base_url(config, why))?;
        let (connect_timeout, tls_timeout) = (pool.connect_timeout, pool.tls_timeout);
        Ok(Self { connector, authority: target.authority, connect_timeout, tls_timeout })
    }

    pub fn host(&self) -> &str {
        &self.connector.host
    }

    pub fn is_secure(&self) -> bool {
        self.connector.tls.is_some()
    }

    pub async fn resolve(&self) -> Result<Resolved, Obstacle> {
        let start = Instant::now();
        let resolved = timeout(self.connect_timeout, self.connector.resolve()).await;
        let addresses = resolved.map_err(|_| {
            let host = self.host();
            late(&format!("no DNS server says where {host} is"), self.connect_timeout, "check this machine's network")
        })?;
        let addresses = addresses
            .map_err(|why| Obstacle::new(ObstacleKind::Name, unreachable::resolving(&self.connector.host, &why)))?;
        Ok(Resolved { addresses, took: start.elapsed() })
    }

    pub async fn reach(&self, resolved: &Resolved) -> Result<Reached, Obstacle> {
        let start = Instant::now();
        let place = self.connector.place();
        let tcp = first_that_answers(&resolved.addresses, start + self.connect_timeout).await;
        let tcp = tcp.map_err(|why| match why.kind() {
            io::ErrorKind::TimedOut => {
                let mend = "is a firewall, a VPN or a proxy in between (client = \"reqwest\" uses proxies), or is the \
                            address (base_url, --url) wrong?";
                late(&format!("{place} does not answer"), self.connect_timeout, mend)
            }
            _ => Obstacle::new(ObstacleKind::Connection, unreachable::connecting(&place, &why)),
        })?;
        let peer = tcp
            .peer_addr()
            .map_err(|why| Obstacle::new(ObstacleKind::Connection, unreachable::connecting(&place, &why)))?;
        Ok(Reached { tcp, peer, took: start.elapsed() })
    }

    /// `None` on plain HTTP.
    pub async fn secure(&self, reached: Reached) -> Result<Option<Secured>, Obstacle> {
        let Some((connector, name)) = &self.connector.tls else { return Ok(None) };
        let (start, place) = (Instant::now(), self.connector.place());
        let shaken = timeout(self.tls_timeout, connector.connect(name.clone(), reached.tcp)).await;
        let stream = shaken
            .map_err(|_| {
                let mend = "does it speak TLS at this port?";
                late(&format!("{place} does not answer the TLS handshake"), self.tls_timeout, mend)
            })?
            .map_err(|why| Obstacle::new(in_handshake(&why), unreachable::securing(&place, &why)))?;
        Ok(Some(Secured::of(&stream, start.elapsed())))
    }

    /// Whether the port speaks the other of HTTP and HTTPS than its address says; sends nothing of the endpoint's.
    pub async fn speaks_otherwise(&self, at: SocketAddr) -> Option<Tongue> {
        let bound = self.connect_timeout.min(Self::SECOND_LOOK);
        let tcp = timeout(bound, TcpStream::connect(at)).await.ok()?.ok()?;
        match self.is_secure() {
            true => timeout(bound, answers_in_http(tcp, &self.authority)).await.ok()?.then_some(Tongue::Http),
            false => timeout(bound, answers_in_tls(tcp, &self.connector.host)).await.ok()?.then_some(Tongue::Https),
        }
    }
}

impl Secured {
    fn of(stream: &TlsStream<TcpStream>, took: Duration) -> Self {
        let session = stream.get_ref().1;
        let version = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "1.2",
            _ => "1.3",
        };
        let protocol = session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
        let certificate = session.peer_certificates().and_then(|chain| chain.first()).map(|own| own.to_vec());
        Self { version, protocol, certificate, took }
    }
}

impl Obstacle {
    fn new(kind: ObstacleKind, said: String) -> Self {
        Self { kind, said }
    }
}

fn late(what: &str, bound: Duration, mend: &str) -> Obstacle {
    let bound = profile::units::duration::Typed(bound);
    Obstacle::new(ObstacleKind::Late, format!("{what} within {bound}; {mend}"))
}

fn in_handshake(why: &io::Error) -> ObstacleKind {
    match unreachable::tls_error(why) {
        Some(rustls::Error::InvalidCertificate(_)) => ObstacleKind::Certificate,
        _ => ObstacleKind::Handshake,
    }
}

async fn answers_in_http(tcp: TcpStream, authority: &str) -> bool {
    let Ok((mut sender, driver)) = http1::handshake(TokioIo::new(tcp)).await else { return false };
    let Ok(request) = Request::head("/").header(HOST, authority).body(Empty::<Bytes>::new()) else { return false };
    tokio::select! {
        answer = sender.send_request(request) => answer.is_ok(),
        _ = driver => false,
    }
}

/// Whoever it says it is: it is asked nothing.
async fn answers_in_tls(tcp: TcpStream, host: &str) -> bool {
    let Ok(config) = trust::tls_config(&[], Trust::Anyone, false, &[]) else { return false };
    let Ok(Connector { tls: Some((tls, name)), .. }) = Connector::new(host, 0, Some(Arc::new(config))) else {
        return false;
    };
    tls.connect(name, tcp).await.is_ok()
}

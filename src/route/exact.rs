//! The exact pool's transport: HTTP/1.1 on hyper's connection API.
//! Must not know dialects: it carries bytes.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::alarm::Alarm;
use super::connect::{Connector, Patience, Stream};
use super::failure::{Fault, Stage, causes};
use super::pool::{Limits, Permit, Pool, Slot, Wire};
use super::stale::{Break, Ending, goes_again};
use super::transport::Trace;
use super::{Access, Connect, Connection};
use crate::profile::{self, RetryStale};

pub(super) struct Exact {
    pool: Rc<Pool>,
    connector: Connector,
    path: Uri,
    access: Arc<Access>,
    patience: Cell<Patience>,
    read_timeout: Cell<Duration>,
    retry_stale: Cell<RetryStale>,
}

/// An exchange that brought no head of an answer.
enum Undone {
    Fault(Fault),
    /// The connection broke.
    Broken {
        wire: Wire,
        how: Break,
        why: hyper::Error,
    },
}

impl Undone {
    fn fault(self) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Broken { why, .. } => Fault::Broken(broken(&why)),
        }
    }
}

impl Exact {
    pub(super) fn new(connector: Connector, path: Uri, access: Arc<Access>, settings: &profile::Pool) -> Self {
        Self {
            pool: Pool::new(Limits::of(settings)),
            connector,
            path,
            access,
            patience: Cell::new(patience(settings)),
            read_timeout: Cell::new(settings.read_timeout),
            retry_stale: Cell::new(settings.retry_stale),
        }
    }

    pub(super) fn pool(&self) -> &Rc<Pool> {
        &self.pool
    }

    pub(super) fn configure(&self, settings: &profile::Pool) {
        self.patience.set(patience(settings));
        self.read_timeout.set(settings.read_timeout);
        self.retry_stale.set(settings.retry_stale);
        self.pool.configure(Limits::of(settings));
    }

    /// Posts what `compose` writes on a kept connection or a new one, and returns with the head of the answer.
    /// A kept connection that proves closed is replaced once, where that is safe.
    pub(super) async fn send(
        &self,
        compose: impl Fn() -> (HeaderMap, Bytes),
        alarm: &mut Alarm<'_>,
        trace: &mut Trace,
    ) -> Result<Response<ExactBody>, Fault> {
        let request = || {
            let (headers, body) = compose();
            let mut request = Request::new(Full::new(body));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = self.path.clone();
            *request.headers_mut() = headers;
            request
        };
        self.deliver(request, alarm, trace).await
    }

    /// As [`Exact::send`], without a body and at another path of the same server.
    pub(super) async fn get(
        &self,
        path: Uri,
        headers: HeaderMap,
        alarm: &mut Alarm<'_>,
        trace: &mut Trace,
    ) -> Result<Response<ExactBody>, Fault> {
        let request = || {
            let mut request = Request::new(Full::default());
            *request.uri_mut() = path.clone();
            *request.headers_mut() = headers.clone();
            request
        };
        self.deliver(request, alarm, trace).await
    }

    async fn deliver(
        &self,
        request: impl Fn() -> Request<Full<Bytes>>,
        alarm: &mut Alarm<'_>,
        trace: &mut Trace,
    ) -> Result<Response<ExactBody>, Fault> {
        let (wire, connection) = self.wire(alarm, trace).await?;
        let (mut wire, how, why) = match self.exchange(wire, connection, request(), alarm, trace).await {
            Err(Undone::Broken { wire, how, why }) if connection == Connection::Reused && how != Break::Other => {
                (wire, how, why)
            }
            other => return other.map_err(Undone::fault),
        };
        let ending = alarm.limit(wire.ended()).await.unwrap_or(Ending::Silent);
        if !goes_again(self.retry_stale.get(), how, ending) {
            return Err(Fault::Broken(causes(&why)));
        }
        (trace.connection, trace.sent) = (None, false);
        let (wire, connect) = self.open(wire.was_stale(&self.pool), alarm).await?;
        let connection = Connection::Opened(connect);
        self.exchange(wire, connection, request(), alarm, trace).await.map_err(Undone::fault)
    }

    async fn exchange(
        &self,
        mut wire: Wire,
        connection: Connection,
        request: Request<Full<Bytes>>,
        alarm: &mut Alarm<'_>,
        trace: &mut Trace,
    ) -> Result<Response<ExactBody>, Undone> {
        let stage = if connection == Connection::Reused { Stage::Pool } else { Stage::Connect };
        if let Err(fault) = self.may_go_on(alarm, stage) {
            trace.connection = Some(connection).filter(|connection| *connection != Connection::Reused);
            wire.was_not_used(connection);
            return Err(Undone::Fault(fault));
        }
        (trace.connection, trace.sent) = (Some(connection), true);
        let gap = self.read_timeout.get();
        alarm.set(Instant::now() + gap);
        let answer = alarm.limit(wire.sender.try_send_request(request)).await;
        match answer.map_err(|_| Undone::Fault(Fault::silent(alarm, gap, Stage::Head)))? {
            Ok(response) => Ok(response.map(|body| ExactBody { body, wire: Some(wire), pool: self.pool.clone(), gap })),
            Err(mut refused) => {
                let unsent = refused.take_message();
                trace.sent = unsent.is_none();
                let why = refused.into_error();
                Err(Undone::Broken { wire, how: Break::of(&why, unsent.as_ref()), why })
            }
        }
    }

    /// A line or a connect may have taken until there is no time left, or no leave to send any more. What is sent all
    /// the same would be given up at once, but billed.
    fn may_go_on(&self, alarm: &Alarm<'_>, stage: Stage) -> Result<(), Fault> {
        match () {
            () if self.access.is_barred() => Err(Fault::Barred),
            () if Instant::now() >= alarm.deadline() => Err(Fault::deadline(stage)),
            () => Ok(()),
        }
    }

    async fn wire(&self, alarm: &mut Alarm<'_>, trace: &mut Trace) -> Result<(Wire, Connection), Fault> {
        let (slot, waited) = self.pool.acquire(alarm).await;
        trace.waited(waited);
        match slot {
            Ok(Slot::Kept(wire)) => Ok((wire, Connection::Reused)),
            Ok(Slot::Vacant(permit)) => {
                let (wire, connect) = self.open(permit, alarm).await?;
                Ok((wire, Connection::Opened(connect)))
            }
            Err(denied) => Err(denied.fault(waited)),
        }
    }

    async fn open(&self, permit: Permit, alarm: &mut Alarm<'_>) -> Result<(Wire, Connect), Fault> {
        self.may_go_on(alarm, Stage::Pool)?;
        alarm.set(alarm.deadline());
        let opened = alarm.limit(self.connect(permit)).await;
        opened.map_err(|_| Fault::deadline(Stage::Connect))?
    }

    async fn connect(&self, permit: Permit) -> Result<(Wire, Connect), Fault> {
        let (stream, connect) = self.connector.connect(self.patience.get()).await?;
        let wire = match stream {
            Stream::Plain(tcp) => handshake(tcp, permit).await,
            Stream::Tls(tls) => handshake(*tls, permit).await,
        };
        Ok((wire.map_err(|e| Fault::Broken(causes(&e)))?, connect))
    }
}

/// Why an exchange broke off. What a port of TLS says to plain words is no HTTP.
fn broken(error: &hyper::Error) -> String {
    let said = causes(error);
    match error.is_parse() && !error.is_parse_status() && !error.is_parse_too_large() {
        true => format!("what answers is no HTTP/1.1 ({said}); if that port speaks TLS, write https://"),
        false => said,
    }
}

async fn handshake(io: impl Socket + 'static, permit: Permit) -> hyper::Result<Wire> {
    let (sender, connection) = http1::handshake(TokioIo::new(io)).await?;
    Ok(permit.open(sender, drive(connection)))
}

/// A socket, secured or not.
trait Socket: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Moves the bytes of a connection until it ends, and closes it.
async fn drive<S: Socket>(mut connection: http1::Connection<TokioIo<S>, Full<Bytes>>) -> Ending {
    // Whoever uses it is told of an error by the exchange.
    let _ = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    let parts = connection.into_parts();
    let mut socket = parts.io.into_inner();
    let ending = Ending::of(socket.tcp(), &parts.read_buf);
    if ending != Ending::Unreceived {
        // A polite end, which a server that is gone may not care for.
        let _ = socket.shutdown().await;
    }
    ending
}

fn patience(settings: &profile::Pool) -> Patience {
    Patience { connect: settings.connect_timeout, tls: settings.tls_timeout, keepalive: settings.keepalive }
}

/// The rest of an answer. Dropped before its end, it takes the connection with it.
pub(super) struct ExactBody {
    body: Incoming,
    wire: Option<Wire>,
    pool: Rc<Pool>,
    gap: Duration,
}

impl ExactBody {
    /// The next bytes and when they came, or `None` at the end.
    pub(super) async fn frame(&mut self, alarm: &mut Alarm<'_>) -> Result<Option<(Bytes, Instant)>, Fault> {
        loop {
            let frame = alarm.limit(self.body.frame()).await;
            let frame = frame.map_err(|_| Fault::silent(alarm, self.gap, Stage::Body))?;
            let Some(frame) = frame else {
                self.finish(Instant::now());
                return Ok(None);
            };
            let frame = frame.map_err(|e| Fault::Broken(causes(&e)))?;
            let now = Instant::now();
            alarm.set(now + self.gap);
            // Trailers carry nothing of ours.
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some((bytes, now)));
            }
        }
    }

    /// The end is known to be here, without another wait; the connection goes back at once.
    pub(super) fn ended(&mut self, now: Instant) -> bool {
        let ended = self.body.is_end_stream();
        if ended {
            self.finish(now);
        }
        ended
    }

    fn finish(&mut self, now: Instant) {
        if let Some(wire) = self.wire.take() {
            self.pool.release(wire, now);
        }
    }
}

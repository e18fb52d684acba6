//! The exact pool's transport: HTTP/1.1 on hyper's connection API.
//! Must not know dialects: it carries bytes.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::alarm::Alarm;
use super::connect::{Connector, Patience, Stream};
use super::failure::{Fault, Stage, causes};
use super::pool::{Limits, Permit, Pool, Slot, Wire};
use super::transport::Trace;
use super::{Access, Connect, Connection};
use crate::profile;

pub(super) struct Exact {
    pool: Rc<Pool>,
    connector: Connector,
    path: Uri,
    access: Arc<Access>,
    patience: Cell<Patience>,
    read_timeout: Cell<Duration>,
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
        }
    }

    pub(super) fn pool(&self) -> &Rc<Pool> {
        &self.pool
    }

    pub(super) fn configure(&self, settings: &profile::Pool) {
        self.patience.set(patience(settings));
        self.read_timeout.set(settings.read_timeout);
        self.pool.configure(Limits::of(settings));
    }

    /// Posts on a kept connection or a new one, and returns with the head of the answer.
    /// A kept connection that proves closed before the request was written is replaced, not reported.
    pub(super) async fn send(
        &self,
        headers: HeaderMap,
        body: Bytes,
        alarm: &mut Alarm<'_>,
        trace: &mut Trace,
    ) -> Result<Response<ExactBody>, Fault> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone();
        *request.headers_mut() = headers;
        self.exchange(request, alarm, trace).await
    }

    /// As [`Exact::send`], without a body and at another path of the same server.
    pub(super) async fn get(
        &self,
        path: Uri,
        headers: HeaderMap,
        alarm: &mut Alarm<'_>,
        trace: &mut Trace,
    ) -> Result<Response<ExactBody>, Fault> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = path;
        *request.headers_mut() = headers;
        self.exchange(request, alarm, trace).await
    }

    async fn exchange(
        &self,
        mut request: Request<Full<Bytes>>,
        alarm: &mut Alarm<'_>,
        trace: &mut Trace,
    ) -> Result<Response<ExactBody>, Fault> {
        loop {
            let (mut wire, connection) = self.wire(alarm, trace).await?;
            if let Err(fault) = self.may_go_on(alarm, Stage::Connect) {
                trace.connection = Some(connection).filter(|connection| *connection != Connection::Reused);
                wire.was_not_used(connection);
                return Err(fault);
            }
            trace.connection = Some(connection);
            trace.sent = true;
            let gap = self.read_timeout.get();
            alarm.set(Instant::now() + gap);
            let answer = alarm.limit(wire.sender.try_send_request(request)).await;
            match answer.map_err(|_| Fault::silent(alarm, gap, Stage::Head))? {
                Ok(response) => {
                    return Ok(response.map(|body| ExactBody { body, wire: Some(wire), pool: self.pool.clone(), gap }));
                }
                Err(mut refused) => match (connection, refused.take_message()) {
                    (Connection::Reused, Some(unsent)) => {
                        trace.sent = false;
                        trace.connection = None;
                        wire.was_stale();
                        request = unsent;
                    }
                    (_, unsent) => {
                        trace.sent = unsent.is_none();
                        return Err(Fault::Broken(causes(&refused.into_error())));
                    }
                },
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
                self.may_go_on(alarm, Stage::Pool)?;
                alarm.set(alarm.deadline());
                let opened = alarm.limit(self.open(permit)).await;
                let (wire, connect) = opened.map_err(|_| Fault::deadline(Stage::Connect))??;
                Ok((wire, Connection::Opened(connect)))
            }
            Err(denied) => Err(denied.fault(waited)),
        }
    }

    async fn open(&self, permit: Permit) -> Result<(Wire, Connect), Fault> {
        let (stream, connect) = self.connector.connect(self.patience.get()).await?;
        let broken = |e: hyper::Error| Fault::Broken(causes(&e));
        let wire = match stream {
            Stream::Plain(tcp) => {
                let (sender, driver) = http1::handshake(TokioIo::new(tcp)).await.map_err(broken)?;
                permit.open(sender, driver)
            }
            Stream::Tls(tls) => {
                let (sender, driver) = http1::handshake(TokioIo::new(tls)).await.map_err(broken)?;
                permit.open(sender, driver)
            }
        };
        Ok((wire, connect))
    }
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

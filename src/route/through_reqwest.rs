//! reqwest as it is, for teams that deploy it, for HTTP/2 and for proxies.
//! Must not know dialects: it carries bytes.
//!
//! What it cannot tell stays unknown: how long connecting took and whether a connection was reused. Those it opens are
//! counted as its connector hands them over. It has no maximum
//! of connections either, so `max_connections` is a gate of ours on exchanges in progress; and since its checkout
//! races a connect against the return of a kept connection, it can have more sockets open than the gate lets through.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use http_body_util::BodyExt;
use hyper::body::Body;
use reqwest::{Client, Request, Url};
use rustls::ClientConfig;

use super::alarm::Alarm;
use super::failure::{Fault, Stage, causes};
use super::pool::{Limits, Permit, Pool, Slot};
use super::tolled::Toll;
use super::transport::Trace;
use super::{Access, PoolGauge, Proxy, unreachable};
use crate::profile::{self, Http, WhenFull};

pub(super) struct ThroughReqwest {
    client: RefCell<Client>,
    settings: RefCell<profile::Pool>,
    tls: ClientConfig,
    proxy: Proxy,
    url: Url,
    host: String,
    /// Host and port, for messages.
    place: String,
    access: Arc<Access>,
    /// Only its permits are used: no connection is ever kept in it.
    gate: Rc<Pool>,
    read_timeout: Cell<Duration>,
    toll: Toll,
}

impl ThroughReqwest {
    pub(super) fn new(
        url: &str,
        tls: ClientConfig,
        proxy: Proxy,
        access: Arc<Access>,
        settings: &profile::Pool,
    ) -> Result<Self, String> {
        let url: Url = url.parse().map_err(|e| format!("{e}"))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let toll = Toll::default();
        Ok(Self {
            client: RefCell::new(client(&tls, proxy, settings, &toll)?),
            place: place(&url, proxy),
            settings: RefCell::new(settings.clone()),
            tls,
            proxy,
            url,
            host,
            access,
            gate: Pool::new(Limits::of(settings)),
            read_timeout: Cell::new(settings.read_timeout),
            toll,
        })
    }

    /// reqwest takes its settings when it is made: a change of one of them makes a new client, and the connections
    /// of the old one close as they fall idle.
    pub(super) fn configure(&self, settings: &profile::Pool) {
        self.gate.configure(Limits::of(settings));
        self.read_timeout.set(settings.read_timeout);
        let before = self.settings.replace(settings.clone());
        if its_own(&before) != its_own(settings)
            && let Ok(client) = client(&self.tls, self.proxy, settings, &self.toll)
        {
            self.client.replace(client);
        }
    }

    /// Only what waits at our gate is known, and how many connections were opened.
    pub(super) fn gauge(&self) -> PoolGauge {
        PoolGauge { waiting: self.gate.gauge().waiting, opened: self.toll.opened(), ..PoolGauge::default() }
    }

    /// Forgets the idle connections; reqwest closes them by itself.
    pub(super) fn shut_down(&self) {
        if let Ok(client) = client(&self.tls, self.proxy, &self.settings.borrow(), &self.toll) {
            self.client.replace(client);
        }
    }

    pub(super) async fn send(
        &self,
        (headers, body): (HeaderMap, Bytes),
        alarm: &mut Alarm<'_>,
        trace: &mut Trace,
    ) -> Result<Response<ReqwestBody>, Fault> {
        let mut request = Request::new(Method::POST, self.url.clone());
        *request.headers_mut() = headers;
        *request.body_mut() = Some(body.into());
        self.exchange(request, alarm, trace).await
    }

    /// As [`ThroughReqwest::send`], without a body and at another address of the same server.
    pub(super) async fn get(
        &self,
        url: Url,
        headers: HeaderMap,
        alarm: &mut Alarm<'_>,
        trace: &mut Trace,
    ) -> Result<Response<ReqwestBody>, Fault> {
        let mut request = Request::new(Method::GET, url);
        *request.headers_mut() = headers;
        self.exchange(request, alarm, trace).await
    }

    async fn exchange(
        &self,
        request: Request,
        alarm: &mut Alarm<'_>,
        trace: &mut Trace,
    ) -> Result<Response<ReqwestBody>, Fault> {
        let permit = self.permit(alarm, trace).await?;
        if self.access.is_barred() {
            return Err(Fault::Barred);
        }
        if Instant::now() >= alarm.deadline() {
            return Err(Fault::deadline(Stage::Pool));
        }
        let client = self.client.borrow().clone();
        let request = client.execute(request);
        let gap = self.read_timeout.get();
        // Connecting is bounded by reqwest itself, beside the gap.
        let connecting = self.settings.borrow().connect_timeout;
        alarm.set(Instant::now() + gap.max(connecting));
        let answer = alarm.limit(request).await;
        trace.sent = true;
        match answer {
            Ok(Ok(answer)) => {
                Ok(Response::<reqwest::Body>::from(answer).map(|body| ReqwestBody { body, gap, _permit: permit }))
            }
            Ok(Err(error)) => {
                trace.sent = !error.is_connect();
                Err(self.unreachable(&error).unwrap_or_else(|| fault(error)))
            }
            Err(_) => Err(Fault::silent(alarm, gap, Stage::Head)),
        }
    }

    /// What kept it from connecting; `None` if it did connect, or ran out of time.
    fn unreachable(&self, error: &reqwest::Error) -> Option<Fault> {
        let refused = error.is_connect() && !error.is_timeout();
        refused.then(|| unreachable::by_cause(&self.host, &self.place, error)).flatten().map(Fault::Broken)
    }

    async fn permit(&self, alarm: &mut Alarm<'_>, trace: &mut Trace) -> Result<Option<Permit>, Fault> {
        if self.settings.borrow().when_full == WhenFull::Open {
            return Ok(None);
        }
        let (slot, waited) = self.gate.acquire(alarm).await;
        // With nothing waited for at the gate, what reqwest's own pool made of it stays unknown.
        if !waited.is_zero() {
            trace.waited(waited);
        }
        match slot {
            Ok(Slot::Vacant(permit)) => Ok(Some(permit)),
            Ok(Slot::Kept(_)) => Ok(None),
            Err(denied) => Err(denied.fault(waited)),
        }
    }
}

/// Where it connects, as far as can be said: which hosts a proxy is for is reqwest's to know.
fn place(url: &Url, proxy: Proxy) -> String {
    const VARIABLES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let proxied = proxy == Proxy::Environment && VARIABLES.iter().any(|name| std::env::var_os(name).is_some());
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    let proxied = if proxied { " or the environment's proxy" } else { "" };
    format!("{host}:{port}{proxied}")
}

/// The settings that reqwest takes.
fn its_own(settings: &profile::Pool) -> (u32, Duration, Duration, Duration, Http) {
    let s = settings;
    (s.max_idle, s.idle_timeout, s.connect_timeout, s.keepalive, s.http)
}

fn client(tls: &ClientConfig, proxy: Proxy, settings: &profile::Pool, toll: &Toll) -> Result<Client, String> {
    let mut tls = tls.clone();
    tls.alpn_protocols = match settings.http {
        Http::V1 => vec![b"http/1.1".to_vec()],
        Http::V2 => vec![b"h2".to_vec()],
        Http::Auto => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
    };
    let keepalive = Some(settings.keepalive).filter(|every| !every.is_zero());
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .pool_max_idle_per_host(settings.max_idle as usize)
        .pool_idle_timeout(settings.idle_timeout)
        .connect_timeout(settings.connect_timeout)
        .tcp_keepalive(keepalive)
        .redirect(reqwest::redirect::Policy::none())
        .connector_layer(toll.clone());
    let builder = match settings.http {
        Http::V1 => builder.http1_only(),
        Http::V2 => builder.http2_prior_knowledge(),
        Http::Auto => builder,
    };
    let builder = match proxy {
        Proxy::Environment => builder,
        Proxy::Never => builder.no_proxy(),
    };
    builder.build().map_err(|e| causes(&e))
}

fn fault(error: reqwest::Error) -> Fault {
    // The address may carry a query with a key; the endpoint's name says where it was.
    let error = error.without_url();
    let timeout = error.is_timeout();
    let text = causes(&error);
    if timeout { Fault::Timeout(text) } else { Fault::Broken(text) }
}

pub(super) struct ReqwestBody {
    body: reqwest::Body,
    gap: Duration,
    _permit: Option<Permit>,
}

impl ReqwestBody {
    pub(super) async fn frame(&mut self, alarm: &mut Alarm<'_>) -> Result<Option<(Bytes, Instant)>, Fault> {
        loop {
            let frame = alarm.limit(self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| Fault::silent(alarm, self.gap, Stage::Body))? else { return Ok(None) };
            let frame = frame.map_err(fault)?;
            let now = Instant::now();
            alarm.set(now + self.gap);
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some((bytes, now)));
            }
        }
    }

    pub(super) fn ended(&self) -> bool {
        self.body.is_end_stream()
    }
}

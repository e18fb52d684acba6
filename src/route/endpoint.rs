//! One route of one replica: a transport and a dialect, and the attempts that go through them.
//! Must not know the policies around an attempt.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Uri};
use thiserror::Error;

use super::alarm::Alarm;
use super::connect::Connector;
use super::dialect::Spoken;
use super::exact::Exact;
use super::failure::{Fault, Stage, one_line};
use super::fetched::{Fetched, fetch};
use super::headers::{Headers, secrets};
use super::reading::{self, LARGEST_ANSWER, Reading, too_long};
use super::secret::Secret;
use super::target::Target;
use super::through_reqwest::ThroughReqwest;
use super::transport::{Reader, Trace, Transport, Whole};
use super::trust::{self, Trust};
use super::{Access, Ask, Attempt, Failure, PoolGauge, Reply};
use crate::profile::{self, Client, Dialect, Http, PromptCaching};

/// What an endpoint is made from.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// The route's name, for messages.
    pub name: String,
    /// Up to and with the version: `https://api.example.com/v1`. A query is kept.
    pub base_url: String,
    pub dialect: Dialect,
    /// Anthropic's dialect: whether the provider is asked to cache prompts.
    pub prompt_cache: PromptCaching,
    pub api_key: Option<Secret>,
    /// Sent with each request; they win over gatebench's own.
    pub headers: BTreeMap<String, String>,
    /// `false` asks the gateway not to serve from its own cache.
    pub gateway_cache: bool,
    /// Certificate authorities to trust beside the web's, each as PEM.
    pub extra_ca_pem: Vec<Vec<u8>>,
    /// Any certificate is accepted.
    pub insecure: bool,
    /// TLS session resumption.
    pub resume: bool,
    pub proxy: Proxy,
    /// Shared by all replicas.
    pub access: Arc<Access>,
}

impl EndpointConfig {
    pub(super) fn spoken(&self) -> Spoken {
        Spoken::new(self.dialect, self.prompt_cache)
    }
}

/// Which proxy requests go through, by the client that knows proxies: reqwest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// What `HTTP_PROXY` and its kin say.
    Environment,
    /// The endpoint is on this machine, where a proxy does not reach.
    Never,
}

/// An endpoint that cannot be made as asked.
#[derive(Debug, Error)]
pub enum RouteError {
    #[error("routes.{route}: base_url \"{url}\" is no address: {why}; write it as https://host/v1")]
    BaseUrl { route: String, url: String, why: String },
    #[error("routes.{route}: the API key holds characters no header can carry; check its environment variable")]
    Key { route: String },
    #[error(
        "routes.{route}: headers.\"{header}\" is no valid HTTP header; use ASCII letters, digits and dashes in its name and one line of text as its value"
    )]
    Header { route: String, header: String },
    #[error("routes.{route}.ca_file: {why}; give certificates as PEM (-----BEGIN CERTIFICATE-----)")]
    Ca { route: String, why: String },
    #[error(
        "stack.pool.client = \"exact\" speaks HTTP/1.1; set stack.pool.http = \"1.1\" or stack.pool.client = \"reqwest\""
    )]
    Version,
    #[error("routes.{route}: could not set up the client: {why}")]
    Client { route: String, why: String },
}

impl RouteError {
    pub(super) fn base_url(config: &EndpointConfig, why: impl ToString) -> Self {
        Self::BaseUrl { route: config.name.clone(), url: config.base_url.clone(), why: why.to_string() }
    }
}

/// One route of one replica. It lives in a `LocalRuntime` or a `LocalSet`, where its connections are driven.
pub struct Endpoint {
    spoken: Spoken,
    way: RefCell<Way>,
    /// Transports from before a change of client; what they have open drains.
    retired: RefCell<Vec<Rc<Transport>>>,
    /// What those had counted that are gone.
    gone: Cell<PoolGauge>,
    secrets: Vec<Secret>,
}

/// How requests travel now.
struct Way {
    config: EndpointConfig,
    target: Target,
    client: Client,
    transport: Rc<Transport>,
    headers: Rc<Headers>,
}

impl Way {
    fn new(config: EndpointConfig, pool: &profile::Pool) -> Result<Self, RouteError> {
        let target = Target::parse(&config)?;
        let (transport, host) = match pool.client {
            Client::Exact => {
                (Transport::Exact(Box::new(exact(&config, &target, pool)?)), Some(target.authority.as_str()))
            }
            Client::Reqwest => (Transport::Reqwest(Box::new(through_reqwest(&config, &target, pool)?)), None),
        };
        let headers = Headers::new(&config, host)?;
        Ok(Self { config, target, client: pool.client, transport: Rc::new(transport), headers: Rc::new(headers) })
    }
}

const LARGEST_ERROR: usize = 64 << 10;
/// How long a complete stream may take to end its body, so that its connection can be kept.
const AFTER_DONE: Duration = Duration::from_secs(1);

impl Endpoint {
    pub fn new(config: EndpointConfig, pool: &profile::Pool) -> Result<Self, RouteError> {
        let secrets = secrets(&config);
        Ok(Self {
            spoken: config.spoken(),
            way: RefCell::new(Way::new(config, pool)?),
            retired: RefCell::default(),
            gone: Cell::default(),
            secrets,
        })
    }

    /// Asks once. Dropping the future closes the connection it is using and gives up its place in the queue.
    pub async fn attempt(&self, ask: &Ask<'_>) -> Attempt {
        let mut trace = Trace::default();
        let sleep = pin!(tokio::time::sleep_until(ask.deadline.into()));
        let mut alarm = Alarm::new(sleep, ask.deadline);
        let result = self.ask(ask, &mut alarm, &mut trace).await;
        let Trace { pool_wait, connection, sent } = trace;
        Attempt { pool_wait, connection, sent, result: result.map_err(|failure| self.presentable(failure)) }
    }

    async fn ask(&self, ask: &Ask<'_>, alarm: &mut Alarm<'_>, trace: &mut Trace) -> Result<Reply, Failure> {
        if Instant::now() >= ask.deadline {
            return Err(Fault::deadline(Stage::Pool).before_head());
        }
        let (transport, headers) = {
            let way = self.way.borrow();
            (way.transport.clone(), way.headers.clone())
        };
        let compose = || {
            let headers = if ask.request.stream { headers.streamed() } else { headers.whole() };
            (headers, self.spoken.request(ask))
        };
        let answer = transport.send(compose, alarm, trace).await;
        let (head, body) = answer.map_err(Fault::before_head)?.into_parts();
        if !head.status.is_success() {
            let body = start_of(body, alarm).await;
            return Err(reading::refused(self.spoken.dialect, head.status, &head.headers, &body));
        }
        // Some gateways answer a streamed request whole when they serve it from their cache.
        if ask.request.stream && !is_json(&head.headers) {
            read_stream(self.spoken.dialect, body, ask, &head.headers, alarm).await
        } else {
            read_whole(self.spoken.dialect, body, ask, &head.headers, alarm).await
        }
    }

    /// Fetches what lies at a path under the base URL, such as `/models`, with the headers of any call.
    pub async fn get(&self, path: &str, deadline: Instant) -> Result<Fetched, Failure> {
        let (transport, headers, target) = {
            let way = self.way.borrow();
            (way.transport.clone(), way.headers.whole(), way.target.clone())
        };
        let sleep = pin!(tokio::time::sleep_until(deadline.into()));
        let fetched = fetch(&transport, &target, path, headers, &mut Alarm::new(sleep, deadline)).await;
        let exchange = fetched.map_err(|failure| self.presentable(failure))?;
        Ok(Fetched::of(exchange, |text| self.presentable_text(text)))
    }

    fn presentable(&self, mut failure: Failure) -> Failure {
        failure.detail = self.presentable_text(failure.detail);
        failure
    }

    /// Without keys, and on one line.
    fn presentable_text(&self, text: String) -> String {
        one_line(&self.secrets.iter().fold(text, |text, secret| secret.hide_in(text)))
    }

    /// Changes the pool while it is in use: what is too much closes as it falls idle, never more than the new
    /// maximum are opened, and raising it lets those in who wait. After a change of `client` the next attempt goes the
    /// new way; those under way and in line end on the old one, whose connections close as they fall idle.
    /// To be called where it lives.
    pub fn configure(&self, pool: &profile::Pool) {
        let mut way = self.way.borrow_mut();
        if pool.client == way.client {
            return way.transport.configure(pool);
        }
        // What could be made of this address and these headers once can be made again; the pool is validated.
        let Ok(next) = Way::new(way.config.clone(), pool) else { return };
        let before = std::mem::replace(&mut *way, next);
        before.transport.retire();
        self.retired.borrow_mut().push(before.transport);
    }

    pub fn set_gateway_cache(&self, on: bool) {
        let mut way = self.way.borrow_mut();
        way.config.gateway_cache = on;
        Rc::make_mut(&mut way.headers).set_gateway_cache(on);
    }

    /// Of all transports there were; the peak is that of the busiest.
    pub fn gauge(&self) -> PoolGauge {
        self.part_with_drained();
        let now = self.way.borrow().transport.gauge();
        let retired = self.retired.borrow();
        retired.iter().map(|before| before.gauge()).fold(and(self.gone.get(), now), and)
    }

    /// A retired transport that no attempt uses and that has nothing open leaves only its counters.
    fn part_with_drained(&self) {
        let is_drained =
            |transport: &mut Rc<Transport>| Rc::strong_count(transport) == 1 && transport.gauge().open == 0;
        for drained in self.retired.borrow_mut().extract_if(.., is_drained) {
            self.gone.set(and(self.gone.get(), drained.gauge()));
        }
    }

    /// Closes the idle connections now and each other one when its user is done.
    pub async fn shut_down(&self) {
        let mut all = self.retired.borrow().clone();
        all.push(self.way.borrow().transport.clone());
        for transport in all {
            transport.shut_down().await;
        }
    }
}

/// One transport and the next.
fn and(mut sum: PoolGauge, other: PoolGauge) -> PoolGauge {
    let peak = sum.peak.max(other.peak);
    sum.add(&other);
    PoolGauge { peak: peak.max(sum.open), ..sum }
}

fn exact(config: &EndpointConfig, target: &Target, pool: &profile::Pool) -> Result<Exact, RouteError> {
    if pool.http != Http::V1 {
        return Err(RouteError::Version);
    }
    // Made for plain HTTP too, so that a bad file of authorities is not passed over.
    let tls = Some(Arc::new(tls(config)?)).filter(|_| target.secure);
    let connector = Connector::new(&target.host, target.port, tls).map_err(|why| RouteError::base_url(config, why))?;
    let path = Uri::try_from(&target.path).map_err(|why| RouteError::base_url(config, why))?;
    Ok(Exact::new(connector, path, config.access.clone(), pool))
}

fn through_reqwest(
    config: &EndpointConfig,
    target: &Target,
    pool: &profile::Pool,
) -> Result<ThroughReqwest, RouteError> {
    ThroughReqwest::new(&target.url(), tls(config)?, config.proxy, config.access.clone(), pool)
        .map_err(|why| RouteError::Client { route: config.name.clone(), why })
}

pub(super) fn tls(config: &EndpointConfig) -> Result<rustls::ClientConfig, RouteError> {
    let trust = if config.insecure { Trust::Anyone } else { Trust::Authorities };
    trust::tls_config(&config.extra_ca_pem, trust, config.resume, &[b"http/1.1"])
        .map_err(|why| RouteError::Ca { route: config.name.clone(), why })
}

fn is_json(headers: &HeaderMap) -> bool {
    const JSON: &[u8] = b"application/json";
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.as_bytes().get(..JSON.len()));
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case(JSON))
}

/// As much of an error's body as a message needs; the status says enough if none can be had.
async fn start_of(mut body: Reader, alarm: &mut Alarm<'_>) -> Bytes {
    match body.whole(alarm, LARGEST_ERROR).await {
        Ok(Whole::Complete(bytes, _) | Whole::TooLong(bytes)) => bytes,
        Err(_) => Bytes::new(),
    }
}

async fn read_whole(
    dialect: Dialect,
    mut body: Reader,
    ask: &Ask<'_>,
    head: &HeaderMap,
    alarm: &mut Alarm<'_>,
) -> Result<Reply, Failure> {
    match body.whole(alarm, LARGEST_ANSWER).await.map_err(Fault::in_body)? {
        Whole::Complete(bytes, done) => reading::whole(dialect, &bytes, ask, head, done),
        Whole::TooLong(_) => Err(too_long()),
    }
}

async fn read_stream(
    dialect: Dialect,
    mut body: Reader,
    ask: &Ask<'_>,
    head: &HeaderMap,
    alarm: &mut Alarm<'_>,
) -> Result<Reply, Failure> {
    let mut reading = Reading::new(dialect, ask, head);
    let mut done = Instant::now();
    loop {
        match body.frame(alarm).await {
            Ok(Some((bytes, now))) => {
                done = now;
                if reading.feed(&bytes, now).is_break() {
                    break;
                }
            }
            Ok(None) => {
                done = Instant::now();
                break;
            }
            Err(fault) => {
                reading.break_off(fault.in_body());
                break;
            }
        }
        if reading.is_complete() {
            alarm.set(done + AFTER_DONE);
        }
    }
    reading.end(done)
}

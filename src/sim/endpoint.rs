//! The HTTP side of a simulated route: which path answers what, and the way of one chat request.
//! Must not know sockets, TLS or the wire.
//!
//! ```text
//! body -> key -> dialect's needs -> model -> reset? -> gateway cache -> fault? -> limits -> error? -> whole | stream | cut
//! ```

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::Service;

use crate::profile::{FaultKind, Simulated};

use super::answer::{self, Answer};
use super::ask::{self, Ask};
use super::dialect::{CHAT, Dialect, MESSAGES, VERSION};
use super::faults::Failing;
use super::limits::Standing;
use super::payload::{Cut, Finish, HangUp, Held, Pace, Payload, Stream};
use super::prompt_cache::Served;
use super::provider::{Keep, Provider, Slot};
use super::refusal::{self, Refusal};
use super::stats::{Presence, Ticket};
use super::timer::{Alarm, Timer};

const LONGEST_BODY: usize = 32 << 20;
const MODELS: &str = "/v1/models";
const STATS: &str = "/sim/stats";

/// One connection's service.
pub(super) struct Endpoint {
    pub(super) provider: Arc<Provider>,
    pub(super) timer: Arc<Timer>,
    pub(super) presence: Arc<Presence>,
    /// Set before a [`HangUp`] that is to be a reset.
    pub(super) reset: Arc<AtomicBool>,
}

type Answered = Result<Response<Payload>, HangUp>;

impl Service<Request<Incoming>> for Endpoint {
    type Response = Response<Payload>;
    type Error = HangUp;
    type Future = Pin<Box<dyn Future<Output = Answered> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        if request.uri().path().starts_with("/sim/") {
            self.presence.is_observer();
        } else {
            self.presence.is_client();
        }
        let is_http2 = request.version() == Version::HTTP_2;
        if is_http2 {
            self.presence.speaks_http2();
        }
        if request.method() == Method::POST && matches!(request.uri().path(), CHAT | MESSAGES) {
            let exchange = Exchange {
                dialect: Dialect::of(request.uri().path(), request.headers()),
                provider: Arc::clone(&self.provider),
                alarm: Alarm::new(&self.timer),
                reset: (!is_http2).then(|| Arc::clone(&self.reset)),
                ticket: Ticket::open(&self.presence),
            };
            return Box::pin(exchange.chat(request));
        }
        Box::pin(ready(Ok(self.plain(&request))))
    }
}

impl Endpoint {
    /// Everything but a chat.
    fn plain(&self, request: &Request<Incoming>) -> Response<Payload> {
        let spec = self.provider.spec();
        let dialect = Dialect::of(request.uri().path(), request.headers());
        match (request.method(), request.uri().path()) {
            (&Method::GET, MODELS) if !accepts(request.headers(), &spec.keys) => {
                Refusal::unknown_key().into_response(dialect)
            }
            (&Method::GET, MODELS) => refusal::json(StatusCode::OK, dialect.models(&spec.models)),
            (&Method::GET, STATS) => {
                let stats = serde_json::to_vec(&self.provider.tally.snapshot()).unwrap_or_default();
                refusal::json(StatusCode::OK, stats.into())
            }
            (method, CHAT | MESSAGES | MODELS | STATS) => Refusal::wrong_method(method).into_response(dialect),
            (_, path) => Refusal::unknown_path(path).into_response(dialect),
        }
    }
}

/// `Authorization: Bearer KEY` or `x-api-key: KEY`; without keys of its own a route takes any, or none.
fn accepts(headers: &HeaderMap, keys: &[String]) -> bool {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let offered = bearer.or_else(|| headers.get("x-api-key").map(HeaderValue::as_bytes));
    keys.is_empty() || offered.is_some_and(|offered| keys.iter().any(|key| key.as_bytes() == offered))
}

/// What a request says to the gateway's cache.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CacheWish {
    Use,
    /// `no-cache`: a fresh answer, which may be kept.
    Refresh,
    /// `no-store`: neither served nor kept.
    Avoid,
}

impl CacheWish {
    fn of(headers: &HeaderMap) -> Self {
        let says = |word: &str| {
            let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|directive| directive.trim().eq_ignore_ascii_case(word))
        };
        match () {
            () if says("no-store") => Self::Avoid,
            () if says("no-cache") => Self::Refresh,
            () => Self::Use,
        }
    }
}

/// One chat request on its way.
struct Exchange {
    dialect: Dialect,
    provider: Arc<Provider>,
    alarm: Alarm,
    /// The connection's; over HTTP/2 a [`HangUp`] resets the stream alone.
    reset: Option<Arc<AtomicBool>>,
    ticket: Ticket,
}

/// A completion that is to be sent.
struct Turn {
    answer: Arc<Answer>,
    pace: Pace,
    finish: Finish,
    stream: Option<IncludeUsage>,
    /// The provider's part; without it the gateway's cache answers.
    slot: Option<Slot>,
    keep: Option<Keep>,
    x_cache: Option<&'static str>,
    standing: Standing,
}

struct IncludeUsage(bool);

/// No completion.
enum Stop {
    Refuse(Box<Refusal>),
    Reset,
    /// The client broke off.
    Gone,
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal.into())
    }
}

impl Exchange {
    async fn chat(mut self, request: Request<Incoming>) -> Answered {
        match self.admit(request).await {
            Ok(turn) if turn.stream.is_some() => Ok(self.stream(turn).await),
            Ok(turn) => Ok(self.whole(turn).await),
            Err(Stop::Refuse(refusal)) => {
                self.ticket.close(refusal.status);
                Ok(refusal.into_response(self.dialect))
            }
            Err(Stop::Reset) => {
                self.alarm.until(Instant::now() + self.provider.distance.one_way()).await;
                self.reset.iter().for_each(|reset| reset.store(true, Ordering::Relaxed));
                self.ticket.close_as("reset");
                Err(HangUp)
            }
            Err(Stop::Gone) => Err(HangUp),
        }
    }

    async fn admit(&mut self, request: Request<Incoming>) -> Result<Turn, Stop> {
        let (head, body) = request.into_parts();
        let body = read(body).await?;
        let spec = self.provider.spec();
        if !accepts(&head.headers, &spec.keys) {
            return Err(Refusal::unknown_key().into());
        }
        if self.dialect == Dialect::Messages && !head.headers.contains_key(VERSION) {
            return Err(Refusal::bad_request(format!("{VERSION}: header is required")).into());
        }
        let ask = self.dialect.ask(&body, spec.prompt_cache.as_ref()).map_err(Refusal::bad_request)?;
        self.ticket.asks(&ask.model);
        if !answer::serves(&spec.models, &ask.model) {
            return Err(Refusal::unknown_model(&ask.model).into());
        }
        let weather = self.provider.weather(&spec, &ask.model);
        if weather.failing.is_some_and(|failing| failing.kind == FaultKind::Reset) {
            return Err(Stop::Reset);
        }
        let wish = CacheWish::of(&head.headers);
        let caching = spec.gateway_cache.as_ref().and_then(|policy| Some((policy, ask::meaning(&body)?)));
        if let Some((policy, key)) = caching.as_ref().filter(|_| wish == CacheWish::Use)
            && let Some(answer) = self.provider.cached(key, policy)
        {
            self.ticket.tally().gateway_hit();
            return Ok(Turn::hit(answer, &ask));
        }
        let finish = self.endure(weather.failing).await?;
        let mut turn = self.generate(&spec, &ask, finish)?;
        if let Some((policy, key)) = caching {
            turn.x_cache = Some(if wish == CacheWish::Use { "MISS" } else { "BYPASS" });
            let (provider, answer) = (Arc::clone(&self.provider), Arc::clone(&turn.answer));
            turn.keep = (wish != CacheWish::Avoid).then(|| Keep { provider, key, policy: policy.clone(), answer });
        }
        Ok(turn)
    }

    /// What a fault leaves of the request.
    async fn endure(&mut self, failing: Option<Failing>) -> Result<Finish, Stop> {
        let Some(Failing { kind, until }) = failing else { return Ok(Finish::Complete) };
        match kind {
            FaultKind::TooManyRequests => {
                Err(Refusal::too_many_requests(until.saturating_duration_since(Instant::now())).into())
            }
            FaultKind::InternalError => Err(Refusal::internal_error().into()),
            FaultKind::Unavailable => Err(Refusal::unavailable().into()),
            FaultKind::Overloaded => Err(Refusal::overloaded().into()),
            FaultKind::Reset => Err(Stop::Reset),
            FaultKind::Truncate => Ok(Finish::Truncated),
            FaultKind::Error => Ok(Finish::Failed),
            FaultKind::Slow => Ok(Finish::Complete),
            FaultKind::Hang => {
                self.alarm.until(until).await;
                Ok(Finish::Complete)
            }
        }
    }

    /// Passes the provider's limits and starts the answer.
    fn generate(&self, spec: &Simulated, ask: &Ask, finish: Finish) -> Result<Turn, Stop> {
        let started = Instant::now();
        let draw = self.provider.draw(spec, &self.provider.weather(spec, &ask.model));
        let (slot, standing) = self.provider.admit(spec, ask.prompt_tokens + ask.output_tokens);
        let slot = slot.map_err(|excess| Refusal::over_limit(&excess, &ask.model, standing))?;
        if draw.fails {
            return Err(Refusal::internal_error().into());
        }
        let pace = Pace { first: started + draw.ttft, gap: draw.gap };
        let served = self.read_prompt(spec, ask, &pace);
        // A whole answer that turns out to be an error is none.
        if ask.stream || finish != Finish::Failed {
            self.ticket.tally().billed(ask.prompt_tokens, 0);
            self.ticket.tally().prompt_cache(served);
        }
        let created = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Ok(Turn {
            answer: Arc::new(Answer::to(ask, served, draw.id, created)),
            pace,
            finish,
            stream: ask.stream.then_some(IncludeUsage(ask.include_usage)),
            slot: Some(slot),
            keep: None,
            x_cache: None,
            standing,
        })
    }

    /// Through the provider's prompt cache, if it has one. What is written to it is told in Anthropic's dialect alone: for
    /// most of OpenAI's models that costs nothing.
    fn read_prompt(&self, spec: &Simulated, ask: &Ask, pace: &Pace) -> Served {
        let Some(policy) = &spec.prompt_cache else { return Served::default() };
        let served = self.provider.read_prompt(&ask.beginnings, policy, pace.first);
        match self.dialect {
            Dialect::Chat => Served { read: served.read, ..Served::default() },
            Dialect::Messages => served,
        }
    }

    async fn stream(mut self, turn: Turn) -> Response<Payload> {
        // Head, role and first token go out in one write, as near as real providers send them.
        self.alarm.until(turn.pace.first).await;
        let headers = turn.headers(self.dialect, "text/event-stream; charset=utf-8");
        let include_usage = turn.stream.is_some_and(|IncludeUsage(included)| included);
        let events = self.dialect.events(&turn.answer, include_usage);
        let bill = turn.slot.is_some().then(|| Arc::clone(&self.provider.tally));
        let held = Held { ticket: self.ticket, slot: turn.slot, keep: turn.keep, bill };
        let one_way = self.provider.distance.one_way();
        let stream = Stream::new(events, turn.pace, turn.finish, held, one_way, self.alarm);
        respond(headers, Payload::Stream(Box::new(stream)))
    }

    async fn whole(mut self, turn: Turn) -> Response<Payload> {
        let headers = turn.headers(self.dialect, "application/json");
        self.alarm.until(turn.pace.due(turn.answer.output_tokens)).await;
        if turn.finish == Finish::Failed {
            self.ticket.close_as("error");
            return respond(headers, Payload::Whole(Some(self.dialect.broken())));
        }
        if turn.slot.is_some() {
            self.ticket.tally().billed(0, turn.answer.output_tokens);
        }
        let body = self.dialect.whole(&turn.answer);
        if turn.finish == Finish::Truncated {
            let one_way = self.provider.distance.one_way();
            return respond(headers, Payload::Cut(Box::new(Cut::half(body, one_way, self.alarm, self.ticket))));
        }
        if let Some(keep) = turn.keep {
            keep.store();
        }
        drop(turn.slot);
        self.ticket.close(StatusCode::OK);
        respond(headers, Payload::Whole(Some(body)))
    }
}

impl Turn {
    /// The gateway answers at once, whatever the provider would take.
    fn hit(answer: Arc<Answer>, ask: &Ask) -> Self {
        Self {
            answer,
            pace: Pace { first: Instant::now(), gap: Duration::ZERO },
            finish: Finish::Complete,
            stream: ask.stream.then_some(IncludeUsage(ask.include_usage)),
            slot: None,
            keep: None,
            x_cache: Some("HIT"),
            standing: Standing::default(),
        }
    }

    fn headers(&self, dialect: Dialect, content_type: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(10);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        refusal::put_request_id(dialect, &format!("req_{:016x}", self.answer.id), &mut headers);
        if let Some(said) = self.x_cache {
            headers.insert(HeaderName::from_static("x-cache"), HeaderValue::from_static(said));
        }
        refusal::put_standing(&self.standing, dialect, &mut headers);
        headers
    }
}

fn respond(headers: HeaderMap, payload: Payload) -> Response<Payload> {
    let mut response = Response::new(payload);
    *response.headers_mut() = headers;
    response
}

async fn read(body: Incoming) -> Result<Bytes, Stop> {
    match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::too_large().into()),
        Err(_) => Err(Stop::Gone),
    }
}

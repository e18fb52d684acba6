//! Answers that are no completion: the provider's errors, with the bodies and headers that real ones carry.
//! Must not know when they are due.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Method, Response, StatusCode};

use super::dialect::Dialect;
use super::limits::{Excess, Level, Limit, Standing};
use super::payload::Payload;
use super::{answer, anthropic_answer};

pub(super) struct Refusal {
    pub(super) status: StatusCode,
    cause: Cause,
    retry_after: Option<Duration>,
    standing: Standing,
}

/// What is wrong. How it is said is each dialect's.
enum Cause {
    BadRequest(String),
    TooLarge,
    UnknownKey,
    UnknownModel(String),
    UnknownPath(String),
    WrongMethod(Method),
    InternalError,
    Unavailable,
    Overloaded,
    /// A message, and which limit it is.
    Limited(String, &'static str),
}

impl Refusal {
    fn new(status: StatusCode, cause: Cause) -> Self {
        Self { status, cause, retry_after: None, standing: Standing::default() }
    }

    pub(super) fn bad_request(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Cause::BadRequest(message))
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Cause::TooLarge)
    }

    pub(super) fn unknown_key() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, Cause::UnknownKey)
    }

    pub(super) fn unknown_model(model: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, Cause::UnknownModel(model.to_owned()))
    }

    pub(super) fn unknown_path(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, Cause::UnknownPath(path.to_owned()))
    }

    pub(super) fn wrong_method(method: &Method) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Cause::WrongMethod(method.clone()))
    }

    pub(super) fn internal_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Cause::InternalError)
    }

    pub(super) fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Cause::Unavailable)
    }

    /// Anthropic's 529.
    pub(super) fn overloaded() -> Self {
        Self::new(StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE), Cause::Overloaded)
    }

    /// A 429 that says how long it will last, one second at least.
    pub(super) fn too_many_requests(lasts: Duration) -> Self {
        let retry_after = lasts.max(Duration::from_secs(1));
        let message = format!("Rate limit reached. Please try again in {}.", go_duration(retry_after));
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, Cause::Limited(message, "requests"));
        Self { retry_after: Some(retry_after), ..refusal }
    }

    pub(super) fn over_limit(excess: &Excess, model: &str, standing: Standing) -> Self {
        let (of, kind) = match excess.of {
            Limit::Concurrency => ("concurrent requests", "concurrency"),
            Limit::Requests => ("requests per min (RPM)", "requests"),
            Limit::Tokens => ("tokens per min (TPM)", "tokens"),
        };
        let (limit, used, wait) = (excess.limit, excess.used, go_duration(excess.retry_after));
        let message = format!(
            "Rate limit reached for {model} in organization org-sim on {of}: Limit {limit}, Used {used}. \
             Please try again in {wait}."
        );
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, Cause::Limited(message, kind));
        Self { retry_after: Some(excess.retry_after), standing, ..refusal }
    }

    pub(super) fn into_response(self, dialect: Dialect) -> Response<Payload> {
        let id = format!("req_{:016x}", rand::random::<u64>());
        let body = match dialect {
            Dialect::Chat => self.cause.to_openai(),
            Dialect::Messages => self.cause.to_anthropic(self.status, &id),
        };
        let mut response = json(self.status, body);
        let headers = response.headers_mut();
        put_request_id(dialect, &id, headers);
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, wait.as_nanos().div_ceil(1_000_000_000).try_into().unwrap_or(u64::MAX).into());
            if dialect == Dialect::Chat {
                let millis = wait.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(u64::MAX);
                headers.insert(HeaderName::from_static("retry-after-ms"), millis.into());
            }
        }
        put_standing(&self.standing, dialect, headers);
        response
    }
}

impl Cause {
    fn to_openai(&self) -> Bytes {
        let invalid = |message: &str, code| answer::error(message, "invalid_request_error", None, code);
        match self {
            Self::BadRequest(message) => invalid(message, None),
            Self::TooLarge => invalid("The request body is too large.", None),
            Self::UnknownKey => invalid(
                "Incorrect API key provided. You can find your API key in your account settings.",
                Some("invalid_api_key"),
            ),
            Self::UnknownModel(model) => {
                let message = format!("The model `{model}` does not exist or you do not have access to it.");
                invalid(&message, Some("model_not_found"))
            }
            Self::UnknownPath(path) => invalid(&format!("Invalid URL ({path})"), None),
            Self::WrongMethod(method) => {
                invalid(&format!("Not allowed to {method} here."), Some("method_not_supported"))
            }
            Self::InternalError => answer::broken(),
            Self::Unavailable => {
                let message = "The server is temporarily unable to serve your request. Please try again later.";
                answer::error(message, "service_unavailable_error", None, None)
            }
            // Compatible gateways pass it on as it is.
            Self::Overloaded => anthropic_answer::overloaded(),
            Self::Limited(message, limit) => answer::error(message, limit, None, Some("rate_limit_exceeded")),
        }
    }

    fn to_anthropic(&self, status: StatusCode, id: &str) -> Bytes {
        let message: Cow<'_, str> = match self {
            Self::BadRequest(message) | Self::Limited(message, _) => message.into(),
            Self::TooLarge => "Request exceeds the maximum size".into(),
            Self::UnknownKey => "invalid x-api-key".into(),
            Self::UnknownModel(model) => format!("model: {model}").into(),
            Self::UnknownPath(_) => "Not found".into(),
            Self::WrongMethod(_) => "Method Not Allowed".into(),
            Self::InternalError | Self::Unavailable => "Internal server error".into(),
            Self::Overloaded => "Overloaded".into(),
        };
        anthropic_answer::error(status, &message, id)
    }
}

pub(super) fn put_request_id(dialect: Dialect, id: &str, headers: &mut HeaderMap) {
    let name = match dialect {
        Dialect::Chat => "x-request-id",
        Dialect::Messages => "request-id",
    };
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(HeaderName::from_static(name), id);
    }
}

pub(super) fn json(status: StatusCode, body: Bytes) -> Response<Payload> {
    let mut response = Response::new(Payload::Whole(Some(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// What is left of the limits that are set: `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` with resets as
/// durations (OpenAI), `anthropic-ratelimit-{requests,tokens}-{limit,remaining,reset}` with resets as times.
pub(super) fn put_standing(standing: &Standing, dialect: Dialect, headers: &mut HeaderMap) {
    for (level, of) in [(&standing.requests, "requests"), (&standing.tokens, "tokens")] {
        let Some(Level { limit, remaining, reset }) = level else { continue };
        let name = |what: &str| match dialect {
            Dialect::Chat => HeaderName::try_from(format!("x-ratelimit-{what}-{of}")),
            Dialect::Messages => HeaderName::try_from(format!("anthropic-ratelimit-{of}-{what}")),
        };
        let reset = match dialect {
            Dialect::Chat => go_duration(*reset),
            Dialect::Messages => humantime::format_rfc3339_seconds(SystemTime::now() + *reset).to_string(),
        };
        for (what, value) in [("limit", limit.to_string()), ("remaining", remaining.to_string()), ("reset", reset)] {
            if let (Ok(name), Ok(value)) = (name(what), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
    }
}

/// As OpenAI's headers write durations, in Go's form: `12ms`, `1.5s`, `6m0s`.
fn go_duration(duration: Duration) -> String {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let seconds = format!("{}s", rest as f64 / 1000.0);
    match minutes {
        0 if millis < 1000 => format!("{millis}ms"),
        0 => seconds,
        1..60 => format!("{minutes}m{seconds}"),
        _ => format!("{}h{}m{seconds}", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_does() {
        let written =
            [12, 999, 1500, 59_000, 360_000, 361_250, 3_600_000].map(|ms| go_duration(Duration::from_millis(ms)));
        assert_eq!(written, ["12ms", "999ms", "1.5s", "59s", "6m0s", "6m1.25s", "1h0m0s"]);
        assert_eq!(go_duration(Duration::from_micros(11_001)), "12ms");
    }
}

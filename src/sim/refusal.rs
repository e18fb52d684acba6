//! Answers that are no completion: the provider's errors, with the bodies and headers that real ones carry.
//! Must not know when they are due.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use super::answer;
use super::limits::{Excess, Level, Limit, Standing};
use super::payload::Payload;

pub(super) struct Refusal {
    pub(super) status: StatusCode,
    body: Bytes,
    retry_after: Option<Duration>,
    standing: Standing,
}

impl Refusal {
    fn new(status: StatusCode, body: Bytes) -> Self {
        Self { status, body, retry_after: None, standing: Standing::default() }
    }

    pub(super) fn bad_request(message: &str) -> Self {
        let message = format!("We could not parse the JSON body of your request: {message}");
        Self::new(StatusCode::BAD_REQUEST, answer::error(&message, "invalid_request_error", None, None))
    }

    pub(super) fn too_large() -> Self {
        let body = answer::error("The request body is too large.", "invalid_request_error", None, None);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, body)
    }

    pub(super) fn unknown_key() -> Self {
        let message = "Incorrect API key provided. You can find your API key in your account settings.";
        let body = answer::error(message, "invalid_request_error", None, Some("invalid_api_key"));
        Self::new(StatusCode::UNAUTHORIZED, body)
    }

    pub(super) fn unknown_model(model: &str) -> Self {
        let message = format!("The model `{model}` does not exist or you do not have access to it.");
        let body = answer::error(&message, "invalid_request_error", None, Some("model_not_found"));
        Self::new(StatusCode::NOT_FOUND, body)
    }

    pub(super) fn unknown_path(path: &str) -> Self {
        let message = format!("Invalid URL ({path})");
        Self::new(StatusCode::NOT_FOUND, answer::error(&message, "invalid_request_error", None, None))
    }

    pub(super) fn wrong_method(method: &http::Method) -> Self {
        let message = format!("Not allowed to {method} here.");
        let body = answer::error(&message, "invalid_request_error", None, Some("method_not_supported"));
        Self::new(StatusCode::METHOD_NOT_ALLOWED, body)
    }

    pub(super) fn internal_error() -> Self {
        let message = "The server had an error while processing your request. Sorry about that!";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, answer::error(message, "server_error", None, None))
    }

    pub(super) fn unavailable() -> Self {
        let message = "The server is temporarily unable to serve your request. Please try again later.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, answer::error(message, "service_unavailable_error", None, None))
    }

    /// Anthropic's 529, which OpenAI-compatible gateways pass on as it is.
    pub(super) fn overloaded() -> Self {
        let status = StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        Self::new(status, answer::overloaded())
    }

    /// A 429 that says how long it will last, one second at least.
    pub(super) fn too_many_requests(lasts: Duration) -> Self {
        let retry_after = lasts.max(Duration::from_secs(1));
        let message = format!("Rate limit reached. Please try again in {}.", go_duration(retry_after));
        let body = answer::error(&message, "requests", None, Some("rate_limit_exceeded"));
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, body) }
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
        let body = answer::error(&message, kind, None, Some("rate_limit_exceeded"));
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, body);
        Self { retry_after: Some(excess.retry_after), standing, ..refusal }
    }

    pub(super) fn into_response(self) -> Response<Payload> {
        let mut response = json(self.status, self.body);
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, wait.as_nanos().div_ceil(1_000_000_000).try_into().unwrap_or(u64::MAX).into());
            let millis = wait.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(u64::MAX);
            headers.insert(HeaderName::from_static("retry-after-ms"), millis.into());
        }
        put_standing(&self.standing, headers);
        response
    }
}

pub(super) fn json(status: StatusCode, body: Bytes) -> Response<Payload> {
    let mut response = Response::new(Payload::Whole(Some(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` for the limits that are set.
pub(super) fn put_standing(standing: &Standing, headers: &mut HeaderMap) {
    let names = |limit, remaining, reset| [limit, remaining, reset].map(HeaderName::from_static);
    let requests = names("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests");
    let tokens = names("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens");
    for (level, [limit, remaining, reset]) in [(standing.requests, requests), (standing.tokens, tokens)] {
        let Some(Level { limit: most, remaining: left, reset: full_in }) = level else { continue };
        headers.insert(limit, most.into());
        headers.insert(remaining, left.into());
        if let Ok(value) = HeaderValue::try_from(go_duration(full_in)) {
            headers.insert(reset, value);
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

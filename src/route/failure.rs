//! What went wrong, in the error classes of the contract.
//! Must not know what is done about it: retry and fallback are the stack's.

use std::borrow::Cow;
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::alarm::Alarm;
use super::pool::Denied;
use super::transport::text;
use super::{Failure, FailureKind};

/// A fault of the transport, before it is known how far the answer had come.
#[derive(Debug)]
pub(super) enum Fault {
    Timeout(String),
    Broken(String),
    Pool(String),
    /// The route is asked no more.
    Barred,
}

/// What was waited for when a timeout struck.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Pool,
    Connect,
    Head,
    Body,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Pool => "waiting for a connection",
            Self::Connect => "connecting",
            Self::Head => "waiting for the answer",
            Self::Body => "reading the answer",
        }
    }
}

impl Fault {
    pub(super) fn deadline(stage: Stage) -> Self {
        Self::Timeout(format!("the call's time was up while {}", stage.name()))
    }

    /// No bytes for `gap`, or the deadline, whichever it was.
    pub(super) fn silent(alarm: &Alarm<'_>, gap: Duration, stage: Stage) -> Self {
        if Instant::now() >= alarm.deadline() {
            return Self::deadline(stage);
        }
        Self::Timeout(format!("no bytes for {gap:?} while {}", stage.name()))
    }

    /// Before the head of the answer.
    pub(super) fn before_head(self) -> Failure {
        self.class(FailureKind::Connect)
    }

    /// With a part of the answer here.
    pub(super) fn in_body(self) -> Failure {
        self.class(FailureKind::Stream)
    }

    fn class(self, broken: FailureKind) -> Failure {
        match self {
            Self::Timeout(detail) => Failure::new(FailureKind::Timeout, detail),
            Self::Pool(detail) => Failure::new(FailureKind::Pool, detail),
            Self::Broken(detail) => Failure::new(broken, detail),
            Self::Barred => Failure::new(FailureKind::Other, "not sent: the route has refused the key"),
        }
    }
}

impl Denied {
    pub(super) fn fault(self, waited: Duration) -> Fault {
        match self {
            Self::Full => Fault::Pool("every connection is in use and when_full = \"fail\"".into()),
            Self::Waited => Fault::Pool(format!("no connection came free within {waited:.1?}")),
            Self::Deadline => Fault::deadline(Stage::Pool),
        }
    }
}

impl Failure {
    pub(super) fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, retry_after: None, permanent: false, billed: None, detail: detail.into() }
    }
}

/// An error with its causes, which is where the reason mostly is.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

/// A status that is no success. `body` may be cut short or empty.
pub fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    if status.is_redirection() || status.as_u16() < 200 {
        let to = text(headers, "location").map(|to| format!(" to {to}")).unwrap_or_default();
        let detail = format!("unexpected {status}{to}: set base_url to the final address");
        return Failure::new(FailureKind::Other, detail);
    }
    let said = Said::of(body);
    let mut failure = Failure::new(FailureKind::Status(status.as_u16()), said.line(&status.to_string()));
    failure.permanent = said.permanent();
    failure.retry_after = retry_after(headers, SystemTime::now());
    failure
}

/// An error object inside a 200, in the whole answer or in an event of a stream.
pub(super) fn error_in_success(error: &[u8]) -> Failure {
    let said = Said::of(error);
    let mut failure = Failure::new(FailureKind::Stream, said.line("error inside a 200"));
    failure.permanent = said.permanent();
    failure
}

/// What the body of an error says, whatever its shape.
#[derive(Default)]
struct Said {
    message: String,
    kind: String,
    code: String,
}

impl Said {
    fn of(body: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Self { message: String::from_utf8_lossy(body).into_owned(), ..Self::default() };
        };
        // {"error": {...}} (OpenAI, Anthropic), {"error": "..."}, [{...}] (Gemini's), or bare.
        let value = value.get(0).unwrap_or(&value);
        let error = value.get("error").filter(|error| !error.is_null()).unwrap_or(value);
        let field = |names: &[&str]| names.iter().find_map(|name| plain(error.get(name)?)).unwrap_or_default();
        let message = plain(error).unwrap_or_else(|| field(&["message", "detail", "msg"]));
        Self { message, kind: field(&["type"]), code: field(&["code"]) }
    }

    /// Trying again cannot help: money is missing, not time.
    fn permanent(&self) -> bool {
        const PERMANENT: [&str; 4] =
            ["insufficient_quota", "billing_hard_limit", "billing_hard_limit_reached", "billing_error"];
        PERMANENT.iter().any(|name| self.code == *name || self.kind == *name)
    }

    fn line(&self, first: &str) -> String {
        let code = if self.code.is_empty() { &self.kind } else { &self.code };
        let mut line = first.to_owned();
        for (open, part, close) in [(" (", code.as_str(), ")"), (": ", self.message.trim(), "")] {
            if !part.is_empty() {
                line.push_str(open);
                line.push_str(part);
                line.push_str(close);
            }
        }
        line
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `retry-after-ms` (OpenAI) before `retry-after`, which is seconds, possibly fractional, or an HTTP date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let number = |name| text(headers, name)?.trim().parse::<f64>().ok();
    if let Some(ms) = number("retry-after-ms") {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    if let Some(seconds) = number("retry-after") {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(text(headers, "retry-after")?.trim()).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// The start of what was not understood, with room to spare for [`one_line`]: that cuts once keys are hidden, and a
/// cut before it could leave half of a key, which nothing recognises any more.
pub(super) fn start(text: &[u8]) -> Cow<'_, str> {
    const LONGEST: usize = 4 << 10;
    String::from_utf8_lossy(&text[..text.len().min(LONGEST)])
}

/// One line of at most 200 characters, for people.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    if line.chars().count() <= LONGEST {
        return line;
    }
    let mut cut: String = line.chars().take(LONGEST - 1).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (HeaderName::from_static(k), v.parse().unwrap())).collect()
    }

    #[test]
    fn retry_after_is_read_as_milliseconds_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2026 07:28:00 GMT").unwrap();
        let read = |pairs: &[(&'static str, &str)]| retry_after(&headers(pairs), now);
        assert_eq!(read(&[("retry-after-ms", "250"), ("retry-after", "7")]), Some(Duration::from_millis(250)));
        assert_eq!(read(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(read(&[("retry-after", "0.5")]), Some(Duration::from_millis(500)));
        assert_eq!(read(&[("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")]), Some(Duration::from_secs(30)));
        assert_eq!(read(&[("retry-after", "Wed, 21 Oct 2026 07:27:00 GMT")]), Some(Duration::ZERO));
        for wrong in ["soon", "-1", "NaN", "inf"] {
            assert_eq!(read(&[("retry-after", wrong)]), None, "{wrong}");
        }
    }

    #[test]
    fn a_refusal_carries_status_code_and_message() {
        let body = br#"{"error":{"message":"Rate limit\nreached","type":"requests","code":"rate_limit_exceeded"}}"#;
        let failure = refused(StatusCode::TOO_MANY_REQUESTS, &headers(&[("retry-after", "2")]), body);
        assert_eq!(failure.kind, FailureKind::Status(429));
        assert_eq!(failure.retry_after, Some(Duration::from_secs(2)));
        assert!(!failure.permanent);
        assert_eq!(one_line(&failure.detail), "429 Too Many Requests (rate_limit_exceeded): Rate limit reached");
    }

    #[test]
    fn a_spent_quota_is_permanent_wherever_it_is_said() {
        for body in [
            r#"{"error":{"message":"m","code":"insufficient_quota"}}"#,
            r#"{"error":{"message":"m","type":"insufficient_quota","code":"429"}}"#,
            r#"{"error":{"message":"m","code":"billing_hard_limit_reached"}}"#,
        ] {
            assert!(refused(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), body.as_bytes()).permanent, "{body}");
        }
    }

    #[test]
    fn any_shape_of_error_body_gives_a_line() {
        for (body, line) in [
            (r#"{"error":"no such model"}"#, "404 Not Found: no such model"),
            (r#"{"detail":"nope"}"#, "404 Not Found: nope"),
            (r#"{"error":{"message":"m","code":404}}"#, "404 Not Found (404): m"),
            (
                r#"{"type":"error","error":{"type":"not_found_error","message":"m"}}"#,
                "404 Not Found (not_found_error): m",
            ),
            ("<html>gone</html>", "404 Not Found: <html>gone</html>"),
            ("", "404 Not Found"),
            ("null", "404 Not Found"),
        ] {
            assert_eq!(refused(StatusCode::NOT_FOUND, &HeaderMap::new(), body.as_bytes()).detail, line);
        }
    }

    #[test]
    fn a_redirect_says_how_to_mend_it() {
        let failure = refused(StatusCode::MOVED_PERMANENTLY, &headers(&[("location", "https://x/v1")]), b"");
        assert_eq!(failure.kind, FailureKind::Other);
        assert!(failure.detail.contains("to https://x/v1: set base_url"));
    }

    #[test]
    fn a_line_for_people_is_one_and_at_most_200_characters() {
        let line = one_line(&"语 \n\t\u{1b}[31m".repeat(100));
        assert!(line.chars().count() <= 200 && !line.contains(|c: char| c.is_control()));
    }
}

//! A whole answer of arbitrary head and body, as a success and as a refusal: no panic, bounded memory, and the same
//! reading whether its text is kept or not. The input is a head of lines, an empty line, and a body.

use std::time::Instant;

use gatebench::chat::ChatRequest;
use gatebench::profile::Dialect;
use gatebench::route::reading::{refused, whole};
use gatebench::route::{Ask, FailureKind};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{DIALECTS, Said, bounded, request};

pub fn holds(input: &[u8]) {
    let cut = input.windows(2).position(|two| two == b"\n\n").unwrap_or(0);
    let (head, body) = input.split_at(cut);
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = lines.next().and_then(status).unwrap_or(StatusCode::TOO_MANY_REQUESTS);
    let headers: HeaderMap = lines.filter_map(header).collect();
    let refusal = if status.is_success() { StatusCode::TOO_MANY_REQUESTS } else { status };
    for dialect in DIALECTS {
        succeeds_alike(dialect, body, &headers);
        is_refused(dialect, refusal, &headers, body);
    }
}

fn succeeds_alike(dialect: Dialect, body: &[u8], headers: &HeaderMap) {
    let request = request();
    let kept = read(dialect, &request, body, headers, |ask| ask);
    let thrown_away = read(dialect, &request, body, headers, |ask| Ask { keep_answer: false, ..ask });
    let expected = match kept {
        Said::Answer { usage, gateway_hit, content, has_tokens } => {
            assert!(content.is_some() && !has_tokens);
            Said::Answer { usage, gateway_hit, content: None, has_tokens }
        }
        failure => failure,
    };
    assert_eq!(thrown_away, expected);
}

fn read<'a>(
    dialect: Dialect,
    request: &'a ChatRequest,
    body: &[u8],
    headers: &HeaderMap,
    change: impl FnOnce(Ask<'a>) -> Ask<'a>,
) -> Said {
    let now = Instant::now();
    let ask = change(Ask { model: "m", request, deadline: now, keep_answer: true });
    bounded(body.len(), || Said::of(whole(dialect, body, &ask, headers, now)))
}

fn is_refused(dialect: Dialect, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
    let failure = bounded(body.len(), || refused(dialect, status, headers, body));
    assert!(
        matches!(failure.kind, FailureKind::Status(code) if code == status.as_u16())
            || failure.kind == FailureKind::Other
    );
    assert!(!failure.detail.is_empty() && failure.billed.is_none());
}

/// `HTTP/1.1 429 Too Many Requests`
fn status(line: &[u8]) -> Option<StatusCode> {
    StatusCode::from_bytes(line.split(|byte| *byte == b' ').nth(1)?).ok()
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
}

//! A GET beside the calls, such as the list of models, over the same transport and with the same headers.
//! Must not know what is fetched.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::response::Parts;

use super::alarm::Alarm;
use super::failure::{Fault, refused};
use super::reading::{LARGEST_ANSWER, too_long};
use super::target::Target;
use super::transport::{Trace, Transport, Whole, text};
use super::{Connection, Failure};

/// The answer to a GET, whatever its status.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub status: u16,
    /// One line for people: the status and what the server said with it, never a key.
    pub said: String,
    /// Where a redirect leads.
    pub location: Option<String>,
    pub is_html: bool,
    /// By the server's clock, which it tells to a second.
    pub date: Option<SystemTime>,
    /// From the request handed to a connection to the last byte; with reqwest, to the transport.
    pub took: Duration,
    /// As it came: it may repeat a key.
    pub body: Bytes,
}

impl Fetched {
    /// `hidden` makes text fit to be shown.
    pub(super) fn of(exchange: Exchange, hidden: impl Fn(String) -> String) -> Self {
        let Exchange { head: Parts { status, headers, .. }, body, took } = exchange;
        let said = if status.is_success() { status.to_string() } else { refused(status, &headers, &body).detail };
        Self {
            status: status.as_u16(),
            said: hidden(said),
            location: text(&headers, "location").map(|to| hidden(to.to_owned())),
            is_html: text(&headers, CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("text/html")),
            date: text(&headers, "date").and_then(|date| httpdate::parse_http_date(date).ok()),
            took,
            body,
        }
    }
}

pub(super) struct Exchange {
    head: Parts,
    body: Bytes,
    took: Duration,
}

pub(super) async fn fetch(
    transport: &Transport,
    target: &Target,
    path: &str,
    mut headers: HeaderMap,
    alarm: &mut Alarm<'_>,
) -> Result<Exchange, Failure> {
    headers.remove(CONTENT_TYPE);
    let start = Instant::now();
    let mut trace = Trace::default();
    let answer = transport.get(target, path, headers, alarm, &mut trace).await;
    let (head, mut body) = answer.map_err(Fault::before_head)?.into_parts();
    match body.whole(alarm, LARGEST_ANSWER).await.map_err(Fault::in_body)? {
        Whole::Complete(body, done) => {
            let connecting = match trace.connection {
                Some(Connection::Opened(connect)) => connect.total,
                _ => Duration::ZERO,
            };
            Ok(Exchange { head, body, took: (done - start).saturating_sub(connecting) })
        }
        Whole::TooLong(_) => Err(too_long()),
    }
}

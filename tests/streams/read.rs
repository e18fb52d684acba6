//! Feeds a stream to the code an attempt reads it with.

use std::time::{Duration, Instant};

use gatebench::chat::{Canonical, ChatRequest};
use gatebench::profile::Dialect;
use gatebench::route::reading::Reading;
use gatebench::route::{Ask, Failure, Reply};
use http::HeaderMap;

use super::by_the_book::event_ends;

/// What was read, with the numbers of the reads in place of times.
#[derive(Debug)]
pub struct Actual {
    pub result: Result<Reply, Failure>,
    pub first_token: Option<usize>,
    pub last_token: Option<usize>,
}

/// Reads `reads`, which came one a second.
pub fn stream(dialect: Dialect, reads: &[&[u8]]) -> Actual {
    let mut request = ChatRequest::new(Canonical::user_message("hello"));
    request.stream = true;
    let start = Instant::now();
    let came = |read: usize| start + Duration::from_secs(read as u64);
    let ask = Ask { model: "m", request: &request, deadline: came(usize::MAX >> 40), keep_answer: true };
    let mut reading = Reading::new(dialect, &ask, &HeaderMap::new());
    for (number, bytes) in reads.iter().enumerate() {
        if reading.feed(bytes, came(number)).is_break() {
            break;
        }
    }
    let result = reading.end(came(reads.len()));
    let reply = result.as_ref().ok();
    let number = |at: Instant| usize::try_from((at - start).as_secs()).expect("a small number");
    let first_token = reply.and_then(|reply| reply.first_token).map(number);
    let last_token = reply.and_then(|reply| reply.last_token).map(number);
    Actual { result, first_token, last_token }
}

/// With which of `reads` each event of `stream` is there.
pub fn arrivals(stream: &[u8], reads: &[&[u8]]) -> Vec<usize> {
    let mut read_of_byte = Vec::with_capacity(stream.len());
    for (number, read) in reads.iter().enumerate() {
        read_of_byte.resize(read_of_byte.len() + read.len(), number);
    }
    event_ends(stream).into_iter().map(|end| read_of_byte[end]).collect()
}

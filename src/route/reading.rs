//! What the bytes of an answer say, read as they come.
//! Must not know transports, nor ask a clock: whoever has the bytes says when they came.
//!
//! Public for the stream contract (`tests/streams`) and the fuzz targets (`fuzz`), which feed it what they like; an
//! attempt feeds it what a socket gave. No part of the library's interface.

use std::ops::ControlFlow;
use std::time::Instant;

use http::{HeaderMap, StatusCode};

use super::dialect::{self, Stream, Understood};
use super::gateway::Told;
use super::{Ask, Failure, FailureKind, Reply};
use crate::chat::Answer;
use crate::profile::Dialect;

/// An answer longer than this is not one.
pub(super) const LARGEST_ANSWER: usize = 32 << 20;

/// A streamed answer, from its first byte to its last.
pub struct Reading<'a> {
    ask: &'a Ask<'a>,
    stream: Stream,
    length: usize,
    failure: Option<Failure>,
}

impl<'a> Reading<'a> {
    /// `head`: the headers it came with.
    pub fn new(dialect: Dialect, ask: &'a Ask<'a>, head: &HeaderMap) -> Self {
        Self { ask, stream: Stream::new(dialect, ask, Told::by(head)), length: 0, failure: None }
    }

    /// Takes what came at `now`. `Break`: nothing that may still come changes the outcome.
    pub fn feed(&mut self, bytes: &[u8], now: Instant) -> ControlFlow<()> {
        self.length += bytes.len();
        let fed = if self.length > LARGEST_ANSWER { Err(too_long()) } else { self.stream.feed(bytes, now) };
        match fed {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.break_off(failure);
                ControlFlow::Break(())
            }
        }
    }

    /// The answer is all there, though its body may not be at its end.
    pub fn is_complete(&self) -> bool {
        self.stream.is_done()
    }

    /// Nothing more comes, since the body broke. That is no matter if the answer is complete.
    pub(super) fn break_off(&mut self, failure: Failure) {
        if !self.is_complete() {
            self.failure = Some(failure);
        }
    }

    /// The body came to its end at `done`, or is read no further.
    pub fn end(self, done: Instant) -> Result<Reply, Failure> {
        if let Some(mut failure) = self.failure {
            failure.billed = self.stream.billed(self.ask);
            return Err(failure);
        }
        let (first, last) = (self.stream.first_token(), self.stream.last_token());
        let mut reply = reply(self.stream.end(self.ask, done)?, done);
        (reply.first_token, reply.last_token) = (first, last);
        Ok(reply)
    }
}

/// An answer that came in one piece, whose last byte came at `done`.
pub fn whole(dialect: Dialect, body: &[u8], ask: &Ask<'_>, head: &HeaderMap, done: Instant) -> Result<Reply, Failure> {
    Ok(reply(dialect::whole(dialect, body, ask, Told::by(head))?, done))
}

/// A status that is no success. `body` may be cut short or empty.
pub fn refused(dialect: Dialect, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    dialect::refused(dialect, status, headers, body)
}

pub(super) fn too_long() -> Failure {
    Failure::new(FailureKind::Stream, "the answer is longer than 32 MiB")
}

fn reply(understood: Understood, done: Instant) -> Reply {
    let Understood { usage, gateway_hit, content } = understood;
    let answer = content.map(|content| Answer { content, usage });
    Reply { usage, first_token: None, last_token: None, done, gateway_hit, answer }
}

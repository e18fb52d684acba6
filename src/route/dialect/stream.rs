//! What is the same of a streamed answer in each dialect: bytes become events, and the end of the body is judged.
//! Must not know what events say: that is [`Hear`]'s.

use std::time::Instant;

use serde::de::IgnoredAny;

use super::Understood;
use crate::chat::Usage;
use crate::route::sse::{Event, Parser, TooLong};
use crate::route::{Ask, Failure, FailureKind};

/// What the events of a stream have said so far, in one dialect.
pub(in crate::route) trait Hear {
    fn event(&mut self, event: Event<'_>, now: Instant);

    /// The end that the dialect has for an answer came: it is complete, whatever happens to the connection.
    fn is_done(&self) -> bool;

    /// An event that fails the answer.
    fn take_failure(&mut self) -> Option<Failure>;

    fn generated(&self) -> &Generated;

    /// What a stream that broke off will be billed, as far as is known.
    fn billed(&self, ask: &Ask<'_>) -> Option<Usage>;

    /// Of a stream that is over.
    fn verdict(&mut self) -> Result<(), Failure>;

    fn understood(self, ask: &Ask<'_>) -> Understood;

    /// An event that the end of the body left without its empty line. What of it cannot be read says no more than that
    /// it is cut.
    fn is_whole(&self, event: &Event<'_>) -> bool {
        event.name == b"error" || serde_json::from_slice::<IgnoredAny>(event.data).is_ok()
    }
}

/// The events that held what a model made.
#[derive(Debug, Default)]
pub(in crate::route) struct Generated {
    pub(super) deltas: u32,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Generated {
    pub(super) fn more(&mut self, now: Instant) {
        self.deltas += 1;
        self.first.get_or_insert(now);
        self.last = Some(now);
    }
}

#[derive(Debug)]
pub(in crate::route) struct Stream<H> {
    parser: Parser,
    heard: H,
}

impl<H: Hear> Stream<H> {
    pub(super) fn new(heard: H) -> Self {
        Self { parser: Parser::default(), heard }
    }

    /// Takes what came at `now`. A failure ends the stream.
    pub(super) fn feed(&mut self, bytes: &[u8], now: Instant) -> Result<(), Failure> {
        let Self { parser, heard } = self;
        if heard.is_done() {
            return Ok(());
        }
        let fed = parser.feed(bytes, |event| heard.event(event, now));
        if let Some(failure) = heard.take_failure() {
            return Err(failure);
        }
        fed.map_err(|TooLong| Failure::new(FailureKind::Stream, "an event of the stream is longer than 1 MiB"))
    }

    pub(super) fn is_done(&self) -> bool {
        self.heard.is_done()
    }

    pub(super) fn first_token(&self) -> Option<Instant> {
        self.heard.generated().first
    }

    pub(super) fn last_token(&self) -> Option<Instant> {
        self.heard.generated().last
    }

    pub(super) fn billed(&self, ask: &Ask<'_>) -> Option<Usage> {
        self.heard.billed(ask)
    }

    /// The body came to its end at `now`.
    pub(super) fn end(mut self, ask: &Ask<'_>, now: Instant) -> Result<Understood, Failure> {
        if !self.heard.is_done()
            && let Some(event) = self.parser.finish()
            && self.heard.is_whole(&event)
        {
            self.heard.event(event, now);
        }
        match self.heard.verdict() {
            Ok(()) => Ok(self.heard.understood(ask)),
            Err(mut failure) => {
                failure.billed = self.billed(ask);
                Err(failure)
            }
        }
    }
}

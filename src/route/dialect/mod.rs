//! How a call is said and an answer understood, for each vendor's way of speaking.
//! Must not know transports: bytes in, bytes out.
//!
//! ```text
//! Endpoint -> Spoken { path, headers, request } --\
//!             reading -> { whole, Stream, refused } -+-> openai | anthropic
//! ```

mod anthropic;
mod anthropic_answer;
mod anthropic_messages;
mod anthropic_stream;
mod items;
mod openai;
mod openai_answer;
mod openai_stream;
mod openai_tools;
mod stream;

use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::gateway::Told;
use super::secret::Secret;
use super::{Ask, Failure, failure};
use crate::chat::Usage;
use crate::profile::{Dialect, PromptCaching};

/// How a route is spoken to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken {
    pub(super) dialect: Dialect,
    prompt_cache: PromptCaching,
}

impl Spoken {
    pub(super) fn new(dialect: Dialect, prompt_cache: PromptCaching) -> Self {
        Self { dialect, prompt_cache }
    }

    /// Appended to the base URL's path.
    pub(super) fn path(self) -> &'static str {
        match self.dialect {
            Dialect::Openai => openai::PATH,
            Dialect::Anthropic => anthropic::PATH,
        }
    }

    /// Who asks, and what else the dialect says in headers; `None` if the key holds bytes no header may carry.
    pub(super) fn headers(self, key: Option<&Secret>) -> Option<Vec<(HeaderName, HeaderValue)>> {
        match self.dialect {
            Dialect::Openai => openai::headers(key),
            Dialect::Anthropic => anthropic::headers(key),
        }
    }

    pub(super) fn request(self, ask: &Ask<'_>) -> Bytes {
        match self.dialect {
            Dialect::Openai => openai::request(ask),
            Dialect::Anthropic => anthropic::request(ask, self.prompt_cache),
        }
    }
}

/// A status that is no success. `body` may be cut short or empty.
pub(super) fn refused(dialect: Dialect, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    match dialect {
        Dialect::Openai => failure::refused(status, headers, body),
        Dialect::Anthropic => anthropic::refused(status, headers, body),
    }
}

/// An answer that came in one piece. `told`: by its head.
pub(super) fn whole(dialect: Dialect, body: &[u8], ask: &Ask<'_>, told: Told) -> Result<Understood, Failure> {
    match dialect {
        Dialect::Openai => openai::whole(body, ask, told),
        Dialect::Anthropic => anthropic::whole(body, ask, told),
    }
}

/// What a stream has said so far.
#[derive(Debug)]
pub(super) enum Stream {
    Openai(stream::Stream<openai::Heard>),
    Anthropic(stream::Stream<anthropic::Heard>),
}

impl Stream {
    /// `told`: by the head of the answer.
    pub(super) fn new(dialect: Dialect, ask: &Ask<'_>, told: Told) -> Self {
        match dialect {
            Dialect::Openai => Self::Openai(stream::Stream::new(openai::Heard::new(ask, told))),
            Dialect::Anthropic => Self::Anthropic(stream::Stream::new(anthropic::Heard::new(ask, told))),
        }
    }

    /// Takes what came at `now`. A failure ends the stream.
    pub(super) fn feed(&mut self, bytes: &[u8], now: Instant) -> Result<(), Failure> {
        match self {
            Self::Openai(stream) => stream.feed(bytes, now),
            Self::Anthropic(stream) => stream.feed(bytes, now),
        }
    }

    /// The answer is complete, whatever happens to the connection.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Openai(stream) => stream.is_done(),
            Self::Anthropic(stream) => stream.is_done(),
        }
    }

    pub(super) fn first_token(&self) -> Option<Instant> {
        match self {
            Self::Openai(stream) => stream.first_token(),
            Self::Anthropic(stream) => stream.first_token(),
        }
    }

    pub(super) fn last_token(&self) -> Option<Instant> {
        match self {
            Self::Openai(stream) => stream.last_token(),
            Self::Anthropic(stream) => stream.last_token(),
        }
    }

    /// What a stream that broke off will be billed, as far as is known.
    pub(super) fn billed(&self, ask: &Ask<'_>) -> Option<Usage> {
        match self {
            Self::Openai(stream) => stream.billed(ask),
            Self::Anthropic(stream) => stream.billed(ask),
        }
    }

    /// The body came to its end at `now`.
    pub(super) fn end(self, ask: &Ask<'_>, now: Instant) -> Result<Understood, Failure> {
        match self {
            Self::Openai(stream) => stream.end(ask, now),
            Self::Anthropic(stream) => stream.end(ask, now),
        }
    }
}

/// What an answer, whole or streamed, turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Understood {
    pub(super) usage: Usage,
    pub(super) gateway_hit: bool,
    /// Of the answer, if it is to be kept.
    pub(super) content: Option<Bytes>,
}

/// The usual rule of thumb, for servers that send no usage.
const CHARACTERS_PER_TOKEN: usize = 4;

/// Of an answer with so many output tokens, where the server did not say.
fn estimated_usage(ask: &Ask<'_>, output: u32) -> Usage {
    Usage { input: estimate(ask.request.messages.as_str()), output, estimated: true, ..Usage::default() }
}

fn estimate(text: &str) -> u32 {
    u32::try_from(text.chars().count().div_ceil(CHARACTERS_PER_TOKEN)).unwrap_or(u32::MAX)
}

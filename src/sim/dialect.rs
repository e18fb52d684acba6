//! The two ways a simulated route is spoken to, and who has the words of each: `ask` and `answer` OpenAI's,
//! `anthropic_ask` and `anthropic_answer` Anthropic's.
//! Must not know what is answered, or when.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::answer::{self, Answer};
use super::ask::Ask;
use super::{anthropic_answer, anthropic_ask};
use crate::profile::PromptCache;

pub(super) const CHAT: &str = "/v1/chat/completions";
pub(super) const MESSAGES: &str = "/v1/messages";
/// Anthropic's dialect wants it with every request.
pub(super) const VERSION: &str = "anthropic-version";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenAI's.
    Chat,
    /// Anthropic's.
    Messages,
}

impl Dialect {
    /// Paths that both have are told by the header that only one has.
    pub(super) fn of(path: &str, headers: &HeaderMap) -> Self {
        match path {
            CHAT => Self::Chat,
            MESSAGES => Self::Messages,
            _ if headers.contains_key(VERSION) => Self::Messages,
            _ => Self::Chat,
        }
    }

    /// The error says what is wrong with the body.
    pub(super) fn ask(self, body: &[u8], cache: Option<&PromptCache>) -> Result<Ask, String> {
        match self {
            Self::Chat => Ask::parse(body, cache)
                .map_err(|reason| format!("We could not parse the JSON body of your request: {reason}")),
            Self::Messages => anthropic_ask::parse(body, cache),
        }
    }

    /// The whole answer as one body.
    pub(super) fn whole(self, answer: &Answer) -> Bytes {
        match self {
            Self::Chat => answer.completion(),
            Self::Messages => anthropic_answer::message(answer),
        }
    }

    /// An error inside a 200.
    pub(super) fn broken(self) -> Bytes {
        match self {
            Self::Chat => answer::broken(),
            Self::Messages => anthropic_answer::overloaded(),
        }
    }

    pub(super) fn models(self, prefixes: &[String]) -> Bytes {
        match self {
            Self::Chat => answer::models(prefixes),
            Self::Messages => anthropic_answer::models(prefixes),
        }
    }

    pub(super) fn events(self, answer: &Arc<Answer>, include_usage: bool) -> Events {
        match self {
            Self::Chat => Events::Chat(answer::Events::new(answer, include_usage)),
            Self::Messages => Events::Messages(anthropic_answer::Events::new(answer)),
        }
    }
}

/// Writes an answer's stream, event by event.
pub(super) enum Events {
    Chat(answer::Events),
    Messages(anthropic_answer::Events),
}

impl Events {
    pub(super) fn tokens(&self) -> u64 {
        match self {
            Self::Chat(events) => events.tokens(),
            Self::Messages(events) => events.tokens(),
        }
    }

    /// Room for this many events.
    pub(super) fn buffer(&self, events: u64) -> BytesMut {
        match self {
            Self::Chat(written) => written.buffer(events),
            Self::Messages(written) => written.buffer(events),
        }
    }

    /// What comes before the first token, and with it.
    pub(super) fn put_start(&self, out: &mut BytesMut) {
        match self {
            Self::Chat(events) => events.put_role(out),
            Self::Messages(events) => events.put_start(out),
        }
    }

    pub(super) fn put_token(&self, index: u64, out: &mut BytesMut) {
        match self {
            Self::Chat(events) => events.put_token(index, out),
            Self::Messages(events) => events.put_token(index, out),
        }
    }

    pub(super) fn put_end(&self, out: &mut BytesMut) {
        match self {
            Self::Chat(events) => events.put_end(out),
            Self::Messages(events) => events.put_end(out),
        }
    }

    pub(super) fn put_error(&self, out: &mut BytesMut) {
        match self {
            Self::Chat(_) => answer::Events::put_error(out),
            Self::Messages(_) => anthropic_answer::Events::put_error(out),
        }
    }
}

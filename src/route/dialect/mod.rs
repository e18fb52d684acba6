//! How a call is said and an answer understood, for each vendor's way of speaking.
//! Must not know transports: bytes in, bytes out.

mod items;
pub(super) mod openai;
mod openai_answer;
mod openai_stream;
mod openai_tools;

use bytes::Bytes;

use super::Ask;
use crate::chat::Usage;

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

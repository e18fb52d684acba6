//! What must hold of whatever a server sends, in every dialect: a module for each fuzz target. The tests hold it of
//! their own streams and answers (`tests/fuzzed.rs`).
//!
//! The streams and answers of the tests are the seeds (the first folder is where cargo-fuzz keeps what it finds):
//!
//! ```sh
//! cargo +nightly fuzz run stream fuzz/corpus/stream tests/streams
//! cargo +nightly fuzz run answer fuzz/corpus/answer tests/gateways
//! ```
//!
//! What they find becomes a file of those folders.

pub mod answer;
pub mod stream;

use gatebench::chat::{Canonical, ChatRequest, Usage};
use gatebench::profile::Dialect;
use gatebench::route::{Failure, FailureKind, Reply};

const DIALECTS: [Dialect; 2] = [Dialect::Openai, Dialect::Anthropic];

/// A reading without its times.
#[derive(Debug, PartialEq)]
pub enum Said {
    Answer { usage: Usage, gateway_hit: bool, content: Option<Vec<u8>>, has_tokens: bool },
    Failure { kind: FailureKind, detail: String, permanent: bool, billed: Option<Usage> },
}

impl Said {
    pub fn of(result: Result<Reply, Failure>) -> Self {
        match result {
            Ok(reply) => {
                assert_eq!(reply.first_token.is_some(), reply.last_token.is_some());
                assert!(reply.first_token <= reply.last_token);
                assert!(reply.last_token.is_none_or(|last| last <= reply.done));
                assert_plausible(reply.usage);
                if let Some(answer) = &reply.answer {
                    assert_eq!(answer.usage, reply.usage);
                }
                Self::Answer {
                    usage: reply.usage,
                    gateway_hit: reply.gateway_hit,
                    content: reply.answer.map(|answer| answer.content.to_vec()),
                    has_tokens: reply.first_token.is_some(),
                }
            }
            Err(Failure { kind, retry_after: _, permanent, billed, detail }) => {
                assert!(!detail.is_empty(), "a failure says why");
                billed.into_iter().for_each(assert_plausible);
                Self::Failure { kind, detail, permanent, billed }
            }
        }
    }
}

/// More cached than sent would make a price negative.
fn assert_plausible(usage: Usage) {
    assert!(u64::from(usage.cached_input) + u64::from(usage.cache_write) <= u64::from(usage.input), "{usage:?}");
}

pub fn request() -> ChatRequest {
    ChatRequest::new(Canonical::user_message("hello"))
}

/// Runs `read`, which may take only so much more memory than what it reads.
pub fn bounded<T>(length: usize, read: impl FnOnce() -> T) -> T {
    // Of tool calls 1,024 are put together, whatever their number on the wire; an error's JSON is read as a tree.
    let most = (4 << 20) + 64 * length as u64;
    let mut value = None;
    let memory = allocation_counter::measure(|| value = Some(read()));
    assert!(memory.bytes_max <= most, "{} bytes to read {length}", memory.bytes_max);
    value.expect("it was read")
}

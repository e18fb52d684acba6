//! Whether a request goes out again when the kept connection it was written to turned out closed by the server.
//! Must not know the pool, nor what is asked.
//!
//! A server closes an idle connection just as a request is under way to it: no kept connection is safe from that. But
//! a POST is not idempotent, and what a server may have read it may have answered and billed. So it depends on what
//! is known of the request when the connection has ended without a byte of an answer:
//!
//! | known | `unsent` | `unread` | `unanswered` |
//! |---|---|---|---|
//! | nothing of it was written | again | again | again |
//! | written, but the server ended its side before it had received the end of it | fails | again | again |
//! | written, and the server may have read it | fails | fails | again |
//! | an answer had begun | fails | fails | fails |
//!
//! The second is told by TCP itself: the segment that ends the server's side acknowledges what it had received by
//! then. A server that ended its side cannot answer what came later. A reset proves nothing: its acknowledgement is
//! not looked at by the kernel.
//!
//! `unsent` is what Go's transport does with a POST (`shouldRetryRequest`: `nothingWrittenError`, anything else only if
//! the request is idempotent), hyper-util's client and so reqwest (a canceled request that is given back), and urllib3
//! (it looks at the socket before the use). `unanswered` is what OkHttp and curl do.

use std::error::Error;
use std::io;

use tokio::net::TcpStream;

use crate::profile::RetryStale;

/// How a connection ended, as seen from its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Something that was written has not been received by the other side, as far as it said.
    Unreceived,
    /// Nothing is known to be missing there.
    Silent,
    /// Bytes of an answer were here.
    Begun,
}

impl Ending {
    /// `unread`: what was received and not understood yet.
    pub(super) fn of(tcp: &TcpStream, unread: &[u8]) -> Self {
        if !unread.is_empty() {
            Self::Begun
        } else if unacknowledged(tcp).is_some_and(|bytes| bytes > 0) {
            Self::Unreceived
        } else {
            Self::Silent
        }
    }
}

/// How an exchange on a kept connection broke before the head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Break {
    /// The connection was closed, and nothing of the request had been written.
    BeforeRequest,
    /// The server ended its side.
    End,
    /// The server reset the connection.
    Reset,
    /// Anything else: no sign of a stale connection.
    Other,
}

impl Break {
    /// `given_back`: the request, since nothing of it was written.
    pub(super) fn of<T>(error: &hyper::Error, given_back: Option<&T>) -> Self {
        if given_back.is_some() {
            return Self::BeforeRequest;
        }
        if error.is_incomplete_message() {
            return Self::End;
        }
        match error.source().and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind) {
            // TLS was not said goodbye to.
            Some(io::ErrorKind::UnexpectedEof) => Self::End,
            // A reset that follows the end of the other side breaks the pipe; one without it is told as a reset.
            Some(io::ErrorKind::BrokenPipe) => Self::End,
            Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted) => Self::Reset,
            _ => Self::Other,
        }
    }
}

/// Whether the request goes out again, once, on a fresh connection.
pub(super) fn goes_again(setting: RetryStale, broke: Break, ending: Ending) -> bool {
    match (broke, ending) {
        (Break::BeforeRequest, _) => true,
        (Break::Other, _) | (_, Ending::Begun) => false,
        (Break::End, Ending::Unreceived) => setting != RetryStale::Unsent,
        (Break::End, Ending::Silent) | (Break::Reset, _) => setting == RetryStale::Unanswered,
    }
}

/// Bytes written that the other side has not acknowledged; `None` where the system does not tell.
#[cfg(target_os = "linux")]
fn unacknowledged(tcp: &TcpStream) -> Option<u32> {
    use std::os::fd::AsRawFd;
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open, and TIOCOUTQ writes one int.
    let told = unsafe { libc::ioctl(tcp.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if told == 0 { u32::try_from(bytes).ok() } else { None }
}

#[cfg(not(target_os = "linux"))]
fn unacknowledged(_: &TcpStream) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_out_again_only_as_far_as_the_setting_trusts() {
        use RetryStale::*;
        for (broke, ending, settings) in [
            (Break::BeforeRequest, Ending::Silent, &[Unsent, Unread, Unanswered][..]),
            (Break::End, Ending::Unreceived, &[Unread, Unanswered]),
            (Break::End, Ending::Silent, &[Unanswered]),
            (Break::Reset, Ending::Unreceived, &[Unanswered]),
            (Break::Reset, Ending::Silent, &[Unanswered]),
            (Break::End, Ending::Begun, &[]),
            (Break::Reset, Ending::Begun, &[]),
            (Break::Other, Ending::Unreceived, &[]),
        ] {
            for setting in [Unsent, Unread, Unanswered] {
                let wanted = settings.contains(&setting);
                assert_eq!(goes_again(setting, broke, ending), wanted, "{broke:?} {ending:?} {setting:?}");
            }
        }
    }
}

//! The body of an answer as it goes out: whole, as a paced stream, or cut off in the middle.
//! Must not know why.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::dialect::Events;
use super::provider::{Keep, Slot};
use super::stats::{Tally, Ticket};
use super::timer::Alarm;

pub(super) enum Payload {
    Whole(Option<Bytes>),
    Cut(Box<Cut>),
    Stream(Box<Stream>),
}

/// The connection is to end without an answer, or in the middle of one.
#[derive(Debug)]
pub(super) struct HangUp;

impl fmt::Display for HangUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection ends here")
    }
}

impl std::error::Error for HangUp {}

/// The wire drops what is under way when its connection ends: let the last bytes arrive before.
const SETTLE: Duration = Duration::from_millis(2);

/// Less of a body than was announced.
pub(super) struct Cut {
    announced: u64,
    part: Option<Bytes>,
    ending: Ending,
}

/// What remains to be done before a cut answer's connection ends.
struct Ending {
    alarm: Alarm,
    one_way: Duration,
    due: Option<Instant>,
    ticket: Option<Ticket>,
}

impl Ending {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<HangUp> {
        let due = *self.due.get_or_insert_with(|| Instant::now() + self.one_way + SETTLE);
        ready!(self.alarm.poll_until(due, cx));
        if let Some(ticket) = self.ticket.take() {
            ticket.close_as("truncated");
        }
        Poll::Ready(HangUp)
    }
}

impl Cut {
    /// Half of `whole`.
    pub(super) fn half(whole: Bytes, one_way: Duration, alarm: Alarm, ticket: Ticket) -> Self {
        let part = Some(whole.slice(..whole.len() / 2));
        Self { announced: whole.len() as u64, part, ending: Ending { alarm, one_way, due: None, ticket: Some(ticket) } }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HangUp>>> {
        match self.part.take() {
            Some(part) => Poll::Ready(Some(Ok(Frame::data(part)))),
            None => self.ending.poll(cx).map(|end| Some(Err(end))),
        }
    }
}

/// When the tokens of an answer are due: `first + i gap`, whatever became of the ones before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) first: Instant,
    pub(super) gap: Duration,
}

impl Pace {
    pub(super) fn due(&self, token: u64) -> Instant {
        let nanos = self.gap.as_nanos().saturating_mul(u128::from(token));
        self.first + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX / 4))
    }

    /// How many tokens are due by `now`.
    fn elapsed(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.first).as_nanos();
        since.checked_div(self.gap.as_nanos()).map_or(u64::MAX, |gaps| u64::try_from(gaps + 1).unwrap_or(u64::MAX))
    }
}

/// A stream of tokens; the role goes out with the first, the end with the last.
pub(super) struct Stream {
    events: Events,
    pace: Pace,
    sent: u64,
    /// Tokens to send: all, or half of a stream that is to fail.
    upto: u64,
    finish: Finish,
    slot: Option<Slot>,
    keep: Option<Keep>,
    /// Where the provider bills its tokens; a gateway's hit is not billed.
    bill: Option<Arc<Tally>>,
    ending: Ending,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    Complete,
    Truncated,
    /// With an error in the place of the rest.
    Failed,
    Done,
}

/// What a stream holds until its end.
pub(super) struct Held {
    pub(super) ticket: Ticket,
    pub(super) slot: Option<Slot>,
    pub(super) keep: Option<Keep>,
    pub(super) bill: Option<Arc<Tally>>,
}

impl Stream {
    pub(super) fn new(events: Events, pace: Pace, finish: Finish, held: Held, one_way: Duration, alarm: Alarm) -> Self {
        let upto = if finish == Finish::Complete { events.tokens() } else { events.tokens().div_ceil(2) };
        let Held { ticket, slot, keep, bill } = held;
        let ending = Ending { alarm, one_way, due: None, ticket: Some(ticket) };
        Self { events, pace, sent: 0, upto, finish, slot, keep, bill, ending }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HangUp>>> {
        if self.finish == Finish::Done {
            return Poll::Ready(None);
        }
        if self.sent == self.upto {
            // Only a truncated stream comes here again.
            return self.ending.poll(cx).map(|end| Some(Err(end)));
        }
        ready!(self.ending.alarm.poll_until(self.pace.due(self.sent), cx));
        let due = self.pace.elapsed(Instant::now()).clamp(self.sent + 1, self.upto);
        Poll::Ready(Some(Ok(Frame::data(self.tokens_until(due)))))
    }

    fn tokens_until(&mut self, due: u64) -> Bytes {
        let mut out = self.events.buffer(due - self.sent + 4);
        if self.sent == 0 {
            self.events.put_start(&mut out);
        }
        (self.sent..due).for_each(|index| self.events.put_token(index, &mut out));
        if let Some(tally) = &self.bill {
            tally.billed(0, due - self.sent);
        }
        self.sent = due;
        if self.sent == self.upto {
            match self.finish {
                Finish::Complete => {
                    self.events.put_end(&mut out);
                    self.complete();
                }
                Finish::Failed => {
                    self.events.put_error(&mut out);
                    self.fail();
                }
                Finish::Truncated | Finish::Done => {}
            }
        }
        out.freeze()
    }

    fn fail(&mut self) {
        self.finish = Finish::Done;
        self.slot = None;
        if let Some(ticket) = self.ending.ticket.take() {
            ticket.close_as("error");
        }
    }

    fn complete(&mut self) {
        self.finish = Finish::Done;
        self.slot = None;
        if let Some(keep) = self.keep.take() {
            keep.store();
        }
        if let Some(ticket) = self.ending.ticket.take() {
            ticket.close(http::StatusCode::OK);
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = HangUp;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HangUp>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Cut(cut) => cut.poll_frame(cx),
            Self::Stream(stream) => stream.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Cut(_) => false,
            Self::Stream(stream) => stream.finish == Finish::Done,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Cut(cut) => SizeHint::with_exact(cut.announced),
            Self::Stream(_) => SizeHint::new(),
        }
    }
}

//! The distance between client and server: bytes arrive half a round trip after they were sent, in order, pipelined.
//! Must not know TLS or HTTP, which run on top of it.
//!
//! ```text
//! client --socket--> inbound lane --RTT/2--> TLS, HTTP --> outbound lane --RTT/2--> socket --> client
//! ```
//!
//! The kernel completes a loopback connect at once, where over the distance a client could not send before one round
//! trip. So nothing that comes in is taken as sent before accept + RTT: the first flight arrives at 1.5 RTT.
//! Without a round trip time the socket is read and written directly.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::drift::Swing;
use super::timer::{Alarm, Timer};

/// Bytes under way in one direction of one connection; beyond it the sender waits, as with a full TCP window.
const WINDOW: usize = 1 << 20;
const READ: usize = 16 << 10;

/// The round-trip time of a route, which may change while connections live.
#[derive(Default)]
pub(super) struct Distance {
    rtt_ns: AtomicU64,
    pub(super) swing: Swing,
}

impl Distance {
    pub(super) fn set(&self, rtt: Duration) {
        self.rtt_ns.store(u64::try_from(rtt.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn rtt(&self) -> Duration {
        self.swing.applied(Duration::from_nanos(self.rtt_ns.load(Ordering::Relaxed)))
    }

    pub(super) fn one_way(&self) -> Duration {
        self.rtt() / 2
    }
}

pub(super) struct Wire {
    socket: TcpStream,
    distance: Arc<Distance>,
    /// The TCP handshake would be over.
    established: Instant,
    inbound: Lane,
    outbound: Lane,
    /// When the server's side sees the end of what the client sends, and the error if it was one.
    end: Option<(Instant, Option<io::Error>)>,
    /// When the client's side sees the end of what the server sends.
    farewell: Option<Instant>,
    /// Set: the connection is to end in a reset.
    reset: Arc<AtomicBool>,
}

/// What is under way in one direction.
struct Lane {
    chunks: VecDeque<(Instant, Bytes)>,
    bytes: usize,
    /// Due time of the youngest chunk: a shortened distance must not let bytes overtake others.
    youngest: Option<Instant>,
    alarm: Alarm,
}

impl Lane {
    fn new(timer: &Arc<Timer>) -> Self {
        Self { chunks: VecDeque::new(), bytes: 0, youngest: None, alarm: Alarm::new(timer) }
    }

    fn push(&mut self, due: Instant, chunk: Bytes) {
        let due = self.in_order(due);
        self.bytes += chunk.len();
        self.chunks.push_back((due, chunk));
    }

    fn in_order(&mut self, due: Instant) -> Instant {
        let due = self.youngest.map_or(due, |youngest| due.max(youngest));
        self.youngest = Some(due);
        due
    }

    /// The first chunk, once it is due.
    fn poll_front(&mut self, cx: &mut Context<'_>) -> Poll<Option<&[u8]>> {
        let Some((due, chunk)) = self.chunks.front() else { return Poll::Ready(None) };
        ready!(self.alarm.poll_until(*due, cx));
        Poll::Ready(Some(chunk))
    }

    fn advance(&mut self, taken: usize) {
        self.bytes -= taken;
        if let Some((_, chunk)) = self.chunks.front_mut() {
            chunk.advance(taken);
            if chunk.is_empty() {
                self.chunks.pop_front();
            }
        }
    }

    fn is_full(&self) -> bool {
        self.bytes >= WINDOW
    }
}

impl Wire {
    /// `accepted`: when the kernel handed over the connection.
    pub(super) fn new(
        socket: TcpStream,
        accepted: Instant,
        distance: Arc<Distance>,
        timer: &Arc<Timer>,
        reset: Arc<AtomicBool>,
    ) -> Self {
        Self {
            socket,
            established: accepted + distance.rtt(),
            distance,
            inbound: Lane::new(timer),
            outbound: Lane::new(timer),
            end: None,
            farewell: None,
            reset,
        }
    }

    /// Takes what has arrived at the socket onto the inbound lane.
    fn receive(&mut self, cx: &mut Context<'_>) {
        while self.end.is_none() && !self.inbound.is_full() {
            let mut space = [const { MaybeUninit::<u8>::uninit() }; READ];
            let mut buffer = ReadBuf::uninit(&mut space);
            let Poll::Ready(result) = Pin::new(&mut self.socket).poll_read(cx, &mut buffer) else { return };
            let due = Instant::now().max(self.established) + self.distance.one_way();
            match (result, buffer.filled()) {
                (Ok(()), []) => self.end = Some((self.inbound.in_order(due), None)),
                (Ok(()), bytes) => self.inbound.push(due, Bytes::copy_from_slice(bytes)),
                (Err(error), _) => self.end = Some((self.inbound.in_order(due), Some(error))),
            }
        }
    }

    /// Puts what is due on the socket; ready when nothing is under way any more.
    fn transmit(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(bytes) = ready!(self.outbound.poll_front(cx)) {
            let written = ready!(Pin::new(&mut self.socket).poll_write(cx, bytes))?;
            self.outbound.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Whether bytes written now may go straight to the socket.
    fn is_open_outbound(&self) -> bool {
        self.outbound.chunks.is_empty() && self.distance.one_way().is_zero()
    }

    fn enqueue(&mut self, chunk: Bytes, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let length = chunk.len();
        self.outbound.push(Instant::now() + self.distance.one_way(), chunk);
        // Sets the alarm; it wakes whoever drives the connection, and each of its polls transmits.
        if let Poll::Ready(Err(error)) = self.transmit(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(length))
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.outbound.is_full() {
            let _ = self.transmit(cx)?;
        }
        if self.outbound.is_full() { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let _ = self.transmit(cx)?;
        if self.inbound.chunks.is_empty() && self.end.is_none() && self.distance.one_way().is_zero() {
            return Pin::new(&mut self.socket).poll_read(cx, buffer);
        }
        self.receive(cx);
        if let Some(bytes) = ready!(self.inbound.poll_front(cx)) {
            let taken = bytes.len().min(buffer.remaining());
            buffer.put_slice(&bytes[..taken]);
            self.inbound.advance(taken);
            return Poll::Ready(Ok(()));
        }
        let Some((due, _)) = self.end else { return Poll::Pending };
        ready!(self.inbound.alarm.poll_until(due, cx));
        Poll::Ready(self.end.as_mut().and_then(|(_, error)| error.take()).map_or(Ok(()), Err))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_open_outbound() {
            return Pin::new(&mut self.socket).poll_write(cx, bytes);
        }
        ready!(self.poll_room(cx))?;
        self.enqueue(Bytes::copy_from_slice(bytes), cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_open_outbound() {
            return Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        }
        ready!(self.poll_room(cx))?;
        let mut chunk = Vec::with_capacity(slices.iter().map(|slice| slice.len()).sum());
        slices.iter().for_each(|slice| chunk.extend_from_slice(slice));
        self.enqueue(chunk.into(), cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Bytes under way are the network's: like a socket's, this flush does not wait for their arrival.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = self.transmit(cx)?;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        ready!(wire.transmit(cx))?;
        // A client that has ended its side does not wait for this.
        if wire.end.is_none() && !wire.distance.one_way().is_zero() {
            let due = match wire.farewell {
                Some(due) => due,
                None => *wire.farewell.insert(wire.outbound.in_order(Instant::now() + wire.distance.one_way())),
            };
            ready!(wire.outbound.alarm.poll_until(due, cx));
        }
        Pin::new(&mut wire.socket).poll_shutdown(cx)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // Closing is then a reset; if the option cannot be set it is an ordinary end, and the client sees that.
            let _ = self.socket.set_zero_linger();
            return;
        }
        // What was sent before an end arrives. A busy machine may come here before it was due: it then comes early.
        for (_, chunk) in &self.outbound.chunks {
            match self.socket.try_write(chunk) {
                Ok(written) if written == chunk.len() => {}
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn what_was_written_before_an_end_arrives_however_soon_the_end_comes() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let distance = Arc::new(Distance::default());
        distance.set(Duration::from_secs(600));
        let mut wire = Wire::new(socket, Instant::now(), distance, &Timer::start().unwrap(), Arc::default());
        wire.write_all(b"half of ").await.unwrap();
        wire.write_all(b"an answer").await.unwrap();
        drop(wire);
        let mut got = String::new();
        client.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "half of an answer");
    }
}

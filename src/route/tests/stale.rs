//! Kept connections that the server closes just as a request is sent on them.
//!
//! The server has a thread of its own, so that it closes while the client looks away: its end is in the client's
//! socket when the next request is written, and nobody has seen it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use super::pool::{all_closed, closed, finish, start};
use super::server::{Server, Step, answer, completion};
use super::{ask, endpoint, local, until};
use crate::profile::{Pool, RetryStale};
use crate::route::{Closing, Connection, Endpoint, FailureKind};

/// What the server does with a connection after its first answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Closes it when told to.
    CloseWhenTold,
    /// Takes one more request whole, and closes without an answer.
    ReadAndClose,
    /// Takes one more request whole, and resets.
    ReadAndReset,
    /// Takes one more request whole, and closes in the middle of the answer's head.
    BeginAndClose,
}

/// The first connection is answered once, then treated as `Then` says; all others are answered for ever.
struct Fickle {
    base_url: String,
    close: mpsc::Sender<()>,
    closed: mpsc::Receiver<()>,
    /// Requests read whole.
    thread: JoinHandle<usize>,
}

impl Fickle {
    /// Serves `connections` connections, then ends.
    fn start(then: Then, connections: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (close, told) = mpsc::channel();
        let (tell, closed) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut first = listener.accept().unwrap().0;
            let mut read = usize::from(read_request(&mut first));
            first.write_all(&completion()).unwrap();
            read += leave(first, then, &told);
            let _ = tell.send(());
            for _ in 1..connections {
                let mut next = listener.accept().unwrap().0;
                while read_request(&mut next) {
                    read += 1;
                    next.write_all(&completion()).unwrap();
                }
            }
            read
        });
        Self { base_url, close, closed, thread }
    }

    /// Returns when the first connection is closed, without a look at any other socket.
    fn close_first(&self) {
        self.close.send(()).unwrap();
        self.closed.recv().unwrap();
    }
}

/// How many requests it read before it left.
fn leave(mut socket: TcpStream, then: Then, told: &mpsc::Receiver<()>) -> usize {
    if then == Then::CloseWhenTold {
        told.recv().unwrap();
        return 0;
    }
    let read = usize::from(read_request(&mut socket));
    match then {
        Then::ReadAndReset => socket2::SockRef::from(&socket).set_linger(Some(std::time::Duration::ZERO)).unwrap(),
        Then::BeginAndClose => socket.write_all(b"HTTP/1.1 20").unwrap(),
        Then::ReadAndClose | Then::CloseWhenTold => socket.shutdown(Shutdown::Write).unwrap(),
    }
    read
}

fn read_request(socket: &mut TcpStream) -> bool {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&all).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            if body.len() >= length.unwrap() {
                return true;
            }
        }
        match socket.read(&mut buffer) {
            Ok(0) | Err(_) => return false,
            Ok(n) => all.extend_from_slice(&buffer[..n]),
        }
    }
}

fn trusting(base_url: &str, retry_stale: RetryStale) -> Rc<Endpoint> {
    endpoint(base_url, &Pool { retry_stale, max_connections: 1, ..Pool::default() })
}

const EVERY: [RetryStale; 3] = [RetryStale::Unsent, RetryStale::Unread, RetryStale::Unanswered];

#[test]
#[cfg(target_os = "linux")]
fn a_request_the_server_had_closed_before_goes_out_again_on_a_fresh_connection() {
    for setting in [RetryStale::Unread, RetryStale::Unanswered] {
        local(async move {
            let server = Fickle::start(Then::CloseWhenTold, 2);
            let endpoint = trusting(&server.base_url, setting);
            assert!(ask(&endpoint).await.result.is_ok());
            server.close_first();
            let attempt = ask(&endpoint).await;
            assert!(attempt.result.is_ok(), "{attempt:?}");
            assert!(attempt.sent && matches!(attempt.connection, Some(Connection::Opened(_))), "{attempt:?}");
            assert_eq!(ask(&endpoint).await.connection, Some(Connection::Reused));
            let gauge = endpoint.gauge();
            assert_eq!((gauge.stale, gauge.opened, gauge.reused, gauge.open, gauge.peak), (1, 2, 1, 1, 1));
            assert_eq!(closed(&endpoint, Closing::Server), 1);
            endpoint.shut_down().await;
            assert_eq!(all_closed(&endpoint), 2);
            assert_eq!(server.thread.join().unwrap(), 3, "each was read once");
        });
    }
}

#[test]
fn what_the_server_has_read_goes_out_again_only_if_it_may_be_done_twice() {
    for (then, setting) in [Then::ReadAndClose, Then::ReadAndReset].into_iter().flat_map(|t| EVERY.map(|s| (t, s))) {
        local(async move {
            let again = setting == RetryStale::Unanswered;
            let server = Fickle::start(then, if again { 2 } else { 1 });
            let endpoint = trusting(&server.base_url, setting);
            assert!(ask(&endpoint).await.result.is_ok());
            let attempt = ask(&endpoint).await;
            assert_eq!(endpoint.gauge().stale, u64::from(again), "{setting:?} {attempt:?}");
            if again {
                assert!(attempt.result.is_ok(), "{attempt:?}");
            } else {
                assert_eq!(attempt.result.unwrap_err().kind, FailureKind::Connect);
                assert!(attempt.sent && attempt.connection == Some(Connection::Reused));
                until("it is closed", || closed(&endpoint, Closing::Error) == 1).await;
            }
            endpoint.shut_down().await;
            assert_eq!(server.thread.join().unwrap(), if again { 3 } else { 2 });
        });
    }
}

#[test]
fn an_answer_that_had_begun_is_never_asked_for_again() {
    for setting in EVERY {
        local(async move {
            let server = Fickle::start(Then::BeginAndClose, 1);
            let endpoint = trusting(&server.base_url, setting);
            assert!(ask(&endpoint).await.result.is_ok());
            let attempt = ask(&endpoint).await;
            assert_eq!(attempt.result.unwrap_err().kind, FailureKind::Connect);
            assert_eq!(endpoint.gauge().stale, 0);
            assert_eq!(server.thread.join().unwrap(), 2);
        });
    }
}

#[test]
fn a_fresh_connection_that_breaks_is_a_failure_and_no_stale_one() {
    local(async {
        let server = Server::start(|_| vec![Step::Close]).await;
        let endpoint = trusting(&server.base_url, RetryStale::Unanswered);
        let attempt = ask(&endpoint).await;
        assert_eq!(attempt.result.unwrap_err().kind, FailureKind::Connect);
        assert_eq!((endpoint.gauge().stale, server.seen.requests.borrow().len()), (0, 1));
    });
}

#[test]
fn it_goes_out_again_once_and_no_more() {
    local(async {
        let server = Server::start(|nth| match nth.request {
            0 => vec![Step::Send(completion())],
            _ => vec![Step::Close],
        })
        .await;
        let endpoint = trusting(&server.base_url, RetryStale::Unanswered);
        assert!(ask(&endpoint).await.result.is_ok());
        let attempt = ask(&endpoint).await;
        assert_eq!(attempt.result.unwrap_err().kind, FailureKind::Connect);
        assert_eq!((endpoint.gauge().stale, server.seen.requests.borrow().len()), (1, 3));
    });
}

#[test]
fn those_who_wait_keep_their_turn_when_a_stale_connection_is_replaced() {
    local(async {
        let server = Server::start(|nth| match nth.request {
            1 => vec![Step::Close],
            _ => vec![Step::Send(answer("200 OK", "", super::server::COMPLETION))],
        })
        .await;
        let endpoint = trusting(&server.base_url, RetryStale::Unanswered);
        assert!(ask(&endpoint).await.result.is_ok());
        let tasks = (0..4).map(|_| start(&endpoint)).collect();
        assert!(finish(tasks).await.iter().all(|attempt| attempt.result.is_ok()));
        let gauge = endpoint.gauge();
        assert_eq!((gauge.stale, gauge.opened, gauge.reused, gauge.peak, gauge.waiting), (1, 2, 3, 1, 0));
        assert_eq!(gauge.opened + gauge.reused, 5, "each attempt on a connection that served it");
    });
}

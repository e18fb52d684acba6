//! The exact pool keeps its promises to the unit.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::server::{Server, Step, completion};
use super::{PLENTY, ask, ask_within, chat, endpoint, local, settle, until};
use crate::profile::{Pool, WhenFull};
use crate::route::{Attempt, Closing, Connection, Endpoint, FailureKind};

pub(super) fn closed(endpoint: &Endpoint, cause: Closing) -> u64 {
    endpoint.gauge().closed[cause as usize]
}

pub(super) fn all_closed(endpoint: &Endpoint) -> u64 {
    endpoint.gauge().closed.iter().sum()
}

fn failed(attempt: &Attempt) -> FailureKind {
    attempt.result.as_ref().expect_err("it should have failed").kind
}

pub(super) fn start(endpoint: &Rc<Endpoint>) -> tokio::task::JoinHandle<Attempt> {
    let endpoint = endpoint.clone();
    tokio::task::spawn_local(async move { ask(&endpoint).await })
}

pub(super) async fn finish(tasks: Vec<tokio::task::JoinHandle<Attempt>>) -> Vec<Attempt> {
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    all
}

/// A server that thinks for `ms` before each answer.
pub(super) async fn slow(ms: u64) -> Server {
    Server::start(move |_| vec![Step::Pause(Duration::from_millis(ms)), Step::Send(completion())]).await
}

#[test]
fn a_connection_is_opened_once_and_then_reused() {
    local(async {
        let server = Server::always(completion()).await;
        let endpoint = endpoint(&server.base_url, &Pool::default());
        let first = ask(&endpoint).await;
        let Some(Connection::Opened(connect)) = first.connection else { panic!("{first:?}") };
        assert!(connect.tcp > Duration::ZERO && connect.total >= connect.tcp);
        assert_eq!((connect.dns, connect.tls), (Duration::ZERO, Duration::ZERO));
        assert!(first.sent && first.pool_wait == Some(Duration::ZERO));
        for _ in 0..3 {
            assert_eq!(ask(&endpoint).await.connection, Some(Connection::Reused));
        }
        let gauge = endpoint.gauge();
        assert_eq!((gauge.open, gauge.idle, gauge.peak, gauge.opened, gauge.reused), (1, 1, 1, 1, 3));
        assert_eq!(server.seen.accepted.get(), 1);
    });
}

#[test]
fn a_full_pool_lets_wait_in_order_and_never_opens_more() {
    local(async {
        let server = slow(10).await;
        let endpoint = endpoint(&server.base_url, &Pool { max_connections: 3, ..Pool::default() });
        let tasks: Vec<_> = (0..12).map(|_| start(&endpoint)).collect();
        until("nine wait", || endpoint.gauge().waiting == 9).await;
        let attempts = finish(tasks).await;
        assert!(attempts.iter().all(|a| a.result.is_ok()));
        let waited: Vec<_> = attempts.iter().map(|a| a.pool_wait.unwrap()).collect();
        assert!(waited[..3].iter().all(Duration::is_zero), "{waited:?}");
        assert!(waited[3] >= Duration::from_millis(5) && waited[11] > waited[3], "{waited:?}");
        let gauge = endpoint.gauge();
        assert_eq!((gauge.open, gauge.idle, gauge.peak, gauge.opened, gauge.reused, gauge.waiting), (3, 3, 3, 3, 9, 0));
        assert_eq!((server.seen.accepted.get(), server.seen.peak.get()), (3, 3));
    });
}

#[test]
fn a_full_pool_that_opens_discards_what_it_cannot_keep() {
    local(async {
        let server = slow(50).await;
        let pool = Pool { max_connections: 2, when_full: WhenFull::Open, ..Pool::default() };
        let endpoint = endpoint(&server.base_url, &pool);
        let attempts = finish((0..6).map(|_| start(&endpoint)).collect()).await;
        assert!(attempts.iter().all(|a| a.result.is_ok() && a.pool_wait == Some(Duration::ZERO)));
        until("the surplus is gone", || endpoint.gauge().open == 2).await;
        let gauge = endpoint.gauge();
        assert_eq!((gauge.idle, gauge.peak, gauge.opened), (2, 6, 6));
        assert_eq!(closed(&endpoint, Closing::Overflow), 4);
        until("the server saw it", || server.seen.live.get() == 2).await;
    });
}

#[test]
fn a_full_pool_that_fails_fails_at_once() {
    local(async {
        let server = slow(100).await;
        let pool = Pool { max_connections: 1, when_full: WhenFull::Fail, ..Pool::default() };
        let endpoint = endpoint(&server.base_url, &pool);
        let first = start(&endpoint);
        settle().await;
        let refused = ask(&endpoint).await;
        assert_eq!((failed(&refused), refused.sent, refused.connection), (FailureKind::Pool, false, None));
        assert!(first.await.unwrap().result.is_ok());
    });
}

#[test]
fn a_wait_ends_at_acquire_timeout_or_at_the_deadline() {
    local(async {
        let server = Server::start(|_| vec![Step::Hang]).await;
        let acquire_timeout = Duration::from_millis(60);
        let endpoint = endpoint(&server.base_url, &Pool { max_connections: 1, acquire_timeout, ..Pool::default() });
        let hog = start(&endpoint);
        settle().await;
        let waited = ask(&endpoint).await;
        assert_eq!((failed(&waited), waited.sent), (FailureKind::Pool, false));
        assert!(waited.pool_wait.unwrap() >= acquire_timeout);
        let hurried = ask_within(&endpoint, &chat(false), Duration::from_millis(20)).await;
        assert_eq!(failed(&hurried), FailureKind::Timeout);
        assert_eq!(endpoint.gauge().waiting, 0);
        hog.abort();
    });
}

#[test]
fn the_most_recently_used_connection_goes_first() {
    local(async {
        let server = slow(30).await;
        let endpoint = endpoint(&server.base_url, &Pool::default());
        finish((0..3).map(|_| start(&endpoint)).collect()).await;
        let last = *server.seen.came_on.borrow().last().unwrap();
        for _ in 0..3 {
            ask(&endpoint).await;
        }
        let came_on = server.seen.came_on.borrow();
        assert!(came_on[3..].iter().all(|&on| on == came_on[3]), "{came_on:?} {last}");
        assert_eq!(endpoint.gauge().idle, 3);
    });
}

#[test]
fn without_idle_connections_every_request_opens_its_own() {
    local(async {
        let server = slow(2).await;
        let pool = Pool { max_connections: 4, max_idle: 0, ..Pool::default() };
        let endpoint = endpoint(&server.base_url, &pool);
        let attempts = finish((0..20).map(|_| start(&endpoint)).collect()).await;
        assert!(attempts.iter().all(|a| a.result.is_ok() && matches!(a.connection, Some(Connection::Opened(_)))));
        until("all are closed", || endpoint.gauge().open == 0).await;
        let gauge = endpoint.gauge();
        assert_eq!((gauge.opened, gauge.reused, gauge.peak), (20, 0, 4));
        assert_eq!(closed(&endpoint, Closing::MaxIdle), 20);
        assert_eq!(server.seen.accepted.get(), 20);
    });
}

#[test]
fn no_more_than_max_idle_are_kept() {
    local(async {
        let server = slow(30).await;
        let endpoint = endpoint(&server.base_url, &Pool { max_idle: 2, ..Pool::default() });
        finish((0..5).map(|_| start(&endpoint)).collect()).await;
        until("three are closed", || endpoint.gauge().open == 2).await;
        assert_eq!((endpoint.gauge().idle, closed(&endpoint, Closing::MaxIdle)), (2, 3));
    });
}

#[test]
fn idle_connections_are_closed_in_time() {
    local(async {
        let server = Server::always(completion()).await;
        let idle_timeout = Duration::from_millis(80);
        let endpoint = endpoint(&server.base_url, &Pool { idle_timeout, ..Pool::default() });
        ask(&endpoint).await;
        let released = Instant::now();
        until("it is closed", || endpoint.gauge().open == 0).await;
        assert!(released.elapsed() >= Duration::from_millis(70));
        assert_eq!(closed(&endpoint, Closing::IdleTimeout), 1);
        until("the server saw it", || server.seen.live.get() == 0).await;
        ask(&endpoint).await;
        until("it is closed again", || closed(&endpoint, Closing::IdleTimeout) == 2).await;
    });
}

#[test]
fn a_connection_the_server_closed_while_idle_is_replaced_and_fails_nobody() {
    local(async {
        let server = Server::start(|_| vec![Step::Send(completion()), Step::Close]).await;
        let endpoint = endpoint(&server.base_url, &Pool::default());
        for _ in 0..5 {
            let attempt = ask(&endpoint).await;
            assert!(attempt.result.is_ok() && attempt.sent, "{attempt:?}");
            // Its end is in the socket already, and nobody has looked at it yet.
            std::thread::sleep(Duration::from_millis(2));
        }
        until("the last is closed", || endpoint.gauge().open == 0).await;
        let gauge = endpoint.gauge();
        assert_eq!((gauge.opened, gauge.reused, closed(&endpoint, Closing::Server)), (5, 0, 5));
    });
}

#[test]
fn an_announced_close_is_the_servers() {
    local(async {
        let answer = super::server::answer("200 OK", "connection: close\r\n", super::server::COMPLETION);
        let server = Server::start(move |_| vec![Step::Send(answer.clone()), Step::Close]).await;
        let endpoint = endpoint(&server.base_url, &Pool::default());
        for _ in 0..2 {
            assert!(ask(&endpoint).await.result.is_ok());
        }
        until("both are closed", || endpoint.gauge().open == 0).await;
        assert_eq!((endpoint.gauge().opened, closed(&endpoint, Closing::Server)), (2, 2));
    });
}

#[test]
fn a_dropped_attempt_leaves_the_books_right() {
    local(async {
        let server = Server::start(|nth| match nth.request {
            0 => vec![Step::Hang],
            _ => vec![Step::Send(completion())],
        })
        .await;
        let endpoint = endpoint(&server.base_url, &Pool { max_connections: 1, ..Pool::default() });
        let using = start(&endpoint);
        settle().await;
        let waiting: Vec<_> = (0..3).map(|_| start(&endpoint)).collect();
        until("three wait", || endpoint.gauge().waiting == 3).await;
        waiting[0].abort();
        until("one is gone", || endpoint.gauge().waiting == 2).await;
        using.abort();
        for task in waiting.into_iter().skip(1) {
            assert!(task.await.unwrap().result.is_ok());
        }
        let gauge = endpoint.gauge();
        assert_eq!((gauge.open, gauge.idle, gauge.waiting, gauge.peak, gauge.opened), (1, 1, 0, 1, 2));
        assert_eq!(closed(&endpoint, Closing::Error), 1);
    });
}

#[test]
fn an_attempt_dropped_while_connecting_or_just_served_frees_its_place() {
    local(async {
        let server = slow(1).await;
        let endpoint = endpoint(&server.base_url, &Pool { max_connections: 2, ..Pool::default() });
        // Cut off after every number of steps, so that each await is hit.
        for steps in 0..40 {
            let mut attempts: Vec<_> = (0..4).map(|_| start(&endpoint)).collect();
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            attempts.drain(..3).for_each(|task| task.abort());
            assert!(attempts.pop().unwrap().await.unwrap().result.is_ok());
        }
        settle().await;
        let gauge = endpoint.gauge();
        assert_eq!(gauge.waiting, 0);
        assert!(gauge.peak <= 2 && gauge.open == gauge.idle, "{gauge:?}");
        assert_eq!(gauge.opened, u64::from(gauge.open) + all_closed(&endpoint));
        assert!(server.seen.peak.get() <= 3, "a socket may be seen closed a moment late");
    });
}

#[test]
fn a_connection_that_never_opens_is_counted_as_nothing() {
    local(async {
        let endpoint = endpoint("http://127.0.0.1:1/v1", &Pool::default());
        let attempt = ask(&endpoint).await;
        assert_eq!((failed(&attempt), attempt.sent, attempt.connection), (FailureKind::Connect, false, None));
        let gauge = endpoint.gauge();
        assert_eq!((gauge.open, gauge.opened, gauge.peak, all_closed(&endpoint)), (0, 0, 1, 0));
    });
}

#[test]
fn raising_the_maximum_lets_in_those_who_wait() {
    local(async {
        let server = slow(300).await;
        let mut pool = Pool { max_connections: 1, ..Pool::default() };
        let endpoint = endpoint(&server.base_url, &pool);
        let tasks: Vec<_> = (0..4).map(|_| start(&endpoint)).collect();
        until("three wait", || endpoint.gauge().waiting == 3).await;
        pool.max_connections = 4;
        endpoint.configure(&pool);
        until("nobody waits", || endpoint.gauge().waiting == 0).await;
        assert_eq!(endpoint.gauge().open, 4);
        assert!(finish(tasks).await.iter().all(|a| a.result.is_ok()));
    });
}

#[test]
fn lowering_the_maximum_drains_and_opens_no_more() {
    local(async {
        let server = slow(60).await;
        let mut pool = Pool { max_connections: 6, ..Pool::default() };
        let endpoint = endpoint(&server.base_url, &pool);
        finish((0..6).map(|_| start(&endpoint)).collect()).await;
        let busy: Vec<_> = (0..4).map(|_| start(&endpoint)).collect();
        settle().await;
        pool.max_connections = 2;
        endpoint.configure(&pool);
        until("the idle ones are gone", || endpoint.gauge().open == 4).await;
        assert!(finish(busy).await.iter().all(|a| a.result.is_ok()));
        until("two are left", || endpoint.gauge().open == 2).await;
        assert_eq!((endpoint.gauge().idle, closed(&endpoint, Closing::Drained)), (2, 4));
        assert!(finish((0..6).map(|_| start(&endpoint)).collect()).await.iter().all(|a| a.result.is_ok()));
        assert_eq!((endpoint.gauge().opened, endpoint.gauge().open), (6, 2));
        endpoint.shut_down().await;
        assert_eq!((closed(&endpoint, Closing::Drained), closed(&endpoint, Closing::Shutdown)), (4, 2));
    });
}

#[test]
fn a_shortened_idle_timeout_reaches_what_is_idle_already() {
    local(async {
        let server = Server::always(completion()).await;
        let mut pool = Pool::default();
        let endpoint = endpoint(&server.base_url, &pool);
        ask(&endpoint).await;
        pool.idle_timeout = Duration::from_millis(10);
        endpoint.configure(&pool);
        until("it is closed", || closed(&endpoint, Closing::IdleTimeout) == 1).await;
    });
}

#[test]
fn shutting_down_closes_idle_connections_now_and_the_others_after_use() {
    local(async {
        let server = slow(80).await;
        let endpoint = endpoint(&server.base_url, &Pool::default());
        finish((0..3).map(|_| start(&endpoint)).collect()).await;
        let busy = start(&endpoint);
        settle().await;
        endpoint.shut_down().await;
        assert_eq!((endpoint.gauge().open, closed(&endpoint, Closing::Shutdown)), (1, 2));
        assert!(busy.await.unwrap().result.is_ok());
        until("all are gone", || endpoint.gauge().open == 0).await;
        assert_eq!(closed(&endpoint, Closing::Shutdown), 3);
    });
}

#[test]
fn silence_for_longer_than_read_timeout_ends_the_attempt() {
    local(async {
        let server = Server::start(|_| vec![Step::Hang]).await;
        let read_timeout = Duration::from_millis(60);
        let endpoint = endpoint(&server.base_url, &Pool { read_timeout, ..Pool::default() });
        let start = Instant::now();
        let attempt = ask(&endpoint).await;
        assert_eq!((failed(&attempt), attempt.sent), (FailureKind::Timeout, true));
        assert!(start.elapsed() >= read_timeout);
        until("it is closed", || closed(&endpoint, Closing::Error) == 1).await;
    });
}

#[test]
fn read_timeout_is_a_gap_and_not_the_whole() {
    local(async {
        let server = Server::start(|_| {
            let answer = completion();
            let pieces = answer.chunks(answer.len() / 5 + 1).map(<[u8]>::to_vec);
            pieces.flat_map(|piece| [Step::Send(piece), Step::Pause(Duration::from_millis(60))]).collect()
        })
        .await;
        let pool = Pool { read_timeout: Duration::from_millis(200), ..Pool::default() };
        let endpoint = endpoint(&server.base_url, &pool);
        let start = Instant::now();
        let attempt = ask(&endpoint).await;
        assert!(attempt.result.is_ok(), "{attempt:?}");
        assert!(start.elapsed() >= Duration::from_millis(230));
    });
}

#[test]
fn nothing_goes_on_beyond_the_deadline() {
    local(async {
        let server = Server::start(|_| vec![Step::Hang]).await;
        let endpoint = endpoint(&server.base_url, &Pool::default());
        let start = Instant::now();
        let attempt = ask_within(&endpoint, &chat(false), Duration::from_millis(50)).await;
        assert_eq!(failed(&attempt), FailureKind::Timeout);
        assert!(start.elapsed() >= Duration::from_millis(50) && start.elapsed() < PLENTY / 2);
        let late = ask_within(&endpoint, &chat(false), Duration::ZERO).await;
        assert_eq!((failed(&late), late.sent), (FailureKind::Timeout, false));
    });
}

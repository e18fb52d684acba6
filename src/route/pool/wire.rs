//! A connection and its place in the pool's books.
//! Must not know who gets it next.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::Pool;
use crate::route::stale::Ending;
use crate::route::{Closing, Connection};

/// A place in the pool: one connection, open or being opened.
pub(in crate::route) struct Permit {
    pool: Weak<Pool>,
    opened: Cell<bool>,
    cause: Cell<Option<Closing>>,
    /// Another connection takes this place: nobody who waits gets it.
    inherited: Cell<bool>,
}

impl Permit {
    pub(super) fn new(pool: &Rc<Pool>) -> Self {
        pool.open.set(pool.open.get() + 1);
        pool.peak.set(pool.peak.get().max(pool.open.get()));
        Self {
            pool: Rc::downgrade(pool),
            opened: Cell::new(false),
            cause: Cell::new(None),
            inherited: Cell::new(false),
        }
    }

    /// The connection is ready: it counts as opened from here on, and `driver` runs until it ends.
    pub(in crate::route) fn open<D>(self, sender: SendRequest<Full<Bytes>>, driver: D) -> Wire
    where
        D: Future<Output = Ending> + 'static,
    {
        if let Some(pool) = self.pool.upgrade() {
            pool.opened.set(pool.opened.get() + 1);
        }
        self.opened.set(true);
        let permit = Rc::new(self);
        let (tell, ending) = oneshot::channel();
        let driver = tokio::task::spawn_local(drive(permit.clone(), driver, tell)).abort_handle();
        Wire { sender, driver, ending, permit }
    }

    fn leave(&self, cause: Closing) {
        if self.cause.get().is_none() {
            self.cause.set(Some(cause));
            if let Some(pool) = self.pool.upgrade() {
                pool.leaving.set(pool.leaving.get() + 1);
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(pool) = self.pool.upgrade() else { return };
        pool.open.set(pool.open.get() - 1);
        if let Some(cause) = self.cause.get() {
            pool.leaving.set(pool.leaving.get() - 1);
            let count = &pool.closed[cause as usize];
            count.set(count.get() + u64::from(self.opened.get()));
            pool.left.notify_waiters();
        }
        if !self.inherited.get() {
            pool.admit();
        }
    }
}

/// `connection` is dropped before `permit`, also when the task is aborted: parameters drop in reverse order.
async fn drive(permit: Rc<Permit>, connection: impl Future<Output = Ending>, tell: oneshot::Sender<Ending>) {
    let ending = connection.await;
    // An idle connection's end is the server's doing.
    if let Some(pool) = permit.pool.upgrade() {
        pool.forget(&permit);
    }
    // Whoever uses it has its own error, and asks for this one if it needs it.
    let _ = tell.send(ending);
}

/// An open connection, held by one exchange at a time. Dropped in mid-exchange, it is torn down as an error.
pub(in crate::route) struct Wire {
    pub(in crate::route) sender: SendRequest<Full<Bytes>>,
    pub(super) driver: AbortHandle,
    ending: oneshot::Receiver<Ending>,
    pub(super) permit: Rc<Permit>,
}

impl Wire {
    /// Closes politely: the driver ends by itself once nobody can send.
    pub(in crate::route) fn close(self, cause: Closing) {
        self.permit.leave(cause);
    }

    /// Taken, but nothing was sent on it after all.
    pub(in crate::route) fn was_not_used(self, connection: Connection) {
        let Some(pool) = self.permit.pool.upgrade() else { return };
        if connection == Connection::Reused {
            pool.reused.set(pool.reused.get() - 1);
        }
        pool.release(self, Instant::now());
    }

    /// How it ended, once its socket is closed. To be asked of a broken connection.
    pub(in crate::route) async fn ended(&mut self) -> Ending {
        (&mut self.ending).await.unwrap_or(Ending::Silent)
    }

    /// Taken as kept, but the server had closed it: it served nobody, and its place is for a fresh one. It has
    /// [ended](Self::ended), so that the two are never open together.
    pub(in crate::route) fn was_stale(self, pool: &Rc<Pool>) -> Permit {
        pool.reused.set(pool.reused.get() - 1);
        pool.stale.set(pool.stale.get() + 1);
        self.permit.inherited.set(true);
        self.close(Closing::Server);
        Permit::new(pool)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.permit.cause.get().is_none() {
            self.permit.leave(Closing::Error);
            self.driver.abort();
        }
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl std::fmt::Debug for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Permit")
    }
}

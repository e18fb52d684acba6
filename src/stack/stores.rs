//! Writes to Redis, which no call waits for: how many are under way, and what went wrong with them.
//! Must not know what is written.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::sync::Notify;

use super::CacheError;

#[derive(Debug, Default)]
pub struct Stores {
    under_way: Cell<u32>,
    done: Notify,
    errors: RefCell<Vec<CacheError>>,
}

/// One write, until it is dropped.
pub struct Store(Rc<Stores>);

impl Stores {
    pub fn begin(self: &Rc<Self>) -> Store {
        self.under_way.set(self.under_way.get() + 1);
        Store(Rc::clone(self))
    }

    /// Since the last time.
    pub fn take_errors(&self) -> Vec<CacheError> {
        self.errors.take()
    }

    /// Each write has a timeout of its own.
    pub async fn all_done(&self) {
        while self.under_way.get() > 0 {
            self.done.notified().await;
        }
    }
}

impl Store {
    pub fn failed(&self, error: CacheError) {
        self.0.errors.borrow_mut().push(error);
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
        self.0.done.notify_one();
    }
}

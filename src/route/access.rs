//! One word about a route that all replicas share: whether it is still asked.
//! Must not know who says it, or why.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

#[derive(Debug, Default)]
pub struct Access {
    barred: AtomicBool,
}

impl Access {
    /// From here on nothing is sent that has not been sent: attempts in line for a connection fail as they get one.
    pub fn bar(&self) {
        self.barred.store(true, Relaxed);
    }

    pub fn is_barred(&self) -> bool {
        self.barred.load(Relaxed)
    }
}

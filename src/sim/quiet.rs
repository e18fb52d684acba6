//! When a server has seen all that its clients sent: nobody waits at a door, and nobody is inside.
//! Must not know what was asked.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use super::RouteHandle;

/// The server's listening sockets, once more: whether someone waits there is the kernel's to say.
pub(super) struct Doors(Vec<OwnedFd>);

impl Doors {
    pub(super) fn of<'a, L: AsFd + 'a>(listeners: impl Iterator<Item = &'a L>) -> io::Result<Self> {
        listeners.map(|listener| listener.as_fd().try_clone_to_owned()).collect::<io::Result<_>>().map(Self)
    }

    /// Connections that no worker has accepted yet.
    fn are_waited_at(&self) -> bool {
        let watched = |door: &OwnedFd| libc::pollfd { fd: door.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let mut doors: Vec<libc::pollfd> = self.0.iter().map(watched).collect();
        // SAFETY: poll reads and writes so many of these, and with a timeout of 0 it does not wait.
        unsafe { libc::poll(doors.as_mut_ptr(), doors.len() as libc::nfds_t, 0) != 0 }
    }
}

/// Waits until clients that have closed their connections are seen to have done so, for `patience` at most.
pub(super) fn await_quiet(doors: &Doors, routes: &[RouteHandle], patience: Duration) {
    const LOOK: Duration = Duration::from_millis(1);
    let end = Instant::now() + patience;
    let mut quiet_looks = 0;
    // Twice: one that has just been accepted is for a moment neither at the door nor counted.
    while quiet_looks < 2 && Instant::now() < end {
        let is_quiet = !doors.are_waited_at() && routes.iter().all(|route| route.stats().live == 0);
        quiet_looks = if is_quiet { quiet_looks + 1 } else { 0 };
        std::thread::sleep(LOOK);
    }
}

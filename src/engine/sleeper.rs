//! Wakes users when their think time is over: a thread of its own, since a runtime's timer would let each of them think
//! 1 to 2 ms longer than it should. Must not know users.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Instant;

use tokio::sync::Notify;

use super::pacer::sharpen_sleep;

/// Of one replica.
pub struct Sleeper {
    wishes: mpsc::Sender<Wish>,
}

struct Wish {
    due: Instant,
    bell: Arc<Notify>,
}

impl Sleeper {
    /// The thread ends with it.
    pub fn start() -> io::Result<Self> {
        let (wishes, inbox) = mpsc::channel();
        super::thread("sleeper", move || sleep(&inbox))?;
        Ok(Self { wishes })
    }

    /// Returns at `due`, some 0.1 ms late; `bell` is the caller's own.
    pub async fn until(&self, due: Instant, bell: &Arc<Notify>) {
        if due > Instant::now() && self.wishes.send(Wish { due, bell: bell.clone() }).is_ok() {
            bell.notified().await;
        }
    }
}

fn sleep(inbox: &mpsc::Receiver<Wish>) {
    sharpen_sleep();
    // Numbered, so that wishes for the same moment are kept apart.
    let (mut waiting, mut number) = (BTreeMap::new(), 0_u64);
    loop {
        let wish = match waiting.first_key_value() {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(((due, _), _)) => inbox.recv_timeout(Instant::saturating_duration_since(due, Instant::now())),
        };
        match wish {
            Ok(Wish { due, bell }) => {
                number += 1;
                waiting.insert((due, number), bell);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Instant::now();
        while let Some(first) = waiting.first_entry().filter(|first| first.key().0 <= now) {
            first.remove().notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    /// Tasks run in the order in which they were woken, however late the runtime's own thread is.
    #[tokio::test]
    async fn each_wakes_in_the_order_of_its_due_time_and_never_before_it() {
        let sleeper = Arc::new(Sleeper::start().unwrap());
        let (start, woken) = (Instant::now(), Arc::<Mutex<Vec<u64>>>::default());
        let naps = [150, 50, 100, 0, 50].map(|ms| {
            let (sleeper, woken, due) = (sleeper.clone(), woken.clone(), start + Duration::from_millis(ms));
            tokio::spawn(async move {
                sleeper.until(due, &Arc::default()).await;
                assert!(Instant::now() >= due);
                woken.lock().unwrap().push(ms);
            })
        });
        for nap in naps {
            nap.await.unwrap();
        }
        assert_eq!(*woken.lock().unwrap(), [0, 50, 50, 100, 150]);
    }
}

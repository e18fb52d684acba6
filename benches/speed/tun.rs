//! A wire between two tun devices whose packets this process carries: each late by so much, some of them not at all.
//! For kernels without netem. Must not know addresses.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Instant;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::raw::sharpen_sleep;
use super::wire::Conditions;

/// A device of this name that lives as long as its file, wherever it is moved to.
pub fn device(name: &str) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun")?;
    // SAFETY: an ifreq is plain data, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes one ifreq through a valid pointer.
    match unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &mut request) } {
        0 => Ok(file),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Carries packets both ways until a device is gone.
pub fn carry(one: File, other: File, conditions: Conditions) {
    let (one, other) = (Arc::new(one), Arc::new(other));
    for (seed, (from, to)) in (0..).zip([(one.clone(), other.clone()), (other, one)]) {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || take(&from, &sender, conditions, seed));
        std::thread::spawn(move || deliver(&to, &receiver));
    }
}

type Packet = (Instant, Vec<u8>);

fn take(mut from: &File, on: &Sender<Packet>, conditions: Conditions, seed: u64) {
    let mut rng = SmallRng::seed_from_u64(seed);
    let (mut buffer, mut last) = ([0; 65_536], Instant::now());
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let now = Instant::now();
        if rng.random::<f64>() < conditions.loss {
            continue;
        }
        let jitter = conditions.jitter.mul_f64(rng.random::<f64>() * 2.0);
        // None overtakes another.
        last = last.max(now + conditions.delay - conditions.jitter + jitter);
        if on.send((last, buffer[..length].to_vec())).is_err() {
            return;
        }
    }
}

fn deliver(mut to: &File, packets: &Receiver<Packet>) {
    sharpen_sleep();
    for (due, packet) in packets {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        // A device that is down takes none, as a wire that is cut.
        let _ = to.write(&packet);
    }
}

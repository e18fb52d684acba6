//! A pseudo-terminal with a shell on it that runs one command in the foreground, as a person's shell does: the command
//! is no session leader, so the terminal keeps its modes when the command ends, and Ctrl-Z may stop it.

use std::fs::{File, OpenOptions};
use std::io;
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, ioctl_tiocsctty, kill_process, setsid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcgetpgrp, tcsetwinsize};

/// Runs its arguments, waits for a line while they are stopped, and leaves their exit code in a file. It outlives a
/// closed terminal, and keeps an open one until a line comes.
const SHELL: &str = r#"
trap : HUP
set -m
"$@"
code=$?
while [ "$(kill -l "$code" 2>/dev/null)" = TSTP ]; do
    echo suspended
    read -r line
    fg
    code=$?
done
echo "$code" > exit-code.part && mv exit-code.part exit-code
read -r line
"#;

/// Columns and rows.
pub type Size = (u16, u16);

/// What the terminal was sent, and what it made of it.
pub struct Seen {
    pub parser: vt100::Parser,
    pub bytes: Vec<u8>,
}

pub struct Pty {
    /// Until the terminal is closed.
    master: Option<Arc<OwnedFd>>,
    shell: Child,
    pub seen: Arc<Mutex<Seen>>,
    closing: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Pty {
    pub fn run(command: &[&str], env: &[(&str, &str)], folder: &Path, size: Size) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        tcsetwinsize(&master, winsize(size))?;
        let master = Arc::new(master);
        let shell = shell(&slave(&master)?, command, env, folder)?;
        let (columns, rows) = cells(size);
        let seen = Arc::new(Mutex::new(Seen { parser: vt100::Parser::new(rows, columns, 1000), bytes: Vec::new() }));
        let closing = Arc::new(AtomicBool::new(false));
        let reader = std::thread::spawn({
            let (master, seen, closing) = (master.clone(), seen.clone(), closing.clone());
            move || read(&master, &seen, &closing)
        });
        Ok(Self { master: Some(master), shell, seen, closing, reader: Some(reader) })
    }

    fn master(&self) -> &OwnedFd {
        self.master.as_ref().expect("the terminal is open")
    }

    pub fn send(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let sent = rustix::io::write(self.master(), bytes).expect("the terminal takes keys");
            bytes = &bytes[sent..];
        }
    }

    pub fn resize(&self, size: Size) {
        let (columns, rows) = cells(size);
        // Locked, so that no frame of the new size is read at the old one.
        let mut seen = self.seen.lock().unwrap();
        seen.parser.set_size(rows, columns);
        tcsetwinsize(self.master(), winsize(size)).expect("the terminal can be resized");
    }

    /// All modes and special characters.
    pub fn modes(&self) -> String {
        format!("{:?}", tcgetattr(self.master()).expect("a terminal has modes"))
    }

    /// The command in the foreground; `None` before it has the terminal and after it has ended.
    pub fn foreground(&self) -> Option<Pid> {
        let shell = i64::from(self.shell.id());
        tcgetpgrp(self.master()).ok().filter(|group| i64::from(group.as_raw_nonzero().get()) != shell)
    }

    /// As a terminal's window does when it is closed.
    pub fn close(&mut self) {
        self.closing.store(true, Relaxed);
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.master = None;
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if self.master.is_some() {
            if let Some(command) = self.foreground() {
                // It may have ended just now.
                let _ = kill_process(command, Signal::KILL);
            }
            self.close();
        }
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

fn slave(master: &OwnedFd) -> io::Result<File> {
    let path = ptsname(master, Vec::new())?;
    let path = std::ffi::OsStr::from_bytes(path.as_bytes());
    OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open(path)
}

fn shell(slave: &File, command: &[&str], env: &[(&str, &str)], folder: &Path) -> io::Result<Child> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", SHELL, "sh"]).args(command).current_dir(folder);
    shell.env_remove("NO_COLOR").env("TERM", "xterm-256color").env("COLORTERM", "truecolor");
    shell.envs(env.iter().copied());
    shell.stdin(slave.try_clone()?).stdout(slave.try_clone()?).stderr(slave.try_clone()?);
    // SAFETY: two system calls, which a child may make between fork and exec.
    unsafe {
        shell.pre_exec(|| {
            setsid()?;
            Ok(ioctl_tiocsctty(rustix::stdio::stdin())?)
        });
    }
    shell.spawn()
}

fn read(master: &OwnedFd, seen: &Mutex<Seen>, closing: &AtomicBool) {
    let patience = Timespec::try_from(Duration::from_millis(20)).unwrap();
    let mut buffer = [0; 1 << 14];
    while !closing.load(Relaxed) {
        match poll(&mut [PollFd::new(master, PollFlags::IN)], Some(&patience)) {
            Ok(0) => continue,
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
        // An error: no program has the terminal open any more.
        let Ok(n @ 1..) = rustix::io::read(master, &mut buffer) else { return };
        let mut seen = seen.lock().unwrap();
        seen.parser.process(&buffer[..n]);
        seen.bytes.extend_from_slice(&buffer[..n]);
    }
}

fn winsize((columns, rows): Size) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn cells((columns, rows): Size) -> (NonZeroU16, NonZeroU16) {
    (NonZeroU16::new(columns).unwrap(), NonZeroU16::new(rows).unwrap())
}

//! A real redis-server, and what it counts.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A redis-server of the test's own, on a socket file.
pub struct Server {
    process: Child,
    folder: TempDir,
}

impl Server {
    pub fn start(more: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let socket = folder.path().join("redis.sock");
        let process = spawn(folder.path(), more);
        let server = Self { process, folder };
        until("redis-server answers", || UnixStream::connect(&socket).is_ok());
        server
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// An answer to an inline command, as text.
    pub fn ask(&self, command: &str) -> String {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        write!(stream, "{command}\r\n").unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        reader.read_line(&mut head).unwrap();
        let Some(length) = head.trim().strip_prefix('$') else { return head.trim().to_owned() };
        let mut body = vec![0; length.parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        String::from_utf8(body).unwrap()
    }

    /// How often a command was called, by `INFO commandstats`.
    pub fn calls(&self, command: &str) -> u64 {
        self.stat(command, "calls")
    }

    /// `calls`, `rejected_calls` (before they ran) or `failed_calls` (while they ran) of a command.
    pub fn stat(&self, command: &str, figure: &str) -> u64 {
        let stats = self.ask("INFO commandstats");
        let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:")));
        let found =
            line.into_iter().flat_map(|line| line.split(',')).find_map(|pair| pair.strip_prefix(&format!("{figure}=")));
        found.map_or(0, |number| number.parse().unwrap())
    }

    pub fn signal(&self, signal: libc::c_int) {
        // SAFETY: plain system call on a child that has not been waited for.
        assert_eq!(unsafe { libc::kill(self.process.id() as libc::pid_t, signal) }, 0);
    }

    /// Killed, and another one is there in its place.
    pub fn start_anew(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.process = spawn(self.folder.path(), &[]);
        let socket = self.socket();
        until("redis-server answers again", || UnixStream::connect(&socket).is_ok());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(folder: &Path, more: &[&str]) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(folder.join("redis.sock"));
    let process = command.args(more).current_dir(folder).stdout(Stdio::null()).spawn();
    process.expect("these tests need redis-server on PATH (Debian: apt-get install redis-server)")
}

#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

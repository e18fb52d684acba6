//! A private redis-server for one run: started on a unix socket, bounded in memory, gone with us.
//! Must not know what is kept in it (`redis_tier`).
//!
//! ```text
//! <temp dir>/gatebench-redis-XXXXXX/   only its owner may enter
//!   lock         held (flock) while its owner lives; free: the directory was left over
//!   redis.sock   where the server listens
//!   redis.log    what it said
//! ```

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

/// redis-server under its names; distributions without Redis ship Valkey, which speaks the same.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

const PREFIX: &str = "gatebench-redis-";

/// Longest time to answer the first PING.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// A directory this young may still be without its lock.
const YOUNG: Duration = Duration::from_secs(10);

/// A unix socket's path may have 104 bytes on macOS, 108 on Linux, with the final zero.
const LONGEST_SOCKET_PATH: usize = 103;

#[derive(Debug, thiserror::Error)]
pub enum ManagedRedisError {
    #[error(
        "stack.cache.redis.url = \"managed\" needs redis-server, which is not installed; install it \
         (Debian, Ubuntu: sudo apt-get install redis-server; macOS: brew install redis; Arch: sudo pacman -S valkey) \
         or leave the tier out: remove `redis` from [stack.cache]"
    )]
    NotInstalled,
    #[error("cannot make a directory for redis-server under {}: {source}", parent.display())]
    Directory { parent: PathBuf, source: io::Error },
    #[error("cannot start {program}: {source}")]
    Spawn { program: String, source: io::Error },
    #[error("redis-server ended at once ({status}); it said: {log}")]
    Ended { status: ExitStatus, log: String },
    #[error("redis-server did not answer within {} s; it said: {log}", START_TIMEOUT.as_secs())]
    Silent { log: String },
}

/// A running server; dropping it ends the server and removes its directory.
#[derive(Debug)]
pub struct ManagedRedis {
    child: Child,
    directory: TempDir,
    /// Held for the kernel to release when we die, however that comes about.
    _lock: File,
    /// Lets the thread that started the server go.
    _parent: mpsc::Sender<()>,
}

impl ManagedRedis {
    /// Starts the server and waits until it answers. Blocks, for some milliseconds.
    pub fn start() -> Result<Self, ManagedRedisError> {
        Self::start_one_of(&PROGRAMS)
    }

    fn start_one_of(programs: &[&str]) -> Result<Self, ManagedRedisError> {
        let parent = parent_directory();
        sweep(&parent);
        let failed = |source| ManagedRedisError::Directory { parent: parent.clone(), source };
        let (directory, lock) = private_directory(&parent).map_err(failed)?;
        let log = File::create(directory.path().join("redis.log")).map_err(failed)?;
        let (child, parent) = spawn_first(programs, directory.path(), &log)?;
        let mut server = Self { child, directory, _lock: lock, _parent: parent };
        server.wait_until_it_answers()?;
        Ok(server)
    }

    /// `unix:///...`
    pub fn url(&self) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
        let write = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        let path: String = self.socket().as_os_str().as_bytes().iter().copied().map(write).collect();
        format!("unix://{path}")
    }

    /// Whether the server still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn socket(&self) -> PathBuf {
        socket_in(self.directory.path())
    }

    fn wait_until_it_answers(&mut self) -> Result<(), ManagedRedisError> {
        let end = Instant::now() + START_TIMEOUT;
        while Instant::now() < end {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(ManagedRedisError::Ended { status, log: self.last_words() });
            }
            if ask(&self.socket(), "PING\r\n").is_ok_and(|reply| reply.starts_with("+PONG")) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err(ManagedRedisError::Silent { log: self.last_words() })
    }

    /// The end of the log, on one line.
    fn last_words(&self) -> String {
        let log = fs::read(self.directory.path().join("redis.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<_> = text.lines().rev().map(str::trim).filter(|line| !line.is_empty()).take(3).collect();
        if lines.is_empty() { "nothing".into() } else { lines.into_iter().rev().collect::<Vec<_>>().join("; ") }
    }
}

impl Drop for ManagedRedis {
    fn drop(&mut self) {
        // Nothing is to be saved, and SIGKILL ends a stopped server too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The temp dir, or /tmp where the temp dir's path is too long for a socket in it.
fn parent_directory() -> PathBuf {
    let usual = std::env::temp_dir();
    let length = socket_in(&usual.join(format!("{PREFIX}XXXXXX"))).as_os_str().len();
    if length <= LONGEST_SOCKET_PATH { usual } else { "/tmp".into() }
}

fn socket_in(directory: &Path) -> PathBuf {
    directory.join("redis.sock")
}

/// A new directory for its owner alone, and its lock, held.
fn private_directory(parent: &Path) -> io::Result<(TempDir, File)> {
    let owner_only = fs::Permissions::from_mode(0o700);
    let directory = tempfile::Builder::new().prefix(PREFIX).permissions(owner_only).tempdir_in(parent)?;
    let lock = File::create(directory.path().join("lock"))?;
    try_lock(&lock)?;
    Ok((directory, lock))
}

fn try_lock(file: &File) -> io::Result<()> {
    // SAFETY: flock takes any descriptor, and `file` keeps this one open.
    match unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Removes what owners left that were killed before they could: directories whose lock is free, and the server of
/// one where the kernel did not end it with its owner (macOS). Whatever cannot be removed stays.
fn sweep(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let path = entry.path();
        if is_left_over(&entry) {
            let _ = ask(&socket_in(&path), "SHUTDOWN NOSAVE\r\n");
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn is_left_over(entry: &fs::DirEntry) -> bool {
    let Ok(metadata) = entry.metadata() else { return false };
    let age = metadata.modified().ok().and_then(|made| SystemTime::now().duration_since(made).ok());
    metadata.is_dir()
        && age.is_some_and(|age| age > YOUNG)
        && File::open(entry.path().join("lock")).is_ok_and(|lock| try_lock(&lock).is_ok())
}

/// The first of the programs that is installed, and what keeps the thread alive that is its parent.
fn spawn_first(
    programs: &[&str],
    directory: &Path,
    log: &File,
) -> Result<(Child, mpsc::Sender<()>), ManagedRedisError> {
    for program in programs {
        match command(program, directory, log).and_then(spawn_from_lasting_thread) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(ManagedRedisError::Spawn { program: (*program).to_owned(), source }),
            Ok(started) => return Ok(started),
        }
    }
    Err(ManagedRedisError::NotInstalled)
}

fn command(program: &str, directory: &Path, log: &File) -> io::Result<Command> {
    let mut command = Command::new(program);
    command
        .args(["--port", "0", "--unixsocketperm", "700", "--daemonize", "no", "--save", "", "--appendonly", "no"])
        .args(["--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru"])
        .arg("--unixsocket")
        .arg(socket_in(directory))
        .arg("--dir")
        .arg(directory)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        // A group of its own: Ctrl-C at the terminal is for us, and the server must outlive the draining.
        .process_group(0);
    Ok(command)
}

/// PDEATHSIG fires when the *thread* that spawned the child ends. So that any thread may start a server, one is made
/// for it, which waits until the server is dropped.
fn spawn_from_lasting_thread(mut command: Command) -> io::Result<(Child, mpsc::Sender<()>)> {
    die_with_us(&mut command);
    let (give_child, child) = mpsc::sync_channel(1);
    let (parent, until_dropped) = mpsc::channel::<()>();
    thread::Builder::new().name("managed-redis".into()).spawn(move || {
        let _ = give_child.send(command.spawn());
        let _ = until_dropped.recv();
    })?;
    let child = child.recv().map_err(io::Error::other)??;
    Ok((child, parent))
}

#[cfg(target_os = "linux")]
fn die_with_us(command: &mut Command) {
    let us = std::process::id();
    let tie = move || {
        // SAFETY: prctl with PR_SET_PDEATHSIG only sets a number of this process.
        if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // We may have died before the signal was set; then nobody waits for this error.
        if std::os::unix::process::parent_id() != us {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        Ok(())
    };
    // SAFETY: between fork and exec `tie` makes two system calls and allocates nothing.
    unsafe { command.pre_exec(tie) };
}

/// Elsewhere the kernel has no such tie: a server left by a killed owner ends at the next start (`sweep`).
#[cfg(not(target_os = "linux"))]
fn die_with_us(_: &mut Command) {}

/// Sends one inline command and returns the beginning of the reply.
pub(super) fn ask(socket: &Path, command: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    stream.set_write_timeout(Some(Duration::from_millis(500)))?;
    stream.write_all(command.as_bytes())?;
    let mut reply = [0; 128];
    let length = stream.read(&mut reply)?;
    Ok(String::from_utf8_lossy(&reply[..length]).into_owned())
}

#[cfg(test)]
mod tests;

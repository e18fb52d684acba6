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
mod tests {
    use super::*;

    /// Whether a process runs; a zombie, which nobody may ever reap, does not.
    #[cfg(target_os = "linux")]
    fn is_running(pid: u32) -> bool {
        fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
    }

    fn eventually(mut condition: impl FnMut() -> bool) -> bool {
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            if condition() {
                return true;
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }

    #[test]
    fn a_server_answers_on_a_private_socket_and_goes_without_a_trace() {
        let server = ManagedRedis::start().unwrap();
        let (socket, directory) = (server.socket(), server.directory.path().to_owned());
        assert_eq!(server.url(), format!("unix://{}", socket.display()));
        assert_eq!(ask(&socket, "PING\r\n").unwrap(), "+PONG\r\n");
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        drop(server);
        assert!(ask(&socket, "PING\r\n").is_err());
        assert!(!directory.exists());
    }

    #[test]
    fn a_server_listens_on_no_port_saves_nothing_and_is_bounded() {
        let server = ManagedRedis::start().unwrap();
        let setting = |name: &str| ask(&server.socket(), &format!("CONFIG GET {name}\r\n")).unwrap();
        for (name, value) in [
            ("port", "\r\n0\r\n"),
            ("save", "\r\n$0\r\n\r\n"),
            ("appendonly", "\r\nno\r\n"),
            ("maxmemory", "\r\n268435456\r\n"),
            ("maxmemory-policy", "\r\nallkeys-lru\r\n"),
        ] {
            assert!(setting(name).ends_with(value), "{name}: {:?}", setting(name));
        }
    }

    #[test]
    fn servers_do_not_share_a_directory() {
        let (one, other) = (ManagedRedis::start().unwrap(), ManagedRedis::start().unwrap());
        assert_ne!(one.url(), other.url());
        assert_ne!(one.pid(), other.pid());
    }

    #[test]
    fn a_missing_server_is_said_with_the_way_to_install_it_or_to_do_without() {
        let error = ManagedRedis::start_one_of(&["gatebench-no-such-server"]).unwrap_err().to_string();
        for hint in ["apt-get install redis-server", "brew install redis", "pacman -S valkey", "remove `redis`"] {
            assert!(error.contains(hint), "{error}");
        }
    }

    #[test]
    fn the_next_name_is_tried_where_the_first_is_not_installed() {
        assert!(ManagedRedis::start_one_of(&["gatebench-no-such-server", "redis-server"]).is_ok());
    }

    #[test]
    fn a_program_that_ends_at_once_is_an_error() {
        let error = ManagedRedis::start_one_of(&["false"]).unwrap_err();
        assert!(matches!(error, ManagedRedisError::Ended { .. }), "{error}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_server_is_in_a_process_group_of_its_own() {
        let server = ManagedRedis::start().unwrap();
        // SAFETY: getpgid reads a number of a process.
        let group = unsafe { libc::getpgid(server.pid() as libc::pid_t) };
        assert_eq!(group, server.pid() as libc::pid_t);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_server_outlives_the_thread_that_asked_for_it() {
        let server = thread::spawn(ManagedRedis::start).join().unwrap().unwrap();
        thread::sleep(Duration::from_millis(50));
        assert!(is_running(server.pid()));
    }

    fn age(directory: &Path) {
        File::open(directory).unwrap().set_modified(SystemTime::now() - 2 * YOUNG).unwrap();
    }

    #[test]
    fn only_old_directories_with_a_free_lock_are_swept() {
        let parent = tempfile::tempdir().unwrap();
        let make = |name: &str, files: &[&str]| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            for file in files {
                File::create(path.join(file)).unwrap();
            }
            path
        };
        let stale = make("gatebench-redis-stale", &["lock", "redis.log"]);
        let held = make("gatebench-redis-held", &["lock"]);
        let lockless = make("gatebench-redis-lockless", &[]);
        let foreign = make("somebody-elses", &["lock"]);
        let young = make("gatebench-redis-young", &["lock"]);
        let lock = File::open(held.join("lock")).unwrap();
        try_lock(&lock).unwrap();
        [&stale, &held, &lockless, &foreign].into_iter().for_each(|directory| age(directory));
        sweep(parent.path());
        assert!(!stale.exists());
        assert!([held, lockless, foreign, young].iter().all(|directory| directory.exists()));
    }

    #[test]
    fn a_server_whose_owner_is_gone_is_ended_by_the_sweep() {
        let mut server = ManagedRedis::start().unwrap();
        // As if the owner had been killed where the kernel does not end the server with it.
        server._lock = File::open("/dev/null").unwrap();
        age(server.directory.path());
        let parent = server.directory.path().parent().unwrap().to_owned();
        // More than once, since a process being spawned by another test may hold a copy of the lock for a moment.
        assert!(eventually(|| {
            sweep(&parent);
            server.child.try_wait().unwrap().is_some()
        }));
        assert!(eventually(|| !server.directory.path().exists()));
    }

    /// The owner that the next test kills.
    #[test]
    #[ignore = "a process of the next test's"]
    fn an_owner_that_waits_to_be_killed() {
        if let Some(note) = std::env::var_os("GATEBENCH_TEST_NOTE") {
            let server = ManagedRedis::start().unwrap();
            let whole = Path::new(&note).with_extension("part");
            fs::write(&whole, format!("{} {}", server.pid(), server.directory.path().display())).unwrap();
            fs::rename(whole, note).unwrap();
            thread::sleep(Duration::from_secs(60));
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_server_dies_with_an_owner_that_is_killed() {
        let place = tempfile::tempdir().unwrap();
        let note = place.path().join("note");
        let mut owner = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "stack::managed_redis::tests::an_owner_that_waits_to_be_killed"])
            .env("GATEBENCH_TEST_NOTE", &note)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let noted = eventually(|| note.exists());
        let is_owner_alive_and_well = owner.try_wait().unwrap().is_none();
        owner.kill().unwrap();
        owner.wait().unwrap();
        assert!(noted && is_owner_alive_and_well);
        let text = fs::read_to_string(&note).unwrap();
        let (pid, directory) = text.split_once(' ').unwrap();
        let pid = pid.parse().unwrap();
        assert!(eventually(|| !is_running(pid)), "redis-server {pid} outlived its owner");
        fs::remove_dir_all(directory).unwrap();
    }
}

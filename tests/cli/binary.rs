//! The binary at work, and a simulator of it to talk to.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// 1,000 calls in a second. The few that reach the model are slow, so that a generator which a busy machine delays is
/// still found valid: up to 10 calls may be late, or all of them by 20 ms (5% of 400 ms).
pub const SHORT: &str = r#"
[load]
mode = "closed"
users = 4
requests = 1000
warmup = "0s"

[workload]
prompts = { kind = "zipf", distinct = 4 }

[stack.cache]
local = {}

[routes.gateway]
simulate = { preset = "local", ttft = "400ms" }
"#;

/// In the folder that a command runs in, so that none meets the cache of whoever runs the tests.
pub const CACHE: (&str, &str) = ("GATEBENCH_CACHE_DIR", "cache");

/// Runs that have to be valid have the processors to themselves.
static PROCESSORS: RwLock<()> = RwLock::new(());

/// What a finished command left behind.
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not JSON ({error}): {}\nstderr: {}", self.stdout, self.stderr))
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Ran to its end, on however busy a machine: where the exit code is not the point.
    #[track_caller]
    pub fn ran(self) -> Self {
        if self.code == 3 { self } else { self.exits(0) }
    }

    /// Refused as bad input: nothing on stdout, each of the words on stderr.
    #[track_caller]
    pub fn refused_with(self, words: &[&str]) {
        let done = self.exits(2);
        assert_eq!(done.stdout, "");
        done.stderr_has(words);
    }

    #[track_caller]
    pub fn stderr_has(&self, words: &[&str]) {
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not in stderr: {}", self.stderr);
        }
    }
}

/// A folder of its own, with profiles in it.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn with(profile: &str) -> Self {
        let folder = Self::new();
        std::fs::write(folder.path("profile.toml"), profile).unwrap();
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn read_json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// As [`Folder::run`], alone, and again while a busy machine makes the run invalid all the same.
    pub fn run_validly<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Done {
        self.run_validly_with(args, |_| {})
    }

    pub fn run_validly_with<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        prepare: impl Fn(&mut assert_cmd::Command),
    ) -> Done {
        let args: Vec<S> = args.into_iter().collect();
        let _alone = PROCESSORS.write().unwrap_or_else(PoisonError::into_inner);
        let mut done = self.output(&args, &prepare);
        for _ in 0..5 {
            if done.code != 3 || !done.stdout.contains("the generator was the bottleneck") {
                break;
            }
            done = self.output(&args, &prepare);
        }
        done
    }

    /// Runs gatebench here to its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Done {
        self.run_with(args, |_| {})
    }

    pub fn run_with<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        prepare: impl FnOnce(&mut assert_cmd::Command),
    ) -> Done {
        let _together = PROCESSORS.read().unwrap_or_else(PoisonError::into_inner);
        self.output(args, prepare)
    }

    fn output<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        prepare: impl FnOnce(&mut assert_cmd::Command),
    ) -> Done {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_gatebench"));
        command.current_dir(self.0.path()).args(args).env(CACHE.0, CACHE.1).timeout(Duration::from_secs(60));
        // Where the tests run may be a step with a page of its own.
        command.env_remove("GITHUB_STEP_SUMMARY").env_remove("GATEBENCH_BASELINE_DIR");
        prepare(&mut command);
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().expect("gatebench ends by itself, in time");
        Done { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Starts gatebench here, to be signalled.
    pub fn spawn(&self, args: &[&str]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatebench"));
        command.current_dir(self.0.path()).args(args).env(CACHE.0, CACHE.1).stdin(Stdio::null());
        command.env_remove("GITHUB_STEP_SUMMARY");
        Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }
}

/// Killed when it is dropped.
pub struct Running(Child);

impl Running {
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    pub fn signal(&self, signal: libc::c_int) {
        // SAFETY: plain system call on a child that has not been waited for.
        assert_eq!(unsafe { libc::kill(self.0.id() as libc::pid_t, signal) }, 0);
    }

    /// Its end, and how long that took.
    pub fn wait(&mut self) -> (ExitStatus, Duration) {
        let start = Instant::now();
        let mut status = None;
        until("gatebench ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        (status.unwrap(), start.elapsed())
    }

    /// The next line, once it is there. What follows it may be lost.
    pub fn next_on_stderr(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        line
    }

    pub fn stdout(&mut self) -> String {
        let mut text = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asked to end, so that it takes its files with it.
impl Drop for Sim {
    fn drop(&mut self) {
        let running = &mut self.running.0;
        if matches!(running.try_wait(), Ok(None)) {
            // SAFETY: plain system call on a child that has not been waited for.
            unsafe { libc::kill(running.id() as libc::pid_t, libc::SIGTERM) };
            let _ = running.wait();
        }
    }
}

#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// `gatebench sim` with one route.
pub struct Sim {
    pub running: Running,
    pub base_url: String,
    pub ca_file: PathBuf,
    address: String,
}

impl Sim {
    pub fn start(folder: &Folder, args: &[&str]) -> Self {
        let mut running = folder.spawn(&[&["sim"], args].concat());
        let mut line = String::new();
        BufReader::new(running.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no announcement: {line:?}"));
        let base_url = said["base_url"].as_str().unwrap().to_owned();
        let address = base_url.split("://").nth(1).unwrap().trim_end_matches("/v1").to_owned();
        assert!(said["name"].is_string());
        Self { running, base_url, address, ca_file: Path::new(said["ca_file"].as_str().unwrap()).to_owned() }
    }

    pub fn stats(&self) -> Value {
        serde_json::from_str(&self.ask("GET /sim/stats", "").1).unwrap()
    }

    pub fn requests(&self) -> u64 {
        self.stats()["requests"].as_u64().unwrap()
    }

    /// Status and body of a request, by hand: no HTTP library of ours has a part in it.
    pub fn ask(&self, method_and_path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method_and_path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }
}

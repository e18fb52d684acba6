//! The real binary on a pseudo-terminal of its own: keys in, pictures out.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::picture::Picture;
use crate::pty::{Pty, Size};

/// For a busy machine; nothing is waited for longer than it takes.
const PATIENCE: Duration = Duration::from_secs(30);
const WHOLE: Size = (120, 36);

/// The quickstart counted from the first call, and without the 429s it plans.
pub const STEADY: [&str; 6] =
    ["tui", "quickstart", "--set", "load.warmup=\"0s\"", "--set", "routes.gateway.simulate.faults=[]"];

pub struct Workbench {
    pty: Pty,
    folder: TempDir,
    modes_before: String,
    /// The process, once it has the screen.
    pid: Option<Pid>,
}

/// What a session left behind.
pub struct Left {
    pub code: i32,
    /// The terminal's modes before and after.
    pub modes: [String; 2],
    pub picture: Picture,
    pub bytes: Vec<u8>,
}

impl Workbench {
    #[track_caller]
    pub fn start(args: &[&str]) -> Self {
        Self::start_with(args, WHOLE, &[])
    }

    /// Returns when calls have been answered.
    #[track_caller]
    pub fn start_with(args: &[&str], size: Size, env: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let command = [&[env!("CARGO_BIN_EXE_gatebench")], args].concat();
        let env = [&[("GATEBENCH_CACHE_DIR", "cache")], env].concat();
        let pty = Pty::run(&command, &env, folder.path(), size).unwrap();
        let modes_before = pty.modes();
        let mut workbench = Self { pty, folder, modes_before, pid: None };
        workbench.until("calls are answered", |picture| {
            picture.taken().len() == 4 && picture.panel("Served by").share("local").is_some()
        });
        workbench.pid = workbench.pty.foreground();
        workbench
    }

    /// As they are written: `jjl`, with `<Enter>` and the like for those that are no character.
    pub fn press(&self, keys: &str) {
        let mut rest = keys;
        while let Some(c) = rest.chars().next() {
            let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
            let (bytes, taken) = match named {
                Some((name, _)) => (key(name).to_owned(), name.len() + 2),
                None => (c.to_string(), c.len_utf8()),
            };
            self.pty.send(bytes.as_bytes());
            rest = &rest[taken..];
        }
    }

    pub fn picture(&self) -> Picture {
        Picture(self.seen().parser.screen().clone())
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, crate::pty::Seen> {
        self.pty.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a screen that is as wished.
    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl Fn(&Picture) -> bool) -> Picture {
        let mut last = self.picture();
        let seen = wait(|| {
            last = self.picture();
            is_so(&last)
        });
        assert!(seen, "not seen: {what}\n{}", last.text());
        last
    }

    /// Bytes the terminal was sent so far.
    pub fn sent(&self) -> usize {
        self.seen().bytes.len()
    }

    pub fn resize(&self, size: Size) {
        self.pty.resize(size);
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub fn pid(&self) -> Pid {
        self.pid.expect("the workbench has the terminal")
    }

    pub fn modes(&self) -> String {
        self.pty.modes()
    }

    pub fn modes_before(&self) -> &str {
        &self.modes_before
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Files of the working directory with this ending.
    pub fn files(&self, ending: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == ending)).collect()
    }

    /// The command line beside the workbench, in its directory.
    pub fn beside(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_gatebench")).args(args).current_dir(self.folder()).output().unwrap()
    }

    #[track_caller]
    pub fn quit(self) -> Left {
        self.press("q");
        self.left()
    }

    /// Waits for the end.
    #[track_caller]
    pub fn left(self) -> Left {
        let code = self.exit_code();
        let modes = [self.modes_before.clone(), self.pty.modes()];
        // All that was written before the end is read by now or in the buffer: a shell's echo comes after it.
        self.pty.send(b"all read\n");
        self.until("the last line", |picture| picture.has("all read"));
        let picture = self.picture();
        let bytes = std::mem::take(&mut self.seen().bytes);
        Left { code, modes, picture, bytes }
    }

    /// Closes the terminal's window, and waits for the end.
    #[track_caller]
    pub fn close(mut self) {
        let pid = self.pid();
        self.pty.close();
        // Nobody may be there to bury it.
        assert!(wait(|| matches!(state(pid), None | Some('Z'))), "process {pid} goes on");
    }

    #[track_caller]
    fn exit_code(&self) -> i32 {
        let path = self.folder.path().join("exit-code");
        let has_ended = wait(|| path.exists());
        assert!(has_ended, "it does not end\n{}", self.picture().text());
        std::fs::read_to_string(path).unwrap().trim().parse().unwrap()
    }
}

/// A test that fails leaves no load behind.
impl Drop for Workbench {
    fn drop(&mut self) {
        if let Some(pid) = self.pid.filter(|pid| state(*pid).is_some_and(|state| state != 'Z')) {
            // It may have ended just now.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

impl Left {
    /// The terminal is as it was before.
    #[track_caller]
    pub fn gave_the_terminal_back(&self) {
        assert_eq!(self.picture.taken(), [""; 0], "{}", self.picture.text());
        assert_eq!(self.modes[1], self.modes[0]);
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

fn wait(mut is_so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// Of a process, as `ps` tells it.
pub fn state(pid: Pid) -> Option<char> {
    let ps = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().expect("ps runs");
    String::from_utf8_lossy(&ps.stdout).trim().chars().next()
}

fn key(name: &str) -> &'static str {
    match name {
        "Enter" => "\r",
        "C-z" => "\x1a",
        "Esc" => "\x1b",
        other => panic!("no key is named {other}"),
    }
}

//! The terminal: taken for the screen, and given back as it was, whatever ends the program.
//! Must not know what is drawn.

use std::io::{self, Stdout, Write, stdout};
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::style::Print;
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

pub type Screen = Terminal<CrosstermBackend<io::BufWriter<Stdout>>>;

/// xterm's stack of window titles.
const KEEP_TITLE: &str = "\x1b[22;2t";
const RESTORE_TITLE: &str = "\x1b[23;2t";
/// A session that ends by itself has ended by then: it awaits calls in flight for 2 s.
const LEAVES: Duration = Duration::from_secs(4);

static TAKEN: AtomicBool = AtomicBool::new(false);
/// What panics of other threads said while the screen was taken: told when it is given back.
static UNTOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The terminal while it is ours. Dropped, it is as it was before.
pub struct Guard(());

impl Guard {
    pub fn take(title: &str) -> io::Result<(Self, Screen)> {
        enable_raw_mode()?;
        leave_when_gone();
        // From here on a drop gives it back, an error below included.
        TAKEN.store(true, SeqCst);
        let guard = Self(());
        enter(title)?;
        let screen = Terminal::new(CrosstermBackend::new(io::BufWriter::with_capacity(1 << 16, stdout())))?;
        Ok((guard, screen))
    }

    /// To the shell and back: returns when the shell brings the program to the foreground.
    pub fn suspend(&self, title: &str) -> io::Result<()> {
        give_back();
        // SAFETY: raising a signal touches no memory; the default of SIGTSTP stops the process.
        unsafe { libc::raise(libc::SIGTSTP) };
        enable_raw_mode()?;
        TAKEN.store(true, SeqCst);
        enter(title)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter(title: &str) -> io::Result<()> {
    execute!(
        stdout(),
        Print(KEEP_TITLE),
        EnterAlternateScreen,
        SetTitle(title),
        EnableMouseCapture,
        EnableBracketedPaste,
        cursor::Hide
    )
}

fn give_back() {
    if TAKEN.swap(false, SeqCst) {
        // Nothing can be done about a terminal that is gone.
        let _ = execute!(
            stdout(),
            EndSynchronizedUpdate,
            DisableBracketedPaste,
            DisableMouseCapture,
            LeaveAlternateScreen,
            Print(RESTORE_TITLE),
            cursor::Show
        );
        let _ = disable_raw_mode();
        for said in std::mem::take(&mut *UNTOLD.lock().unwrap_or_else(|poisoned| poisoned.into_inner())) {
            let _ = writeln!(io::stderr(), "{said}");
        }
    }
}

/// Ends the process some time after its terminal was closed. crossterm reads a closed terminal in a loop without end, in
/// which neither keys nor signals reach the session: load must not go on unseen.
fn leave_when_gone() {
    std::thread::spawn(|| {
        let mut terminal = libc::pollfd { fd: libc::STDIN_FILENO, events: 0, revents: 0 };
        // A hang-up need not wake who waits for nothing else. An error is an interruption.
        // SAFETY: poll writes to the one pollfd it is given.
        while unsafe { libc::poll(&raw mut terminal, 1, 1000) } <= 0 {}
        std::thread::sleep(LEAVES);
        std::process::exit(143);
    });
}

/// A panic on this thread gives the terminal back before it speaks; one on another thread waits with its words, so
/// that they do not cover the screen.
pub fn tame_panics() {
    let screen_thread = std::thread::current().id();
    let speak = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == screen_thread {
            give_back();
            speak(info);
        } else if TAKEN.load(SeqCst) {
            let name = std::thread::current().name().unwrap_or("unnamed").to_owned();
            let mut untold = UNTOLD.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            untold.push(format!("thread '{name}': {info}"));
        } else {
            speak(info);
        }
    }));
}

//! The terminal: taken for the screen, and given back as it was, whatever ends the program.
//! Must not know what is drawn.

use std::io::{self, Stdout, Write, stdout};
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

pub type Screen = Terminal<CrosstermBackend<io::BufWriter<Stdout>>>;

static TAKEN: AtomicBool = AtomicBool::new(false);
/// What panics of other threads said while the screen was taken: told when it is given back.
static UNTOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The terminal while it is ours. Dropped, it is as it was before.
pub struct Guard(());

impl Guard {
    pub fn take(title: &str) -> io::Result<(Self, Screen)> {
        enable_raw_mode()?;
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
    execute!(stdout(), EnterAlternateScreen, SetTitle(title), EnableMouseCapture, EnableBracketedPaste, cursor::Hide)
}

fn give_back() {
    if TAKEN.swap(false, SeqCst) {
        // Nothing can be done about a terminal that is gone.
        let _ = execute!(stdout(), DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
        for said in std::mem::take(&mut *UNTOLD.lock().unwrap_or_else(|poisoned| poisoned.into_inner())) {
            let _ = writeln!(io::stderr(), "{said}");
        }
    }
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

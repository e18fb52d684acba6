//! Which key asks for what: one table, of which the footer and the help are made. Must not know what a command does.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::command::{Command, Pane, Screen};

/// Where a binding holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Everywhere,
    /// The Live screen, with any pane in focus but Events.
    Settings,
    /// The list of events, as a pane or as the Log screen.
    Events,
    Epochs,
    Compare,
}

impl Place {
    pub fn of(screen: Screen, focus: Pane) -> Self {
        match (screen, focus) {
            (Screen::Epochs, _) => Self::Epochs,
            (Screen::Compare, _) => Self::Compare,
            (Screen::Log, _) | (Screen::Live, Pane::Events) => Self::Events,
            _ => Self::Settings,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const fn key(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::NONE }
}

const fn char(c: char) -> Key {
    key(KeyCode::Char(c))
}

const fn shift(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::SHIFT }
}

const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), modifiers: KeyModifiers::CONTROL }
}

impl Key {
    /// Terminals differ in whether a capital comes with Shift.
    fn of(event: KeyEvent) -> Self {
        let Key { code, mut modifiers } = Self { code: event.code, modifiers: event.modifiers };
        if matches!(code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code, modifiers }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            f.write_str("Shift-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.modifiers.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", c.to_ascii_uppercase())
            }
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            code => write!(f, "{code}"),
        }
    }
}

pub struct Binding {
    pub keys: &'static [Key],
    pub place: Place,
    pub command: Command,
    /// For the footer; empty: not there.
    pub word: &'static str,
    /// For the help and the palette.
    pub about: &'static str,
}

const fn bind(
    keys: &'static [Key],
    place: Place,
    command: Command,
    word: &'static str,
    about: &'static str,
) -> Binding {
    Binding { keys, place, command, word, about }
}

use Command::*;
use Place::{Compare, Epochs, Events, Everywhere, Settings};

/// In the order of the help. The first key is the one that is shown.
#[rustfmt::skip]
pub static BINDINGS: &[Binding] = &[
    bind(&[char('j'), key(KeyCode::Down)], Settings, Down, "setting", "the next setting"),
    bind(&[char('k'), key(KeyCode::Up)], Settings, Up, "", "the setting before"),
    bind(&[key(KeyCode::PageDown), ctrl('d')], Settings, PageDown, "", "ten settings on"),
    bind(&[key(KeyCode::PageUp), ctrl('u')], Settings, PageUp, "", "ten settings back"),
    bind(&[char('g'), key(KeyCode::Home)], Settings, First, "", "the first setting"),
    bind(&[char('G'), key(KeyCode::End)], Settings, Last, "", "the last setting"),
    bind(&[char('l'), key(KeyCode::Right)], Settings, StepUp, "step", "one step up, or the next choice"),
    bind(&[char('h'), key(KeyCode::Left)], Settings, StepDown, "", "one step down, or the choice before"),
    bind(&[char('L'), shift(KeyCode::Right)], Settings, LeapUp, "", "ten steps up"),
    bind(&[char('H'), shift(KeyCode::Left)], Settings, LeapDown, "", "ten steps down"),
    bind(&[key(KeyCode::Enter)], Settings, Edit, "type", "type a value, or switch"),
    bind(&[char('[')], Settings, HopEarlier, "", "move a fallback hop forward in the chain"),
    bind(&[char(']')], Settings, HopLater, "", "move a fallback hop back in the chain"),
    bind(&[char('e')], Settings, Zoom, "zoom", "show the pane in focus alone, or all again"),

    bind(&[char('j'), key(KeyCode::Down)], Events, Down, "scroll", "later events"),
    bind(&[char('k'), key(KeyCode::Up)], Events, Up, "", "earlier events"),
    bind(&[key(KeyCode::PageDown), ctrl('d')], Events, PageDown, "", "ten events on"),
    bind(&[key(KeyCode::PageUp), ctrl('u')], Events, PageUp, "", "ten events back"),
    bind(&[char('g'), key(KeyCode::Home)], Events, First, "", "the first event kept"),
    bind(&[char('G'), key(KeyCode::End)], Events, Last, "newest", "the newest event, and follow"),
    bind(&[char('e')], Events, Zoom, "", "show the events alone, or all again"),

    bind(&[char('j'), key(KeyCode::Down)], Epochs, Down, "epoch", "the next epoch"),
    bind(&[char('k'), key(KeyCode::Up)], Epochs, Up, "", "the epoch before"),
    bind(&[key(KeyCode::PageDown), ctrl('d')], Epochs, PageDown, "", "ten epochs on"),
    bind(&[key(KeyCode::PageUp), ctrl('u')], Epochs, PageUp, "", "ten epochs back"),
    bind(&[char('g'), key(KeyCode::Home)], Epochs, First, "", "the first epoch"),
    bind(&[char('G'), key(KeyCode::End)], Epochs, Last, "", "the epoch under way"),
    bind(&[key(KeyCode::Enter)], Epochs, GoBack, "use", "go back to the chosen epoch's settings"),

    bind(&[key(KeyCode::Enter)], Compare, Begin, "begin", "compare now: the load pauses meanwhile, and goes on after it"),
    bind(&[char('c')], Compare, Subject, "what", "compare the profile's arms, or the settings as opened with those as tuned"),
    bind(&[char('j'), key(KeyCode::Down)], Compare, Down, "metric", "the next metric"),
    bind(&[char('k'), key(KeyCode::Up)], Compare, Up, "", "the metric before"),
    bind(&[key(KeyCode::PageDown), ctrl('d')], Compare, PageDown, "", "ten metrics on"),
    bind(&[key(KeyCode::PageUp), ctrl('u')], Compare, PageUp, "", "ten metrics back"),
    bind(&[char('g'), key(KeyCode::Home)], Compare, First, "", "the first metric"),
    bind(&[char('G'), key(KeyCode::End)], Compare, Last, "", "the last metric"),
    bind(&[char('l'), key(KeyCode::Right)], Compare, NextArm, "arm", "the next arm against the first"),
    bind(&[char('h'), key(KeyCode::Left)], Compare, PreviousArm, "", "the arm before against the first"),
    bind(&[char('e')], Compare, Zoom, "zoom", "show the pane in focus alone, or all again"),

    bind(&[char(' ')], Everywhere, Pause, "pause", "pause the load, or go on"),
    bind(&[char('!')], Everywhere, Break, "break it", "break a simulated route for a while"),
    bind(&[char('u')], Everywhere, Undo, "undo", "take the last change back"),
    bind(&[char('r')], Everywhere, Reset, "", "all settings back to the profile's"),
    bind(&[char('b')], Everywhere, Baseline, "baseline", "hold figures against this epoch, or again against the one before"),
    bind(&[char('f')], Everywhere, Freeze, "freeze", "freeze the picture (the load goes on)"),
    bind(&[char('w')], Everywhere, Write, "save", "write the tuned profile to a file"),
    bind(&[char('x')], Everywhere, Export, "", "write the report (on Compare the comparison) and this screen (JSON, SVG, text)"),
    bind(&[key(KeyCode::Tab)], Everywhere, NextPane, "pane", "the next pane"),
    bind(&[key(KeyCode::BackTab)], Everywhere, PreviousPane, "", "the pane before"),
    bind(&[char('1')], Everywhere, Show(Screen::Live), "", "Live: settings and panels"),
    bind(&[char('2')], Everywhere, Show(Screen::Compare), "", "Compare: arms in turn, and what differs"),
    bind(&[char('3')], Everywhere, Show(Screen::Cost), "", "Cost"),
    bind(&[char('4')], Everywhere, Show(Screen::Log), "", "Log: every event kept"),
    bind(&[char('5')], Everywhere, Show(Screen::Epochs), "", "Epochs: what each change did"),
    bind(&[char(':'), ctrl('p')], Everywhere, Palette, "commands", "the command palette"),
    bind(&[char('?'), key(KeyCode::F(1))], Everywhere, Help, "help", "every key; Enter runs the chosen"),
    bind(&[key(KeyCode::Esc)], Everywhere, Close, "stop", "close what is open; on Compare, stop the comparison"),
    bind(&[ctrl('z')], Everywhere, Suspend, "", "to the shell (fg comes back); the load pauses"),
    bind(&[char('q')], Everywhere, Quit, "quit", "end the load and leave"),
    bind(&[ctrl('c')], Everywhere, QuitNow, "", "end the load and leave, without a question"),
];

/// What a key asks for at a place.
pub fn command(place: Place, event: KeyEvent) -> Option<Command> {
    let key = Key::of(event);
    let at = |place: Place| {
        let here = BINDINGS.iter().filter(move |binding| binding.place == place);
        here.into_iter().find(|binding| binding.keys.contains(&key)).map(|binding| binding.command)
    };
    at(place).or_else(|| at(Everywhere))
}

/// The bindings that hold at a place, in the order of the table.
pub fn at(place: Place) -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(move |binding| binding.place == place || binding.place == Everywhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_asks_for_two_things_at_one_place() {
        for place in [Settings, Events, Epochs, Compare] {
            let keys: Vec<_> = at(place).flat_map(|binding| binding.keys).collect();
            for (i, key) in keys.iter().enumerate() {
                assert!(!keys[..i].contains(key), "{key} twice at {place:?}");
            }
        }
    }

    #[test]
    fn a_capital_is_found_with_and_without_shift() {
        let press = |modifiers| command(Settings, KeyEvent::new(KeyCode::Char('L'), modifiers));
        assert_eq!(press(KeyModifiers::NONE), Some(LeapUp));
        assert_eq!(press(KeyModifiers::SHIFT), Some(LeapUp));
        assert_eq!(command(Settings, KeyEvent::new(KeyCode::Right, KeyModifiers::SHIFT)), Some(LeapUp));
        assert_eq!(command(Events, KeyEvent::new(KeyCode::Char('h'), KeyModifiers::NONE)), None);
    }

    #[test]
    fn keys_are_named_as_keyboards_name_them() {
        let names = [char(' '), key(KeyCode::BackTab), ctrl('c'), shift(KeyCode::Right), key(KeyCode::PageDown)];
        assert_eq!(names.map(|key| key.to_string()), ["Space", "Shift-Tab", "Ctrl-C", "Shift-Right", "Page Down"]);
    }
}

//! What opens over the screen and takes the keys until it is closed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::palette::Palette;
use super::{App, Tone};
use crate::settings::Setting;
use crate::tui::action::Effect;
use crate::tui::keymap;

#[derive(Clone, Debug)]
pub enum Layer {
    /// Every key; `chosen` is a line of [`keymap::at`].
    Help {
        chosen: usize,
    },
    Palette(Palette),
    Edit(Edit),
    /// The question before leaving paid load.
    Quit,
    /// The question before arms call routes that cost money.
    Begin,
    /// The question before a comparison under way is ended.
    StopComparison,
}

/// A value being typed.
#[derive(Clone, Debug)]
pub struct Edit {
    pub setting: Setting,
    pub text: String,
    /// Why what was typed does not do.
    pub problem: Option<String>,
}

impl Edit {
    pub fn of(setting: Setting) -> Self {
        Self { setting, text: String::new(), problem: None }
    }
}

impl App {
    /// `layer` was taken off; it goes back unless the key closes it.
    pub(super) fn key_in_layer(&mut self, layer: Layer, key: KeyEvent) -> Vec<Effect> {
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return vec![Effect::Quit];
        }
        if key.code == KeyCode::Esc {
            return Vec::new();
        }
        match layer {
            Layer::Help { chosen } => self.key_in_help(chosen, key),
            Layer::Palette(palette) => self.key_in_palette(palette, key),
            Layer::Edit(edit) => self.key_in_edit(edit, key),
            Layer::Quit if key.code == KeyCode::Char('y') => vec![Effect::Quit],
            Layer::Begin if key.code == KeyCode::Char('y') => self.compare(),
            Layer::StopComparison if key.code == KeyCode::Char('y') => self.end_comparison(),
            Layer::Quit | Layer::Begin | Layer::StopComparison => Vec::new(),
        }
    }

    fn key_in_help(&mut self, chosen: usize, key: KeyEvent) -> Vec<Effect> {
        let last = keymap::at(self.place()).count() - 1;
        let chosen = match key.code {
            KeyCode::Enter => {
                let binding = keymap::at(self.place()).nth(chosen);
                return binding.map(|binding| self.obey(binding.command)).unwrap_or_default();
            }
            KeyCode::Char('j') | KeyCode::Down => (chosen + 1).min(last),
            KeyCode::Char('k') | KeyCode::Up => chosen.saturating_sub(1),
            KeyCode::PageDown => (chosen + 10).min(last),
            KeyCode::PageUp => chosen.saturating_sub(10),
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => last,
            KeyCode::Char('?' | 'q') | KeyCode::F(1) => return Vec::new(),
            _ => chosen,
        };
        self.layers.push(Layer::Help { chosen });
        Vec::new()
    }

    fn key_in_edit(&mut self, mut edit: Edit, key: KeyEvent) -> Vec<Effect> {
        if key.code == KeyCode::Enter {
            if edit.text.trim().is_empty() {
                return Vec::new();
            }
            match self.set(&edit.setting.id, &edit.text) {
                Ok(effects) => return effects,
                Err(why) => edit.problem = Some(why),
            }
        } else if type_key(&mut edit.text, key) {
            edit.problem = None;
        }
        self.layers.push(Layer::Edit(edit));
        Vec::new()
    }

    pub(super) fn paste(&mut self, text: &str) -> Vec<Effect> {
        let line = text.lines().next().unwrap_or_default();
        match self.layers.last_mut() {
            Some(Layer::Edit(edit)) => edit.text.push_str(line),
            Some(Layer::Palette(palette)) => palette.type_text(line),
            _ => return self.say(Tone::Refused, "nothing to paste into; Enter or : opens a line".to_owned()),
        }
        Vec::new()
    }
}

/// Types into a line; `false` for a key that is no typing.
pub(super) fn type_key(text: &mut String, key: KeyEvent) -> bool {
    let is_control = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Char('u') if is_control => text.clear(),
        KeyCode::Char('w') if is_control => {
            let kept = text.trim_end().rfind(' ').map_or(0, |space| space + 1);
            text.truncate(kept);
        }
        KeyCode::Char(c) if !is_control => text.push(c),
        KeyCode::Backspace => drop(text.pop()),
        _ => return false,
    }
    true
}

//! The list of epochs: choosing one, holding figures against it, going back to its settings.

use super::{App, Tone};
use crate::metrics::Epoch;
use crate::settings::diff;
use crate::tui::action::Effect;
use crate::tui::command::Screen;

impl App {
    /// Every epoch, the oldest first.
    pub fn epochs(&self) -> impl DoubleEndedIterator<Item = &Epoch> {
        let shown = self.shown();
        shown.past.iter().chain(std::iter::once(&shown.epoch))
    }

    /// The line that is chosen on the Epochs screen.
    pub fn chosen_line(&self) -> usize {
        let last = self.shown().past.len();
        let number = self.chosen_epoch;
        number.and_then(|number| self.epochs().position(|epoch| epoch.number == number)).unwrap_or(last)
    }

    pub(super) fn choose_epoch(&mut self, by: isize) {
        let last = self.shown().past.len();
        let line = self.chosen_line().saturating_add_signed(by).min(last);
        // The epoch under way stays chosen when the next one begins.
        self.chosen_epoch = if line == last { None } else { self.epochs().nth(line).map(|epoch| epoch.number) };
    }

    pub(super) fn set_baseline(&mut self) -> Vec<Effect> {
        let chosen = match self.screen {
            Screen::Epochs => self.epochs().nth(self.chosen_line()).map_or(0, |epoch| epoch.number),
            _ => self.shown().epoch.number,
        };
        self.baseline = if self.baseline == Some(chosen) { None } else { Some(chosen) };
        let text = match self.baseline {
            Some(number) => format!("Live holds its figures against epoch {number}; b again: against the epoch before"),
            None => "Live holds its figures against the epoch before".to_owned(),
        };
        self.say(Tone::Done, text)
    }

    pub(super) fn go_back(&mut self) -> Vec<Effect> {
        if let Some(over) = self.refuse_when_over() {
            return over;
        }
        let Some(epoch) = self.epochs().nth(self.chosen_line()) else { return Vec::new() };
        let (number, profile) = (epoch.number, epoch.profile.clone());
        if diff(self.tuner.profile(), &profile).is_empty() {
            return self.say(Tone::Refused, format!("the settings are those of epoch {number} already"));
        }
        self.chosen_epoch = None;
        self.say(Tone::Done, format!("back to the settings of epoch {number}"));
        self.tuner.go_to(&profile)
    }
}

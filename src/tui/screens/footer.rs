//! The line below: a message if there is one, else the keys that hold here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::report::format::clipped;
use crate::tui::app::{App, Tone};
use crate::tui::command::Command;
use crate::tui::keymap::Binding;
use crate::tui::theme::Theme;

pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width);
    if let Some(message) = app.message() {
        let (word, style) = match message.tone {
            Tone::Done => ("done", theme.good()),
            Tone::Refused => ("no", theme.bad()),
        };
        let x = buf.set_stringn(area.x, area.y, format!(" {word}: "), width, style).0;
        let room = usize::from(area.right().saturating_sub(x));
        buf.set_stringn(x, area.y, clipped(&message.text, room), room, Style::new());
        return;
    }
    // The way out and the way to all other keys are always there.
    let (last, rest): (Vec<_>, Vec<_>) = app
        .keys_of_use()
        .into_iter()
        .partition(|binding| matches!(binding.command, Command::Palette | Command::Help | Command::Quit));
    let reserved: usize = last.iter().map(|binding| length(binding)).sum();
    let mut x = area.x;
    for (binding, reserved) in rest.into_iter().map(|b| (b, reserved)).chain(last.into_iter().map(|b| (b, 0))) {
        let room = usize::from(area.right().saturating_sub(x)).saturating_sub(reserved);
        if length(binding) > room {
            continue;
        }
        x = buf.set_stringn(x, area.y, format!(" {}", binding.keys[0]), room, theme.key()).0;
        x = buf.set_stringn(x, area.y, format!(" {} ", binding.word), room, Style::new()).0;
    }
}

fn length(binding: &Binding) -> usize {
    binding.keys[0].to_string().len() + binding.word.len() + 3
}

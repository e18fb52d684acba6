//! The screens: a line above, the body, a line below, and what is open over them. Drawn whole from the app's state.
//! Must not know the terminal.

mod compare;
mod epoch_columns;
mod epochs;
mod footer;
mod header;
mod layers;
mod live;
mod log;
mod numbers;
#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::app::App;
use super::command::Screen;
use super::layout::{Form, Parts};
use super::theme::Theme;

/// Draws everything; `area` begins at the origin.
pub fn draw(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let size = Size::new(area.width, area.height);
    if Form::of(size) == Form::Numbers && app.screen == Screen::Live {
        numbers::draw(app, theme, area, buf);
    } else {
        let parts = Parts::of(size);
        header::draw(app, theme, parts.header, buf);
        match app.screen {
            Screen::Log => log::draw(app, theme, parts.body, buf),
            Screen::Epochs => epochs::draw(app, theme, parts.body, buf),
            Screen::Compare => compare::draw(app, theme, size, buf),
            Screen::Live | Screen::Cost => live::draw(app, theme, size, buf),
        }
        footer::draw(app, theme, parts.footer, buf);
    }
    layers::draw(app, theme, area, buf);
    theme.settle(buf);
}

//! The box a panel is drawn in. Must not know what is inside.

use ratatui::text::{Line, Span};
use ratatui::widgets::Block;

use crate::tui::theme::Theme;

/// Whether keys go to a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    Here,
    Elsewhere,
}

/// A box with its title at the left of its upper edge and, if not empty, a note at the right.
pub fn frame<'a>(title: &str, note: &str, focus: Focus, theme: &Theme) -> Block<'a> {
    let (set, edge) = match focus {
        Focus::Here => (theme.glyphs.focused_border, theme.focused_border()),
        Focus::Elsewhere => (theme.glyphs.border, theme.border()),
    };
    let block = Block::bordered()
        .border_set(set)
        .border_style(edge)
        .title_top(Line::from(Span::styled(format!(" {title} "), theme.title())));
    if note.is_empty() {
        return block;
    }
    block.title_top(Line::from(Span::styled(format!(" {note} "), theme.dim())).right_aligned())
}

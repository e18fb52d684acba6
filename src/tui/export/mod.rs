//! A frame outside the terminal: as text, or as a picture. Must not know what is on it.

mod palette;
mod shapes;
mod svg;

use ratatui::buffer::{Buffer, Cell};
use unicode_width::UnicodeWidthStr;

pub use svg::svg;

/// A frame's lines without the blanks at their ends, each closed by a newline.
pub fn text(buf: &Buffer) -> String {
    let mut out = String::new();
    for row in rows(buf) {
        let line: String = row.map(|(_, cell, _)| cell.symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Each row's cells, with the column and how many cells each takes. What lies under a wide character is passed over.
fn rows(buf: &Buffer) -> impl Iterator<Item = impl Iterator<Item = (u16, &Cell, u16)>> {
    buf.content.chunks(usize::from(buf.area.width.max(1))).map(|row| {
        let mut free = 0;
        (0..).zip(row).filter_map(move |(x, cell)| {
            let width = cell.symbol().width().max(1) as u16;
            (x >= free).then(|| {
                free = x + width;
                (x, cell, width)
            })
        })
    })
}

//! The characters that pictures are made of: one set for terminals that have box drawing and blocks one cell wide,
//! one of ASCII alone. Must not know colours.

use ratatui::buffer::Buffer;
use ratatui::symbols::border;

/// Which characters a terminal can be trusted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Unicode,
    /// For terminals whose box glyphs are two cells wide, or missing.
    Ascii,
}

#[derive(Debug, PartialEq)]
pub struct Glyphs {
    pub border: border::Set<'static>,
    /// Of the pane that has the focus: told apart without colour too.
    pub focused_border: border::Set<'static>,
    /// A cell filled from the left in equal steps; the last is full.
    pub bar: &'static [char],
    /// A cell filled from the bottom; the first stands for zero, the last is full.
    pub spark: &'static [char],
    /// Rising density, without the blank.
    pub shades: &'static [char],
    /// A bar's fill for each tier, in the order of [`super::Tier::ALL`], where no colour tells them apart.
    pub fills: [char; super::Tier::ALL.len()],
    /// Half a full cell, at either side.
    pub left_half: char,
    pub right_half: char,
    pub horizontal: char,
    pub vertical: char,
    /// A vertical axis that leaves something out.
    pub broken: char,
    /// Where a vertical axis meets a horizontal one.
    pub corner: char,
    /// Where a number stands on a horizontal axis.
    pub tick: char,
    /// Points from an axis at what happened there.
    pub caret: char,
    pub left: char,
    pub right: char,
    pub up: char,
    pub down: char,
    pub check: char,
    pub cross: char,
    pub dot: char,
    pub ellipsis: char,
}

static UNICODE: Glyphs = Glyphs {
    border: border::PLAIN,
    focused_border: border::THICK,
    bar: &['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
    spark: &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    shades: &['░', '▒', '▓', '█'],
    fills: ['█', '▒', '▚', '▄', '░', '╱', '╳'],
    left_half: '▌',
    right_half: '▐',
    horizontal: '─',
    vertical: '│',
    broken: '┊',
    corner: '└',
    tick: '┬',
    caret: '▲',
    left: '◂',
    right: '▸',
    up: '▴',
    down: '▾',
    check: '✓',
    cross: '✗',
    dot: '·',
    ellipsis: '…',
};

static ASCII: Glyphs = Glyphs {
    border: lines("-", "|"),
    focused_border: lines("=", "|"),
    bar: &['#'],
    spark: &['.', '_', '-', '=', '*', '#'],
    shades: &['.', ':', '*', '#'],
    fills: ['#', '=', '+', '%', '-', '~', 'x'],
    left_half: '#',
    right_half: '#',
    horizontal: '-',
    vertical: '|',
    broken: ':',
    corner: '+',
    tick: '+',
    caret: '^',
    left: '<',
    right: '>',
    up: '^',
    down: 'v',
    check: 'y',
    cross: 'x',
    dot: '.',
    ellipsis: '.',
};

const fn lines(horizontal: &'static str, vertical: &'static str) -> border::Set<'static> {
    border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: vertical,
        vertical_right: vertical,
        horizontal_top: horizontal,
        horizontal_bottom: horizontal,
    }
}

impl Charset {
    pub const fn glyphs(self) -> &'static Glyphs {
        match self {
            Self::Unicode => &UNICODE,
            Self::Ascii => &ASCII,
        }
    }
}

/// Our own texts' signs in ASCII, for a finished frame. What users wrote (models, prompts) stays as it is.
pub fn fold_to_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        let plain = match cell.symbol() {
            "…" | "·" => ".",
            "µ" => "u",
            "×" => "x",
            "±" => "~",
            "¥" => "Y",
            "–" | "—" | "−" => "-",
            "→" | "≥" => ">",
            "←" | "≤" => "<",
            _ => continue,
        };
        cell.set_symbol(plain);
    }
}

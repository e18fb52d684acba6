//! What a terminal's colours are in a picture: a dark ground, and inks that read on it. Must not know shapes.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// 0xRRGGBB.
pub type Rgb = u32;

pub const GROUND: Rgb = 0x16_1a21;
pub const INK: Rgb = 0xd8_dee9;

const ANSI: [Rgb; 16] = [
    0x2b_303b, 0xe0_6c75, 0x7f_c77a, 0xe5_b567, 0x6a_a5f0, 0xc9_8bdb, 0x56_b6c2, 0xc8_ccd4, //
    0x6b_7385, 0xff_8b92, 0xa6_e29b, 0xf6_d68a, 0x93_c2ff, 0xe0_aef0, 0x85_dbe6, 0xff_ffff,
];

/// A cell's ink and its ground where it has one of its own.
pub fn colors(cell: &Cell) -> (Rgb, Option<Rgb>) {
    let mut ink = rgb(cell.fg).unwrap_or(INK);
    let mut ground = rgb(cell.bg);
    if cell.modifier.contains(Modifier::REVERSED) {
        (ink, ground) = (ground.unwrap_or(GROUND), Some(ink));
    }
    if cell.modifier.contains(Modifier::DIM) {
        ink = mixed(ink, ground.unwrap_or(GROUND), 0.45);
    }
    if cell.modifier.contains(Modifier::HIDDEN) {
        ink = ground.unwrap_or(GROUND);
    }
    (ink, ground)
}

/// `share` of the way from one colour to another.
pub fn mixed(from: Rgb, to: Rgb, share: f64) -> Rgb {
    let channel = |shift: u32| {
        let [from, to] = [from, to].map(|rgb| f64::from(rgb >> shift & 0xff));
        ((from + (to - from) * share).round() as Rgb) << shift
    };
    channel(16) | channel(8) | channel(0)
}

fn rgb(color: Color) -> Option<Rgb> {
    let named = |index: u8| Some(indexed(index));
    match color {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some(u32::from_be_bytes([0, r, g, b])),
        Color::Indexed(index) => named(index),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => named(8),
        Color::LightRed => named(9),
        Color::LightGreen => named(10),
        Color::LightYellow => named(11),
        Color::LightBlue => named(12),
        Color::LightMagenta => named(13),
        Color::LightCyan => named(14),
        Color::White => named(15),
    }
}

/// xterm's 256 colours: 16 named, a cube of 6 levels a channel, 24 greys.
fn indexed(index: u8) -> Rgb {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    match index {
        0..16 => ANSI[usize::from(index)],
        16..232 => {
            let cube = index - 16;
            u32::from_be_bytes([0, level(cube / 36), level(cube / 6 % 6), level(cube % 6)])
        }
        232.. => u32::from(8 + 10 * (index - 232)) * 0x01_0101,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;

    fn cell(fg: Color, bg: Color, modifier: Modifier) -> Cell {
        let mut cell = Cell::EMPTY;
        cell.set_style(Style::new().fg(fg).bg(bg).add_modifier(modifier));
        cell
    }

    #[test]
    fn every_kind_of_colour_has_its_place() {
        let cases = [
            (Color::Reset, INK),
            (Color::Rgb(1, 2, 3), 0x01_0203),
            (Color::Indexed(9), ANSI[9]),
            (Color::Indexed(16), 0),
            (Color::Indexed(36), 0x00_af87),
            (Color::Indexed(231), 0xff_ffff),
            (Color::Indexed(255), 0xee_eeee),
        ];
        for (color, ink) in cases {
            assert_eq!(colors(&cell(color, Color::Reset, Modifier::empty())), (ink, None), "{color}");
        }
    }

    #[test]
    fn reverse_swaps_and_dim_moves_towards_the_ground() {
        assert_eq!(colors(&cell(Color::Reset, Color::Reset, Modifier::REVERSED)), (GROUND, Some(INK)));
        let (ink, _) = colors(&cell(Color::Rgb(200, 200, 200), Color::Rgb(0, 0, 0), Modifier::DIM));
        assert_eq!(ink, 0x6e_6e6e);
    }
}

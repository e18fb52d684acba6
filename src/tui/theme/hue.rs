//! Colours at each depth a terminal may have. Must not know what they stand for.

use ratatui::style::Color;

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    Mono,
    Ansi,
    Indexed,
    True,
}

impl Depth {
    /// By `NO_COLOR` (<https://no-color.org>: set and not empty), `COLORTERM` and `TERM`.
    pub fn fitting(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name| variable(name).unwrap_or_default();
        let term = value("TERM");
        if !value("NO_COLOR").is_empty() || term == "dumb" {
            return Self::Mono;
        }
        match value("COLORTERM").as_str() {
            "truecolor" | "24bit" => Self::True,
            _ if term.ends_with("-direct") => Self::True,
            _ if term.contains("256") => Self::Indexed,
            _ => Self::Ansi,
        }
    }
}

pub struct Hue {
    rgb: u32,
    indexed: u8,
    ansi: Color,
}

impl Hue {
    const fn new(rgb: u32, indexed: u8, ansi: Color) -> Self {
        Self { rgb, indexed, ansi }
    }

    pub fn at(&self, depth: Depth) -> Option<Color> {
        match depth {
            Depth::Mono => None,
            Depth::Ansi => Some(self.ansi),
            Depth::Indexed => Some(Color::Indexed(self.indexed)),
            Depth::True => Some(Color::from_u32(self.rgb)),
        }
    }
}

pub const GREEN: Hue = Hue::new(0x00_9e73, 36, Color::Green);
pub const SKY: Hue = Hue::new(0x56_b4e9, 74, Color::Cyan);
const BLUE: Hue = Hue::new(0x00_72b2, 25, Color::Blue);
const PURPLE: Hue = Hue::new(0xcc_79a7, 175, Color::Magenta);
pub const ORANGE: Hue = Hue::new(0xe6_9f00, 214, Color::Yellow);
pub const YELLOW: Hue = Hue::new(0xf0_e442, 227, Color::LightYellow);
pub const VERMILLION: Hue = Hue::new(0xd5_5e00, 166, Color::Red);

/// In the order of [`super::Tier::ALL`].
pub const TIERS: [Hue; 7] = [GREEN, SKY, BLUE, PURPLE, ORANGE, YELLOW, VERMILLION];

/// Viridis from a quarter up (<https://bids.github.io/colormap/>): below that it cannot be seen on black.
const VIRIDIS: [u32; 7] = [0x3b_528b, 0x2c_728e, 0x21_918c, 0x28_ae80, 0x5e_c962, 0xad_dc30, 0xfd_e725];
/// Its nearest indexed colours of rising lightness.
const INDEXED: [u8; 6] = [60, 31, 36, 77, 148, 220];
const ANSI: [Color; 4] = [Color::Blue, Color::Cyan, Color::Green, Color::Yellow];

/// `level` above 0, up to 1.
pub fn heat(depth: Depth, level: f64) -> Option<Color> {
    match depth {
        Depth::Mono => None,
        Depth::Ansi => Some(ANSI[super::step(level, ANSI.len())]),
        Depth::Indexed => Some(Color::Indexed(INDEXED[super::step(level, INDEXED.len())])),
        Depth::True => Some(between(level.min(1.0) * (VIRIDIS.len() - 1) as f64)),
    }
}

/// The colour at a place along the ramp, linear between its stops.
fn between(place: f64) -> Color {
    let stop = (place as usize).min(VIRIDIS.len() - 2);
    let share = place - stop as f64;
    let channel = |shift: u32| {
        let [low, high] = [VIRIDIS[stop], VIRIDIS[stop + 1]].map(|rgb| f64::from(rgb >> shift & 0xff));
        (low + (high - low) * share).round() as u8
    };
    Color::Rgb(channel(16), channel(8), channel(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(variables: &[(&str, &str)]) -> Depth {
        Depth::fitting(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        assert_eq!(depth(&[("COLORTERM", "truecolor"), ("TERM", "xterm")]), Depth::True);
        assert_eq!(depth(&[("TERM", "tmux-256color")]), Depth::Indexed);
        assert_eq!(depth(&[("TERM", "linux")]), Depth::Ansi);
        assert_eq!(depth(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]), Depth::Mono);
        assert_eq!(depth(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]), Depth::Mono);
        assert_eq!(depth(&[("NO_COLOR", ""), ("COLORTERM", "24bit")]), Depth::True);
    }

    #[test]
    fn heat_gets_lighter_all_the_way_up() {
        let lightness = |level: f64| match heat(Depth::True, level) {
            Some(Color::Rgb(r, g, b)) => 0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b),
            other => panic!("{other:?}"),
        };
        let levels: Vec<_> = (1..=50).map(|i| lightness(f64::from(i) / 50.0)).collect();
        assert!(levels.is_sorted());
        assert_eq!(heat(Depth::True, 1.0), Some(Color::Rgb(0xfd, 0xe7, 0x25)));
    }
}

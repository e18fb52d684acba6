//! Roles to styles: how a title, a tier or a failure looks on this terminal, from truecolor down to no colour at all.
//! Must not know what is drawn with it.
//!
//! The terminal's own colours are the ground: no background is painted. Tiers take the palette of Okabe and Ito
//! (<https://jfly.uni-koeln.de/color/>), which colour-blind people tell apart; heat takes viridis.

mod glyphs;
mod hue;

use ratatui::buffer::Buffer;
use ratatui::style::{Modifier, Style};

pub use glyphs::{Charset, Glyphs};
pub use hue::Depth;
use hue::Hue;

/// Who answered a call, as far as a picture tells it. Begins in the order of a snapshot's `served_by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    Local,
    Redis,
    Shared,
    Gateway,
    Model,
    Fallback,
    Failed,
}

impl Tier {
    pub const ALL: [Self; 7] =
        [Self::Local, Self::Redis, Self::Shared, Self::Gateway, Self::Model, Self::Fallback, Self::Failed];

    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Redis => "redis",
            Self::Shared => "shared",
            Self::Gateway => "gateway",
            Self::Model => "model",
            Self::Fallback => "fallback",
            Self::Failed => "failed",
        }
    }
}

/// Of two arms that are held against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    First,
    Other,
}

/// What a piece of a picture is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    pub fill: char,
    pub style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theme {
    depth: Depth,
    charset: Charset,
    pub glyphs: &'static Glyphs,
}

impl Theme {
    pub const FULL: Self = Self::new(Depth::True, Charset::Unicode);
    pub const MONO: Self = Self::new(Depth::Mono, Charset::Unicode);
    pub const ASCII: Self = Self::new(Depth::Mono, Charset::Ascii);

    pub const fn new(depth: Depth, charset: Charset) -> Self {
        Self { depth, charset, glyphs: charset.glyphs() }
    }

    /// What environment variables say of a terminal.
    pub fn fitting(variable: impl Fn(&str) -> Option<String>, charset: Charset) -> Self {
        Self::new(Depth::fitting(variable), charset)
    }

    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// Of a pane too: stands out from the border it is set in.
    pub fn title(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD).remove_modifier(Modifier::DIM)
    }

    pub fn border(&self) -> Style {
        self.dim()
    }

    pub fn focused_border(&self) -> Style {
        self.ink(&hue::SKY).add_modifier(Modifier::BOLD)
    }

    /// What may be read later: units, hints, axes.
    pub fn dim(&self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The name of a key in the footer and in help.
    pub fn key(&self) -> Style {
        self.ink(&hue::SKY).add_modifier(Modifier::BOLD)
    }

    pub fn good(&self) -> Style {
        self.ink(&hue::GREEN)
    }

    pub fn warn(&self) -> Style {
        self.ink_or(&hue::ORANGE, Modifier::UNDERLINED)
    }

    pub fn bad(&self) -> Style {
        self.ink(&hue::VERMILLION).add_modifier(Modifier::BOLD)
    }

    pub fn selected(&self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A setting that differs from the profile's.
    pub fn edited(&self) -> Style {
        self.ink_or(&hue::YELLOW, Modifier::UNDERLINED).add_modifier(Modifier::BOLD)
    }

    /// Where on a time axis a setting changed.
    pub fn mark(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// A bar's one colour, where it tells no tier.
    pub fn bar(&self) -> Paint {
        Paint { fill: self.full(), style: self.ink(&hue::SKY) }
    }

    /// Colours tell tiers apart, or else fills.
    pub fn tier(&self, tier: Tier) -> Paint {
        let fill = match (self.depth, self.charset) {
            (Depth::Mono, _) | (_, Charset::Ascii) => self.glyphs.fills[tier as usize],
            _ => self.full(),
        };
        Paint { fill, style: self.ink(&hue::TIERS[tier as usize]) }
    }

    /// Of one of two arms that are held against each other: colours tell them apart, or else fills.
    pub fn arm(&self, side: Side) -> Paint {
        match side {
            Side::First => Paint { fill: self.full(), style: self.ink(&hue::SKY) },
            Side::Other => Paint { fill: self.tier(Tier::Redis).fill, style: self.ink(&hue::ORANGE) },
        }
    }

    /// The n-th of up to seven parts of a whole, told apart as tiers are.
    pub fn part(&self, n: usize) -> Paint {
        self.tier(Tier::ALL[n % Tier::ALL.len()])
    }

    /// Whether curves can be drawn in dots finer than a cell.
    pub fn has_dots(&self) -> bool {
        self.charset == Charset::Unicode
    }

    /// `level` in 0..=1; only 0 is blank. Density joins the colour where there are too few colours to rank by.
    pub fn heat(&self, level: f64) -> Paint {
        if level.is_nan() || level <= 0.0 {
            return Paint { fill: ' ', style: Style::new() };
        }
        let shades = self.glyphs.shades;
        let fill = match (self.depth, self.charset) {
            (Depth::True | Depth::Indexed, Charset::Unicode) => self.full(),
            _ => shades[step(level, shades.len())],
        };
        let style = hue::heat(self.depth, level).map_or(Style::new(), |color| Style::new().fg(color));
        Paint { fill, style }
    }

    /// The last touch on a frame: signs that came with texts (an ellipsis, a micro) in this terminal's characters.
    pub fn settle(&self, buf: &mut Buffer) {
        if self.charset == Charset::Ascii {
            glyphs::fold_to_ascii(buf);
        }
    }

    fn full(&self) -> char {
        self.glyphs.bar[self.glyphs.bar.len() - 1]
    }

    fn ink(&self, hue: &Hue) -> Style {
        self.ink_or(hue, Modifier::empty())
    }

    fn ink_or(&self, hue: &Hue, without_color: Modifier) -> Style {
        match hue.at(self.depth) {
            Some(color) => Style::new().fg(color),
            None => Style::new().add_modifier(without_color),
        }
    }
}

/// Which of `steps` a level above 0 falls into.
fn step(level: f64, steps: usize) -> usize {
    ((level.min(1.0) * steps as f64).ceil() as usize).clamp(1, steps) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(theme: &Theme) -> Vec<Style> {
        let mut styles = vec![
            theme.title(),
            theme.border(),
            theme.focused_border(),
            theme.dim(),
            theme.key(),
            theme.good(),
            theme.warn(),
            theme.bad(),
            theme.selected(),
            theme.edited(),
            theme.mark(),
            theme.bar().style,
        ];
        styles.extend(Tier::ALL.map(|tier| theme.tier(tier).style));
        styles.extend([Side::First, Side::Other].map(|side| theme.arm(side).style));
        styles.extend((0..=20).map(|i| theme.heat(f64::from(i) / 20.0).style));
        styles
    }

    #[test]
    fn mono_sets_no_colour_in_any_role() {
        for theme in [Theme::MONO, Theme::ASCII] {
            for style in roles(&theme) {
                assert_eq!((style.fg, style.bg, style.underline_color), (None, None, None));
            }
        }
    }

    #[test]
    fn no_role_paints_a_background() {
        for depth in [Depth::True, Depth::Indexed, Depth::Ansi] {
            assert!(roles(&Theme::new(depth, Charset::Unicode)).iter().all(|style| style.bg.is_none()));
        }
    }

    #[test]
    fn tiers_are_told_apart_on_every_terminal() {
        for depth in [Depth::True, Depth::Indexed, Depth::Ansi, Depth::Mono] {
            for charset in [Charset::Unicode, Charset::Ascii] {
                let theme = Theme::new(depth, charset);
                let paints = Tier::ALL.map(|tier| theme.tier(tier));
                for (i, paint) in paints.iter().enumerate() {
                    assert!(!paints[..i].contains(paint), "{depth:?} {charset:?} {:?}", Tier::ALL[i]);
                }
            }
        }
    }

    #[test]
    fn arms_are_told_apart_on_every_terminal() {
        for depth in [Depth::True, Depth::Indexed, Depth::Ansi, Depth::Mono] {
            for charset in [Charset::Unicode, Charset::Ascii] {
                let theme = Theme::new(depth, charset);
                assert_ne!(theme.arm(Side::First), theme.arm(Side::Other), "{depth:?} {charset:?}");
            }
        }
    }

    #[test]
    fn heat_rises_through_all_its_shades_and_only_nothing_is_blank() {
        let shades = |theme: Theme| [0.0, 0.001, 0.3, 0.6, 1.0].map(|level| theme.heat(level).fill);
        assert_eq!(shades(Theme::MONO), [' ', '░', '▒', '▓', '█']);
        assert_eq!(shades(Theme::ASCII), [' ', '.', ':', '*', '#']);
        assert_eq!(shades(Theme::FULL), [' ', '█', '█', '█', '█']);
    }

    #[test]
    fn ascii_glyphs_and_settled_frames_are_ascii() {
        let mut buf = Buffer::with_lines(["312µs · gpt-4… ×1.04"]);
        Theme::ASCII.settle(&mut buf);
        assert_eq!(buf, Buffer::with_lines(["312us . gpt-4. x1.04"]));
        assert!(format!("{:?}", Theme::ASCII.glyphs).is_ascii());
    }
}

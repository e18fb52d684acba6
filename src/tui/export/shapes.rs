//! Block elements and box drawing as geometry, since a font's own leave gaps between cells.
//! Must not know colours or where a cell stands.

/// A cell in pixels: odd, so that a line of one pixel has a middle to run through.
pub const WIDTH: u32 = 9;
pub const HEIGHT: u32 = 19;

/// Part of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    Box {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
        opacity: f64,
    },
    /// A stroke of one pixel, as an SVG path relative to the cell's corner.
    Stroke(&'static str),
}

const W: f64 = WIDTH as f64;
const H: f64 = HEIGHT as f64;

/// What a character looks like, if it is one that is drawn.
pub fn of(symbol: char) -> Option<Vec<Shape>> {
    let code = u32::from(symbol);
    match code {
        0x2581..=0x2588 => Some(vec![below(f64::from(code - 0x2580) / 8.0)]),
        0x2589..=0x258f => Some(vec![solid(0.0, 0.0, W * f64::from(0x2590 - code) / 8.0, H)]),
        0x2591..=0x2593 => Some(vec![shade(f64::from(code - 0x2590) / 4.0)]),
        _ => half_or_quadrants(symbol).or_else(|| lines(symbol)).or_else(|| stroke(symbol)),
    }
}

fn solid(x: f64, y: f64, width: f64, height: f64) -> Shape {
    Shape::Box { x, y, width, height, opacity: 1.0 }
}

fn below(share: f64) -> Shape {
    let height = (H * share).round();
    solid(0.0, H - height, W, height)
}

fn shade(opacity: f64) -> Shape {
    Shape::Box { x: 0.0, y: 0.0, width: W, height: H, opacity }
}

fn half_or_quadrants(symbol: char) -> Option<Vec<Shape>> {
    let (x, y) = (4.5, 10.0);
    let corner = |right: f64, lower: f64| solid(right * x, lower * y, x, if lower > 0.0 { H - y } else { y });
    Some(match symbol {
        '▀' => vec![solid(0.0, 0.0, W, y)],
        '▐' => vec![solid(x, 0.0, x, H)],
        '▔' => vec![solid(0.0, 0.0, W, 2.0)],
        '▕' => vec![solid(W - 1.0, 0.0, 1.0, H)],
        '▖' => vec![corner(0.0, 1.0)],
        '▗' => vec![corner(1.0, 1.0)],
        '▘' => vec![corner(0.0, 0.0)],
        '▝' => vec![corner(1.0, 0.0)],
        '▚' => vec![corner(0.0, 0.0), corner(1.0, 1.0)],
        '▞' => vec![corner(1.0, 0.0), corner(0.0, 1.0)],
        _ => return None,
    })
}

/// Lines from the middle to the sides: up, right, down, left, each none, light or heavy.
fn lines(symbol: char) -> Option<Vec<Shape>> {
    const LIGHT: &str = "─│┌┐└┘├┤┬┴┼╵╶╷╴";
    const HEAVY: &str = "━┃┏┓┗┛┣┫┳┻╋╹╺╻╸";
    const SIDES: [[bool; 4]; 15] = {
        const Y: bool = true;
        const N: bool = false;
        [
            [N, Y, N, Y],
            [Y, N, Y, N],
            [N, Y, Y, N],
            [N, N, Y, Y],
            [Y, Y, N, N],
            [Y, N, N, Y],
            [Y, Y, Y, N],
            [Y, N, Y, Y],
            [N, Y, Y, Y],
            [Y, Y, N, Y],
            [Y, Y, Y, Y],
            [Y, N, N, N],
            [N, Y, N, N],
            [N, N, Y, N],
            [N, N, N, Y],
        ]
    };
    let among = |set: &str| set.chars().position(|c| c == symbol);
    let (index, thick) = match (among(LIGHT), among(HEAVY)) {
        (Some(index), _) => (index, 1.0),
        (_, Some(index)) => (index, 3.0),
        _ => return None,
    };
    let (left, top) = ((W - thick) / 2.0, (H - thick) / 2.0);
    let arms = [
        solid(left, 0.0, thick, top + thick),
        solid(left, top, W - left, thick),
        solid(left, top, thick, H - top),
        solid(0.0, top, left + thick, thick),
    ];
    // What joins a neighbour's line comes first.
    Some([3, 1, 0, 2].into_iter().filter(|&side| SIDES[index][side]).map(|side| arms[side]).collect())
}

fn stroke(symbol: char) -> Option<Vec<Shape>> {
    let path = match symbol {
        '╭' => "M4.5 19V14Q4.5 9.5 9 9.5",
        '╮' => "M4.5 19V14Q4.5 9.5 0 9.5",
        '╰' => "M4.5 0V5Q4.5 9.5 9 9.5",
        '╯' => "M4.5 0V5Q4.5 9.5 0 9.5",
        '┊' => "M4.5 1V5M4.5 7.5V11.5M4.5 14V18",
        '╱' => "M0 19L9 0",
        '╲' => "M0 0L9 19",
        '╳' => "M0 19L9 0M0 0L9 19",
        _ => return None,
    };
    Some(vec![Shape::Stroke(path)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Theme;

    #[test]
    fn every_character_that_bars_and_borders_are_made_of_is_drawn() {
        let glyphs = Theme::FULL.glyphs;
        let fills = [glyphs.bar, glyphs.spark, glyphs.shades, &glyphs.fills].concat();
        let lines = [glyphs.horizontal, glyphs.vertical, glyphs.broken, glyphs.corner];
        let borders = [glyphs.border, glyphs.focused_border].map(|set| {
            [set.top_left, set.top_right, set.bottom_left, set.bottom_right, set.vertical_left, set.horizontal_top]
                .concat()
        });
        for c in fills.into_iter().chain(lines).chain(borders.concat().chars()) {
            assert!(of(c).is_some(), "{c}");
        }
        assert_eq!(of('a'), None);
    }

    #[test]
    fn shapes_stay_within_their_cell() {
        for c in ('\u{2500}'..='\u{259f}').filter(|&c| of(c).is_some()) {
            for shape in of(c).unwrap() {
                if let Shape::Box { x, y, width, height, .. } = shape {
                    assert!(x >= 0.0 && y >= 0.0 && x + width <= W && y + height <= H, "{c}");
                }
            }
        }
    }
}

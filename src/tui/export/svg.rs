//! A frame as an SVG picture that stands alone: no font, style sheet or script from elsewhere.
//! Must not know what is on it.

use std::fmt::{self, Write};

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Modifier;

use super::palette::{GROUND, INK, Rgb, colors, mixed};
use super::shapes::{self, HEIGHT, Shape, WIDTH};
use crate::report::escaped;

const FONT: &str = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";
/// Cells of a monospace font are some 0.6 of its size wide.
const FONT_SIZE: u32 = 15;
/// From a cell's top to the line that letters stand on.
const BASELINE: u32 = 14;
const MARGIN: u32 = 12;
const TITLE_BAR: u32 = 34;

/// The frame in a window that bears a title.
pub fn svg(buf: &Buffer, title: &str) -> String {
    let [columns, rows] = [buf.area.width, buf.area.height].map(u32::from);
    let (width, height) = (columns * WIDTH + 2 * MARGIN, rows * HEIGHT + 2 * MARGIN + TITLE_BAR);
    let mut out = String::new();
    window(&mut out, (width, height), title);
    let mut canvas = Canvas::default();
    for (y, row) in (0..).zip(super::rows(buf)) {
        for (x, cell, width) in row {
            canvas.cell(u32::from(x) * WIDTH, y * HEIGHT, cell, u32::from(width));
        }
        canvas.end_run();
    }
    let (top, left) = (TITLE_BAR + MARGIN, MARGIN);
    let _ = writeln!(out, "<g transform=\"translate({left} {top})\">");
    let _ = writeln!(out, "<g shape-rendering=\"crispEdges\">\n{}{}</g>", canvas.grounds, canvas.boxes);
    let _ = writeln!(out, "<g fill=\"none\">\n{}</g>", canvas.strokes);
    let _ = writeln!(out, "<g font-family=\"{FONT}\" font-size=\"{FONT_SIZE}\">\n{}</g>\n</g>\n</svg>", canvas.texts);
    out
}

fn window(out: &mut String, (width, height): (u32, u32), title: &str) {
    let title = escaped(title);
    let line = hex(mixed(GROUND, INK, 0.2));
    let bar = hex(mixed(GROUND, INK, 0.07));
    let ink = hex(mixed(GROUND, INK, 0.7));
    let (right, bottom, middle) = (f64::from(width) - 0.5, f64::from(height) - 0.5, width / 2);
    let _ = writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>{title}</title>
<rect x=".5" y=".5" width="{}" height="{}" rx="9" fill="{}" stroke="{line}"/>
<path d="M.5 {TITLE_BAR}V9.5a9 9 0 0 1 9-9H{}a9 9 0 0 1 9 9V{TITLE_BAR}z" fill="{bar}" stroke="{line}"/>"#,
        right - 0.5,
        bottom - 0.5,
        hex(GROUND),
        right - 9.0,
    );
    for (i, color) in [0xe0_6c75, 0xe5_b567, 0x7f_c77a].into_iter().enumerate() {
        let _ = writeln!(out, r#"<circle cx="{}" cy="17" r="5.5" fill="{}"/>"#, 20 + 19 * i, hex(color));
    }
    let _ = writeln!(
        out,
        r#"<text x="{middle}" y="22" text-anchor="middle" font-family="{FONT}" font-size="13" fill="{ink}">{title}</text>"#
    );
}

/// Cells as they are put down: boxes that touch become one, letters of one look become one text.
#[derive(Default)]
struct Canvas {
    grounds: Boxes,
    boxes: Boxes,
    strokes: String,
    texts: String,
    run: Option<Run>,
}

/// In the order in which they are painted.
#[derive(Default)]
struct Boxes(Vec<Filled>);

#[derive(Clone, Copy, PartialEq)]
struct Filled {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    color: Rgb,
    opacity: f64,
}

struct Run {
    x: u32,
    y: u32,
    text: String,
    look: (Rgb, Modifier),
}

impl Canvas {
    fn cell(&mut self, x: u32, y: u32, cell: &Cell, width: u32) {
        let (ink, ground) = colors(cell);
        let (left, top, across) = (f64::from(x), f64::from(y), f64::from(width * WIDTH));
        if let Some(color) = ground {
            self.grounds.add(Filled { x: left, y: top, width: across, height: f64::from(HEIGHT), color, opacity: 1.0 });
        }
        let rules = [(Modifier::UNDERLINED, BASELINE + 2), (Modifier::CROSSED_OUT, HEIGHT / 2)];
        for (_, down) in rules.into_iter().filter(|(modifier, _)| cell.modifier.contains(*modifier)) {
            let y = top + f64::from(down);
            self.boxes.add(Filled { x: left, y, width: across, height: 1.0, color: ink, opacity: 1.0 });
        }
        let symbol = cell.symbol();
        let mut chars = symbol.chars();
        let shapes = chars.next().filter(|_| chars.next().is_none()).and_then(shapes::of);
        match shapes {
            Some(shapes) => {
                self.end_run();
                shapes.into_iter().for_each(|shape| self.shape((x, y), shape, ink));
            }
            None if symbol.is_ascii() => self.letter(x, y, symbol, (ink, cell.modifier)),
            None => self.sign(x, y, symbol, width, (ink, cell.modifier)),
        }
    }

    fn shape(&mut self, (left, top): (u32, u32), shape: Shape, color: Rgb) {
        match shape {
            Shape::Box { x, y, width, height, opacity } => {
                let (x, y) = (x + f64::from(left), y + f64::from(top));
                self.boxes.add(Filled { x, y, width, height, color, opacity });
            }
            Shape::Stroke(path) => {
                let at = format!("translate({left} {top})");
                let _ = writeln!(self.strokes, r#"<path d="{path}" transform="{at}" stroke="{}"/>"#, hex(color));
            }
        }
    }

    /// ASCII, of which any monospace font has one width.
    fn letter(&mut self, x: u32, y: u32, symbol: &str, look: (Rgb, Modifier)) {
        let blank = symbol.trim().is_empty();
        match &mut self.run {
            // A second blank in a row would be lost in XML.
            Some(run) if run.look == look && !(blank && run.text.ends_with(' ')) => run.text.push_str(symbol),
            _ => {
                self.end_run();
                if !blank {
                    self.run = Some(Run { x, y, text: symbol.to_owned(), look });
                }
            }
        }
    }

    /// Anything else may come from a font of another width: each in the middle of its cells.
    fn sign(&mut self, x: u32, y: u32, symbol: &str, width: u32, look: (Rgb, Modifier)) {
        self.end_run();
        let (x, y) = (f64::from(x) + f64::from(width * WIDTH) / 2.0, y + BASELINE);
        let (look, symbol) = (attributes(look), escaped(symbol));
        let _ = writeln!(self.texts, r#"<text x="{x}" y="{y}" text-anchor="middle"{look}>{symbol}</text>"#);
    }

    fn end_run(&mut self) {
        let Some(run) = self.run.take() else { return };
        let text = run.text.trim_end();
        let (y, length) = (run.y + BASELINE, text.len() as u32 * WIDTH);
        let (look, text) = (attributes(run.look), escaped(text));
        let _ = writeln!(
            self.texts,
            r#"<text x="{}" y="{y}" textLength="{length}" lengthAdjust="spacingAndGlyphs"{look}>{text}</text>"#,
            run.x
        );
    }
}

impl Boxes {
    fn add(&mut self, next: Filled) {
        // Two lines of boxes may take turns: both rules of a text, a line and its arms.
        for last in self.0.iter_mut().rev().take(3) {
            let alike = Filled { x: last.x, width: last.width, ..next } == *last;
            let end = last.x + last.width;
            let joins = if next.opacity < 1.0 { next.x == end } else { (last.x..=end).contains(&next.x) };
            if alike && joins {
                last.width = last.width.max(next.x + next.width - last.x);
                return;
            }
        }
        self.0.push(next);
    }
}

impl fmt::Display for Boxes {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        for Filled { x, y, width, height, color, opacity } in &self.0 {
            write!(out, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{}""#, hex(*color))?;
            match opacity {
                1.0 => writeln!(out, "/>")?,
                _ => writeln!(out, r#" fill-opacity="{opacity}"/>"#)?,
            }
        }
        Ok(())
    }
}

fn attributes((ink, modifier): (Rgb, Modifier)) -> String {
    let mut out = format!(r#" fill="{}""#, hex(ink));
    if modifier.contains(Modifier::BOLD) {
        out.push_str(r#" font-weight="bold""#);
    }
    if modifier.contains(Modifier::ITALIC) {
        out.push_str(r#" font-style="italic""#);
    }
    out
}

fn hex(color: Rgb) -> String {
    format!("#{color:06x}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::{Color, Style};
    use roxmltree::{Document, Node};

    use super::*;

    fn named<'a>(document: &'a Document, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
        document.descendants().filter(move |node| node.has_tag_name(name))
    }

    fn texts(document: &Document) -> Vec<(String, f64)> {
        let at = |node: Node| node.attribute("x").and_then(|x| x.parse().ok()).unwrap_or_default();
        named(document, "text").skip(1).map(|node| (node.text().unwrap_or_default().to_owned(), at(node))).collect()
    }

    #[test]
    fn texts_stand_at_their_columns_and_are_escaped() {
        let buf = Buffer::with_lines(["rate  <120/s>  a & b"]);
        let svg = svg(&buf, "live & <well>");
        let document = Document::parse(&svg).unwrap();
        assert_eq!(named(&document, "title").next().unwrap().text(), Some("live & <well>"));
        let expected = [("rate", 0.0), ("<120/s>", 54.0), ("a & b", 135.0)].map(|(text, x)| (text.to_owned(), x));
        assert_eq!(texts(&document), expected);
    }

    #[test]
    fn a_wide_character_stands_in_the_middle_of_two_cells() {
        let buf = Buffer::with_lines(["模型ok"]);
        let expected = [("模", 9.0), ("型", 27.0), ("ok", 36.0)].map(|(text, x)| (text.to_owned(), x));
        assert_eq!(texts(&Document::parse(&svg(&buf, "")).unwrap()), expected);
    }

    #[test]
    fn a_line_of_blocks_is_one_box_over_its_ground() {
        let mut buf = Buffer::with_lines(["████", "────"]);
        buf.set_style(buf.area, Style::new().fg(Color::Rgb(1, 2, 3)));
        buf[(1, 0)].set_bg(Color::Rgb(4, 5, 6));
        let svg = svg(&buf, "");
        let document = Document::parse(&svg).unwrap();
        let boxes: Vec<_> = named(&document, "rect")
            .skip(1)
            .map(|node| ["x", "y", "width", "height", "fill"].map(|name| node.attribute(name).unwrap()))
            .collect();
        let expected =
            [["9", "0", "9", "19", "#040506"], ["0", "0", "36", "19", "#010203"], ["0", "28", "36", "1", "#010203"]];
        assert_eq!(boxes, expected);
    }

    proptest! {
        #[test]
        fn any_frame_is_well_formed_xml(lines in prop::collection::vec(".{0,12}", 0..4), title in ".*", bits: u16) {
            let mut buf = Buffer::with_lines(lines);
            buf.set_style(buf.area, Style::new().add_modifier(Modifier::from_bits_truncate(bits)));
            let svg = svg(&buf, &title);
            prop_assert!(Document::parse(&svg).is_ok(), "{}", svg);
        }
    }
}

//! A chart's frame: axes, legend, title and description around marks. Must not know what the marks mean.

use std::fmt::Write;

use super::markup::{element, escaped};
use super::scale::{Scale, Tick};

/// Small, so that its labels stay readable on a phone.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 220.0;

/// Where values are drawn.
pub const ACROSS: (f64, f64) = (52.0, 348.0);
pub const UPWARD: (f64, f64) = (184.0, 10.0);

/// A way to draw a value: `line a`, `bar c`; the stylesheet has its colour and dashes.
pub type Look = &'static str;

pub struct Plot {
    pub title: String,
    /// For those who do not see it.
    pub description: String,
    pub x_label: &'static str,
    pub x: (Scale, Vec<Tick>),
    pub y: (Scale, Vec<Tick>),
    pub legend: Vec<(Look, String)>,
    /// SVG elements.
    pub marks: String,
}

impl Plot {
    pub fn figure(&self) -> String {
        let mut svg = svg_head(&format!("0 0 {WIDTH:.0} {HEIGHT:.0}"), &self.title, &self.description);
        let ((x, x_ticks), (y, y_ticks)) = (&self.x, &self.y);
        for (value, label) in y_ticks {
            let at = y.at(*value);
            let (left, right) = ACROSS;
            let _ = writeln!(svg, r#"<path class="grid" d="M{left:.1} {at:.1}H{right:.1}"/>"#);
            let (left, at) = (left - 6.0, at + 4.0);
            let _ = writeln!(svg, r#"<text x="{left:.1}" y="{at:.1}" text-anchor="end">{}</text>"#, escaped(label));
        }
        for (i, (value, label)) in x_ticks.iter().enumerate() {
            let (at, below) = (x.at(*value), UPWARD.0);
            let _ = writeln!(svg, r#"<path class="grid" d="M{at:.1} {below:.1}v4"/>"#);
            let anchor = if i + 1 == x_ticks.len() { "end" } else { "middle" };
            let at = if i + 1 == x_ticks.len() { at + 8.0 } else { at };
            let label = escaped(label);
            let _ = writeln!(svg, r#"<text x="{at:.1}" y="{:.1}" text-anchor="{anchor}">{label}</text>"#, below + 16.0);
        }
        let middle = (ACROSS.0 + ACROSS.1) / 2.0;
        let label = escaped(self.x_label);
        let _ = writeln!(svg, r#"<text x="{middle:.1}" y="{:.1}" text-anchor="middle">{label}</text>"#, HEIGHT - 4.0);
        svg.push_str(&self.marks);
        svg.push_str("</svg>\n");
        framed("", &self.title, &self.legend, &svg)
    }
}

fn svg_head(view: &str, title: &str, description: &str) -> String {
    let (title, description) = (escaped(title), escaped(description));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{view}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{title}: {description}\">\n<title>{title}</title>\n<desc>{description}</desc>\n"
    )
}

fn framed(class: &str, title: &str, legend: &[(Look, String)], svg: &str) -> String {
    let keys: String = legend.iter().map(|(look, name)| key(look, name)).collect();
    let keys = if keys.is_empty() { keys } else { format!("<ul class=\"legend\">\n{keys}</ul>\n") };
    format!("<figure{class}>\n{}{keys}{svg}</figure>\n", element("figcaption", "", title))
}

fn key(look: &str, name: &str) -> String {
    let shape = match look.starts_with("line") {
        true => format!(r#"<path class="{look}" d="M0 5H22"/>"#),
        false => format!(r#"<rect class="{look}" width="22" height="10"/>"#),
    };
    format!("<li><svg viewBox=\"0 0 22 10\" aria-hidden=\"true\">{shape}</svg>{}</li>\n", escaped(name))
}

/// Amounts beside one another, as parts of a whole that fills the width: nothing without any.
pub fn stacked_bar(title: &str, parts: &[(Look, String, f64)], whole: f64) -> String {
    let parts: Vec<_> = parts.iter().filter(|(.., amount)| *amount > 0.0).collect();
    let names: Vec<_> = parts.iter().map(|(_, name, _)| name.as_str()).collect();
    let mut svg = svg_head("0 0 100 1", title, &names.join(", "));
    let mut x = 0.0;
    for (look, _, amount) in &parts {
        let width = amount / whole * 100.0;
        let _ = writeln!(svg, r#"<rect class="{look}" x="{x:.2}" y="0" width="{width:.2}" height="1"/>"#);
        x += width;
    }
    svg.push_str("</svg>\n");
    let legend: Vec<_> = parts.iter().map(|(look, name, _)| (*look, name.clone())).collect();
    if parts.is_empty() { String::new() } else { framed(" class=\"wide\"", title, &legend, &svg) }
}

/// A line through places, broken where one is missing.
pub fn line(look: Look, places: impl IntoIterator<Item = Option<(f64, f64)>>) -> String {
    let mut d = String::new();
    let mut drawing = false;
    for place in places {
        // Of no length, a lone place is a dot under round caps.
        let _ = match place {
            Some((x, y)) if drawing => write!(d, "L{x:.1} {y:.1}"),
            Some((x, y)) => write!(d, "M{x:.1} {y:.1}h0"),
            None => Ok(()),
        };
        drawing = place.is_some();
    }
    if d.is_empty() { d } else { format!("<path class=\"{look}\" d=\"{d}\"/>\n") }
}

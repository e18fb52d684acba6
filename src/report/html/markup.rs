//! Text -> markup: every piece of text that goes into the page comes through here. Must not know what it says.

use std::fmt::Write;

/// For content and for attributes in double quotes. What XML forbids becomes U+FFFD.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// An element around text.
pub fn element(tag: &str, class: &str, text: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!("<{tag}{class}>{}</{tag}>\n", escaped(text))
}

/// What a table's cell holds, from which its alignment follows.
pub enum Cell {
    Words(String),
    Figure(String),
}

impl Cell {
    pub fn words(text: impl Into<String>) -> Self {
        Self::Words(text.into())
    }

    pub fn figure(text: impl Into<String>) -> Self {
        Self::Figure(text.into())
    }

    fn element(&self, tag: &str) -> String {
        match self {
            Self::Words(text) => element(tag, "", text),
            Self::Figure(text) => element(tag, "figure", text),
        }
    }
}

/// A table under `heading`; nothing without rows. Heads are aligned as the first row's cells.
pub fn table(heading: &str, heads: &[&str], rows: &[Vec<Cell>]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let mut out = element("h2", "", heading) + "<div class=\"scroll\"><table>\n<thead><tr>";
    for (head, cell) in heads.iter().zip(first) {
        let class = if matches!(cell, Cell::Figure(_)) { " class=\"figure\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escaped(head));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        let cells: String = row.iter().map(|cell| cell.element("td")).collect();
        let _ = writeln!(out, "<tr>{cells}</tr>");
    }
    out + "</tbody></table></div>\n"
}

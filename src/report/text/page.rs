//! Lines of text with an optional colour: what a summary is written on. Must not know what it says.

use unicode_width::UnicodeWidthStr;

/// How text is set: ANSI colours or none, and how wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub colors: bool,
    /// Columns: no line is longer, as long as its pieces are not.
    pub width: usize,
}

impl Style {
    pub const PLAIN: Self = Self { colors: false, width: 100 };
    pub const COLOR: Self = Self { colors: true, ..Self::PLAIN };

    /// As wide as a terminal of `columns`, within what can be read.
    pub fn fitting(self, columns: usize) -> Self {
        Self { width: columns.clamp(60, Self::PLAIN.width), ..self }
    }
}

/// What a piece of text is, from which its colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Heading,
    Aside,
    Good,
    Bad,
    Doubt,
    /// As the terminal has it.
    Plain,
}

/// Where the text beside a label begins.
pub const INDENT: usize = 13;

pub struct Page {
    style: Style,
    out: String,
}

impl Page {
    pub fn new(style: Style) -> Self {
        Self { style, out: String::new() }
    }

    pub fn width(&self) -> usize {
        self.style.width
    }

    pub fn finish(self) -> String {
        self.out
    }

    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Heading => "1",
            Tone::Aside => "2",
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Doubt => "33",
            Tone::Plain => return text.to_owned(),
        };
        match self.style.colors {
            false => text.to_owned(),
            true => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }

    pub fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    pub fn gap(&mut self) {
        self.out.push('\n');
    }

    pub fn heading(&mut self, label: &str, rest: &str) {
        let line = self.paint(Tone::Heading, &super::format::left(label, INDENT)) + &self.paint(Tone::Aside, rest);
        self.line(&line);
    }

    /// Pieces in a row after a label, broken into lines between pieces.
    pub fn row(&mut self, label: &str, pieces: &[String]) {
        let label = self.paint(Tone::Heading, &super::format::left(label, INDENT));
        let lines = filled(pieces, " · ", self.style.width - INDENT);
        for (i, line) in lines.iter().enumerate() {
            let start = if i == 0 { label.clone() } else { " ".repeat(INDENT) };
            self.line(&(start + line));
        }
    }

    /// Pieces each in its tone, broken into lines between pieces.
    pub fn toned(&mut self, pieces: &[(Tone, &str)]) {
        let mut line = String::new();
        let mut taken = 0;
        for (tone, piece) in pieces {
            let width = piece.width();
            if taken > 0 && taken + 3 + width > self.style.width {
                self.line(&std::mem::take(&mut line));
                taken = 0;
            }
            let between = if taken > 0 { " · " } else { "" };
            line = line + between + &self.paint(*tone, piece);
            taken += between.width() + width;
        }
        self.line(&line);
    }

    /// Words in one tone after a start that takes `indent` cells, broken into lines below one another.
    pub fn hanging(&mut self, start: &str, indent: usize, tone: Tone, text: &str) {
        let words: Vec<_> = text.split(' ').map(str::to_owned).collect();
        for (i, line) in filled(&words, " ", self.style.width.saturating_sub(indent)).iter().enumerate() {
            let line = self.paint(tone, line);
            let line = if i == 0 { start.to_owned() + &line } else { " ".repeat(indent) + &line };
            self.line(&line);
        }
    }

    /// Words in one tone, broken into lines.
    pub fn words(&mut self, tone: Tone, text: &str) {
        let words: Vec<_> = text.split(' ').map(str::to_owned).collect();
        for line in filled(&words, " ", self.style.width) {
            let line = self.paint(tone, &line);
            self.line(&line);
        }
    }
}

/// As many pieces a line as fit.
fn filled(pieces: &[String], between: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.width() + between.width() + piece.width() <= width => {
                line.push_str(between);
                line.push_str(piece);
            }
            _ => lines.push(piece.clone()),
        }
    }
    lines
}

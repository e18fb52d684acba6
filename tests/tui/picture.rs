//! What stands on the screen at one moment, read as a person reads it: by panels and rows.

use vt100::{MouseProtocolMode, Screen};

#[derive(Clone)]
pub struct Picture(pub Screen);

impl Picture {
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    pub fn has(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }

    pub fn line(&self, row: usize) -> String {
        self.lines().get(row).cloned().unwrap_or_default()
    }

    pub fn header(&self) -> String {
        self.line(0)
    }

    /// The load's time in the header, `04:12`.
    pub fn clock(&self) -> String {
        let header = self.header();
        header.split_whitespace().find(|word| word.contains(':')).unwrap_or_default().to_owned()
    }

    /// The generator's lateness in the header, `1.56ms`: its p99, or its maximum while calls are few.
    pub fn lag(&self) -> String {
        let header = self.header();
        let lag = header.split_once(" lag ").and_then(|(_, lag)| lag.split_whitespace().nth(1));
        lag.unwrap_or_default().to_owned()
    }

    fn lines(&self) -> Vec<String> {
        let columns = self.0.size().1.get();
        self.0.rows(0, columns).collect()
    }

    /// What a program that has the screen switched on, and has to switch off.
    pub fn taken(&self) -> Vec<&'static str> {
        let modes = [
            ("alternate screen", self.0.alternate_screen()),
            ("mouse capture", self.0.mouse_protocol_mode() != MouseProtocolMode::None),
            ("bracketed paste", self.0.bracketed_paste()),
            ("hidden cursor", self.0.hide_cursor()),
        ];
        modes.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name).collect()
    }

    /// The normal screen with what has scrolled out of it above.
    pub fn scrollback(&self) -> String {
        let mut screen = self.0.clone();
        let rows = usize::from(screen.size().0.get());
        let mut pages = Vec::new();
        let mut back = screen.scrollback_len();
        while back > 0 {
            screen.set_scrollback(back);
            pages.extend(screen.rows(0, screen.size().1.get()).take(back.min(rows)));
            back = back.saturating_sub(rows);
        }
        pages.push(self.text());
        pages.join("\n")
    }

    /// The inside of a panel, by the title in its upper edge; empty when it is not seen.
    pub fn panel(&self, title: &str) -> Panel {
        let lines: Vec<Vec<char>> = self.lines().iter().map(|line| line.chars().collect()).collect();
        let title: Vec<char> = format!(" {title} ").chars().collect();
        let is_corner = |c: &char| "┌┐└┘┏┓┗┛+".contains(*c);
        let place = lines.iter().enumerate().find_map(|(row, line)| {
            let column = line.windows(title.len()).position(|cells| *cells == title[..])?;
            let left = line[..column].iter().rposition(is_corner)?;
            let right = column + line[column..].iter().position(is_corner)?;
            Some((row, left, right))
        });
        let Some((top, left, right)) = place else { return Panel::default() };
        let inside = |line: &Vec<char>| line.iter().take(right).skip(left + 1).collect::<String>();
        let below = lines[top + 1..].iter();
        let rows = below.take_while(|line| !line.get(left).is_some_and(is_corner)).map(inside).collect();
        Panel { edge: inside(&lines[top]), rows }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Panel {
    /// The upper edge, with title and note.
    pub edge: String,
    pub rows: Vec<String>,
}

impl Panel {
    pub fn has(&self, text: &str) -> bool {
        self.edge.contains(text) || self.rows.iter().any(|row| row.contains(text))
    }

    /// The first number after a label, without its unit, currency or bar.
    pub fn number(&self, label: &str) -> Option<f64> {
        let row = self.rows.iter().find_map(|row| row.trim_start_matches([' ', '>']).strip_prefix(label))?;
        let digits: Vec<String> = row.split_whitespace().map(plain).collect();
        digits.iter().find_map(|word| word.parse().ok())
    }

    /// The share that a bar of Served by stands for, in percent.
    pub fn share(&self, tier: &str) -> Option<f64> {
        let row = self.rows.iter().find_map(|row| row.strip_prefix(tier))?;
        row.split_whitespace().find_map(|word| word.strip_suffix('%')?.trim_start_matches(['<', '>']).parse().ok())
    }
}

/// `¥1,420` and the like as Rust reads numbers.
fn plain(word: &str) -> String {
    word.trim_start_matches(['¥', '$', '<']).trim_end_matches(['%', 's', 'm', 'µ']).replace(',', "")
}

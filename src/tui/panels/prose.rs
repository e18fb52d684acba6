//! Words and times cut to the cells there are. Must not know what they are about.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::report::format::clipped;

/// `03:34`, over an hour `1:03:34`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes:02}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Lines of at most `width` cells, broken between words; a word that is longer than a line is clipped.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(clipped(word, width)),
        }
    }
    lines
}

/// The end of a text, where it is typed: at most `width` cells.
pub fn end_of(text: &str, width: usize) -> &str {
    let mut taken = 0;
    let seen = text.chars().rev().take_while(|c| {
        taken += c.width().unwrap_or(0);
        taken <= width
    });
    let kept: usize = seen.map(char::len_utf8).sum();
    &text[text.len() - kept..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_shown_only_when_there_are_some() {
        let shown = [0, 214, 3_599, 3_600, 36_061].map(|seconds| clock(Duration::from_secs(seconds)));
        assert_eq!(shown, ["00:00", "03:34", "59:59", "1:00:00", "10:01:01"]);
    }

    #[test]
    fn words_are_kept_whole_where_a_line_holds_them() {
        assert_eq!(wrapped("local size 400 -> 2000", 12), ["local size", "400 -> 2000"]);
        assert_eq!(wrapped("a unbreakable b", 6), ["a", "unbre…", "b"]);
        assert_eq!(wrapped("模型 模型", 5), ["模型", "模型"]);
    }

    #[test]
    fn of_a_long_line_the_end_is_seen() {
        assert_eq!(
            (end_of("abc", 5), end_of("abcdef", 3), end_of("ab模型", 3), end_of("ab", 0)),
            ("abc", "def", "型", "")
        );
    }
}

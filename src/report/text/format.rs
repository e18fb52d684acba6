//! Numbers in words: durations, counts, shares and money at the precision that a reader can use, and cells padded by
//! what they take on a screen.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Milliseconds in the unit that keeps them readable, to 3 significant digits.
pub fn ms(ms: f64) -> String {
    // A unit's limit is where 3 digits round up to the next one's 1.
    let (value, unit) = match ms.abs() {
        m if m < 0.000_999_5 => (ms * 1e6, "ns"),
        m if m < 0.999_5 => (ms * 1e3, "µs"),
        m if m < 999.5 => (ms, "ms"),
        _ => (ms / 1e3, "s"),
    };
    if value == 0.0 { "0".to_owned() } else { format!("{}{unit}", digits3(value)) }
}

/// Seconds, for windows.
pub fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { ms(seconds * 1e3) } else { format!("{seconds:.1}s") }
}

/// 3 significant digits, without an exponent; whole above 100.
pub fn digits3(value: f64) -> String {
    match value.abs() {
        v if v >= 99.95 => grouped(&format!("{value:.0}")),
        v if v >= 9.995 => format!("{value:.1}"),
        v if v >= 0.999_5 || v == 0.0 => format!("{value:.2}"),
        v => {
            let decimals = (2 - v.log10().floor() as i32).clamp(0, 9) as usize;
            format!("{value:.decimals$}")
        }
    }
}

pub fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// At most five cells, for narrow columns: `.018`, `7`, `1.2k`, `20k`, `3.4M`.
pub fn compact(value: f64) -> String {
    const UNITS: [&str; 6] = ["", "k", "M", "G", "T", "P"];
    let sign = if value < 0.0 { "-" } else { "" };
    let mut value = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if value < 0.000_5 {
        return format!("{sign}<.001");
    }
    if value < 0.999_5 {
        return format!("{sign}{}", format!("{value:.3}").trim_start_matches('0').trim_end_matches('0'));
    }
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let number = if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") };
    format!("{sign}{}{}", number.strip_suffix(".0").unwrap_or(&number), UNITS[unit])
}

/// A share of 1. What rounds to nothing or to all, but is not, says so.
pub fn percent(ratio: f64) -> String {
    match ratio * 100.0 {
        0.0 => "0%".to_owned(),
        100.0 => "100%".to_owned(),
        p if p > 0.0 && p < 0.005 => "<0.01%".to_owned(),
        p if p > 99.95 && p < 100.0 => ">99.9%".to_owned(),
        p if p.abs() < 0.995 => format!("{p:.2}%"),
        p => format!("{p:.1}%"),
    }
}

/// From `old` to `new` in percent, or as a factor where percent no longer reads: `-19%`, `x12`, `/6.9k`.
pub fn change(new: f64, old: f64) -> String {
    match new / old {
        ratio if !ratio.is_finite() => String::new(),
        ratio if ratio >= 10.0 => format!("x{}", compact(ratio)),
        ratio if ratio > 0.0 && ratio <= 0.1 => format!("/{}", compact(1.0 / ratio)),
        ratio => format!("{:+.0}%", (ratio - 1.0) * 100.0),
    }
}

/// Money: whole thousands, cents, or below one the 3 digits that count.
pub fn money(symbol: char, amount: f64) -> String {
    let sign = if amount < 0.0 { "-" } else { "" };
    match amount.abs() {
        a if a > 0.0 && a < LEAST_AMOUNT => format!("{sign}<{symbol}{LEAST_AMOUNT}"),
        a => format!("{sign}{symbol}{}", amount_alone(a)),
    }
}

/// As [`money`], where a column's head names the currency.
pub fn amount(amount: f64) -> String {
    let sign = if amount < 0.0 { "-" } else { "" };
    match amount.abs() {
        a if a > 0.0 && a < LEAST_AMOUNT => format!("{sign}<{LEAST_AMOUNT}"),
        a => format!("{sign}{}", amount_alone(a)),
    }
}

const LEAST_AMOUNT: f64 = 0.000_001;

fn amount_alone(amount: f64) -> String {
    match amount {
        0.0 => "0".to_owned(),
        a if a >= 999.995 => grouped(&format!("{a:.0}")),
        a if a >= 0.999_5 => format!("{a:.2}"),
        a => digits3(a),
    }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut out = String::from(sign);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Filled up on the right to `width` cells; what is longer ends in an ellipsis.
pub fn left(text: &str, width: usize) -> String {
    let text = clipped(text, width);
    let missing = width - text.width();
    text + &" ".repeat(missing)
}

/// Filled up on the left to `width` cells.
pub fn right(text: &str, width: usize) -> String {
    let text = clipped(text, width);
    " ".repeat(width - text.width()) + &text
}

/// At most `width` cells.
pub fn clipped(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut taken = 0;
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken + 1 > width {
            break;
        }
        out.push(c);
    }
    out + if width > 0 { "…" } else { "" }
}

/// A bar of `width` cells at most, in eighths of a cell.
pub fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    // What is there is seen.
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_the_unit_that_reads_and_three_digits() {
        let cases = [
            (0.0, "0"),
            (0.000_08, "80.0ns"),
            (0.004_2, "4.20µs"),
            (0.312_4, "312µs"),
            (0.999_6, "1.00ms"),
            (12.34, "12.3ms"),
            (99.96, "100ms"),
            (999.6, "1.00s"),
            (61_234.0, "61.2s"),
            (1_234_567.0, "1,235s"),
        ];
        for (value, text) in cases {
            assert_eq!(ms(value), text);
        }
    }

    #[test]
    fn a_share_never_reads_as_none_or_all_when_it_is_not() {
        let cases = [
            (0.0, "0%"),
            (0.000_01, "<0.01%"),
            (0.008_3, "0.83%"),
            (0.123_4, "12.3%"),
            (0.999_9, ">99.9%"),
            (1.0, "100%"),
        ];
        for (value, text) in cases {
            assert_eq!(percent(value), text);
        }
    }

    #[test]
    fn narrow_cells_keep_two_digits_and_the_unit() {
        let cases = [
            (0.0, "0"),
            (0.000_1, "<.001"),
            (0.018, ".018"),
            (0.5, ".5"),
            (0.999_6, "1"),
            (7.0, "7"),
            (9.96, "10"),
            (120.4, "120"),
            (999.6, "1k"),
            (1_234.0, "1.2k"),
            (20_000.0, "20k"),
            (1_249_000.0, "1.2M"),
            (-20_000.0, "-20k"),
        ];
        for (value, text) in cases {
            assert_eq!(compact(value), text);
        }
    }

    #[test]
    fn a_change_is_a_percentage_or_where_that_no_longer_reads_a_factor() {
        let cases = [
            (81.0, 100.0, "-19%"),
            (132.0, 100.0, "+32%"),
            (1200.0, 100.0, "x12"),
            (0.1, 690.0, "/6.9k"),
            (1.0, 0.0, ""),
        ];
        for (new, old, text) in cases {
            assert_eq!(change(new, old), text);
        }
    }

    #[test]
    fn money_keeps_the_digits_that_count() {
        let cases = [
            (0.0, "¥0"),
            (0.000_000_1, "<¥0.000001"),
            (0.012_345, "¥0.0123"),
            (0.999_9, "¥1.00"),
            (4.567, "¥4.57"),
            (29_200.4, "¥29,200"),
            (-1_234_567.0, "-¥1,234,567"),
        ];
        for (value, text) in cases {
            assert_eq!(money('¥', value), text);
        }
    }

    #[test]
    fn cells_are_padded_by_what_they_take_on_a_screen() {
        assert_eq!(left("模型", 6), "模型  ");
        assert_eq!(right("模型", 6), "  模型");
        assert_eq!(left("gpt-4.1-mini", 6), "gpt-4…");
        assert_eq!(left("模型模型", 6), "模型… ");
        assert_eq!(left("", 0), "");
    }

    #[test]
    fn a_bar_shows_whatever_is_there() {
        assert_eq!(bar(0.0, 8), "");
        assert_eq!(bar(0.000_1, 8), "▏");
        assert_eq!(bar(0.5, 8), "████");
        assert_eq!(bar(1.0, 8), "████████");
    }
}

//! Scales of time: which bands of time share a row, and what it is called. Must not know what is drawn along them.

use std::ops::Range;

use crate::tui::theme::Glyphs;

/// 1, 2, 5, 10, … from a microsecond to 500 seconds.
pub const ONE_TWO_FIVE_NS: [u64; 27] = one_two_five();

const fn one_two_five() -> [u64; 27] {
    let mut edges = [0; 27];
    let mut i = 0;
    while i < edges.len() {
        edges[i] = [1, 2, 5][i % 3] * 10u64.pow((i / 3) as u32) * 1_000;
        i += 1;
    }
    edges
}

/// Neighbouring bands that share a row.
pub(super) type Bands = Range<usize>;

/// Rows for bands of calls, the fastest first, so that at most `height` have a call in them and every call is in one.
/// With room all bands in the range have a row. Otherwise those without a call have none (an axis shows the gap), and
/// bands with the fewest calls share a row with a near one: the height goes to where the calls are.
pub(super) fn rows(calls: &[u64], height: usize) -> Vec<Bands> {
    let occupied: Vec<_> = (0..calls.len()).filter(|&band| calls[band] > 0).collect();
    let (Some(&first), Some(&last)) = (occupied.first(), occupied.last()) else { return Vec::new() };
    if last - first < height {
        return (first..last + 1).map(|band| band..band + 1).collect();
    }
    let mut rows: Vec<_> = occupied.into_iter().map(|band| band..band + 1).collect();
    let loss = |pair: &[Bands]| {
        let span = pair[0].start..pair[1].end;
        let calls: u64 = calls[span.clone()].iter().sum();
        calls.saturating_mul(span.len() as u64)
    };
    while rows.len() > height.max(1) {
        let least = (0..rows.len() - 1).min_by_key(|&row| loss(&rows[row..row + 2])).unwrap_or_default();
        rows[least].end = rows.remove(least + 1).end;
    }
    rows
}

/// Labels of rows of bands between `edges`: the edge a row begins at; `<10us` below the first edge, and a `+` on the
/// slowest row if it holds more than its band.
pub(super) fn labels(edges: &[u64], rows: &[Bands]) -> Vec<String> {
    let slowest = rows.len().saturating_sub(1);
    let label = |(row, bands): (usize, &Bands)| {
        let open = row == slowest && (bands.len() > 1 || bands.end > edges.len());
        match (bands.start.checked_sub(1).and_then(|edge| edges.get(edge)), edges.get(bands.end - 1)) {
            (Some(&from), _) => time_label(from) + if open { "+" } else { "" },
            (None, Some(&to)) => format!("<{}", time_label(to)),
            (None, None) => "all".to_owned(),
        }
    };
    rows.iter().enumerate().map(label).collect()
}

/// The axis beside a row: broken where bands between this row and the faster one before have none.
pub(super) fn line(rows: &[Bands], row: usize, glyphs: &Glyphs) -> char {
    let gap = row > 0 && rows[row - 1].end < rows[row].start;
    if gap { glyphs.broken } else { glyphs.vertical }
}

/// A time to two digits in the unit that keeps it short: `500us`, `1.8ms`, `2s`.
pub fn time_label(ns: u64) -> String {
    let (unit, name) = match ns {
        0..1_000 => (1.0, "ns"),
        1_000..995_000 => (1e3, "us"),
        995_000..995_000_000 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    let value = ns as f64 / unit;
    let number = match value {
        v if v < 9.95 => format!("{v:.1}"),
        v if v < 99.5 => format!("{v:.0}"),
        v => format!("{:.0}", (v / 10.0).round() * 10.0),
    };
    format!("{}{name}", number.strip_suffix(".0").unwrap_or(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u64 = 1_000;
    const MS: u64 = 1_000_000;

    #[test]
    fn with_room_every_band_in_the_range_has_a_row() {
        assert_eq!(rows(&[0, 7, 0, 0, 3, 0], 4), [1..2, 2..3, 3..4, 4..5]);
    }

    #[test]
    fn without_room_empty_bands_go_first_and_then_the_least_busy_neighbours_join() {
        assert_eq!(rows(&[0, 7, 0, 0, 3, 0], 3), [1..2, 4..5]);
        assert_eq!(rows(&[900, 700, 0, 0, 20, 300, 4, 1], 4), [0..1, 1..2, 4..6, 6..8]);
        assert_eq!(&rows(&[5, 0, 5], 0), std::slice::from_ref(&(0..3)));
        assert!(rows(&[0, 0], 4).is_empty());
    }

    #[test]
    fn labels_keep_two_digits_and_the_ends_are_open() {
        let short = [10 * US, 17_783, 177_828, 999 * US, 2 * MS, 31_622_777, 999 * MS, 100_000 * MS].map(time_label);
        assert_eq!(short, ["10us", "18us", "180us", "1ms", "2ms", "32ms", "1s", "100s"]);
        let edges = [10 * US, 100 * US, 1_000 * MS];
        let named = |rows: &[Bands]| labels(&edges, rows).join(" ");
        assert_eq!(named(&[0..1, 1..2, 2..3, 3..4]), "<10us 10us 100us 1s+");
        assert_eq!(named(&[1..2, 2..3]), "10us 100us");
        assert_eq!(named(&[0..2, 2..4]), "<100us 100us+");
        assert_eq!(labels(&edges, std::slice::from_ref(&(0..4))), ["all"]);
    }
}

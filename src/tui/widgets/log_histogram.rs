//! How often calls took how long, on a logarithmic axis, each row parted by who answered.
//! Must not know the histograms that counted them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::axis::{ONE_TWO_FIVE_NS, labels, line, rows};
use super::{Segment, StackedBar, put, write};
use crate::report::format;
use crate::tui::theme::{Paint, Theme, Tier};

const TIERS: usize = Tier::ALL.len();
const LABEL: u16 = 6;
/// With less for the bar there is no room for a word.
const BAR_BEFORE_WORD: u16 = 16;

/// Calls whose time lies between two edges, by tier in the order of [`Tier::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    pub from_ns: u64,
    pub to_ns: u64,
    pub counts: [u64; TIERS],
}

impl Bucket {
    /// In the middle on a logarithmic axis: what decides about a bucket that reaches over a row's edge.
    fn middle_ns(&self) -> u64 {
        (self.from_ns as f64 * self.to_ns as f64).sqrt().round() as u64
    }
}

/// The fastest row on top, edges at 1-2-5 numbers; a broken axis passes over times that nothing took. Bars are linear in the count, the largest row fills the width. Beside each stands its count,
/// and with room the tier that most of it came from.
pub struct LogHistogram<'a> {
    pub buckets: &'a [Bucket],
    pub theme: &'a Theme,
}

struct Columns {
    label: u16,
    bar: u16,
    count: u16,
    word: u16,
}

impl Columns {
    fn of(width: u16, count: u16) -> Self {
        let label = if width > LABEL + count + 3 { LABEL } else { 0 };
        let bar = width.saturating_sub(label + 1 + 1 + count);
        let word = if bar >= BAR_BEFORE_WORD + 9 { 9 } else { 0 };
        Self { label, bar: bar - word, count: count.min(width), word }
    }
}

impl Widget for LogHistogram<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let bands = self.bands();
        let calls = bands.each_ref().map(total);
        let rows = rows(&calls, usize::from(area.height));
        let counts: Vec<[u64; TIERS]> = rows.iter().map(|row| sum(&bands[row.clone()])).collect();
        let largest = counts.iter().map(total).max().unwrap_or_default();
        let columns = Columns::of(area.width, number(largest, area.width).len() as u16);
        let labels = labels(&ONE_TWO_FIVE_NS, &rows);
        for (row, y) in (0..rows.len()).zip(area.y..area.bottom()) {
            let at = Rect { y, height: 1, ..area };
            self.label(&labels[row], line(&rows, row, self.theme.glyphs), &columns, at, buf);
            if total(&counts[row]) > 0 {
                self.bar(&counts[row], largest, &columns, at, buf);
                self.number(&counts[row], &columns, at, buf);
            }
        }
    }
}

fn total(counts: &[u64; TIERS]) -> u64 {
    counts.iter().sum()
}

fn sum(bands: &[[u64; TIERS]]) -> [u64; TIERS] {
    std::array::from_fn(|tier| bands.iter().map(|counts| counts[tier]).sum())
}

fn number(count: u64, width: u16) -> String {
    if width < 40 { format::compact(count as f64) } else { format::count(count) }
}

impl LogHistogram<'_> {
    /// Counts below the first edge, between edges, and from the last on.
    fn bands(&self) -> [[u64; TIERS]; ONE_TWO_FIVE_NS.len() + 1] {
        let mut bands = [[0; TIERS]; ONE_TWO_FIVE_NS.len() + 1];
        for bucket in self.buckets {
            let band = ONE_TWO_FIVE_NS.partition_point(|&edge| edge <= bucket.middle_ns());
            bands[band].iter_mut().zip(bucket.counts).for_each(|(sum, count)| *sum += count);
        }
        bands
    }

    fn label(&self, label: &str, line: char, columns: &Columns, at: Rect, buf: &mut Buffer) {
        let text = format::right(label, usize::from(columns.label));
        let x = write(buf, (at.x, at.y), &text, columns.label, self.theme.dim());
        put(buf, x, at.y, Paint { fill: line, style: self.theme.dim() });
    }

    fn bar(&self, counts: &[u64; TIERS], largest: u64, columns: &Columns, at: Rect, buf: &mut Buffer) {
        let segments = Tier::ALL
            .map(|tier| Segment { share: counts[tier as usize] as f64 / largest as f64, paint: self.theme.tier(tier) });
        let bar = Rect { x: at.x + columns.label + 1, width: columns.bar, ..at };
        StackedBar { segments: &segments, glyphs: self.theme.glyphs }.render(bar, buf);
    }

    fn number(&self, counts: &[u64; TIERS], columns: &Columns, at: Rect, buf: &mut Buffer) {
        let text = format::right(&number(total(counts), at.width), usize::from(columns.count));
        let end = at.right() - columns.word;
        write(buf, (end - columns.count, at.y), &text, columns.count, Style::new());
        if let (Some(tier), 1..) = (most(counts), columns.word) {
            write(buf, (end + 1, at.y), tier.name(), columns.word - 1, self.theme.dim());
        }
    }
}

fn most(counts: &[u64; TIERS]) -> Option<Tier> {
    Tier::ALL.into_iter().rev().max_by_key(|&tier| counts[tier as usize])
}

//! The measured window cut into some twenty stretches that follow each other, the `blocks` of a report: what two runs are
//! held against each other by. (The `Block` beside it is what a load did between two pauses.)
//! Must not know what is made of them.
//!
//! While it runs the window is kept in cells of a tick or of a power of two of them, never more than [`Stretches::CELLS`];
//! at its end neighbours make stretches. Times are kept packed, since a histogram in use takes some 20 KB a metric.

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

use super::tally::Tally;
use super::times::{Time, Times};

/// A stretch of the measured window and what was recorded in it: measured calls that ended meanwhile; those that end after
/// the window are in the last stretch.
#[derive(Clone, Debug)]
pub struct Stretch {
    pub seconds: f64,
    /// 2 significant digits.
    pub tally: Tally,
}

/// How many a run of some seconds and more has, about: of one of 20 s and more each lasts a second or more. How alike
/// neighbours are takes as many to tell.
const WANTED: f64 = 20.0;

#[derive(Clone, Debug)]
pub struct Stretches {
    cells: Vec<Cell>,
    /// What a cell covers, in those that were pushed.
    stride: u32,
    pending: u32,
}

#[derive(Clone, Debug)]
struct Cell {
    seconds: f64,
    /// Without its times.
    tally: Tally,
    /// HdrHistogram's V2 encoding.
    times: Vec<(Time, Vec<u8>)>,
}

impl Stretches {
    pub const CELLS: usize = 80;

    /// Takes what came in during one more tick. When full, neighbours merge and each cell covers twice the time.
    pub fn push(&mut self, stretch: Stretch) {
        match self.cells.last_mut() {
            Some(last) if self.pending > 0 => last.absorb(Cell::of(stretch)),
            _ => {
                if self.cells.len() == Self::CELLS {
                    self.halve();
                }
                self.cells.push(Cell::of(stretch));
            }
        }
        self.pending = (self.pending + 1) % self.stride;
    }

    fn halve(&mut self) {
        self.stride *= 2;
        self.cells = self.cells.chunks(2).map(Cell::merged).collect();
    }

    /// The window so far, with the cell under way: stretches of equal length, but for the last one, which may have half of
    /// it more or less. `under_way` may take time back from the cell before it. None of a window without time.
    pub fn cut(&self, under_way: Stretch) -> Vec<Stretch> {
        let mut cells = self.cells.clone();
        match cells.last_mut() {
            Some(last) if under_way.seconds < last.seconds / 2.0 => last.absorb(Cell::of(under_way)),
            _ => cells.push(Cell::of(under_way)),
        }
        let stretches = groups(&cells).into_iter().map(|cells| Cell::merged(cells).unpacked());
        stretches.filter(|stretch| stretch.seconds > 0.0).collect()
    }
}

/// Cells by the stretch in whose time their middle is. A tick that came late makes a cell longer, and moves the borders
/// after it no further than that: runs of the same plan are cut at the same times.
fn groups(cells: &[Cell]) -> Vec<&[Cell]> {
    let whole: f64 = cells.iter().map(|cell| cell.seconds).sum();
    let a_stretch = stretch_length(usual_length(cells), whole);
    let last = ((whole / a_stretch).round() - 1.0).max(0.0);
    let mut end = 0.0;
    let numbers = cells.iter().map(|cell| {
        end += cell.seconds;
        ((end - cell.seconds / 2.0) / a_stretch).floor().min(last) as u64
    });
    let numbers: Vec<_> = numbers.collect();
    let mut rest = cells;
    let groups = numbers.chunk_by(PartialEq::eq).map(|group| {
        let (cells, others) = rest.split_at(group.len());
        rest = others;
        cells
    });
    groups.collect()
}

/// Of a cell, in seconds: the median, which is a whole number of ticks whatever single ones were late.
fn usual_length(cells: &[Cell]) -> f64 {
    let mut lengths: Vec<_> = cells.iter().map(|cell| cell.seconds).collect();
    lengths.sort_unstable_by(f64::total_cmp);
    lengths[lengths.len() / 2]
}

/// In seconds: as many cells as make `WANTED` stretches, about; two where that leaves enough of them, since one late tick
/// makes a cell less.
fn stretch_length(cell: f64, whole: f64) -> f64 {
    if cell <= 0.0 {
        return whole.max(f64::MIN_POSITIVE);
    }
    let least = if whole / cell >= OF_TWO { 2.0 } else { 1.0 };
    cell * ((whole / cell + APART) / WANTED).round().max(least)
}

/// Cells of which pairs make stretches enough.
const OF_TWO: f64 = 18.0;

/// In cells: so that the length of no usual run (10 s, 20 s, 5 min, …) is at the border between two lengths of stretches,
/// where a tick more or less decides.
const APART: f64 = 4.0;

impl Default for Stretches {
    fn default() -> Self {
        Self { cells: Vec::new(), stride: 1, pending: 0 }
    }
}

impl Cell {
    fn of(mut stretch: Stretch) -> Self {
        let times = std::mem::replace(&mut stretch.tally.times, Times::new(DIGITS));
        let times = Time::ALL.into_iter().filter_map(|time| Some((time, packed(times.get(time)?)))).collect();
        Self { seconds: stretch.seconds, tally: stretch.tally, times }
    }

    /// Of one cell or more.
    fn merged(cells: &[Self]) -> Self {
        let (first, rest) = cells.split_first().expect("there is a cell");
        let Some(_) = rest.first() else { return first.clone() };
        let mut stretch = first.clone().unpacked();
        rest.iter().for_each(|cell| cell.add_to(&mut stretch));
        Self::of(stretch)
    }

    fn absorb(&mut self, next: Self) {
        *self = Self::merged(&[self.clone(), next]);
    }

    fn add_to(&self, stretch: &mut Stretch) {
        stretch.seconds += self.seconds;
        stretch.tally.merge(&self.tally);
        for (time, packed) in &self.times {
            stretch.tally.times.add(*time, &unpacked(packed));
        }
    }

    fn unpacked(self) -> Stretch {
        let mut stretch = Stretch { seconds: 0.0, tally: Tally::new(DIGITS) };
        self.add_to(&mut stretch);
        stretch
    }
}

/// As intervals have them.
const DIGITS: u8 = 2;

fn packed(histogram: &Histogram<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes).expect("memory takes all of it");
    bytes
}

fn unpacked(bytes: &[u8]) -> Histogram<u64> {
    Deserializer::new().deserialize(&mut &*bytes).expect("it was packed here")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A tick with one call more than the tick's number, of as many milliseconds.
    fn tick(number: u64, seconds: f64) -> Stretch {
        let mut tally = Tally::new(DIGITS);
        tally.succeeded = number + 1;
        (0..=number).for_each(|_| tally.times.record(Time::Response, Duration::from_millis(number)));
        Stretch { seconds, tally }
    }

    fn nothing() -> Stretch {
        Stretch { seconds: 0.0, tally: Tally::new(DIGITS) }
    }

    fn of(ticks: u64) -> Vec<Stretch> {
        let mut stretches = Stretches::default();
        for number in 0..ticks {
            stretches.push(tick(number % 50, 0.2));
            assert!(stretches.cells.len() <= Stretches::CELLS);
        }
        stretches.cut(nothing())
    }

    fn sum(stretches: &[Stretch]) -> (u64, u64) {
        let calls = stretches.iter().map(|stretch| stretch.tally.succeeded).sum();
        (calls, stretches.iter().map(|stretch| stretch.tally.times.count(Time::Response)).sum())
    }

    #[test]
    fn a_run_of_any_length_has_some_twenty_stretches_and_loses_no_call() {
        for ticks in [40, 60, 101, 150, 333, 1_000, 5_000, 30_001] {
            let stretches = of(ticks);
            assert!((16..=25).contains(&stretches.len()), "{ticks} ticks: {} stretches", stretches.len());
            let calls = (0..ticks).map(|number| number % 50 + 1).sum();
            assert_eq!(sum(&stretches), (calls, calls));
            let seconds: f64 = stretches.iter().map(|stretch| stretch.seconds).sum();
            assert!((seconds - 0.2 * ticks as f64).abs() < 1e-6, "{seconds}");
        }
    }

    #[test]
    fn stretches_last_a_second_or_more_and_equally_long_but_for_the_last() {
        for ticks in [100, 101, 150, 333, 1_000, 5_000] {
            let stretches = of(ticks);
            let (last, others) = stretches.split_last().unwrap();
            let each = others[0].seconds;
            assert!(each > 0.99, "{ticks} ticks: {each}");
            assert!(others.iter().all(|stretch| (stretch.seconds - each).abs() < 1e-9), "{ticks} ticks");
            assert!((0.49..1.51).contains(&(last.seconds / each)), "{ticks} ticks: {} of {each}", last.seconds);
        }
    }

    /// Of a run of so many seconds, some of whose ticks came as late as the next one was due, and whose others jitter.
    fn borders(seconds: u64, late: &[u64]) -> Vec<f64> {
        let (mut stretches, mut from) = (Stretches::default(), 0.0);
        for number in (1..5 * seconds).filter(|number| !late.contains(number)) {
            let at = 0.2 * number as f64 + 0.001 * (number % 3) as f64;
            stretches.push(tick(1, at - from));
            from = at;
        }
        let lengths = stretches.cut(tick(1, seconds as f64 - from)).into_iter().map(|stretch| stretch.seconds);
        let ends = lengths.scan(0.0, |end, length| {
            *end += length;
            Some(*end)
        });
        ends.collect()
    }

    #[test]
    fn runs_of_the_same_time_are_cut_at_the_same_times_whatever_ticks_came_late() {
        for seconds in [4, 5, 6, 8, 10, 12, 15, 16, 20, 30, 32, 40, 45, 60, 90, 120, 300, 600] {
            let even = borders(seconds, &[]);
            for late in [&[1][..], &[7, 8], &[3, 11, 19, 20], &[5 * seconds - 1], &[2, 5 * seconds - 2]] {
                let uneven = borders(seconds, late);
                assert_eq!(uneven.len(), even.len(), "{seconds} s, late {late:?}");
                let off = even.iter().zip(&uneven).map(|(one, two)| (one - two).abs()).fold(0.0, f64::max);
                assert!(off < 0.6 * even[0], "{seconds} s, late {late:?}: {off} of {}", even[0]);
            }
        }
    }

    #[test]
    fn a_short_run_has_shorter_stretches() {
        assert_eq!(of(10).len(), 10);
        assert_eq!(of(25).len(), 13);
        assert!(Stretches::default().cut(nothing()).is_empty());
    }

    #[test]
    fn what_ends_after_the_window_is_in_the_last_stretch() {
        let mut stretches = Stretches::default();
        (0..10).for_each(|number| stretches.push(tick(number, 0.2)));
        let cut = stretches.cut(tick(9, 0.0));
        assert_eq!((cut.len(), cut[9].tally.succeeded), (10, 20));
        assert_eq!(sum(&cut), (65, 65));
    }
}

//! Latencies of a short time, counted in fixed bands: what a heatmap is drawn from, small enough to be kept for every
//! second of a run.

use hdrhistogram::Histogram;

/// Four bands a decade from 10 us to 100 s, one below and one above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bands([u32; Bands::COUNT]);

impl Bands {
    pub const COUNT: usize = 30;
    const A_DECADE: f64 = 4.0;
    const LOWEST_NS: f64 = 1e4;

    /// Of a histogram in nanoseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let mut bands = Self::default();
        for value in histogram.iter_recorded() {
            let band = &mut bands.0[Self::index(value.value_iterated_to())];
            *band = band.saturating_add(u32::try_from(value.count_since_last_iteration()).unwrap_or(u32::MAX));
        }
        bands
    }

    fn index(nanos: u64) -> usize {
        let above = (nanos.max(1) as f64 / Self::LOWEST_NS).log10() * Self::A_DECADE;
        ((above.floor() + 1.0).max(0.0) as usize).min(Self::COUNT - 1)
    }

    /// Counts, the lowest band first.
    pub fn counts(&self) -> &[u32; Self::COUNT] {
        &self.0
    }

    /// Where a band begins, in nanoseconds.
    pub fn lower_edge_ns(band: usize) -> f64 {
        match band {
            0 => 0.0,
            band => Self::LOWEST_NS * 10_f64.powf((band as f64 - 1.0) / Self::A_DECADE),
        }
    }

    pub fn absorb(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latency_lies_between_the_edges_of_its_band() {
        for nanos in [1, 9_999, 10_000, 17_700, 17_800, 1_000_000, 999_999_999, 99_000_000_000, 3_600_000_000_000] {
            let band = Bands::index(nanos);
            assert!(Bands::lower_edge_ns(band) <= nanos as f64 + 0.5, "{nanos}");
            assert!(band == Bands::COUNT - 1 || (nanos as f64) < Bands::lower_edge_ns(band + 1), "{nanos}");
        }
    }

    #[test]
    fn no_call_is_lost() {
        let mut histogram = Histogram::new(2).unwrap();
        (0..5_000_u64).for_each(|i| histogram.record(i * i * 4_000).unwrap());
        assert_eq!(Bands::of(&histogram).counts().iter().sum::<u32>(), 5_000);
    }
}

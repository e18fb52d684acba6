//! How far a quantile of few calls can be trusted. Formulas: order statistics (David and Nagaraja, 2003).

use hdrhistogram::Histogram;

/// The least samples to say anything of a quantile q: with fewer than ln(0.05) / ln(q), the chance that none of them
/// lies beyond it is more than 5%.
pub fn samples_for(quantile: f64) -> u64 {
    (0.05_f64.ln() / quantile.ln()).ceil() as u64
}

/// The 95% interval of a quantile, in the histogram's unit: the values at ranks n q +- 1.96 sqrt(n q (1 - q)). It
/// takes calls as independent; those of a queue are not, so that the true interval is wider: what overlaps here
/// differs by nothing that could be told, what does not may still be chance. `None` with fewer than [`samples_for`].
pub fn quantile_interval(histogram: &Histogram<u64>, quantile: f64) -> Option<(u64, u64)> {
    let n = histogram.len() as f64;
    if histogram.len() < samples_for(quantile) {
        return None;
    }
    let reach = 1.96 * (n * quantile * (1.0 - quantile)).sqrt();
    let at = |rank: f64| histogram.value_at_quantile((rank / n).clamp(0.0, 1.0));
    Some((at((n * quantile - reach).floor()), at((n * quantile + reach).ceil())))
}

/// How wide a bucket of a histogram of 2 significant digits is at most, of its values.
pub const RESOLUTION: f64 = 1.0 / 128.0;

/// A quantile as if the values that share a bucket of the histogram were spread evenly over it, in the histogram's unit.
/// Buckets of 2 digits are up to 0.8% wide; taken at their ends, quantiles of many short stretches would be few different
/// values, of which ranks make ties. `None` without values.
pub fn even_quantile(histogram: &Histogram<u64>, quantile: f64) -> Option<f64> {
    let rank = quantile * histogram.len() as f64;
    let mut below = 0.0;
    for bucket in histogram.iter_recorded() {
        let (value, count) = (bucket.value_iterated_to(), bucket.count_at_value() as f64);
        if below + count >= rank {
            let (low, next) = (histogram.lowest_equivalent(value), histogram.next_non_equivalent(value));
            return Some(low as f64 + (next - 1 - low) as f64 * (rank - below) / count);
        }
        below += count;
    }
    None
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn the_interval_holds_the_true_quantile_about_95_times_of_100() {
        let mut rng = SmallRng::seed_from_u64(1);
        for quantile in [0.5, 0.99] {
            let truth = quantile * 1e6;
            let covered = (0..1000).filter(|_| {
                let mut histogram = Histogram::<u64>::new(3).unwrap();
                (0..1000).for_each(|_| histogram.record((rng.random::<f64>() * 1e6) as u64).unwrap());
                let (low, high) = quantile_interval(&histogram, quantile).unwrap();
                low as f64 <= truth && truth <= high as f64
            });
            let covered = covered.count();
            assert!((925..=980).contains(&covered), "{quantile}: {covered}");
        }
    }

    #[test]
    fn too_few_calls_say_nothing_of_a_high_quantile() {
        let mut histogram = Histogram::<u64>::new(2).unwrap();
        (0..298).for_each(|i| histogram.record(i).unwrap());
        assert_eq!(quantile_interval(&histogram, 0.99), None);
        histogram.record(5).unwrap();
        assert!(quantile_interval(&histogram, 0.99).is_some());
        assert_eq!(samples_for(0.5), 5);
    }

    #[test]
    fn quantiles_between_the_ends_of_buckets_are_near_those_of_the_values() {
        let mut histogram = Histogram::<u64>::new(2).unwrap();
        assert_eq!(even_quantile(&histogram, 0.5), None);
        (0..100_000).for_each(|i| histogram.record(30_000_000 + 400 * i).unwrap());
        for quantile in [0.01, 0.5, 0.503, 0.9, 0.99] {
            let (truth, even) = (30e6 + 400.0 * 1e5 * quantile, even_quantile(&histogram, quantile).unwrap());
            assert!((even / truth - 1.0).abs() < 1e-3, "{quantile}: {even} for {truth}");
        }
    }
}

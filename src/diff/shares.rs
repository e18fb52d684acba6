//! Blocks' shares of unlike many calls -> figures whose mean is the share of all calls.
//! Must not know what two runs are held against each other for.
//!
//! A block in which calls fail at once has many of them in a closed loop: the mean of blocks' shares would say little of
//! an outage, and blocks that cut the same calls at other places would differ.
//! Source: the ratio estimator's linearisation, Cochran, Sampling Techniques (3rd ed., 1977), section 2.11.

use crate::report::BlockFacts;

/// What each block's share is of; `None` for metrics that are no share of calls.
fn wholes(blocks: &BlockFacts, metric: &str) -> Option<Vec<u64>> {
    match metric.split('.').next()? {
        "errors" => {
            Some(blocks.succeeded.iter().zip(&blocks.failed).map(|(succeeded, failed)| succeeded + failed).collect())
        }
        "hit_rate" | "fallback_rate" => Some(blocks.succeeded.clone()),
        _ => None,
    }
}

/// A block's figure is the share of all calls and how far the block's own calls move it. One without calls moves nothing.
pub fn weighed(figures: Vec<Option<f64>>, blocks: &BlockFacts, metric: &str) -> Vec<Option<f64>> {
    let Some(wholes) = wholes(blocks, metric) else { return figures };
    let all: u64 = wholes.iter().sum();
    let mut told = figures.iter().flatten();
    let first = told.next().copied();
    if all == 0 || told.all(|share| Some(*share) == first) {
        return figures;
    }
    let typical = all as f64 / wholes.len() as f64;
    let calls = || figures.iter().zip(&wholes).map(|(share, whole)| (share.unwrap_or(0.0), *whole as f64));
    let share_of_all = calls().map(|(share, whole)| share * whole).sum::<f64>() / all as f64;
    calls().map(|(share, whole)| Some(share_of_all + whole / typical * (share - share_of_all))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(succeeded: &[u64], failed: &[u64]) -> BlockFacts {
        BlockFacts { succeeded: succeeded.to_vec(), failed: failed.to_vec(), ..BlockFacts::default() }
    }

    fn mean(figures: &[Option<f64>]) -> f64 {
        figures.iter().flatten().sum::<f64>() / figures.len() as f64
    }

    #[test]
    fn the_mean_of_the_blocks_is_the_share_of_all_calls() {
        // An outage that is over in a moment, for those who see it: 180 of 200 calls.
        let blocks = blocks(&[5, 5, 0, 10], &[0, 0, 180, 0]);
        let weighed = weighed(vec![Some(0.0), Some(0.0), Some(1.0), Some(0.0)], &blocks, "errors");
        assert!((mean(&weighed) - 0.9).abs() < 1e-12, "{weighed:?}");
        assert!(weighed[2] > weighed[3] && weighed[3] < weighed[0], "{weighed:?}");
    }

    #[test]
    fn a_block_without_calls_moves_nothing_and_equal_shares_stay_as_they_are() {
        let blocks = blocks(&[10, 0, 30], &[0, 0, 0]);
        let shares = weighed(vec![Some(0.8), None, Some(0.4)], &blocks, "hit_rate");
        assert!((mean(&shares) - 0.5).abs() < 1e-12 && (shares[1].unwrap() - 0.5).abs() < 1e-12, "{shares:?}");
        let equal = vec![Some(0.3), None, Some(0.3)];
        assert_eq!(weighed(equal.clone(), &blocks, "hit_rate"), equal);
        let others = vec![Some(1.0), None, Some(7.0)];
        assert_eq!(weighed(others.clone(), &blocks, "response.p50"), others);
    }
}

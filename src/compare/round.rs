//! The order in which arms take turns, and what a round says of two of them.

/// Two blocks of the first arm and two of another, of the same palindrome: one metric's figures, in its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    pub first: [f64; 2],
    pub other: [f64; 2],
}

/// The arms of a round's blocks in turn: `0 1 1 0` of two, `0 1 2 2 1 0` of three. Every arm's blocks have the same mean
/// position, so that a linear drift adds as much to each arm.
///
/// What stands grows old (what Redis and a gateway keep, idle connections), and in a palindrome of three the arm in the
/// middle stands for two blocks each time, the others for four and for none. So of more than two each round (from 0)
/// begins with another arm. Two stand alike.
pub fn palindrome(arms: usize, round: usize) -> impl Iterator<Item = usize> {
    let begins = if arms > 2 { round % arms } else { 0 };
    (0..arms).chain((0..arms).rev()).map(move |place| (begins + place) % arms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arm_of_a_palindrome_has_two_blocks_around_its_middle() {
        for (arms, round) in (2..6).flat_map(|arms| (0..7).map(move |round| (arms, round))) {
            let order: Vec<_> = palindrome(arms, round).collect();
            assert_eq!(order.len(), 2 * arms);
            for arm in 0..arms {
                let at: Vec<_> = (0..order.len()).filter(|at| order[*at] == arm).collect();
                assert_eq!((at.len(), at.iter().sum::<usize>()), (2, order.len() - 1), "arm {arm} of {arms}");
            }
        }
    }

    /// Blocks between two of its own, over as many rounds as give each arm each place.
    #[test]
    fn every_arm_stands_for_as_long_and_as_often_as_every_other() {
        for arms in 2..6 {
            let order: Vec<_> = (0..6 * arms).flat_map(|round| palindrome(arms, round)).collect();
            // Around the end it begins anew, so that the first and the last block have neighbours too.
            let stood = |arm: usize| {
                let at: Vec<_> = (0..2 * order.len()).filter(|at| order[at % order.len()] == arm).collect();
                let mut gaps: Vec<_> = at.windows(2).take(at.len() / 2).map(|two| two[1] - two[0] - 1).collect();
                gaps.sort_unstable();
                gaps
            };
            assert!((1..arms).all(|arm| stood(arm) == stood(0)), "{arms} arms: {:?}", (stood(0), stood(1)));
        }
    }
}

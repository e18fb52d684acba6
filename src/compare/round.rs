//! The order in which arms take turns, and what a round says of two of them.

/// Two blocks of the first arm and two of another, of the same palindrome: one metric's figures, in its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    pub first: [f64; 2],
    pub other: [f64; 2],
}

/// The arms of a round's blocks in turn: `0 1 1 0` of two, `0 1 2 2 1 0` of three. Every arm's blocks have the same mean
/// position, so that a linear drift adds as much to each arm.
pub fn palindrome(arms: usize) -> impl Iterator<Item = usize> {
    (0..arms).chain((0..arms).rev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arm_of_a_palindrome_has_two_blocks_around_its_middle() {
        for arms in 2..6 {
            let order: Vec<_> = palindrome(arms).collect();
            assert_eq!(order.len(), 2 * arms);
            for arm in 0..arms {
                let at: Vec<_> = (0..order.len()).filter(|at| order[*at] == arm).collect();
                assert_eq!((at.len(), at.iter().sum::<usize>()), (2, order.len() - 1), "arm {arm} of {arms}");
            }
        }
    }
}

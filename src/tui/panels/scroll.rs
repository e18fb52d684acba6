//! Which part of a list is seen. Must not know what it lists.

/// The first line that is seen of `count` in so many rows: the chosen one is in the middle, as far as the list goes.
pub fn first_seen(chosen: usize, count: usize, rows: usize) -> usize {
    chosen.saturating_sub(rows / 2).min(count.saturating_sub(rows))
}

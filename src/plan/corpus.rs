//! Text to make prompts of: plain words, no JSON escapes, 4 characters a token.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// The rule of thumb by which tokens become text, and by which the simulated provider counts them.
pub const CHARS_PER_TOKEN: usize = 4;

const LENGTH: usize = 64 * 1024;

const WORDS: [&str; 32] = [
    "order", "refund", "please", "where", "is", "my", "parcel", "the", "invoice", "says", "that", "we", "paid",
    "twice", "for", "delivery", "last", "week", "could", "you", "check", "account", "and", "tell", "me", "how", "to",
    "change", "address", "before", "it", "ships",
];

/// A ring of words; a prompt is an arc of it.
#[derive(Debug)]
pub struct Corpus {
    /// Twice the ring, so that any arc up to its length is one slice.
    text: String,
}

impl Corpus {
    pub fn new() -> Self {
        let mut rng = SmallRng::seed_from_u64(0x5eed);
        let mut ring = String::with_capacity(LENGTH + 16);
        while ring.len() < LENGTH {
            ring.push_str(WORDS[rng.random_range(0..WORDS.len())]);
            ring.push(' ');
        }
        ring.truncate(LENGTH);
        Self { text: ring.repeat(2) }
    }

    /// Appends `length` characters, beginning somewhere that `from` decides.
    pub fn write(&self, from: u64, mut length: usize, out: &mut String) {
        let mut start = (from % LENGTH as u64) as usize;
        while length > 0 {
            let piece = length.min(LENGTH);
            out.push_str(&self.text[start..start + piece]);
            length -= piece;
            start = (start + piece) % LENGTH;
        }
    }
}

//! Traffic traces in the Mooncake format: sizes and shared prefixes of real requests.
//! Its `hash_ids` name blocks of 512 tokens; equal ids become equal text, so that equal prefixes stay equal.

use std::path::Path;

use serde::Deserialize;

use super::corpus::{CHARS_PER_TOKEN, Corpus};
use super::mix;
use super::prompts::{PromptFileError, read_lines};

const BLOCK_TOKENS: u32 = 512;

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TraceRecord {
    pub input_length: u32,
    pub output_length: u32,
    pub hash_ids: Vec<u64>,
}

pub fn read(path: &Path) -> Result<Vec<TraceRecord>, PromptFileError> {
    read_lines(path, |line| serde_json::from_str(line).map_err(|e| format!("no record of a Mooncake trace: {e}")))
}

impl TraceRecord {
    /// Appends the prompt's text: a block for each id, cut to the record's length.
    pub fn write(&self, corpus: &Corpus, out: &mut String) {
        let mut left = self.input_length;
        for id in &self.hash_ids {
            let tokens = left.min(BLOCK_TOKENS);
            corpus.write(mix(&[*id, 0xb10c]), tokens as usize * CHARS_PER_TOKEN, out);
            left -= tokens;
        }
        corpus.write(0, left as usize * CHARS_PER_TOKEN, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_leading_ids_give_an_equal_prefix_and_the_length_is_kept() {
        let corpus = Corpus::new();
        let text = |ids: &[u64], input_length| {
            let mut out = String::new();
            TraceRecord { input_length, output_length: 1, hash_ids: ids.to_vec() }.write(&corpus, &mut out);
            out
        };
        let (a, b) = (text(&[1, 2, 3], 1300), text(&[1, 2, 9], 1400));
        let shared = 2 * BLOCK_TOKENS as usize * CHARS_PER_TOKEN;
        assert_eq!(a[..shared], b[..shared]);
        assert_ne!(a[shared..], b[shared..a.len()]);
        assert_eq!((a.len(), b.len()), (5200, 5600));
    }
}

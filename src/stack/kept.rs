//! What the cache tiers keep: a complete answer and who made it; and its bytes in Redis.
//! Must not know the tiers, or for how long they keep it.

use bytes::Bytes;

use crate::chat::{Answer, Lane, Name, Usage};

/// An answer with the lane that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub lane: Lane,
    pub answer: Answer,
}

/// Marks a value as ours, and its format. A new format needs a new mark (and key prefix).
const MAGIC: [u8; 4] = *b"gbk1";

impl Kept {
    /// ```text
    /// magic | input u32 | cached_input u32 | output u32 | estimated u8 | model | route | content
    /// ```
    /// Integers little-endian; each of the last three is its length (u64) and its bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let Usage { input, cached_input, output, estimated } = self.answer.usage;
        let texts: [&[u8]; 3] = [self.lane.model.as_bytes(), self.lane.route.as_bytes(), &self.answer.content];
        let mut out = Vec::with_capacity(41 + texts.iter().map(|text| text.len()).sum::<usize>());
        out.extend(MAGIC);
        for count in [input, cached_input, output] {
            out.extend(count.to_le_bytes());
        }
        out.push(estimated.into());
        for text in texts {
            out.extend((text.len() as u64).to_le_bytes());
            out.extend(text);
        }
        out
    }

    /// `None`: these bytes are none that [`Kept::encode`] made. The content shares the bytes' memory.
    pub(super) fn decode(bytes: Vec<u8>) -> Option<Self> {
        let mut rest = Bytes::from(bytes);
        if take(&mut rest, MAGIC.len())? != MAGIC[..] {
            return None;
        }
        let usage = Usage {
            input: take_count(&mut rest)?,
            cached_input: take_count(&mut rest)?,
            output: take_count(&mut rest)?,
            estimated: match take(&mut rest, 1)?[0] {
                0 => false,
                1 => true,
                _ => return None,
            },
        };
        let lane = Lane { model: take_name(&mut rest)?, route: take_name(&mut rest)? };
        let content = take_text(&mut rest)?;
        rest.is_empty().then_some(Self { lane, answer: Answer { content, usage } })
    }
}

fn take(rest: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= rest.len()).then(|| rest.split_to(length))
}

fn take_count(rest: &mut Bytes) -> Option<u32> {
    Some(u32::from_le_bytes(take(rest, 4)?[..].try_into().ok()?))
}

fn take_text(rest: &mut Bytes) -> Option<Bytes> {
    let length = u64::from_le_bytes(take(rest, 8)?[..].try_into().ok()?);
    take(rest, length.try_into().ok()?)
}

fn take_name(rest: &mut Bytes) -> Option<Name> {
    std::str::from_utf8(&take_text(rest)?).ok().map(Name::from)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in crate::stack) fn answered(content: &str) -> Kept {
        let usage = Usage { input: 220, cached_input: 128, output: 60, estimated: true };
        Kept {
            lane: Lane { model: "gpt-4.1".into(), route: "gateway".into() },
            answer: Answer { content: Bytes::copy_from_slice(content.as_bytes()), usage },
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for content in ["", "Hello", "你好\n\0"] {
            assert_eq!(Kept::decode(answered(content).encode()), Some(answered(content)));
        }
    }

    #[test]
    fn a_value_that_was_cut_or_grew_is_refused() {
        let whole = answered("Hello").encode();
        for length in 0..whole.len() {
            assert_eq!(Kept::decode(whole[..length].to_vec()), None, "{length} bytes of {}", whole.len());
        }
        assert_eq!(Kept::decode([&whole[..], b"x"].concat()), None);
    }

    #[test]
    fn a_foreign_mark_or_flag_and_a_name_that_is_no_text_are_refused() {
        let whole = answered("Hello").encode();
        // The mark, the flag, the first byte of the model's name.
        for (at, byte) in [(3, b'2'), (16, 2), (25, 0xff)] {
            let mut broken = whole.clone();
            broken[at] = byte;
            assert_eq!(Kept::decode(broken), None, "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), is_marked: bool) {
            let bytes = if is_marked { [&MAGIC[..], &bytes].concat() } else { bytes };
            if let Some(kept) = Kept::decode(bytes.clone()) {
                prop_assert_eq!(kept.encode(), bytes);
            }
        }
    }
}

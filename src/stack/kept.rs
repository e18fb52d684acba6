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

/// Mark a value as ours, and its format. A format that the ones before cannot be read beside needs a new key prefix too.
const MAGIC: [u8; 4] = *b"gbk1";
/// With what was written to the provider's prompt cache.
const MAGIC_WRITTEN: [u8; 4] = *b"gbk2";

impl Kept {
    /// ```text
    /// gbk1 | input u32 | cached_input u32 | output u32 |                                        estimated u8 | model | route | content
    /// gbk2 | input u32 | cached_input u32 | output u32 | cache_write u32 | cache_write_1h u32 | estimated u8 | model | route | content
    /// ```
    /// Integers little-endian; each of the last three is its length (u64) and its bytes. What the first format can say
    /// is said in it, so that versions which know no other read it.
    pub(super) fn encode(&self) -> Vec<u8> {
        let Usage { input, cached_input, cache_write, cache_write_1h, output, estimated } = self.answer.usage;
        let texts: [&[u8]; 3] = [self.lane.model.as_bytes(), self.lane.route.as_bytes(), &self.answer.content];
        let mut out = Vec::with_capacity(49 + texts.iter().map(|text| text.len()).sum::<usize>());
        let is_written = cache_write > 0 || cache_write_1h > 0;
        out.extend(if is_written { MAGIC_WRITTEN } else { MAGIC });
        for count in [input, cached_input, output] {
            out.extend(count.to_le_bytes());
        }
        if is_written {
            out.extend(cache_write.to_le_bytes());
            out.extend(cache_write_1h.to_le_bytes());
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
        let is_written = match take(&mut rest, MAGIC.len())? {
            magic if magic == MAGIC[..] => false,
            magic if magic == MAGIC_WRITTEN[..] => true,
            _ => return None,
        };
        let [input, cached_input, output] = take_counts(&mut rest)?;
        let [cache_write, cache_write_1h] = if is_written { take_counts(&mut rest)? } else { [0; 2] };
        let estimated = match take(&mut rest, 1)?[0] {
            0 => false,
            1 => true,
            _ => return None,
        };
        let usage = Usage { input, cached_input, cache_write, cache_write_1h, output, estimated };
        let lane = Lane { model: take_name(&mut rest)?, route: take_name(&mut rest)? };
        let content = take_text(&mut rest)?;
        rest.is_empty().then_some(Self { lane, answer: Answer { content, usage } })
    }
}

fn take(rest: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= rest.len()).then(|| rest.split_to(length))
}

fn take_counts<const N: usize>(rest: &mut Bytes) -> Option<[u32; N]> {
    let mut counts = [0; N];
    for count in &mut counts {
        *count = u32::from_le_bytes(take(rest, 4)?[..].try_into().ok()?);
    }
    Some(counts)
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
        let usage = Usage { input: 220, cached_input: 128, output: 60, estimated: true, ..Usage::default() };
        Kept {
            lane: Lane { model: "gpt-4.1".into(), route: "gateway".into() },
            answer: Answer { content: Bytes::copy_from_slice(content.as_bytes()), usage },
        }
    }

    fn written(content: &str) -> Kept {
        let mut kept = answered(content);
        (kept.answer.usage.cache_write, kept.answer.usage.cache_write_1h) = (80, 30);
        kept
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for content in ["", "Hello", "你好\n\0"] {
            assert_eq!(Kept::decode(answered(content).encode()), Some(answered(content)));
            assert_eq!(Kept::decode(written(content).encode()), Some(written(content)));
        }
    }

    #[test]
    fn an_answer_kept_by_an_earlier_version_is_read() {
        let before = b"gbk1\xdc\0\0\0\x80\0\0\0\x3c\0\0\0\x01\
            \x07\0\0\0\0\0\0\0gpt-4.1\x07\0\0\0\0\0\0\0gateway\x05\0\0\0\0\0\0\0Hello";
        assert_eq!(Kept::decode(before.to_vec()), Some(answered("Hello")));
        assert_eq!(answered("Hello").encode(), before);
    }

    #[test]
    fn a_value_that_was_cut_or_grew_is_refused() {
        for whole in [answered("Hello").encode(), written("Hello").encode()] {
            for length in 0..whole.len() {
                assert_eq!(Kept::decode(whole[..length].to_vec()), None, "{length} bytes of {}", whole.len());
            }
            assert_eq!(Kept::decode([&whole[..], b"x"].concat()), None);
        }
    }

    #[test]
    fn a_foreign_mark_or_flag_and_a_name_that_is_no_text_are_refused() {
        let whole = answered("Hello").encode();
        // The mark, the flag, the first byte of the model's name.
        for (at, byte) in [(3, b'3'), (16, 2), (25, 0xff)] {
            let mut broken = whole.clone();
            broken[at] = byte;
            assert_eq!(Kept::decode(broken), None, "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_decoding_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            mark in prop::option::of(prop::sample::select(vec![MAGIC, MAGIC_WRITTEN])),
        ) {
            let bytes = [mark.as_ref().map_or(&[][..], |mark| &mark[..]), &bytes].concat();
            if let Some(kept) = Kept::decode(bytes.clone()) {
                prop_assert_eq!(Kept::decode(kept.encode()), Some(kept));
            }
        }
    }
}

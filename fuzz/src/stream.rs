//! A streamed answer of arbitrary bytes: no panic, bounded memory, and the same reading however its reads are cut.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use gatebench::chat::ChatRequest;
use gatebench::profile::Dialect;
use gatebench::route::Ask;
use gatebench::route::reading::Reading;
use http::HeaderMap;

use super::{DIALECTS, Said, bounded, request};

pub fn holds(stream: &[u8]) {
    let request = ChatRequest { stream: true, ..request() };
    for dialect in DIALECTS {
        let whole = read(dialect, &request, [stream].into_iter());
        assert_eq!(read(dialect, &request, stream.chunks(1)), whole, "{dialect:?} byte by byte");
        assert_eq!(read(dialect, &request, pieces(stream)), whole, "{dialect:?} in pieces");
    }
}

fn read<'a>(dialect: Dialect, request: &ChatRequest, reads: impl Iterator<Item = &'a [u8]> + Clone) -> Said {
    let start = Instant::now();
    let ask = Ask { model: "m", request, deadline: start, keep_answer: true };
    let length = reads.clone().map(<[u8]>::len).sum();
    bounded(length, || {
        let mut reading = Reading::new(dialect, &ask, &HeaderMap::new());
        let mut now = start;
        for bytes in reads {
            now += Duration::from_secs(1);
            if reading.feed(bytes, now).is_break() {
                break;
            }
        }
        Said::of(reading.end(now))
    })
}

/// Pieces whose lengths hang on the stream alone, so that a finding repeats and the seeds stay plain streams.
fn pieces(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
    let mut hasher = DefaultHasher::new();
    rest.hash(&mut hasher);
    let mut state = hasher.finish();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        // Knuth's MMIX generator.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let length = (state >> 33) as usize % 48;
        let (piece, left) = rest.split_at(length.min(rest.len()));
        rest = left;
        Some(piece)
    })
}

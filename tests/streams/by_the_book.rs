//! Where the events of a stream end, in the standard's own words (WHATWG HTML, sections 9.2.5 and 9.2.6): an oracle
//! that shares nothing with the parser under test. It has all bytes before it and is in no hurry.

/// For each event dispatched, the offset of the byte that completes it: the first of its empty line's end.
pub fn event_ends(stream: &[u8]) -> Vec<usize> {
    let (mut ends, mut has_data, mut start) = (Vec::new(), false, 0);
    if stream.starts_with(b"\xef\xbb\xbf") {
        start = 3;
    }
    while let Some(length) = stream[start..].iter().position(|byte| b"\r\n".contains(byte)) {
        let end = start + length;
        let line = &stream[start..end];
        if line.is_empty() && std::mem::take(&mut has_data) {
            ends.push(end);
        }
        has_data |= line == b"data" || line.starts_with(b"data:");
        start = if stream[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
    }
    ends
}

//! Server-sent events: bytes in, as they come; events out (WHATWG HTML, section 9.2).
//! Must not know what the events say.

/// A line or an event longer than this is no answer of a model.
const LONGEST: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event<'a> {
    /// Empty: none was given, which means `message`.
    pub(super) name: &'a [u8],
    pub(super) data: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Keeps what an event has so far between two reads; an event that lies within one read is not copied.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// The beginning of a line that the last read cut.
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// The last read ended in CR: an LF that follows belongs to it.
    after_cr: bool,
    begun: bool,
}

impl Parser {
    /// Calls `on_event` for every event that is complete with `chunk`.
    pub(super) fn feed(&mut self, chunk: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Result<(), TooLong> {
        let mut rest = chunk;
        // An empty read tells nothing of what follows a CR.
        if rest.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.after_cr) && rest.first() == Some(&b'\n') {
            rest = &rest[1..];
        }
        // The data of the event so far, as long as it is one line of this chunk.
        let mut here: Option<&[u8]> = None;
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            let (line, ended_by) = (&rest[..end], rest[end]);
            rest = &rest[end + 1..];
            if ended_by == b'\r' {
                match rest.first() {
                    Some(b'\n') => rest = &rest[1..],
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            if self.line.is_empty() {
                self.take_line(line, &mut here, &mut on_event)?;
            } else {
                bounded(self.line.len() + line.len())?;
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.take_cut_line(&whole, &mut here, &mut on_event)?;
                whole.clear();
                self.line = whole;
            }
        }
        self.keep(here);
        bounded(self.line.len() + rest.len())?;
        self.line.extend_from_slice(rest);
        Ok(())
    }

    /// The event that the end of the stream left without its empty line. The standard drops it; a server that
    /// ends on `data: [DONE]` has said what it had to say.
    pub(super) fn finish(&mut self) -> Option<Event<'_>> {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            let mut here = None;
            self.take_cut_line(&line, &mut here, &mut |_| {}).ok()?;
        }
        self.has_data.then_some(Event { name: &self.name, data: &self.data })
    }

    /// A line that does not lie within one chunk, so that its data must be copied.
    fn take_cut_line(
        &mut self,
        line: &[u8],
        here: &mut Option<&[u8]>,
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<(), TooLong> {
        self.keep(here.take());
        let mut cut = None;
        self.take_line(line, &mut cut, on_event)?;
        self.keep(cut);
        Ok(())
    }

    fn take_line<'a>(
        &mut self,
        mut line: &'a [u8],
        here: &mut Option<&'a [u8]>,
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<(), TooLong> {
        // Of any field, so that a line is refused alike whether it came in one read or in several.
        bounded(line.len())?;
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            if std::mem::take(&mut self.has_data) {
                on_event(Event { name: &self.name, data: here.take().unwrap_or(&self.data) });
            }
            self.data.clear();
            self.name.clear();
            return Ok(());
        }
        let (field, value) = match line.iter().position(|&b| b == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &line[line.len()..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => self.take_data(value, here)?,
            b"event" => value.clone_into(&mut self.name),
            // Comments (an empty field name), `id` and `retry` carry nothing for us.
            _ => {}
        }
        Ok(())
    }

    fn take_data<'a>(&mut self, value: &'a [u8], here: &mut Option<&'a [u8]>) -> Result<(), TooLong> {
        if !std::mem::replace(&mut self.has_data, true) {
            *here = Some(value);
        } else {
            self.keep(here.take());
            bounded(self.data.len() + 1 + value.len())?;
            self.data.push(b'\n');
            self.data.extend_from_slice(value);
        }
        Ok(())
    }

    fn keep(&mut self, here: Option<&[u8]>) {
        if let Some(data) = here {
            self.data.extend_from_slice(data);
        }
    }
}

fn bounded(length: usize) -> Result<(), TooLong> {
    if length > LONGEST { Err(TooLong) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Owned = (String, String);

    fn own(event: Event<'_>) -> Owned {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (text(event.name), text(event.data))
    }

    fn events<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Owned> {
        let (mut parser, mut all) = (Parser::default(), Vec::new());
        for chunk in chunks {
            parser.feed(chunk, |event| all.push(own(event))).unwrap();
        }
        all
    }

    fn data(stream: &str) -> Vec<String> {
        events([stream.as_bytes()]).into_iter().map(|(_, data)| data).collect()
    }

    /// The standard's own words, on a whole stream.
    fn by_the_book(stream: &str) -> Vec<Owned> {
        let stream = stream.strip_prefix('\u{feff}').unwrap_or(stream).replace("\r\n", "\n").replace('\r', "\n");
        let (mut all, mut name, mut data) = (Vec::new(), String::new(), None::<String>);
        let complete = stream.rsplit_once('\n').map_or("", |(lines, _)| lines);
        if !stream.contains('\n') {
            return all;
        }
        for line in complete.split('\n') {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match (line, field) {
                ("", _) => {
                    if let Some(data) = data.take() {
                        all.push((name.clone(), data));
                    }
                    name.clear();
                }
                (_, "data") => {
                    data = Some(match data {
                        Some(before) => before + "\n" + value,
                        None => value.to_owned(),
                    })
                }
                (_, "event") => name = value.to_owned(),
                _ => {}
            }
        }
        all
    }

    #[test]
    fn several_events_in_one_read_come_in_order() {
        assert_eq!(data("data: a\n\ndata: b\n\ndata: c\n\n"), ["a", "b", "c"]);
    }

    #[test]
    fn comments_ids_and_empty_events_are_skipped() {
        assert_eq!(data(": ping\n\nid: 7\nretry: 3\n\n:\n\ndata: a\n: in between\n\n"), ["a"]);
    }

    #[test]
    fn lines_end_in_lf_cr_or_both() {
        assert_eq!(data("data: a\r\n\r\ndata: b\r\rdata: c\n\n"), ["a", "b", "c"]);
    }

    #[test]
    fn an_empty_read_between_cr_and_lf_ends_no_event() {
        let reads = [&b"event: ping\r"[..], b"", b"\ndata: a\n\n"];
        assert_eq!(events(reads), [("ping".into(), "a".into())]);
    }

    #[test]
    fn several_data_lines_are_one_event() {
        assert_eq!(data("data: a\ndata:b\ndata\n\n"), ["a\nb\n"]);
    }

    #[test]
    fn only_one_leading_space_and_a_leading_mark_are_dropped() {
        assert_eq!(data("\u{feff}data:  a\n\ndata:b\n\n"), [" a", "b"]);
    }

    #[test]
    fn an_event_is_named_only_by_its_own_lines() {
        let stream = b"event: error\ndata: a\n\ndata: b\n\n";
        assert_eq!(events([&stream[..]]), [("error".into(), "a".into()), (String::new(), "b".into())]);
    }

    #[test]
    fn the_end_gives_back_an_event_without_its_empty_line() {
        for stream in ["data: x\n\ndata: [DONE]", "data: x\n\ndata: [DONE]\n"] {
            let mut parser = Parser::default();
            parser.feed(stream.as_bytes(), |_| {}).unwrap();
            assert_eq!(parser.finish().map(|event| event.data), Some(&b"[DONE]"[..]));
        }
        let mut parser = Parser::default();
        parser.feed(b"data: x\n\n", |_| {}).unwrap();
        assert_eq!(parser.finish(), None);
    }

    #[test]
    fn a_line_and_an_event_are_bounded() {
        let chunk = vec![b'x'; LONGEST / 4];
        let mut endless_line = Parser::default();
        assert!((0..6).any(|_| endless_line.feed(&chunk, |_| {}).is_err()));
        let line = [b"data: ".as_slice(), &chunk, b"\n"].concat();
        let mut endless_event = Parser::default();
        assert!((0..6).any(|_| endless_event.feed(&line, |_| {}).is_err()));
    }

    fn stream() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            "data: ?[a-z{}\": é]{0,12}",
            "event: ?[a-z]{0,5}",
            "[a-z]{0,5}:? ?[a-z]{0,5}",
            Just(String::new()),
            Just(String::new()),
        ];
        let ending = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
        (any::<bool>(), proptest::collection::vec((line, ending), 0..24)).prop_map(|(mark, lines)| {
            let text: String = lines.into_iter().map(|(line, ending)| line + ending).collect();
            if mark { format!("\u{feff}{text}") } else { text }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

        #[test]
        fn a_split_at_any_byte_changes_nothing(stream in stream()) {
            let book = by_the_book(&stream);
            let bytes = stream.as_bytes();
            prop_assert_eq!(&events([bytes]), &book);
            prop_assert_eq!(&events(bytes.chunks(1)), &book);
            for at in 0..bytes.len() {
                prop_assert_eq!(&events([&bytes[..at], &bytes[at..]]), &book, "split at {}", at);
            }
        }
    }
}

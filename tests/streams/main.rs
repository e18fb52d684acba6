//! The stream contract: each `NAME.sse` here holds the bytes of a streamed answer as a server sends them, and
//! `NAME.toml` what must be read from them, whether they come in one read, byte by byte, or in any two reads.
//!
//! ```toml
//! about = "what it is about, in a sentence"
//! dialect = "openai"         # or "anthropic"
//! first_token = 1            # the event with which the first generated token is there, from 0; without: no token came
//! last_token = 4             # … and the last
//! outcome = "complete"       # or the failure: { fails = "stream", saying = "a piece of its detail" }
//! text = "Hi"                # what a cache keeps of it; only of a complete one
//! usage = { input = 9, cached_input = 0, output = 3, estimated = false }   # only of a complete one
//! billed = { … }             # the usage of a failed one; without: nothing was billed
//! gateway_hit = false        # the default
//! permanent = false          # a failure that trying again cannot mend; false is the default
//! ```
//!
//! Events are counted as the standard dispatches them (WHATWG HTML, section 9.2.6): comments and events without data
//! are none. What is asked has 36 characters of messages, so that an estimated input is 9 tokens. Of a failure no
//! tokens' times are kept: `first_token` and `last_token` are for complete answers.

mod bounds;
mod by_the_book;
mod expected;
mod read;
mod tokens;

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};

use expected::Expected;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/streams");
    let files = std::fs::read_dir(&folder).expect("the folder of streams can be read").map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "sse")).collect();
    files.sort();
    let mut trials = bounds::trials();
    trials.extend(files.into_iter().map(|stream| {
        let name = stream.file_stem().unwrap_or_default().to_string_lossy().replace('_', " ");
        Trial::test(name, move || holds(&stream).map_err(Failed::from))
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// The stream is read as expected, however its reads are cut.
fn holds(stream: &Path) -> Result<(), String> {
    let bytes = std::fs::read(stream).map_err(|error| error.to_string())?;
    let expected = Expected::read(&stream.with_extension("toml"))?;
    let check = |reads: &[&[u8]], how: &str| {
        let actual = read::stream(expected.dialect, reads);
        expected.compare(&actual, &read::arrivals(&bytes, reads)).map_err(|why| format!("{how}: {why}"))
    };
    check(&[&bytes], "in one read")?;
    check(&bytes.chunks(1).collect::<Vec<_>>(), "byte by byte")?;
    for at in 0..=bytes.len() {
        let (before, after) = bytes.split_at(at);
        check(&[before, after], &format!("split at byte {at}"))?;
    }
    Ok(())
}

//! What no server can make a reader keep: streams too large to be files.

use allocation_counter::measure;
use gatebench::profile::Dialect;
use libtest_mimic::{Failed, Trial};

use super::read;

const LINE: usize = 10 << 20;
/// A socket gives some 64 KiB at once.
const READ: usize = 64 << 10;
/// The bound of 1 MiB, twice for a vector that grows by doubling, and once more for its copy while it does.
const MOST_KEPT: u64 = 4 << 20;

pub fn trials() -> Vec<Trial> {
    let endless = |field: &'static str| {
        let name = format!("a line of 10 MiB that begins with {field:?} is an error, and memory is bounded");
        Trial::test(name, move || fails_small(&line(field)))
    };
    let mut trials: Vec<_> = ["data: ", ": ", "event: ", "id: ", "nonsense"].into_iter().map(endless).collect();
    trials.push(Trial::test("an event of endless lines is an error, and memory is bounded", || {
        fails_small(&b"data: a line among very many\n".repeat(LINE / 29))
    }));
    trials.push(Trial::test("an event of small choices without end costs no more memory than itself", || {
        let choices = vec!["{}"; 300_000].join(",");
        let stream = format!("data: {{\"choices\":[{choices}]}}\n\ndata: [DONE]\n\n");
        let (memory, result) = peak(stream.as_bytes())?;
        result.map_err(|failure| Failed::from(format!("{failure:?}")))?;
        at_most(memory)
    }));
    trials
}

fn line(field: &str) -> Vec<u8> {
    let mut line = field.as_bytes().to_vec();
    line.resize(LINE, b'x');
    line.extend_from_slice(b"\n\ndata: [DONE]\n\n");
    line
}

fn fails_small(stream: &[u8]) -> Result<(), Failed> {
    for dialect in [Dialect::Openai, Dialect::Anthropic] {
        for reads in [vec![stream], stream.chunks(READ).collect()] {
            let failure = read::stream(dialect, &reads).result.err().ok_or("it was taken for an answer")?;
            if failure.detail != "an event of the stream is longer than 1 MiB" {
                return Err(failure.detail.into());
            }
        }
    }
    at_most(peak(stream)?.0)
}

type Outcome = Result<gatebench::route::Reply, gatebench::route::Failure>;

/// The most memory that reading took at once.
fn peak(stream: &[u8]) -> Result<(u64, Outcome), Failed> {
    let reads: Vec<_> = stream.chunks(READ).collect();
    let mut actual = None;
    let memory = measure(|| actual = Some(read::stream(Dialect::Openai, &reads)));
    Ok((memory.bytes_max, actual.ok_or("nothing was read")?.result))
}

fn at_most(memory: u64) -> Result<(), Failed> {
    if memory <= MOST_KEPT { Ok(()) } else { Err(format!("reading it took {memory} bytes").into()) }
}

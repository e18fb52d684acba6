//! Usage as files of expected readings write it.

use gatebench::chat::Usage;
use serde::Deserialize;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    input: u32,
    cached_input: u32,
    output: u32,
    estimated: bool,
}

impl Tokens {
    pub fn usage(self) -> Usage {
        let Self { input, cached_input, output, estimated } = self;
        Usage { input, cached_input, output, estimated }
    }
}

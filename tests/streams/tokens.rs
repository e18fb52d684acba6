//! Usage as files of expected readings write it.

use gatebench::chat::Usage;
use serde::Deserialize;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    input: u32,
    cached_input: u32,
    #[serde(default)]
    cache_write: u32,
    #[serde(default)]
    cache_write_1h: u32,
    output: u32,
    estimated: bool,
}

impl Tokens {
    pub fn usage(self) -> Usage {
        let Self { input, cached_input, cache_write, cache_write_1h, output, estimated } = self;
        Usage { input, cached_input, cache_write, cache_write_1h, output, estimated }
    }
}

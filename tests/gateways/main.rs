//! Gateways' caches: each `NAME.http` here is an answer as a gateway sends it, head and body, and `NAME.toml` what must
//! be made of it by an attempt over a socket, through either client.
//!
//! ```toml
//! about = "what it is about, in a sentence"
//! learned = "where the answer was recorded, or its shape learned"
//! streamed = false           # the default: what is asked for is a whole answer
//! gateway_hit = true
//! usage = { input = 19, cached_input = 0, output = 10, estimated = false }
//! ```
//!
//! Lines of a head end in LF here, and its `content-length` is added when it is sent. What is asked has 36 characters
//! of messages, so that an estimated input is 9 tokens.

mod listed;
mod money;
mod recorded;
mod server;
#[path = "../streams/tokens.rs"]
mod tokens;

use libtest_mimic::{Arguments, Trial};

fn main() {
    // reqwest wants one even for plain HTTP. It can only be there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut trials = recorded::trials();
    trials.extend(money::trials());
    trials.push(Trial::test("the documentation lists every gateway", || {
        listed::the_documentation_lists_every_gateway();
        Ok(())
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

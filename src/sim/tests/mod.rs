//! The simulated routes seen from outside: by a client of blocking sockets, written here and nowhere used.

mod anthropic;
mod behaviour;
mod client;
mod connections;
mod counts;
mod faults;
mod prompt_cache;
mod timing;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Options, RouteHandle, Server};
use crate::profile::Simulated;
use client::{Client, Reply};

/// A server of one route, `local` but for what `change` sets.
fn server(change: impl FnOnce(&mut Simulated)) -> Server {
    let mut spec = Simulated::preset("local").unwrap();
    change(&mut spec);
    Server::start(&[("route".into(), spec)], Options::default()).unwrap()
}

fn route(server: &Server) -> &RouteHandle {
    &server.routes()[0]
}

fn connect(server: &Server) -> Client {
    Client::plain(route(server).address())
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A request that is answered with `tokens` tokens.
fn ask(tokens: u64) -> Value {
    json!({ "model": "gpt-4.1", "messages": [{ "role": "user", "content": format!("Answer in about {tokens} tokens.") }] })
}

/// The same, streamed, with its usage.
fn ask_streamed(tokens: u64) -> Value {
    let mut body = ask(tokens);
    body["stream"] = true.into();
    body["stream_options"] = json!({ "include_usage": true });
    body
}

/// The error code of an answer in OpenAI's format.
fn code(reply: &Reply) -> Option<String> {
    reply.json()["error"]["code"].as_str().map(str::to_owned)
}

/// Waits until `holds`, as the server learns that a client has left only after it did.
fn eventually(holds: impl Fn() -> bool) {
    let end = std::time::Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(std::time::Instant::now() < end, "it never came true");
        std::thread::sleep(ms(1));
    }
}

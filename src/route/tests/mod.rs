//! Attempts against small scripted servers on real sockets.

mod answers;
mod anthropic;
mod change;
mod fetched;
mod money;
mod pool;
mod proxy;
mod secrets;
mod server;
mod stale;
mod tls;
mod unreachable;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Ask, Attempt, Endpoint, EndpointConfig, Proxy, Secret};
use crate::chat::{Canonical, ChatRequest};
use crate::profile::{Dialect, Pool, PromptCaching};

/// Runs on one thread in a `LocalSet`, as a replica does.
pub(super) fn local<F: Future<Output = ()>>(test: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::time::timeout(Duration::from_secs(60), test).await.expect("the test hangs");
    });
}

pub(super) fn config(base_url: &str) -> EndpointConfig {
    EndpointConfig {
        name: "test".into(),
        base_url: base_url.into(),
        dialect: Dialect::Openai,
        prompt_cache: PromptCaching::Off,
        api_key: Some(Secret::new("sk-test-key")),
        headers: BTreeMap::new(),
        gateway_cache: true,
        extra_ca_pem: Vec::new(),
        insecure: false,
        resume: false,
        proxy: Proxy::Never,
        access: Arc::default(),
    }
}

/// The same, spoken to in Anthropic's dialect.
pub(super) fn messages(base_url: &str) -> EndpointConfig {
    EndpointConfig { dialect: Dialect::Anthropic, ..config(base_url) }
}

pub(super) fn endpoint(base_url: &str, pool: &Pool) -> Rc<Endpoint> {
    Rc::new(Endpoint::new(config(base_url), pool).unwrap())
}

pub(super) fn chat(stream: bool) -> ChatRequest {
    ChatRequest {
        messages: Canonical::user_message("hello"),
        temperature: None,
        max_tokens: None,
        top_p: None,
        seed: None,
        tools: None,
        response_format: None,
        stream,
    }
}

pub(super) const PLENTY: Duration = Duration::from_secs(30);

pub(super) async fn ask_within(endpoint: &Endpoint, request: &ChatRequest, within: Duration) -> Attempt {
    let deadline = Instant::now() + within;
    endpoint.attempt(&Ask { model: "m", request, deadline, keep_answer: true }).await
}

pub(super) async fn ask(endpoint: &Endpoint) -> Attempt {
    ask_within(endpoint, &chat(false), PLENTY).await
}

pub(super) async fn ask_streamed(endpoint: &Endpoint) -> Attempt {
    ask_within(endpoint, &chat(true), PLENTY).await
}

/// Lets every task that can run do so, and the sockets be heard.
pub(super) async fn settle() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Waits for a condition that must come true; the bound is only there to end a failed test.
pub(super) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never happened: {what}");
}

//! A hit of the local cache through the whole stack, key included, beside the bare SHA-256 and moka it is made of.

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use gatebench::chat::{Canonical, ChatRequest, Name};
use gatebench::plan::Call;
use gatebench::profile::{CachePolicy, LocalCache, Profile, Route};
use gatebench::route::Endpoint;
use gatebench::stack::{ServedBy, Stack};
use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, LocalOptions};

use super::measure::median;
use super::nginx::{self, Nginx};
use super::table::Table;
use super::transports::config;
use super::{Length, Problem};

const DISTINCT: usize = 1000;
const HITS: usize = 100_000;
const ROUNDS: usize = 9;
const MOST_US: f64 = 3.0;

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    if nginx::binary().is_none() {
        return Err("nginx was not found, and something has to fill the cache; see benches/run --help".into());
    }
    let nginx = Nginx::start()?;
    let calls: Vec<Call> = (0..DISTINCT).map(call).collect();
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let stack = runtime.block_on(hits(&nginx, &calls))?;
    let bare = bare(&calls);
    table.at_most("hit through the stack, 1 KB", stack, MOST_US, " us");
    table.figure("bare SHA-256 and moka, 1 KB", format!("{bare:.2} us"));
    table.figure("stack / bare", format!("{:.2}x", stack / bare));
    Ok(())
}

/// A request of 1 KB.
fn call(number: usize) -> Call {
    let request = ChatRequest {
        messages: Canonical::user_message(&format!("{number:<940}")),
        temperature: Some(0.0),
        max_tokens: Some(500),
        top_p: None,
        seed: None,
        tools: None,
        response_format: None,
        stream: false,
    };
    Call { request, cache: CachePolicy::default() }
}

/// Microseconds a hit, median of rounds.
async fn hits(nginx: &Nginx, calls: &[Call]) -> Result<f64, Problem> {
    let mut profile = Profile::default();
    profile.stack.route = "nginx".into();
    profile.stack.cache.local = Some(LocalCache::default());
    profile.routes = [("nginx".to_owned(), Route { base_url: Some(nginx.base_url()), ..Route::default() })].into();
    let endpoint = Endpoint::new(config(nginx.base_url()), &profile.stack.pool)?;
    let stack = Stack::new(Arc::new(profile), vec![(Name::from("nginx"), Rc::new(endpoint))], 7, 0);
    for call in calls {
        stack.call(call).await.1.result.map_err(|failure| failure.detail)?;
    }
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let mut local = 0;
        let start = Instant::now();
        for call in calls.iter().cycle().take(HITS) {
            let (_, outcome) = stack.call(call).await;
            local += usize::from(outcome.result.is_ok_and(|served| served.by == ServedBy::Local));
        }
        rounds.push(start.elapsed().as_secs_f64() * 1e6 / HITS as f64);
        if local != HITS {
            return Err(format!("{local} of {HITS} calls were local hits").into());
        }
    }
    stack.shut_down().await;
    Ok(median(rounds))
}

/// The same bytes hashed, the digest looked up.
fn bare(calls: &[Call]) -> f64 {
    let digest = |call: &Call| -> [u8; 32] { Sha256::digest(call.request.messages.as_str()).into() };
    let cache = moka::sync::Cache::builder().max_capacity(10_000).build();
    for call in calls {
        cache.insert(digest(call), Arc::new(()));
    }
    let round = |_| {
        let start = Instant::now();
        for call in calls.iter().cycle().take(HITS) {
            assert!(black_box(cache.get(&digest(call))).is_some(), "it was stored and nothing expires");
        }
        start.elapsed().as_secs_f64() * 1e6 / HITS as f64
    };
    median((0..ROUNDS).map(round))
}

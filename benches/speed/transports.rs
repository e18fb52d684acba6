//! The same nginx, the same calls: bare hyper connections, reqwest's pool, and the exact pool on one thread; reqwest
//! on several as well, as most applications run it.
//! Connections are counted by nginx.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gatebench::chat::{Canonical, ChatRequest};
use gatebench::profile::{Dialect, Pool, PromptCaching};
use gatebench::route::{Ask, Endpoint, EndpointConfig, Proxy};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, LocalOptions};
use tokio::task::{JoinHandle, spawn_local};

use super::measure::{median, own_cpu};
use super::nginx::Nginx;
use super::table::Table;
use super::{Length, Problem};

const ROUNDS: usize = 3;
const CALLS: u32 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A connection a task, nothing around it.
    Hyper,
    Reqwest,
    /// On a runtime of several threads.
    ReqwestThreads,
    Exact,
}

const RUNS: [(&str, Way, u32); 8] = [
    ("hyper's connection API", Way::Hyper, 64),
    ("exact pool", Way::Exact, 64),
    ("reqwest", Way::Reqwest, 64),
    ("reqwest, threads", Way::ReqwestThreads, 64),
    ("hyper's connection API", Way::Hyper, 256),
    ("exact pool", Way::Exact, 256),
    ("reqwest", Way::Reqwest, 256),
    ("reqwest, threads", Way::ReqwestThreads, 256),
];

pub fn measure(table: &mut Table, _: Length) -> Result<(), Problem> {
    let nginx = Nginx::start()?;
    let mut spent: Vec<Vec<Spent>> = vec![Vec::new(); RUNS.len()];
    for _ in 0..ROUNDS {
        for ((_, way, tasks), spent) in RUNS.into_iter().zip(&mut spent) {
            spent.push(run(&nginx, way, tasks)?);
        }
    }
    for ((who, way, tasks), spent) in RUNS.into_iter().zip(&spent) {
        let cpu = median(spent.iter().map(|spent| spent.cpu_per_100k));
        let opened = spent.iter().map(|spent| spent.opened).max().unwrap_or_default();
        let figure = format!("{who}, {tasks} tasks: CPU per 100k calls");
        table.figure(&figure, format!("{cpu:.3} s"));
        let figure = format!("{who}, {tasks} tasks: connections opened, at most");
        match way {
            Way::Exact => table.exactly(&figure, opened, tasks.into()),
            Way::Hyper | Way::Reqwest | Way::ReqwestThreads => table.figure(&figure, opened.to_string()),
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
struct Spent {
    cpu_per_100k: f64,
    opened: u64,
}

fn run(nginx: &Nginx, way: Way, tasks: u32) -> Result<Spent, Problem> {
    let accepted = nginx.accepted()?;
    let cpu = own_cpu();
    let left = Arc::new(AtomicU32::new(CALLS));
    match way {
        Way::ReqwestThreads => {
            let runtime = Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(async {
                let client = client()?;
                let one = || tokio::spawn(pooled(client.clone(), url(nginx), left.clone()));
                all((0..tasks).map(|_| one()).collect()).await
            })?;
        }
        Way::Hyper | Way::Reqwest | Way::Exact => {
            let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
            runtime.block_on(on_one_thread(nginx, way, tasks, &left))?;
        }
    }
    let cpu = own_cpu() - cpu;
    // One is this count's own connection.
    let opened = nginx.accepted()? - accepted - 1;
    Ok(Spent { cpu_per_100k: cpu * 1e5 / f64::from(CALLS), opened })
}

async fn on_one_thread(nginx: &Nginx, way: Way, tasks: u32, left: &Arc<AtomicU32>) -> Result<(), Problem> {
    if way == Way::Exact {
        let pool = Pool { max_connections: tasks, max_idle: tasks, ..Pool::default() };
        let endpoint = Rc::new(Endpoint::new(config(nginx.base_url()), &pool)?);
        let one = || spawn_local(exact(endpoint.clone(), left.clone()));
        let done = all((0..tasks).map(|_| one()).collect()).await;
        endpoint.shut_down().await;
        return done;
    }
    let client = client()?;
    let one = || match way {
        Way::Hyper => spawn_local(bare(nginx.authority(), left.clone())),
        _ => spawn_local(pooled(client.clone(), url(nginx), left.clone())),
    };
    all((0..tasks).map(|_| one()).collect()).await
}

/// No proxy: reqwest looks for one in the environment by default.
fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()
}

fn url(nginx: &Nginx) -> String {
    format!("{}/chat/completions", nginx.base_url())
}

/// The tasks run at once, each until no call is left.
async fn all(running: Vec<JoinHandle<Result<(), Problem>>>) -> Result<(), Problem> {
    for task in running {
        task.await??;
    }
    Ok(())
}

fn next(left: &AtomicU32) -> Option<u32> {
    left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).ok()
}

/// A request of 500 B that no other equals.
fn request(number: u32) -> ChatRequest {
    ChatRequest {
        messages: Canonical::user_message(&format!("{number:<400}")),
        temperature: Some(0.0),
        max_tokens: Some(500),
        top_p: None,
        seed: None,
        tools: None,
        response_format: None,
        stream: false,
    }
}

fn body(number: u32) -> String {
    let messages = request(number).messages;
    format!(r#"{{"model":"gpt-4.1","messages":{},"temperature":0,"max_tokens":500}}"#, messages.as_str())
}

/// What any client of a model has to read.
#[derive(Deserialize)]
struct Completion {
    usage: BTreeMap<String, serde_json::Value>,
}

fn check(answer: &[u8]) -> Result<(), Problem> {
    let completion: Completion = serde_json::from_slice(answer)?;
    if completion.usage.is_empty() { Err("an answer without usage".into()) } else { Ok(()) }
}

async fn bare(authority: String, left: Arc<AtomicU32>) -> Result<(), Problem> {
    let tcp = TcpStream::connect(&authority).await?;
    tcp.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await?;
    spawn_local(connection);
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::try_from(&authority)?);
    for (name, value) in [("content-type", "application/json"), ("user-agent", "bare"), ("accept", "application/json")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let path = Uri::from_static("/v1/chat/completions");
    while let Some(number) = next(&left) {
        let mut request = Request::new(Full::new(Bytes::from(body(number))));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = path.clone();
        *request.headers_mut() = headers.clone();
        let answer = sender.send_request(request).await?;
        check(&answer.into_body().collect().await?.to_bytes())?;
    }
    Ok(())
}

async fn pooled(client: reqwest::Client, url: String, left: Arc<AtomicU32>) -> Result<(), Problem> {
    while let Some(number) = next(&left) {
        let request = client.post(&url).header("content-type", "application/json").body(body(number));
        check(&request.send().await?.bytes().await?)?;
    }
    Ok(())
}

async fn exact(endpoint: Rc<Endpoint>, left: Arc<AtomicU32>) -> Result<(), Problem> {
    while let Some(number) = next(&left) {
        let request = request(number);
        let deadline = Instant::now() + Duration::from_secs(60);
        let ask = Ask { model: "gpt-4.1", request: &request, deadline, keep_answer: false };
        endpoint.attempt(&ask).await.result.map_err(|failure| failure.detail)?;
    }
    Ok(())
}

pub fn config(base_url: String) -> EndpointConfig {
    EndpointConfig {
        name: "nginx".into(),
        base_url,
        dialect: Dialect::Openai,
        prompt_cache: PromptCaching::Off,
        api_key: None,
        headers: BTreeMap::new(),
        gateway_cache: true,
        extra_ca_pem: Vec::new(),
        insecure: false,
        resume: false,
        proxy: Proxy::Never,
        access: Arc::default(),
    }
}

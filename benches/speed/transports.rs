//! One thread, the same nginx, the same calls: bare hyper connections, reqwest's pool, and the exact pool.
//! Connections are counted by nginx.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gatebench::chat::{Canonical, ChatRequest};
use gatebench::profile::{Dialect, Pool};
use gatebench::route::{Ask, Endpoint, EndpointConfig};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, LocalOptions};

use super::measure::{median, thread_cpu};
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
    Exact,
}

const RUNS: [(&str, Way, u32); 6] = [
    ("hyper's connection API", Way::Hyper, 64),
    ("exact pool", Way::Exact, 64),
    ("reqwest", Way::Reqwest, 64),
    ("hyper's connection API", Way::Hyper, 256),
    ("exact pool", Way::Exact, 256),
    ("reqwest", Way::Reqwest, 256),
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
            Way::Hyper | Way::Reqwest => table.figure(&figure, opened.to_string()),
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
    let cpu = thread_cpu();
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let left = Rc::new(Cell::new(CALLS));
    runtime.block_on(async {
        match way {
            Way::Hyper => all(tasks, || bare(nginx.authority(), left.clone())).await,
            Way::Reqwest => {
                // No proxy: reqwest reads the environment for one by default.
                let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
                let url = format!("{}/chat/completions", nginx.base_url());
                all(tasks, || pooled(client.clone(), url.clone(), left.clone())).await
            }
            Way::Exact => {
                let pool = Pool { max_connections: tasks, max_idle: tasks, ..Pool::default() };
                let endpoint = Rc::new(Endpoint::new(config(nginx.base_url()), &pool)?);
                let done = all(tasks, || exact(endpoint.clone(), left.clone())).await;
                endpoint.shut_down().await;
                done
            }
        }
    })?;
    drop(runtime);
    let cpu = thread_cpu() - cpu;
    // One is this count's own connection.
    let opened = nginx.accepted()? - accepted - 1;
    Ok(Spent { cpu_per_100k: cpu * 1e5 / f64::from(CALLS), opened })
}

/// As many tasks at once, each until no call is left.
async fn all<F>(tasks: u32, task: impl Fn() -> F) -> Result<(), Problem>
where
    F: Future<Output = Result<(), Problem>> + 'static,
{
    let running: Vec<_> = (0..tasks).map(|_| tokio::task::spawn_local(task())).collect();
    for task in running {
        task.await??;
    }
    Ok(())
}

fn next(left: &Cell<u32>) -> Option<u32> {
    let number = left.get().checked_sub(1)?;
    left.set(number);
    Some(number)
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

async fn bare(authority: String, left: Rc<Cell<u32>>) -> Result<(), Problem> {
    let tcp = TcpStream::connect(&authority).await?;
    tcp.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await?;
    tokio::task::spawn_local(connection);
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

async fn pooled(client: reqwest::Client, url: String, left: Rc<Cell<u32>>) -> Result<(), Problem> {
    while let Some(number) = next(&left) {
        let request = client.post(&url).header("content-type", "application/json").body(body(number));
        check(&request.send().await?.bytes().await?)?;
    }
    Ok(())
}

async fn exact(endpoint: Rc<Endpoint>, left: Rc<Cell<u32>>) -> Result<(), Problem> {
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
        api_key: None,
        headers: BTreeMap::new(),
        gateway_cache: true,
        extra_ca_pem: Vec::new(),
        resume: false,
    }
}

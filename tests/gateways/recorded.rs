//! The answers of the folder, each through an attempt.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatebench::chat::{Canonical, ChatRequest};
use gatebench::profile::{Client, Dialect, Pool, PromptCaching};
use gatebench::route::{Ask, Endpoint, EndpointConfig, Proxy, Reply};
use libtest_mimic::Trial;
use serde::Deserialize;
use tokio::runtime::{Builder, LocalOptions};

use super::server;
use super::tokens::Tokens;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    about: String,
    learned: String,
    #[serde(default)]
    streamed: bool,
    gateway_hit: bool,
    usage: Tokens,
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateways")
}

pub fn trials() -> Vec<Trial> {
    let files =
        std::fs::read_dir(folder()).expect("the folder of answers can be read").map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "http")).collect();
    files.sort();
    let trial = |answer: PathBuf| {
        let name = answer.file_stem().unwrap_or_default().to_string_lossy().replace('_', " ");
        Trial::test(name, move || Ok(holds(&answer)?))
    };
    files.into_iter().map(trial).collect()
}

fn holds(answer: &Path) -> Result<(), String> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let expected: Expected = toml::from_str(&read(&answer.with_extension("toml"))?).map_err(|e| e.to_string())?;
    if expected.about.is_empty() || expected.learned.is_empty() {
        return Err("say what it is about and where it was learned".into());
    }
    let base_url = server::start(server::on_the_wire(&read(answer)?)?).map_err(|error| error.to_string())?;
    for client in [Client::Exact, Client::Reqwest] {
        let reply = attempt(&base_url, client, expected.streamed)?;
        let actual = (reply.gateway_hit, reply.usage);
        let wanted = (expected.gateway_hit, expected.usage.usage());
        if actual != wanted {
            return Err(format!("expected {wanted:?}, but was {actual:?} ({client:?})"));
        }
        if reply.first_token.is_some() != expected.streamed {
            return Err(format!("the first token came at {:?} ({client:?})", reply.first_token));
        }
    }
    Ok(())
}

fn attempt(base_url: &str, client: Client, stream: bool) -> Result<Reply, String> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default()).unwrap();
    let config = EndpointConfig {
        name: "gateway".into(),
        base_url: base_url.into(),
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
    };
    let request = ChatRequest { stream, ..ChatRequest::new(Canonical::user_message("hello")) };
    let deadline = Instant::now() + Duration::from_secs(60);
    runtime.block_on(async {
        let endpoint = Endpoint::new(config, &Pool { client, ..Pool::default() }).map_err(|error| error.to_string())?;
        let ask = Ask { model: "m", request: &request, deadline, keep_answer: false };
        endpoint.attempt(&ask).await.result.map_err(|failure| failure.detail)
    })
}

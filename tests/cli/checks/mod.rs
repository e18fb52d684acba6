//! `gatebench check`: what each thing that can be wrong is called, how it is said to be mended, and the exit code.

mod endpoint;
mod key;
mod redis;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::binary::{Done, Folder, Sim, until};
use crate::outcomes::schema_problems;

const KEY: &str = "sk-test-4f9c2e7a1b";
const VARIABLE: &str = "GATEBENCH_TEST_KEY";

/// As written here, whatever the machine's own environment says.
fn plainly(command: &mut assert_cmd::Command) {
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY"] {
        command.env_remove(name);
    }
    command.env_remove(VARIABLE);
}

fn checked(folder: &Folder, args: &[&str]) -> Done {
    folder.run_with([&["check"], args].concat(), plainly)
}

/// The check's document, which its schema has accepted, and its exit code.
struct Checked(Value, i32);

impl Checked {
    fn of(folder: &Folder, args: &[&str]) -> Self {
        Self::with(folder, args, |_| {})
    }

    fn with(folder: &Folder, args: &[&str], prepare: impl FnOnce(&mut assert_cmd::Command)) -> Self {
        let done = folder.run_with([&["check", "--json"], args].concat(), |command| {
            plainly(command);
            prepare(command);
        });
        let document = done.json();
        assert_eq!(schema_problems(folder, "check", &document), [""; 0]);
        assert_eq!(document["exit_code"], done.code);
        assert!(!done.stdout.contains(KEY) && !done.stderr.contains(KEY), "{} {}", done.stdout, done.stderr);
        Self(document, done.code)
    }

    fn url(folder: &Folder, url: &str, more: &[&str]) -> Self {
        Self::of(folder, &[&["--url", url, "--model", "gpt-4.1"], more].concat())
    }

    #[track_caller]
    fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.1, code, "{:#}", self.0);
        self
    }

    /// This step's worst finding has this status, with these words in what it says and how it is mended.
    #[track_caller]
    fn says(&self, step: &str, status: &str, words: &[&str]) -> &Self {
        let all = self.0["checks"].as_array().unwrap();
        let found: Vec<_> = all.iter().filter(|check| check["step"] == step && check["status"] == status).collect();
        let holds = |check: &&Value| {
            let said = format!("{} -> {}", check["detail"], check["mend"]).replace("\\\"", "\"");
            words.iter().all(|word| said.contains(word))
        };
        assert!(found.iter().any(holds), "no {step} {status} {words:?} in {all:#?}");
        self
    }

    fn fact(&self, step: &str, name: &str) -> &Value {
        let all = self.0["checks"].as_array().unwrap();
        &all.iter().find(|check| check["step"] == step).unwrap()["facts"][name]
    }
}

/// Answers every request with what `respond` makes of its first line and its headers; the connection is closed.
fn serve(respond: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            if let Some(head) = head(&mut stream) {
                let _ = stream.write_all(respond(&head).as_bytes());
            }
        }
    });
    url
}

fn head(stream: &mut TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    Some(head)
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

const LIST: &str = r#"{"object":"list","data":[{"id":"gpt-4.1"}]}"#;
const STREAM: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ok\"}}]}\n\ndata: [DONE]\n\n";

fn completion() -> String {
    answer("200 OK", "text/event-stream", STREAM)
}

const SIMULATED: &str = r#"
[routes.gateway]
simulate = { preset = "local", keys = ["sk-test-4f9c2e7a1b"] }
api_key_env = "GATEBENCH_TEST_KEY"
"#;

fn with_key(value: &str) -> Checked {
    Checked::with(&Folder::with(SIMULATED), &["profile.toml"], |command| _ = command.env(VARIABLE, value))
}

#[test]
fn the_quickstart_is_ready_and_says_so_in_a_page() {
    let done = checked(&Folder::new(), &["quickstart"]).exits(0);
    assert!(!done.stdout.contains('\x1b') && done.stderr.is_empty(), "{}", done.stderr);
    assert!(done.stdout.lines().all(|line| line == line.trim_end() && line.chars().count() <= 100));
    expect_test::expect![[r#"

        profile  built-in quickstart
          ok    profile           valid: gpt-4.1 on gateway, then gpt-4o-mini on gateway, then deepseek-v3.2 on gateway

        routes.gateway  simulated: holysheep, https://127.0.0.1:PORT/v1
          ok    key               none is sent
          ok    dns               an address already: no name to resolve
          ok    tcp         TIME  127.0.0.1:PORT
          ok    tls         TIME  TLS 1.3, offers HTTP/2; gatebench sim by gatebench sim CA
          ok    models      TIME  SOME models listed, among them gpt-4.1, gpt-4o-mini, deepseek-v3.2
          ok    call        TIME  gpt-4.1 answers, first token after TIME; 2 + 1 tokens, ¥0.0000120 ($0.0000120), simulated

        routes.direct  simulated: openai-official, https://127.0.0.1:PORT/v1
          ok    key               none is sent
          ok    dns               an address already: no name to resolve
          ok    tcp         TIME  127.0.0.1:PORT
          ok    tls         TIME  TLS 1.3, offers HTTP/2; gatebench sim by gatebench sim CA
          ok    models      TIME  SOME models listed, among them gpt-4.1
          ok    call        TIME  gpt-4.1 answers, first token after TIME; 2 + 1 tokens, ¥0.0000876 ($0.0000120), simulated

        redis  none
          skip  redis             the profile has no such tier

        machine  this one
          ok    clock             agrees with that of gateway, direct to a second or two
          ok    proxies           none in the environment

    "#]].assert_eq(&masked(&done.stdout));
}

/// Without what differs from run to run and from machine to machine: times, ports, where lines break, and the lines of
/// what the machine is like.
fn masked(page: &str) -> String {
    const TIME: std::ops::Range<usize> = 17..24;
    const TEXT: usize = 26;
    let mut lines: Vec<String> = Vec::new();
    for line in page.lines() {
        let cells: Vec<char> = line.chars().collect();
        let is_finding = line.starts_with("  ") && cells.len() > TEXT;
        let (start, text): (String, String) = match is_finding {
            true => (cells[..TEXT].iter().collect(), cells[TEXT..].iter().collect()),
            false => (String::new(), line.to_owned()),
        };
        let text = text.split(' ').map(without_chance).collect::<Vec<_>>().join(" ");
        // How many names a simulated route lists is no promise.
        let text = match text.split_once(" models listed") {
            Some((_, which)) => format!("SOME models listed{which}"),
            None => text,
        };
        if is_finding && start.trim().is_empty() {
            *lines.last_mut().unwrap() += &format!(" {text}");
        } else if is_finding && !cells[TIME].iter().all(|cell| *cell == ' ') {
            lines.push(format!("{}   TIME  {text}", cells[..TIME.start].iter().collect::<String>()));
        } else {
            lines.push(start + &text);
        }
    }
    let of_this_machine = ["timer", "cores", "files"];
    lines.retain(|line| !of_this_machine.contains(&line.split_whitespace().nth(1).unwrap_or_default()));
    let told = lines.iter().take_while(|line| !line.starts_with("ready"));
    told.map(|line| format!("{line}\n")).collect()
}

fn without_chance(word: &str) -> String {
    if let Some((before, after)) = word.split_once("127.0.0.1:") {
        return format!("{before}127.0.0.1:PORT{}", after.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    let bare = word.trim_end_matches([';', ',']);
    let number = bare.trim_end_matches(['n', 'µ', 'm', 's']);
    let is_time = number.len() < bare.len() && number.parse::<f64>().is_ok();
    if is_time { word.replace(bare, "TIME") } else { word.to_owned() }
}

#[test]
fn no_call_and_a_budget_too_small_make_no_call() {
    let folder = Folder::new();
    let sim = Sim::start(&folder, &["local"]);
    Checked::url(&folder, &sim.base_url, &["--no-call"]).exits(0).says("call", "skip", &["--no-call"]);
    let small = ["--set", "limits.budget=$0.0000001"];
    Checked::url(&folder, &sim.base_url, &small).exits(0).says("call", "skip", &["limits.budget", "too little"]);
    assert_eq!(sim.requests(), 0);
    let done = checked(&folder, &["--url", &sim.base_url, "--model", "gpt-4.1", "--set", "limits.budget=$1"]).exits(0);
    done.stderr_has(&["one call of 1 token to a real endpoint may cost", "$", "--no-call"]);
    assert_eq!(sim.requests(), 1);
}

#[test]
fn a_call_is_made_as_the_profile_makes_its_own() {
    let folder = Folder::new();
    let sim = Sim::start(&folder, &["local"]);
    let whole = Checked::url(&folder, &sim.base_url, &["--set", "workload.stream=false"]);
    assert!(whole.exits(0).fact("call", "ttft_ms").is_null());
    let through_reqwest = Checked::url(&folder, &sim.base_url, &["--set", "stack.pool.client=reqwest"]);
    through_reqwest.exits(0).says("models", "ok", &["listed"]).says("call", "ok", &["first token"]);
    assert_eq!(sim.stats()["tokens_out"], 2);
}

#[test]
fn a_proxy_of_the_environment_is_used_by_reqwest_alone_and_said_so() {
    let proxy = serve(|head| match head {
        head if head.starts_with("GET http://gateway.example/v1/models ") => answer("200 OK", "application/json", LIST),
        _ => completion(),
    });
    let host = proxy.trim_start_matches("http://").to_owned();
    let folder = Folder::new();
    let args = |client: &'static str| ["--url", "http://gateway.example/v1", "--model", "gpt-4.1", "--set", client];
    let through = |command: &mut assert_cmd::Command| _ = command.env("http_proxy", format!("http://me:{KEY}@{host}"));
    let checked = Checked::with(&folder, &args("stack.pool.client=reqwest"), through);
    checked.exits(0).says("dns", "skip", &["through the proxy 127.0.0.1:"]).says("call", "ok", &["answers"]);
    checked.says("proxies", "ok", &["direct through 127.0.0.1:", "http_proxy"]);
    let local = ["--url", "http://127.0.0.1:1/v1", "--model", "gpt-4.1"];
    let checked = Checked::with(&folder, &local, through);
    checked.exits(1).says("proxies", "warn", &["\"exact\" connects to direct without a proxy", "reqwest"]);
    let exempt = |command: &mut assert_cmd::Command| {
        through(command);
        command.env("NO_PROXY", "127.0.0.1");
    };
    Checked::with(&folder, &local, exempt).exits(1).says("proxies", "ok", &["for none of the routes"]);
}

#[test]
fn an_interrupt_leaves_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let mut check = Folder::new().spawn(&["check", "--url", &url, "--model", "gpt-4.1"]);
    // The way there, then GET /models, which is not answered.
    let connections = [listener.accept().unwrap(), listener.accept().unwrap()];
    check.signal(libc::SIGINT);
    let (status, took) = check.wait();
    assert_eq!(status.code(), Some(130));
    assert!(took < Duration::from_secs(8), "it took {took:?}");
    assert!(check.stdout().contains("ok    tcp"), "lines appear as they are done");
    drop(connections);
}

#[test]
fn a_profile_that_cannot_be_run_is_bad_input() {
    let folder = Folder::with(SIMULATED);
    checked(&folder, &["profile.toml", "--set", "load.usres=1"]).refused_with(&["load.usres", "did you mean"]);
    checked(&folder, &[]).refused_with(&["<PROFILE>"]);
    std::fs::write(folder.path("prompts.jsonl"), "{\"prompt\":1}\n").unwrap();
    let set = "workload.prompts={ kind = \"file\", path = \"prompts.jsonl\" }";
    let checked = Checked::of(&folder, &["profile.toml", "--set", set]);
    checked.exits(2).says("profile", "fail", &["prompts.jsonl:1"]).says("dns", "skip", &["cannot be run"]);
}

//! `gatebench check`: what each thing that can be wrong is called, how it is said to be mended, and the exit code.

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
fn a_right_key_passes_and_is_shown_nowhere() {
    let checked = with_key(KEY);
    checked.exits(0).says("key", "ok", &[VARIABLE, "sk-…"]).says("models", "ok", &["gpt-4.1"]);
    checked.says("call", "ok", &["gpt-4.1 answers", "first token", "simulated"]);
    assert!(checked.fact("call", "ttft_ms").as_f64() > Some(0.0));
    assert_eq!(checked.fact("call", "output_tokens"), 1);
}

#[test]
fn a_refused_key_fails_at_the_models_with_the_providers_words_and_is_not_tried_again() {
    let checked = with_key("sk-another");
    checked.exits(1).says("models", "fail", &["401", "Incorrect API key", VARIABLE, "Authorization: Bearer"]);
    checked.says("call", "skip", &["since models failed"]);
}

#[test]
fn what_came_into_the_variable_with_the_key_is_told_before_the_server_refuses_it() {
    with_key(&format!(" {KEY}\n")).exits(0).says("key", "warn", &["white space"]).says("call", "ok", &["answers"]);
    with_key(&format!("Bearer {KEY}")).exits(1).says("key", "warn", &["Bearer Bearer"]).says(
        "models",
        "fail",
        &["401"],
    );
    with_key(&format!("\"{KEY}\"")).exits(1).says("key", "warn", &["quotes"]).says("models", "fail", &["401"]);
}

#[test]
fn a_missing_key_is_bad_input_and_nothing_is_sent() {
    let folder = Folder::with(SIMULATED);
    let real = Sim::start(&folder, &["local"]);
    let url = format!("routes.other.base_url={}", real.base_url);
    let args = ["profile.toml", "--set", &url, "--set", "stack.route=gateway"];
    for value in ["", "  ", "one\nand another"] {
        let checked = Checked::with(&folder, &args, |command| _ = command.env(VARIABLE, value));
        checked.exits(2).says("key", "fail", &[VARIABLE, "export"]);
        checked.says("models", "skip", &["nothing is sent while routes.gateway lacks its key"]);
    }
    Checked::of(&folder, &args).exits(2).says("key", "fail", &["is not set"]);
    assert_eq!(real.stats()["accepted"], 0, "something was sent to the other route");
}

#[test]
fn a_key_that_the_server_repeats_is_hidden() {
    let url = serve(|head| {
        let sent = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization")).unwrap_or_default();
        answer(
            "401 Unauthorized",
            "application/json",
            &format!(r#"{{"error":{{"message":"wrong: {}"}}}}"#, sent.trim()),
        )
    });
    let folder = Folder::new();
    let args = ["--url", &format!("{url}/v1"), "--model", "gpt-4.1", "--api-key-env", VARIABLE];
    let with_key = |command: &mut assert_cmd::Command| {
        plainly(command);
        command.env(VARIABLE, KEY);
    };
    Checked::with(&folder, &args, with_key).exits(1).says("models", "fail", &["wrong:", "[key]"]);
    for more in [&["--quiet"][..], &[]] {
        let done = folder.run_with([&["check"], &args[..], more].concat(), with_key).exits(1);
        assert!(!done.stdout.contains(KEY) && !done.stderr.contains(KEY));
        assert_eq!(done.stdout.is_empty(), !more.is_empty());
        assert!((done.stdout + &done.stderr).contains("[key]"));
    }
}

#[test]
fn a_closed_port_fails_at_tcp_and_the_rest_is_skipped() {
    let checked = Checked::url(&Folder::new(), "https://127.0.0.1:1/v1", &[]);
    checked.exits(1).says("tcp", "fail", &["nothing listens at 127.0.0.1:1", "refused", "is the server up"]);
    for step in ["tls", "models", "call"] {
        checked.says(step, "skip", &["since tcp failed"]);
    }
}

#[test]
fn a_host_without_an_address_fails_at_dns() {
    let checked = Checked::url(&Folder::new(), "https://no-such-host.invalid/v1", &[]);
    checked.exits(1).says("dns", "fail", &["no-such-host.invalid", "check"]);
    checked.says("tcp", "skip", &["since dns failed"]);
}

#[test]
fn a_server_that_never_answers_is_left_when_its_time_is_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let folder = Folder::new();
    let soon = ["--set", "stack.pool.read_timeout=200ms", "--set", "stack.pool.tls_timeout=200ms"];
    let soon = [&soon[..], &["--set", "stack.pool.connect_timeout=500ms"]].concat();
    Checked::url(&folder, &format!("http://{address}/v1"), &soon).exits(1).says(
        "models",
        "fail",
        &["no bytes for 200ms"],
    );
    Checked::url(&folder, &format!("https://{address}/v1"), &soon).exits(1).says(
        "tls",
        "fail",
        &["does not answer the TLS handshake within 200ms"],
    );
}

#[test]
fn the_wrong_one_of_http_and_https_is_said_to_be_that() {
    let folder = Folder::with("[routes.gateway]\nsimulate = { preset = \"local\", tls = \"1.3\" }\n");
    let (secure, plain) = (Sim::start(&folder, &["profile.toml"]), Sim::start(&folder, &["local"]));
    let checked = Checked::url(&folder, &secure.base_url.replace("https:", "http:"), &[]);
    checked.exits(1).says("models", "fail", &["speaks TLS", "write https:// in --url"]);
    let checked = Checked::url(&folder, &plain.base_url.replace("http:", "https:"), &[]);
    checked.exits(1).says("tls", "fail", &["plain HTTP", "write http:// in --url"]);
    assert_eq!(plain.requests(), 0);
}

#[test]
fn a_certificate_that_nobody_vouches_for_or_of_another_host_fails_at_tls() {
    let folder = Folder::with("[routes.gateway]\nsimulate = { preset = \"local\", tls = \"1.3\" }\n");
    let sim = Sim::start(&folder, &["profile.toml", "--listen", "0.0.0.0:0"]);
    let checked = Checked::url(&folder, &sim.base_url, &[]);
    checked.exits(1).says("tls", "fail", &["signed by an authority unknown here", "--cacert"]);
    let ca = format!("routes.direct.ca_file={}", sim.ca_file.display());
    let checked = Checked::url(&folder, &sim.base_url, &["--set", &ca]);
    checked.exits(0).says("tls", "ok", &["TLS 1.3, offers HTTP/2", "gatebench sim by gatebench sim CA"]);
    assert_eq!((checked.fact("tls", "version"), checked.fact("tls", "alpn")), (&"1.3".into(), &"h2".into()));
    Checked::url(&folder, &sim.base_url, &["--insecure"]).exits(0).says("tls", "ok", &["not checked (insecure)"]);
    let elsewhere = sim.base_url.replace("127.0.0.1", "127.0.0.2");
    let checked = Checked::url(&folder, &elsewhere, &["--set", &ca]);
    checked.exits(1).says("tls", "fail", &["is not for 127.0.0.2", "base_url"]);
}

#[test]
fn an_endpoint_without_a_list_of_models_is_warned_about_and_called_all_the_same() {
    let url = serve(|head| match head.starts_with("GET") {
        true => answer("404 Not Found", "application/json", r#"{"error":"no route"}"#),
        false => completion(),
    });
    let checked = Checked::url(&Folder::new(), &format!("{url}/v1"), &[]);
    checked.exits(0).says("models", "warn", &["404", "no /models; skipped"]);
    checked.says("call", "ok", &["gpt-4.1 answers", "estimated"]);
}

#[test]
fn a_missing_version_in_the_address_is_found() {
    let url = serve(|head| match head {
        head if head.starts_with("GET /v1/models ") => answer("200 OK", "application/json", LIST),
        _ => answer("404 Not Found", "text/html", "<html>nothing here</html>"),
    });
    let checked = Checked::url(&Folder::new(), &url, &[]);
    checked.exits(1).says("models", "fail", &["404 with a web page", &format!("--url should be \"{url}/v1\"")]);
    let elsewhere = Checked::url(&Folder::new(), &format!("{url}/v2"), &[]);
    elsewhere.exits(1).says("models", "warn", &["404 with a web page", "no API answers there"]);
    elsewhere.says("call", "fail", &["404", "dialect = \"openai\""]);
}

#[test]
fn a_redirect_names_the_address_to_set() {
    let url = serve(|_| {
        "HTTP/1.1 308 Permanent Redirect\r\nlocation: https://new.example/v1/models\r\n\
                         content-length: 0\r\nconnection: close\r\n\r\n"
            .into()
    });
    let checked = Checked::url(&Folder::new(), &format!("{url}/v1"), &[]);
    checked.exits(1).says("models", "fail", &["308 redirects", "--url should be \"https://new.example/v1\""]);
}

#[test]
fn a_model_that_is_not_listed_is_suggested() {
    let url = serve(|head| match head.starts_with("GET") {
        true => answer("200 OK", "application/json", LIST),
        false => answer("404 Not Found", "application/json", r#"{"error":{"message":"no such model"}}"#),
    });
    let args = ["--url", &format!("{url}/v1"), "--model", "gpt4.1"];
    let checked = Checked::of(&Folder::new(), &args);
    checked.exits(1).says("models", "warn", &["1 model listed, not gpt4.1", "did you mean \"gpt-4.1\"?"]);
    checked.says("call", "fail", &["no such model", "did you mean \"gpt-4.1\"?"]);
}

#[test]
fn a_clock_that_differs_from_the_endpoints_is_warned_about() {
    let url = serve(|head| match head.starts_with("GET") {
        true => answer("200 OK", "application/json\r\ndate: Wed, 21 Oct 2015 07:28:00 GMT", LIST),
        false => completion(),
    });
    let checked = Checked::url(&Folder::new(), &format!("{url}/v1"), &[]);
    checked.exits(0).says("clock", "warn", &["ahead of direct's", "TLS", "set-ntp"]);
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

/// A redis-server of the test's own, on a socket file.
struct Redis(Child);

impl Redis {
    fn start(socket: &Path, more: &[&str]) -> Self {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no"]);
        command.arg("--unixsocket").arg(socket).args(more).stdout(Stdio::null());
        let process = command.spawn().expect("these tests need redis-server on PATH (Debian: redis-server)");
        let redis = Self(process);
        until("redis-server answers", || UnixStream::connect(socket).is_ok());
        redis
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn with_redis(folder: &Folder, url: &str) -> Checked {
    let url = format!("stack.cache.redis.url={url}");
    Checked::of(folder, &["ci-smoke", "--set", &url, "--set", "stack.cache.redis.timeout=10s"])
}

#[test]
fn a_redis_is_asked_for_its_version_and_whether_it_keeps_what_it_is_given() {
    let folder = Folder::new();
    with_redis(&folder, "managed").exits(0).says("redis", "ok", &["starts and answers"]);
    let socket = folder.path("redis.sock");
    let _redis = Redis::start(&socket, &["--requirepass", "s3cr3t", "--maxmemory", "8mb"]);
    let place = socket.display().to_string();
    let without = with_redis(&folder, &format!("unix://{place}"));
    without.exits(1).says("redis", "fail", &[&place, "asks for a password", ":PASSWORD@"]);
    let wrong = with_redis(&folder, &format!("unix://{place}?pass=wr0ng"));
    wrong.exits(1).says("redis", "fail", &[&place, "refuses the password", "correct it"]);
    assert!(!wrong.0.to_string().contains("wr0ng"));
    let right = with_redis(&folder, &format!("unix://{place}?pass=s3cr3t"));
    right.exits(0).says("redis", "ok", &[&place, "answers"]);
    right.says("redis", "warn", &["noeviction with maxmemory 8.00M", "allkeys-lru"]);
    assert!(!right.0.to_string().contains("s3cr3t"));
}

#[test]
fn a_redis_that_is_absent_silent_or_not_installed_fails_with_the_mend() {
    let folder = Folder::new();
    let absent = with_redis(&folder, "redis://127.0.0.1:1");
    absent.exits(1).says("redis", "fail", &["nothing listens at 127.0.0.1:1", "is redis-server up"]);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = silent.local_addr().unwrap().to_string();
    with_redis(&folder, &format!("redis://{host}")).exits(1).says(
        "redis",
        "fail",
        &["no answer from", &host, "does it hang?"],
    );
    let args = ["ci-smoke", "--set", "stack.cache.redis.url=managed"];
    let nowhere = Checked::with(&folder, &args, |command| _ = command.env("PATH", folder.path("")));
    nowhere.exits(1).says("redis", "fail", &["not installed", "apt-get install"]);
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

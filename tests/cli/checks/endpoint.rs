//! The way to an endpoint, and what it lists.

use super::*;

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

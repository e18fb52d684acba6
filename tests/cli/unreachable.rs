//! Endpoints that cannot be reached, or not be trusted: exit 1 with the mend, and the flags that mend it.

use std::fs;

use crate::binary::{Done, Folder, Sim};

fn run(folder: &Folder, base_url: &str, more: &[&str]) -> Done {
    folder.run([&["run", "--url", base_url, "-m", "gpt-4.1", "-c", "2"], more].concat())
}

fn secured(folder: &Folder) -> Sim {
    fs::write(folder.path("sim.toml"), "[routes.gateway]\nsimulate = { preset = \"local\", tls = \"1.3\" }\n").unwrap();
    Sim::start(folder, &["sim.toml"])
}

#[track_caller]
fn gives_up_with(done: Done, words: &[&str]) {
    let done = done.exits(1);
    let said = done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words.iter().chain(&["given up", "(exit 1)"]) {
        assert!(said.contains(word), "`{word}` is not in {}", done.stdout);
    }
}

#[test]
fn a_host_without_an_address_is_given_up_by_its_name() {
    let folder = Folder::new();
    let words = ["could not resolve no-such-host.invalid", "spelling in base_url (--url)", "DNS"];
    gives_up_with(run(&folder, "http://no-such-host.invalid/v1", &["-z", "60s"]), &words);
}

/// Its queue of connections is full, so that the kernel drops whoever knocks: as a firewall does.
#[cfg(target_os = "linux")]
#[test]
fn a_host_that_swallows_every_packet_is_given_up_too() {
    let folder = Folder::new();
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let _the_only_place = std::net::TcpStream::connect(address).unwrap();
    let impatient = ["-z", "60s", "--set", "stack.pool.connect_timeout=200ms"];
    let done = run(&folder, &format!("http://{address}/v1"), &impatient);
    let place = format!("connecting to {address} took longer than 200ms (stack.pool.connect_timeout)");
    gives_up_with(done, &["no call got a connection", &place]);
}

#[test]
fn plain_words_to_a_port_of_tls_are_mended_by_its_scheme() {
    let folder = Folder::new();
    let sim = secured(&folder);
    let done = run(&folder, &sim.base_url.replace("https:", "http:"), &["-n", "3"]).exits(1);
    let said = done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("if that port speaks TLS, write https://"), "{said}");
}

#[test]
fn a_quiet_run_that_could_not_begin_says_why_all_the_same() {
    let folder = Folder::new();
    let done = run(&folder, "http://127.0.0.1:9/v1", &["-z", "60s", "--quiet"]).exits(1);
    assert_eq!(done.stdout, "");
    done.stderr_has(&["nothing listens at 127.0.0.1:9", "is the server up", "(exit 1)"]);
}

#[test]
fn an_unknown_authority_is_trusted_by_its_file_or_not_asked_at_all() {
    let folder = Folder::new();
    let sim = secured(&folder);
    for client in ["exact", "reqwest"] {
        let through = format!("stack.pool.client={client}");
        let with = |more: &[&str]| run(&folder, &sim.base_url, &[&["--set", &through], more].concat());
        gives_up_with(with(&["-z", "60s"]), &["authority unknown here", "--cacert FILE", "--insecure (-k)"]);
        let ca_file = sim.ca_file.to_str().unwrap();
        let trusting = with(&["--cacert", ca_file, "-n", "20", "--json"]).ran();
        assert!(!trusting.stderr.contains("insecure"), "{}", trusting.stderr);
        assert_eq!(trusting.json()["load"]["succeeded"], 20);
        assert!(trusting.json()["run"].get("insecure_routes").is_none());
        let blind = with(&["-k", "-n", "20", "--json"]).ran();
        blind.stderr_has(&["warning: --insecure: the certificate of route \"direct\" is not checked", "--cacert"]);
        assert_eq!(blind.json()["load"]["succeeded"], 20);
        assert_eq!(blind.json()["run"]["insecure_routes"], serde_json::json!(["direct"]));
        assert_eq!(blind.json()["profile"]["routes"]["direct"]["insecure"], true);
    }
}

#[test]
fn the_flags_are_for_every_real_route_of_a_profile() {
    let folder = Folder::with(
        "[load]\nmode = \"closed\"\nusers = 1\nrequests = 5\nwarmup = \"0s\"\n\
         [stack]\nroute = \"gateway\"\n[routes.gateway]\nbase_url = \"BASE\"\n[routes.near]\nsimulate = \"local\"\n",
    );
    let sim = secured(&folder);
    let profile = fs::read_to_string(folder.path("profile.toml")).unwrap().replace("BASE", &sim.base_url);
    fs::write(folder.path("profile.toml"), profile).unwrap();
    let done = folder.run(["run", "profile.toml", "--cacert", sim.ca_file.to_str().unwrap(), "--json"]).ran();
    assert_eq!(done.json()["load"]["succeeded"], 5);
    assert!(done.json()["profile"]["routes"]["near"].get("ca_file").is_none());
    let blind = folder.run(["run", "profile.toml", "-k"]).ran();
    assert!(blind.stdout.contains("certificates were not checked (insecure): gateway"), "{}", blind.stdout);
}

#[test]
fn a_bad_file_of_authorities_is_refused_before_anything_is_sent() {
    let folder = Folder::new();
    fs::write(folder.path("empty.pem"), "").unwrap();
    fs::write(folder.path("binary.der"), [0x30, 0x82, 0x01]).unwrap();
    fs::write(folder.path("cut.pem"), "-----BEGIN CERTIFICATE-----\nMIIB\n").unwrap();
    fs::write(folder.path("wrong.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let sim = Sim::start(&folder, &["local"]);
    let refused = |file: &str, words: &[&str]| {
        run(&folder, &sim.base_url, &["--cacert", file])
            .refused_with(&[&["routes.direct.ca_file", file], words].concat());
    };
    refused("absent.pem", &["--cacert absent.pem: ", "cannot be read"]);
    for file in ["empty.pem", "binary.der", "cut.pem", "wrong.pem"] {
        refused(file, &["PEM (-----BEGIN CERTIFICATE-----)"]);
    }
    assert_eq!(sim.requests(), 0);
}

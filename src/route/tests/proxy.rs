//! A proxy that the environment names, which only reqwest knows of.

use super::server::{Server, completion};
use super::{ask, config, local};
use crate::profile::{Client, Pool};
use crate::route::{Endpoint, EndpointConfig, FailureKind, Proxy};

/// What the next test runs where the environment names a proxy.
#[test]
#[ignore = "a process of the next test's"]
fn reqwest_where_a_proxy_is_set() {
    if std::env::var_os("HTTP_PROXY").is_some_and(|proxy| proxy == NO_PROXY_THERE) {
        local(async {
            let server = Server::always(completion()).await;
            let pool = Pool { client: Client::Reqwest, ..Pool::default() };
            let through = |proxy| Endpoint::new(EndpointConfig { proxy, ..config(&server.base_url) }, &pool).unwrap();
            let past_it = through(Proxy::Never);
            assert!(ask(&past_it).await.result.is_ok());
            past_it.configure(&Pool { max_idle: 1, ..pool.clone() });
            assert!(ask(&past_it).await.result.is_ok());
            let lost = ask(&through(Proxy::Environment)).await.result.unwrap_err();
            assert_eq!(lost.kind, FailureKind::Connect);
        });
        println!("both were asked");
    }
}

const NO_PROXY_THERE: &str = "http://127.0.0.1:1";

#[test]
fn reqwest_goes_past_the_environments_proxy_where_it_is_told_to() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--nocapture", "--exact", "route::tests::proxy::reqwest_where_a_proxy_is_set"])
        .env("HTTP_PROXY", NO_PROXY_THERE)
        .env_remove("http_proxy")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("both were asked"), "{said}");
}

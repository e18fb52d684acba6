//! A GET beside the calls.

use std::time::Instant;

use super::server::{Nth, Server, Step, answer, completion};
use super::{PLENTY, ask, config, endpoint, local};
use crate::profile::{Client, Pool};
use crate::route::{Connection, Endpoint, Failure, Fetched};

async fn get(endpoint: &Endpoint) -> Result<Fetched, Failure> {
    endpoint.get("/models", Instant::now() + PLENTY).await
}

#[test]
fn it_goes_with_the_key_and_without_a_body_under_the_base_url_whoever_carries_it() {
    for client in [Client::Exact, Client::Reqwest] {
        local(async move {
            let server = Server::always(answer("200 OK", "date: Wed, 21 Oct 2026 07:28:00 GMT\r\n", "[]")).await;
            let fetched = get(&endpoint(&server.base_url, &Pool { client, ..Pool::default() })).await.unwrap();
            assert_eq!((fetched.status, &fetched.body[..], fetched.is_html), (200, &b"[]"[..], false));
            let date = httpdate::parse_http_date("Wed, 21 Oct 2026 07:28:00 GMT").unwrap();
            assert_eq!(fetched.date, Some(date));
            let seen = server.seen.requests.borrow()[0].to_ascii_lowercase();
            assert!(seen.starts_with("get /v1/models http/1.1\r\n") && seen.ends_with("\r\n\r\n"), "{seen}");
            assert!(seen.contains("\r\nauthorization: bearer sk-test-key\r\n"), "{seen}");
            assert!(!seen.contains("content-type") && !seen.contains("transfer-encoding"), "{seen}");
        });
    }
}

#[test]
fn its_connection_is_kept_for_the_calls() {
    local(async {
        let script =
            |nth: Nth| vec![Step::Send(if nth.request == 0 { answer("200 OK", "", "[]") } else { completion() })];
        let endpoint = endpoint(&Server::start(script).await.base_url, &Pool::default());
        get(&endpoint).await.unwrap();
        assert_eq!(ask(&endpoint).await.connection, Some(Connection::Reused));
    });
}

#[test]
fn any_status_is_an_answer_told_without_the_key() {
    local(async {
        let body = r#"{"error":{"message":"no sk-test-key here"}}"#;
        let refusal = answer("403 Forbidden", "location: /login?key=sk-test-key\r\n", body);
        let fetched = get(&endpoint(&Server::always(refusal).await.base_url, &Pool::default())).await.unwrap();
        assert_eq!((fetched.status, &*fetched.said), (403, "403 Forbidden: no [key] here"));
        assert_eq!(fetched.location.as_deref(), Some("/login?key=[key]"));
    });
}

#[test]
fn a_server_that_hangs_up_is_a_failure() {
    local(async {
        let server = Server::start(|_| vec![Step::Close]).await;
        let endpoint = Endpoint::new(config(&server.base_url), &Pool::default()).unwrap();
        assert!(get(&endpoint).await.is_err());
    });
}

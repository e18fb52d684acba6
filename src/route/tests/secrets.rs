//! What the world repeats to us of our keys, and what of it a text shows.

use super::server::{Server, answer, stream};
use super::{ask, ask_streamed, config, local};
use crate::profile::Pool;
use crate::route::Endpoint;

#[test]
fn no_key_is_ever_shown() {
    local(async {
        let body = r#"{"error":{"message":"wrong key sk-test-key, or sk-other-key"}}"#;
        let server = Server::always(answer("401 Unauthorized", "", body)).await;
        let mut config = config(&server.base_url);
        config.headers.insert("x-gateway-api-key".into(), "sk-other-key".into());
        assert!(!format!("{:?}", config.api_key).contains("sk-"));
        let attempt = ask(&Endpoint::new(config, &Pool::default()).unwrap()).await;
        assert_eq!(attempt.result.unwrap_err().detail, "401 Unauthorized: wrong key [key], or [key]");
    });
}

#[test]
fn no_half_of_a_key_is_shown_where_an_answer_is_cut_short() {
    let key = "hunter2".repeat(12);
    local(async {
        // The key begins well within what a message quotes of a garbled answer, and ends far beyond it.
        let garbage = format!("no such thing: {key}");
        for (answer, streamed) in [(answer("200 OK", "", &garbage), false), (stream(&[&garbage]), true)] {
            let server = Server::always(answer).await;
            let mut config = config(&server.base_url);
            config.headers.insert("x-gateway-key".into(), key.clone());
            let endpoint = Endpoint::new(config, &Pool::default()).unwrap();
            let attempt = if streamed { ask_streamed(&endpoint).await } else { ask(&endpoint).await };
            let detail = attempt.result.unwrap_err().detail;
            assert!(detail.ends_with("no such thing: [key]"), "{detail}");
        }
    });
}

#[test]
fn whatever_header_a_report_hides_no_error_shows() {
    local(async {
        for name in
            ["x-password", "x-session-id", "X-Credential", "x-signature", "x-cookie", "x-bearer", "helicone-auth"]
        {
            let server = Server::always(answer("400 Bad Request", "", r#"{"error":"not hunter2hunter2"}"#)).await;
            let mut config = config(&server.base_url);
            config.headers.insert(name.into(), "hunter2hunter2".into());
            let attempt = ask(&Endpoint::new(config, &Pool::default()).unwrap()).await;
            assert_eq!(attempt.result.unwrap_err().detail, "400 Bad Request: not [key]", "{name}");
        }
    });
}

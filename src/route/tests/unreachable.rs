//! Endpoints that no connection leads to: who is missing and how to mend it, in the words of either client.

use super::{ask, config, local};
use crate::profile::{Client, Pool};
use crate::route::{Endpoint, FailureKind};

fn fails_with(base_url: &'static str, words: &'static [&str]) {
    for client in [Client::Exact, Client::Reqwest] {
        local(async move {
            let endpoint = Endpoint::new(config(base_url), &Pool { client, ..Pool::default() }).unwrap();
            let attempt = ask(&endpoint).await;
            let failure = attempt.result.expect_err("nobody is there");
            assert_eq!((failure.kind, attempt.sent), (FailureKind::Connect, false), "{failure:?}");
            for word in words {
                assert!(failure.detail.contains(word), "{client:?}: `{word}` is not in {}", failure.detail);
            }
        });
    }
}

#[test]
fn where_nobody_listens_the_address_is_named() {
    fails_with("http://127.0.0.1:9/v1", &["nothing listens at 127.0.0.1:9", "base_url, --url"]);
    fails_with("http://[::1]:9/v1", &["[::1]:9"]);
}

#[test]
fn a_host_without_an_address_is_named() {
    fails_with("http://no-such-host.invalid/v1", &["could not resolve no-such-host.invalid: ", "spelling", "DNS"]);
}

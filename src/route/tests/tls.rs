//! Real TLS, with a certificate authority made on the spot.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::server::{Seen, Step, completion, serve};
use super::{ask, config, local};
use crate::profile::{Client, Pool};
use crate::route::{Connection, Endpoint, EndpointConfig, FailureKind, RouteError};

struct Secured {
    base_url: String,
    ca_pem: Vec<u8>,
    seen: Rc<Seen>,
}

/// A certificate of one's own authority for `localhost`, or what `change` makes of it, and the authority.
fn acceptor(change: fn(&mut CertificateParams)) -> (TlsAcceptor, Vec<u8>) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem().into_bytes();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    change(&mut params);
    let leaf = params.signed_by(&key, &issuer).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    (TlsAcceptor::from(Arc::new(server)), ca_pem)
}

async fn secured() -> Secured {
    secured_by(|_| {}).await
}

async fn secured_by(change: fn(&mut CertificateParams)) -> Secured {
    let (acceptor, ca_pem) = acceptor(change);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("https://localhost:{}/v1", listener.local_addr().unwrap().port());
    let seen = Rc::new(Seen::default());
    let shared = seen.clone();
    tokio::task::spawn_local(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, seen) = (acceptor.clone(), shared.clone());
            tokio::task::spawn_local(async move {
                if let Ok(socket) = acceptor.accept(socket).await {
                    serve(socket, Rc::new(|_| vec![Step::Send(completion())]), seen).await;
                }
            });
        }
    });
    Secured { base_url, ca_pem, seen }
}

#[test]
fn a_secured_connection_times_its_phases_apart_and_is_reused() {
    local(async {
        let server = secured().await;
        let mut config = config(&server.base_url);
        config.extra_ca_pem.push(server.ca_pem);
        let endpoint = Endpoint::new(config, &Pool::default()).unwrap();
        let first = ask(&endpoint).await;
        assert!(first.result.is_ok(), "{first:?}");
        let Some(Connection::Opened(connect)) = first.connection else { panic!("{first:?}") };
        for phase in [connect.dns, connect.tcp, connect.tls] {
            assert!(phase > Duration::ZERO, "{connect:?}");
        }
        assert_eq!(connect.total, connect.dns + connect.tcp + connect.tls);
        assert_eq!(ask(&endpoint).await.connection, Some(Connection::Reused));
        endpoint.shut_down().await;
        assert_eq!(endpoint.gauge().open, 0);
        assert_eq!(server.seen.accepted.get(), 1);
    });
}

#[test]
fn reqwest_trusts_the_same_authorities() {
    local(async {
        let server = secured().await;
        let mut config = config(&server.base_url);
        config.extra_ca_pem.push(server.ca_pem);
        let endpoint = Endpoint::new(config, &Pool { client: Client::Reqwest, ..Pool::default() }).unwrap();
        let attempt = ask(&endpoint).await;
        assert!(attempt.result.is_ok(), "{attempt:?}");
    });
}

/// Through either client: no connection, nothing sent, and each of the words.
fn refused_with(change: fn(&mut CertificateParams), trusts: fn(&mut EndpointConfig, Vec<u8>), words: &'static [&str]) {
    for client in [Client::Exact, Client::Reqwest] {
        local(async move {
            let server = secured_by(change).await;
            let mut config = config(&server.base_url);
            trusts(&mut config, server.ca_pem);
            let endpoint = Endpoint::new(config, &Pool { client, ..Pool::default() }).unwrap();
            let attempt = ask(&endpoint).await;
            let failure = attempt.result.expect_err("its certificate is not to be trusted");
            assert_eq!((failure.kind, attempt.sent), (FailureKind::Connect, false));
            let port = server.base_url.trim_start_matches("https://").trim_end_matches("/v1");
            for word in words.iter().chain(&[port, "--insecure (-k)"]) {
                assert!(failure.detail.contains(word), "{client:?}: `{word}` is not in {}", failure.detail);
            }
        });
    }
}

fn knows(config: &mut EndpointConfig, authority: Vec<u8>) {
    config.extra_ca_pem.push(authority);
}

#[test]
fn an_unknown_authority_is_refused_and_both_ways_out_are_named() {
    refused_with(|_| {}, |_, _| {}, &["an authority unknown here", "--cacert FILE (ca_file)"]);
}

#[test]
fn an_expired_certificate_is_refused_with_its_date() {
    let expired = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2024, 2, 29);
    refused_with(expired, knows, &["expired on 2024-02-29", "clock"]);
}

#[test]
fn a_certificate_of_the_future_is_refused_with_its_date() {
    let early = |params: &mut CertificateParams| params.not_before = rcgen::date_time_ymd(4000, 1, 2);
    refused_with(early, knows, &["holds from 4000-01-02 on", "clock right?"]);
}

#[test]
fn a_certificate_of_another_host_is_refused_with_both_names() {
    let of_another = |params: &mut CertificateParams| {
        *params = CertificateParams::new(vec!["api.example.com".to_owned(), "10.0.0.1".to_owned()]).unwrap();
    };
    refused_with(of_another, knows, &["not for localhost but for api.example.com (and 1 more)", "base_url"]);
}

#[test]
fn an_authoritys_own_certificate_is_no_servers() {
    let as_openssl_makes_it = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    refused_with(as_openssl_makes_it, knows, &["CA:TRUE"]);
}

#[test]
fn insecure_accepts_any_certificate_through_either_client() {
    let hopeless = |params: &mut CertificateParams| {
        *params = CertificateParams::new(vec!["api.example.com".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2024, 2, 29);
    };
    for client in [Client::Exact, Client::Reqwest] {
        local(async move {
            let server = secured_by(hopeless).await;
            let config = EndpointConfig { insecure: true, ..config(&server.base_url) };
            let endpoint = Endpoint::new(config, &Pool { client, ..Pool::default() }).unwrap();
            let attempt = ask(&endpoint).await;
            assert!(attempt.result.is_ok(), "{attempt:?}");
        });
    }
}

#[test]
fn a_server_without_tls_is_told_from_one_that_is_not_trusted() {
    for client in [Client::Exact, Client::Reqwest] {
        local(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let place = listener.local_addr().unwrap();
            tokio::task::spawn_local(async move {
                while let Ok((mut socket, _)) = listener.accept().await {
                    let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
                    let _ = socket.read(&mut [0; 1024]).await;
                }
            });
            let config = config(&format!("https://{place}/v1"));
            let attempt = ask(&Endpoint::new(config, &Pool { client, ..Pool::default() }).unwrap()).await;
            let failure = attempt.result.expect_err("there is no TLS");
            assert_eq!((failure.kind, attempt.sent), (FailureKind::Connect, false));
            let said = format!("{place} does not speak TLS; write http:// instead of https://");
            assert!(failure.detail.contains(&said), "{client:?}: {}", failure.detail);
        });
    }
}

#[test]
fn a_server_that_never_shakes_hands_is_a_timeout() {
    local(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("https://{}/v1", listener.local_addr().unwrap());
        let pool = Pool { tls_timeout: Duration::from_millis(50), ..Pool::default() };
        let endpoint = Endpoint::new(config(&base_url), &pool).unwrap();
        let attempt = ask(&endpoint).await;
        let failure = attempt.result.expect_err("it never answers");
        assert_eq!((failure.kind, attempt.sent), (FailureKind::Timeout, false));
        assert_eq!(endpoint.gauge().open, 0);
    });
}

#[test]
fn a_file_without_certificates_is_no_authority_over_plain_http_either() {
    for base_url in ["https://localhost/v1", "http://localhost/v1"] {
        let mut config = config(base_url);
        config.extra_ca_pem.push(b"hello".to_vec());
        assert!(matches!(Endpoint::new(config, &Pool::default()), Err(RouteError::Ca { .. })));
    }
}

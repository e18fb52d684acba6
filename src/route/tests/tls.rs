//! Real TLS, with a certificate authority made on the spot.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::server::{Seen, Step, completion, serve};
use super::{ask, config, local};
use crate::profile::{Client, Pool};
use crate::route::{Connection, Endpoint, FailureKind, RouteError};

struct Secured {
    base_url: String,
    ca_pem: Vec<u8>,
    seen: Rc<Seen>,
}

fn acceptor() -> (TlsAcceptor, Vec<u8>) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem().into_bytes();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    (TlsAcceptor::from(Arc::new(server)), ca_pem)
}

async fn secured() -> Secured {
    let (acceptor, ca_pem) = acceptor();
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

#[test]
fn an_unknown_authority_is_refused() {
    for client in [Client::Exact, Client::Reqwest] {
        local(async move {
            let server = secured().await;
            let endpoint = Endpoint::new(config(&server.base_url), &Pool { client, ..Pool::default() }).unwrap();
            let attempt = ask(&endpoint).await;
            let failure = attempt.result.expect_err("nobody vouches for it");
            assert_eq!((failure.kind, attempt.sent), (FailureKind::Connect, false));
            assert!(failure.detail.to_lowercase().contains("certificate"), "{}", failure.detail);
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
fn a_file_without_certificates_is_no_authority() {
    let mut config = config("https://localhost/v1");
    config.extra_ca_pem.push(b"hello".to_vec());
    assert!(matches!(Endpoint::new(config, &Pool::default()), Err(RouteError::Ca { .. })));
}

//! A certificate authority made for one server's life, and the TLS settings of its routes.
//! Must not know sockets.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;

use crate::profile::{Http, Simulated, TlsVersion};

use super::SimError;

/// A self-made CA and the server certificate it signed: ECDSA on P-256, the cheapest signature clients all take.
pub(super) struct Authority {
    ca_pem: String,
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Authority {
    /// The certificate holds for `localhost`, the loopback addresses and `address`.
    pub(super) fn new(address: IpAddr) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "gatebench sim CA");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let mut names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        names.push(address.to_string());
        names.dedup();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "gatebench sim");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &issuer)?.der().clone();
        Ok(Self { ca_pem: issuer.pem(), certificate, key: key.serialize_der().into() })
    }

    pub(super) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// `None` for plain HTTP.
    pub(super) fn server(&self, spec: &Simulated) -> Result<Option<Arc<ServerConfig>>, SimError> {
        let versions = match spec.tls {
            TlsVersion::Off => return Ok(None),
            TlsVersion::V12 => &[&rustls::version::TLS12],
            TlsVersion::V13 => &[&rustls::version::TLS13],
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], PrivateKeyDer::Pkcs8(self.key.clone_key()))?;
        let spoken: &[&[u8]] = match spec.http {
            Http::V1 => &[b"http/1.1"],
            Http::V2 => &[b"h2"],
            Http::Auto => &[b"h2", b"http/1.1"],
        };
        config.alpn_protocols = spoken.iter().map(|name| name.to_vec()).collect();
        if spec.resume {
            config.ticketer = ring::Ticketer::new()?;
        } else {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(Some(Arc::new(config)))
    }
}

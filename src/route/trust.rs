//! Whom an endpoint's certificate is believed to be: the authorities, or nobody is asked.
//! Must not know sockets.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// Who vouches for an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// The web's authorities and those of the profile.
    Authorities,
    /// Any certificate will do (`insecure`).
    Anyone,
}

/// TLS 1.2 and 1.3 on ring, trusting the web's authorities and those of `extra_ca_pem`.
pub(super) fn tls_config(
    extra_ca_pem: &[Vec<u8>],
    trust: Trust,
    resume: bool,
    alpn: &[&[u8]],
) -> Result<ClientConfig, String> {
    let roots = roots(extra_ca_pem)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    let mut config = match trust {
        Trust::Authorities => builder.with_root_certificates(roots).with_no_client_auth(),
        Trust::Anyone => {
            let verifier = Arc::new(AnyCertificate(provider));
            builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        }
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    if !resume {
        config.resumption = Resumption::disabled();
    }
    Ok(config)
}

/// Whether a PEM file's content can be trusted as authorities; if not, why.
pub fn check_authorities(pem: &[u8]) -> Result<(), String> {
    roots(&[pem.to_vec()]).map(drop)
}

fn roots(extra_ca_pem: &[Vec<u8>]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in extra_ca_pem {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|e| format!("it is damaged PEM ({e})"))?;
            roots.add(certificate).map_err(|e| format!("a certificate in it cannot be read ({e})"))?;
        }
        if roots.len() == before {
            return Err("there is no certificate in it".into());
        }
    }
    Ok(roots)
}

/// Believes every certificate, but still wants the peer to hold its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

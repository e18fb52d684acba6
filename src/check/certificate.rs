//! A server's certificate: whose it is, who signed it, until when.
//! Must not know how it came here, or whether it is to be trusted: the handshake has decided that.

use jiff::Timestamp;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

#[derive(Debug, PartialEq, Eq)]
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
    pub not_after: Timestamp,
}

impl Certificate {
    /// `None` for what is no certificate that can be read.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let alternative = certificate.subject_alternative_name().ok().flatten().and_then(|names| {
            names.value.general_names.iter().find_map(|name| match name {
                x509_parser::extensions::GeneralName::DNSName(name) => Some((*name).to_owned()),
                _ => None,
            })
        });
        Some(Self {
            subject: common_name(certificate.subject()).or(alternative).unwrap_or_else(|| "no name".into()),
            issuer: common_name(certificate.issuer())
                .or_else(|| organization(certificate.issuer()))
                .unwrap_or_else(|| "no name".into()),
            not_after: Timestamp::from_second(certificate.validity().not_after.timestamp()).unwrap_or(Timestamp::MAX),
        })
    }

    /// Whole days left, negative when it is out of date.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        (self.not_after.as_second() - now.as_second()).div_euclid(24 * 3600)
    }

    pub fn date(&self) -> String {
        self.not_after.strftime("%Y-%m-%d").to_string()
    }
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    name.iter_common_name().next().and_then(|name| name.as_str().ok()).map(str::to_owned)
}

fn organization(name: &X509Name<'_>) -> Option<String> {
    name.iter_organization().next().and_then(|name| name.as_str().ok()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    #[test]
    fn a_certificate_tells_its_names_and_its_last_day() {
        let mut params = CertificateParams::new(vec!["gateway.example.com".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "gateway.example.com");
        params.not_after = rcgen::date_time_ymd(2031, 5, 17);
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let certificate = Certificate::parse(der.der()).unwrap();
        assert_eq!((&*certificate.subject, &*certificate.issuer), ("gateway.example.com", "gateway.example.com"));
        assert_eq!(certificate.date(), "2031-05-17");
        let days = |now: &str| certificate.days_left(now.parse().unwrap());
        assert_eq!((days("2031-05-07T00:00:00Z"), days("2031-05-17T00:00:01Z")), (10, -1));
        assert_eq!(Certificate::parse(b"hello"), None);
    }

    #[test]
    fn without_a_common_name_the_first_alternative_name_tells() {
        let mut params = CertificateParams::new(vec!["a.example.com".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let certificate = Certificate::parse(der.der()).unwrap();
        assert_eq!((&*certificate.subject, &*certificate.issuer), ("a.example.com", "no name"));
    }
}

//! The way to an endpoint in words: DNS, TCP, TLS.
//! Must not know HTTP.

use std::net::SocketAddr;

use jiff::Timestamp;

use super::certificate::Certificate;
use super::finding::Note;
use super::site::Site;
use crate::profile::{Dialect, Http, Pool, Route};
use crate::route::{Obstacle, ObstacleKind, Reached, Resolved, Secured, Tongue};

/// A certificate with fewer days left is warned about: renewals come 30 days before the end.
const FEW_DAYS: i64 = 14;

pub async fn dns(site: &Site<'_>) -> (Vec<Note>, Option<Resolved>) {
    match site.probe.resolve().await {
        Ok(resolved) => {
            let addresses = resolved.addresses().iter().map(|address| address.ip().to_string()).collect::<Vec<_>>();
            let note = if resolved.is_literal() {
                Note::ok("an address already: no name to resolve")
            } else {
                Note::ok(shortened(&addresses)).took(resolved.took)
            };
            (vec![note.fact("addresses", addresses)], Some(resolved))
        }
        Err(obstacle) => (vec![Note::of_error(&obstacle)], None),
    }
}

/// Few enough to read.
fn shortened(addresses: &[String]) -> String {
    const SHOWN: usize = 3;
    match addresses.len() {
        n if n > SHOWN => format!("{} and {} more", addresses[..SHOWN].join(", "), n - SHOWN),
        _ => addresses.join(", "),
    }
}

pub async fn tcp(site: &Site<'_>, resolved: &Resolved) -> (Vec<Note>, Option<Reached>) {
    match site.probe.reach(resolved).await {
        Ok(reached) => {
            let peer = reached.peer.to_string();
            (vec![Note::ok(&peer).took(reached.took).fact("peer", peer)], Some(reached))
        }
        Err(obstacle) => (vec![Note::of_error(&obstacle).or_mend(&format!("check {}", site.address))], None),
    }
}

pub async fn tls(site: &Site<'_>, reached: Reached) -> (Vec<Note>, Option<()>) {
    let peer = reached.peer;
    match site.probe.secure(reached).await {
        Ok(None) => (vec![plain(site, peer)], Some(())),
        Ok(Some(secured)) => (vec![secure(site.route, &site.pool, &secured)], Some(())),
        Err(obstacle) => (vec![not_secured(site, peer, &obstacle).await], None),
    }
}

fn plain(site: &Site<'_>, peer: SocketAddr) -> Note {
    if site.sends_key && !peer.ip().is_loopback() {
        let mend = format!("write https:// in {}, unless you trust every network in between", site.address);
        return Note::warn("plain HTTP: whoever sits between reads the key", mend);
    }
    Note::skip("plain HTTP")
}

fn secure(route: &Route, pool: &Pool, secured: &Secured) -> Note {
    let protocol = secured.protocol.as_deref();
    let mut detail = format!("TLS {}, {}", secured.version, offered(protocol));
    let certificate = secured.certificate.as_deref().and_then(Certificate::parse);
    if route.insecure {
        detail += "; not checked (insecure)";
    }
    let days = certificate.as_ref().map(|certificate| certificate.days_left(Timestamp::now()));
    if let (Some(certificate), Some(days)) = (&certificate, days) {
        detail += &format!("; {} by {}", certificate.subject, certificate.issuer);
        detail += &match days {
            // A century or more is no date to keep an eye on.
            days if days > 36_500 => String::new(),
            days => format!(", until {} ({days} days)", certificate.date()),
        };
    }
    let note = if pool.http == Http::V2 && protocol != Some("h2") {
        Note::warn(format!("{detail}; it does not offer HTTP/2"), "set stack.pool.http = \"auto\" or \"1.1\"")
    } else if days.is_some_and(|days| days < FEW_DAYS) {
        Note::warn(detail, "have the certificate renewed before it ends")
    } else {
        Note::ok(detail)
    };
    let mut note = note.took(secured.took).fact("version", secured.version).fact("alpn", protocol);
    if let (Some(certificate), Some(days)) = (certificate, days) {
        note = note.fact("subject", certificate.subject).fact("issuer", certificate.issuer);
        note = note.fact("not_after", certificate.not_after.to_string()).fact("expires_in_days", days);
    }
    note
}

/// By what it chose of both; which one a run uses, its profile says.
fn offered(protocol: Option<&str>) -> &'static str {
    match protocol {
        Some("h2") => "offers HTTP/2",
        Some(_) => "HTTP/1.1 alone",
        None => "negotiates no protocol",
    }
}

async fn not_secured(site: &Site<'_>, peer: SocketAddr, obstacle: &Obstacle) -> Note {
    let is_silent = matches!(obstacle.kind, ObstacleKind::Late | ObstacleKind::Handshake);
    if is_silent && site.probe.speaks_otherwise(peer).await == Some(Tongue::Http) {
        let mend = format!("write http:// in {}, or the port of its TLS", site.address);
        return Note::fail(format!("{peer} answers in plain HTTP, and not in TLS"), mend);
    }
    Note::of_error(obstacle).or_mend(&format!("check that the port in {} speaks TLS", site.address))
}

/// How the key is sent, for mends.
pub fn header_of(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Openai => "Authorization: Bearer KEY",
        Dialect::Anthropic => "x-api-key: KEY",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::check::finding::{Finding, Status, Step};

    /// A handshake in which the server chose this protocol and showed a certificate that ends in this year.
    fn secured(protocol: Option<&str>, year: i32) -> Secured {
        let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let protocol = protocol.map(str::to_owned);
        Secured { version: "1.3", protocol, certificate: Some(certificate), took: Duration::from_millis(80) }
    }

    fn found(http: Http, secured: &Secured) -> Finding {
        let pool = Pool { http, ..Pool::default() };
        secure(&Route::default(), &pool, secured).of("routes.r", Step::Tls)
    }

    #[test]
    fn a_certificate_about_to_end_is_warned_about_and_one_of_centuries_has_no_date() {
        let ended = found(Http::V1, &secured(Some("http/1.1"), 2020));
        assert!(ended.status == Status::Warn && ended.detail.contains("until 2020-01-01"), "{ended:?}");
        assert!(ended.facts["expires_in_days"].as_i64() < Some(0));
        let lasting = found(Http::V1, &secured(None, 4000));
        assert_eq!(lasting.status, Status::Ok);
        assert!(
            lasting.detail.starts_with("TLS 1.3, negotiates no protocol; ") && !lasting.detail.contains("until"),
            "{lasting:?}"
        );
    }

    #[test]
    fn a_server_without_the_http_2_that_is_wanted_is_warned_about() {
        let status = |http, protocol| found(http, &secured(protocol, 4000)).status;
        assert_eq!(status(Http::V2, Some("h2")), Status::Ok);
        assert_eq!(status(Http::Auto, Some("http/1.1")), Status::Ok);
        for protocol in [Some("http/1.1"), None] {
            assert_eq!(status(Http::V2, protocol), Status::Warn);
        }
    }
}

//! Why no connection came about, in words that say how to mend it: names, sockets, certificates.
//! Must not know who was connecting: both transports bring their errors here.

use std::error::Error;
use std::io;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, InvalidMessage};

use super::failure::causes;

/// A host's name has no address, or nobody could say.
pub(super) fn resolving(host: &str, error: &dyn Error) -> String {
    format!("could not resolve {host}: {}; check its spelling in base_url (--url) and this machine's DNS", root(error))
}

/// No TCP connection.
pub(super) fn connecting(place: &str, error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EMFILE) => format!(
            "no connection to {place}: this process may open no more files (EMFILE); raise ulimit -n or lower \
             stack.pool.max_connections"
        ),
        Some(libc::ENFILE) => {
            format!("no connection to {place}: this machine may open no more files (ENFILE); raise fs.file-max")
        }
        Some(libc::EADDRNOTAVAIL) => format!(
            "no connection to {place}: no local port is free (EADDRNOTAVAIL), too many were opened in short time; keep \
             them (stack.pool.max_idle)"
        ),
        Some(libc::ECONNREFUSED) => format!(
            "nothing listens at {place} (connection refused); is the server up, and its address (base_url, --url) right?"
        ),
        Some(libc::ENETUNREACH | libc::EHOSTUNREACH) => {
            format!("there is no way to {place} ({}); check this machine's network", root(error))
        }
        _ => format!("could not connect to {place}: {}", root(error)),
    }
}

/// No TLS on the connection.
pub(super) fn securing(place: &str, error: &io::Error) -> String {
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(why)) => format!("TLS with {place}: {}", distrusted(why)),
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            format!("{place} does not speak TLS; write http:// instead of https://, or the port of its TLS")
        }
        Some(rustls::Error::AlertReceived(alert)) => format!("TLS with {place}: the server refuses it ({alert:?})"),
        _ if is_end(error) => format!("{place} hung up in the TLS handshake; does it speak TLS at this port?"),
        _ => format!("TLS with {place} failed: {}", root(error)),
    }
}

/// An error of a client that connects by itself; `None` if it has nothing to do with connecting.
pub(super) fn by_cause(host: &str, place: &str, error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.to_string() == "dns error" {
            return Some(resolving(host, cause));
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            let secures = tls_error(io).is_some();
            return Some(if secures { securing(place, io) } else { connecting(place, io) });
        }
        next = cause.source();
    }
    None
}

fn distrusted(why: &CertificateError) -> String {
    const UNCHECKED: &str = "or check nothing with --insecure (-k)";
    match why {
        CertificateError::UnknownIssuer => format!(
            "its certificate is signed by an authority unknown here; trust that with --cacert FILE (ca_file), {UNCHECKED}"
        ),
        CertificateError::Expired => format!("its certificate has expired; renew it there, {UNCHECKED}"),
        CertificateError::ExpiredContext { not_after, .. } => {
            let at = date(*not_after);
            format!("its certificate expired on {at} (by this machine's clock); renew it there, {UNCHECKED}")
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let at = date(*not_before);
            format!("its certificate holds from {at} on; is this machine's clock right? {UNCHECKED}")
        }
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "its certificate is not for {} but for {}; write that in base_url, {UNCHECKED}",
            name(expected),
            listed(presented)
        ),
        CertificateError::NotValidForName => {
            format!("its certificate is for another host; write that in base_url, {UNCHECKED}")
        }
        // What `openssl req -x509` makes unless told otherwise.
        other if other.to_string().contains("CaUsedAsEndEntity") => format!(
            "its certificate is an authority's own (CA:TRUE), which no server may show; make it one without, {UNCHECKED}"
        ),
        other => format!("its certificate is not accepted ({other}); mend it there, {UNCHECKED}"),
    }
}

fn date(at: UnixTime) -> String {
    let at = i64::try_from(at.as_secs()).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    at.map_or_else(|| "a date beyond the calendar".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

fn name(expected: &ServerName<'_>) -> String {
    expected.to_str().into_owned()
}

/// `DnsName("a")`, `IpAddress(1.2.3.4)` -> `a`; the first of many.
fn listed(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inside = name.split_once('(').map_or(name.as_str(), |(_, rest)| rest.trim_end_matches(')'));
        inside.trim_matches('"').to_owned()
    };
    match presented {
        [] => "no host at all".to_owned(),
        [one] => bare(one),
        [one, rest @ ..] => format!("{} (and {} more)", bare(one), rest.len()),
    }
}

/// What rustls says is inside the I/O error that tokio-rustls makes of it, where `source` does not lead.
pub(super) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    let inside = error.get_ref()?;
    let nested = || inside.downcast_ref::<io::Error>().and_then(tls_error);
    inside.downcast_ref::<rustls::Error>().or_else(nested)
}

fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// The cause at the bottom says it best, and the system's own words without their number.
fn root(error: &dyn Error) -> String {
    let mut text = causes(error);
    if let Some(number) = text.rfind(" (os error ") {
        text.truncate(number);
    }
    let lower = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    lower.strip_prefix("dns error: ").unwrap_or(lower).to_lowercase()
}

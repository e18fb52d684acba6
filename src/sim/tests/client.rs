//! A minimal HTTP/1.1 client on blocking sockets, plain or TLS, that notes when each read returned.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use serde_json::Value;

trait Io: Read + Write + Send {}
impl<T: Read + Write + Send> Io for T {}

pub(super) struct Client {
    io: Box<dyn Io>,
    unread: Vec<u8>,
    /// Body bytes of an answer that broke.
    got: Vec<u8>,
    /// From the first packet to ready to send.
    pub(super) connected_in: Duration,
    reads: Vec<(Instant, usize)>,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// From the request's last byte to the head, and to the end.
    pub(super) head_after: Duration,
    pub(super) after: Duration,
    /// From the request's last byte to each read that returned.
    pub(super) reads: Vec<Duration>,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The `data:` of each event.
    pub(super) fn events(&self) -> Vec<&str> {
        let text = std::str::from_utf8(&self.body).unwrap();
        text.split("\n\n")
            .filter(|event| !event.is_empty())
            .map(|event| event.strip_prefix("data: ").unwrap())
            .collect()
    }
}

impl Client {
    pub(super) fn plain(address: SocketAddr) -> Self {
        let start = Instant::now();
        let socket = socket(address);
        Self {
            io: Box::new(socket),
            unread: Vec::new(),
            got: Vec::new(),
            connected_in: start.elapsed(),
            reads: Vec::new(),
        }
    }

    pub(super) fn tls(address: SocketAddr, config: Arc<ClientConfig>) -> io::Result<Self> {
        Self::tls_as(address, config, "127.0.0.1")
    }

    pub(super) fn tls_as(address: SocketAddr, config: Arc<ClientConfig>, name: &'static str) -> io::Result<Self> {
        let mut session = ClientConnection::new(config, ServerName::try_from(name).unwrap()).unwrap();
        let start = Instant::now();
        let mut socket = socket(address);
        while session.is_handshaking() {
            session.complete_io(&mut socket)?;
        }
        let connected_in = start.elapsed();
        let io = Box::new(StreamOwned::new(session, socket));
        Ok(Self { io, unread: Vec::new(), got: Vec::new(), connected_in, reads: Vec::new() })
    }

    pub(super) fn post(&mut self, body: &Value) -> io::Result<Reply> {
        self.post_with("", body)
    }

    /// `headers`: lines, each with its end.
    pub(super) fn post_with(&mut self, headers: &str, body: &Value) -> io::Result<Reply> {
        self.request("POST /v1/chat/completions", headers, &body.to_string())
    }

    /// In Anthropic's dialect.
    pub(super) fn message(&mut self, body: &Value) -> io::Result<Reply> {
        self.request("POST /v1/messages", "anthropic-version: 2023-06-01\r\n", &body.to_string())
    }

    pub(super) fn get(&mut self, path: &str) -> io::Result<Reply> {
        self.request(&format!("GET {path}"), "", "")
    }

    pub(super) fn request(&mut self, line: &str, headers: &str, body: &str) -> io::Result<Reply> {
        self.send(line, headers, body)?;
        self.receive(Instant::now())
    }

    pub(super) fn send(&mut self, line: &str, headers: &str, body: &str) -> io::Result<()> {
        let head = format!("{line} HTTP/1.1\r\nhost: sim\r\n{headers}content-length: {}\r\n\r\n", body.len());
        self.io.write_all(format!("{head}{body}").as_bytes())?;
        self.io.flush()
    }

    fn receive(&mut self, sent: Instant) -> io::Result<Reply> {
        self.reads.clear();
        let head = self.until(b"\r\n\r\n")?;
        let head_after = sent.elapsed();
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut reply =
            Reply { status, headers, body: Vec::new(), head_after, after: Duration::ZERO, reads: Vec::new() };
        reply.body = match reply.header("content-length") {
            Some(length) => self.exactly(length.parse().unwrap())?,
            None => self.chunks()?,
        };
        reply.after = sent.elapsed();
        reply.reads = self.reads.iter().map(|(at, _)| *at - sent).collect();
        Ok(reply)
    }

    /// How many reads the last answer took.
    pub(super) fn packets(&self) -> usize {
        self.reads.len()
    }

    /// Whether the server has closed the connection, without another byte.
    pub(super) fn is_closed(&mut self) -> bool {
        matches!(self.io.read(&mut [0; 16]), Ok(0) | Err(_))
    }

    /// All that came of the body of an answer that broke.
    pub(super) fn received(&self) -> String {
        String::from_utf8([&self.got[..], &self.unread[..]].concat()).unwrap()
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        self.got.clear();
        loop {
            let size = self.until(b"\r\n")?;
            let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap().trim(), 16).unwrap();
            let chunk = self.exactly(size)?;
            self.got.extend(chunk);
            self.exactly(2)?;
            if size == 0 {
                return Ok(std::mem::take(&mut self.got));
            }
        }
    }

    fn until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|window| window == end) {
                return Ok(self.unread.drain(..at + end.len()).collect());
            }
            self.read()?;
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.unread.len() < length {
            self.read()?;
        }
        Ok(self.unread.drain(..length).collect())
    }

    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 64 << 10];
        match self.io.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.reads.push((Instant::now(), read));
                self.unread.extend_from_slice(&buffer[..read]);
                Ok(())
            }
        }
    }
}

/// What a TLS handshake agreed to speak.
pub(super) fn agreed_protocol(
    address: SocketAddr,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
) -> Option<Vec<u8>> {
    let mut session = ClientConnection::new(config, name).unwrap();
    let mut socket = socket(address);
    while session.is_handshaking() {
        session.complete_io(&mut socket).unwrap();
    }
    session.alpn_protocol().map(<[u8]>::to_vec)
}

fn socket(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

pub(super) fn trusting(ca_pem: &str, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

//! A static nginx of our own: temporary directory, free port, gone with us.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::Problem;

/// 600 bytes as a provider sends them.
pub const BODY: &str = concat!(
    r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4.1","choices":[{"index":0,"message":{"#,
    r#""role":"assistant","content":"Your parcel left the depot this morning and is on its way to you. It should "#,
    r#"arrive before the end of the week; you will get a message on the day with a time window of two hours. If it "#,
    r#"is not there by Friday, write to us again and we will send another one or refund the order, as you prefer. "#,
    r#"Thank you."},"finish_reason":"stop"}],"usage":{"prompt_tokens":120,"completion_tokens":60,"total_tokens":180,"#,
    r#""prompt_tokens_details":{"cached_tokens":0}},"system_fingerprint":"fp_1"}"#
);

pub struct Nginx {
    child: Child,
    port: u16,
    _dir: TempDir,
}

/// The path that `benches/run` found, if it found one.
pub fn binary() -> Option<PathBuf> {
    std::env::var_os("NGINX").filter(|path| !path.is_empty()).map(PathBuf::from)
}

impl Nginx {
    pub fn start() -> Result<Self, Problem> {
        let binary = binary().ok_or("nginx was not found; see benches/run --help")?;
        let dir = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let path = dir.path().to_str().ok_or("the temporary directory's name is not UTF-8")?;
        let config = include_str!("../nginx.conf")
            .replace("@DIR@", path)
            .replace("@PORT@", &port.to_string())
            .replace("@BODY@", BODY);
        let file = dir.path().join("nginx.conf");
        std::fs::write(&file, config)?;
        let child = Command::new(binary)
            .args(["-p", path, "-e", "stderr", "-c"])
            .arg(&file)
            // nginx takes this one for sockets to inherit.
            .env_remove("NGINX")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()?;
        let nginx = Self { child, port, _dir: dir };
        nginx.wait_until_it_answers()?;
        Ok(nginx)
    }

    fn wait_until_it_answers(&self) -> Result<(), Problem> {
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            match self.accepted() {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > end => return Err(format!("nginx does not answer: {error}").into()),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.authority())
    }

    /// Connections that nginx has accepted, the one asking included.
    pub fn accepted(&self) -> io::Result<u64> {
        let mut stream = TcpStream::connect(self.authority())?;
        write!(stream, "GET /stub HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        // Active connections: 1 \n server accepts handled requests \n 1 1 1
        let counts = text.split_once("requests").and_then(|(_, rest)| rest.split_whitespace().next());
        counts
            .and_then(|count| count.parse().ok())
            .ok_or_else(|| io::Error::other("no stub_status in this build of nginx"))
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM, so that the master takes its worker along.
        // SAFETY: a signal to a child that has not been waited for.
        unsafe { libc::kill(self.child.id() as libc::pid_t, libc::SIGTERM) };
        let _ = self.child.wait();
    }
}

//! A server that says, byte for byte, what a test tells it to.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

#[derive(Clone, Debug)]
pub(in crate::route) enum Step {
    Send(Vec<u8>),
    Pause(Duration),
    /// Stays silent until the client goes away.
    Hang,
    Close,
}

/// Which request of the server this is, from 0.
#[derive(Clone, Copy, Debug)]
pub(in crate::route) struct Nth {
    pub(in crate::route) request: usize,
}

#[derive(Default)]
pub(in crate::route) struct Seen {
    pub(in crate::route) accepted: Cell<usize>,
    pub(in crate::route) live: Cell<usize>,
    pub(in crate::route) peak: Cell<usize>,
    pub(in crate::route) requests: RefCell<Vec<String>>,
    /// Which connection, in the order of acceptance, each request came on.
    pub(in crate::route) came_on: RefCell<Vec<usize>>,
}

pub(in crate::route) struct Server {
    pub(in crate::route) base_url: String,
    pub(in crate::route) seen: Rc<Seen>,
}

impl Server {
    pub(in crate::route) async fn start(script: impl Fn(Nth) -> Vec<Step> + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Rc::new(Seen::default());
        let (script, shared) = (Rc::new(script), seen.clone());
        tokio::task::spawn_local(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::task::spawn_local(serve(socket, script.clone(), shared.clone()));
            }
        });
        Self { base_url, seen }
    }

    pub(in crate::route) async fn always(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |_| vec![Step::Send(answer.clone())]).await
    }
}

pub(in crate::route) async fn serve<S, F>(mut socket: S, script: Rc<F>, seen: Rc<Seen>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(Nth) -> Vec<Step>,
{
    let me = seen.accepted.replace(seen.accepted.get() + 1);
    seen.live.set(seen.live.get() + 1);
    seen.peak.set(seen.peak.get().max(seen.live.get()));
    'requests: while let Some(request) = read_request(&mut socket).await {
        seen.requests.borrow_mut().push(request);
        seen.came_on.borrow_mut().push(me);
        let nth = Nth { request: seen.requests.borrow().len() - 1 };
        for step in script(nth) {
            match step {
                Step::Send(bytes) => {
                    if socket.write_all(&bytes).await.is_err() || socket.flush().await.is_err() {
                        break 'requests;
                    }
                }
                Step::Pause(time) => tokio::time::sleep(time).await,
                Step::Hang => {
                    let _ = socket.read(&mut [0; 64]).await;
                    break 'requests;
                }
                Step::Close => break 'requests,
            }
        }
    }
    seen.live.set(seen.live.get() - 1);
    let _ = socket.shutdown().await;
}

async fn read_request(socket: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut all = Vec::new();
    loop {
        if let Some(head) = all.windows(4).position(|w| w == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&all[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if all.len() >= head + 4 + length {
                return Some(String::from_utf8_lossy(&all).into_owned());
            }
        }
        match socket.read_buf(&mut all).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

pub(in crate::route) const COMPLETION: &str = r#"{"id":"c-1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi \"you\""},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":8}}}"#;

pub(in crate::route) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

pub(in crate::route) fn completion() -> Vec<u8> {
    answer("200 OK", "", COMPLETION)
}

pub(in crate::route) const STREAM_HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

pub(in crate::route) fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

/// A whole stream of events, each in a chunk of its own, with the final chunk.
pub(in crate::route) fn stream(events: &[&str]) -> Vec<u8> {
    let mut all = STREAM_HEAD.as_bytes().to_vec();
    for event in events {
        all.extend(chunk(&format!("data: {event}\n\n")));
    }
    all.extend(b"0\r\n\r\n");
    all
}

//! The other end of a calibration: answers each request with the same bytes, from raw sockets, with as little work as
//! can be. Must not know the client.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::machine::thread_cpu;

/// Bytes of an answer, in the pieces that they are written in.
pub type Answer = &'static [String];

pub struct Responder {
    address: SocketAddr,
    stop: watch::Sender<()>,
    threads: Vec<JoinHandle<f64>>,
}

impl Responder {
    /// On a free port of 127.0.0.1; its threads share the connections.
    pub fn start(threads: usize, answer: Answer) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(());
        let start = |_| {
            let (listener, stopped) = (listener.try_clone()?, stopped.clone());
            let runtime = Builder::new_current_thread().enable_io().build()?;
            std::thread::Builder::new()
                .name("responder".into())
                .spawn(move || serve(&runtime, listener, answer, stopped))
        };
        let threads = (0..threads.max(1)).map(start).collect::<std::io::Result<_>>()?;
        Ok(Self { address, stop, threads })
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Ends it; the CPU seconds it took.
    pub fn end(self) -> f64 {
        drop(self.stop);
        self.threads.into_iter().map(|thread| thread.join().unwrap_or_default()).sum()
    }
}

fn serve(runtime: &Runtime, listener: std::net::TcpListener, answer: Answer, mut stop: watch::Receiver<()>) -> f64 {
    runtime.block_on(async {
        let Ok(listener) = TcpListener::from_std(listener) else { return };
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((socket, _)) => drop(tokio::spawn(connection(socket, answer))),
                    Err(_) => tokio::task::yield_now().await,
                },
                // Nothing is ever sent: the error says that the sender was dropped.
                _ = stop.changed() => return,
            }
        }
    });
    thread_cpu()
}

async fn connection(mut socket: TcpStream, answer: Answer) {
    let _ = socket.set_nodelay(true);
    let mut buffer = Vec::with_capacity(4096);
    loop {
        match request_length(&buffer) {
            Some(length) if buffer.len() >= length => {
                buffer.drain(..length);
                for piece in answer {
                    if socket.write_all(piece.as_bytes()).await.is_err() {
                        return;
                    }
                    if answer.len() > 1 {
                        // The others' pieces go in between, so that this one arrives by itself.
                        tokio::task::yield_now().await;
                    }
                }
            }
            _ => match socket.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            },
        }
    }
}

/// Bytes of the request at the beginning, head and body; `None` until its head is whole.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let lines = bytes[..head].split(|byte| *byte == b'\n');
    let mut body = lines.filter_map(|line| {
        let (name, value) = line.split_at_checked("content-length:".len())?;
        name.eq_ignore_ascii_case(b"content-length:").then_some(value)
    });
    let body = body.next().and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok()).unwrap_or(0);
    Some(head + 4 + body)
}

/// An answer of 600 B, not streamed.
pub fn whole_answer() -> String {
    let text = "Your parcel left the depot this morning and is on its way to you. ".repeat(4);
    let body = format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-4.1","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":100,"completion_tokens":60,"total_tokens":160,"prompt_tokens_details":{{"cached_tokens":0}}}},"system_fingerprint":"fp_1"}}"#
    );
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// An answer streamed as so many events of one token each.
pub fn streamed_answer(tokens: u32) -> Vec<String> {
    let event = |choices: &str, rest: &str| {
        let data = format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt-4.1\",\
             \"choices\":[{choices}]{rest}}}\n\n"
        );
        format!("{:x}\r\n{data}\r\n", data.len())
    };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    let token = event(r#"{"index":0,"delta":{"content":" token"},"finish_reason":null}"#, "");
    let finish = event(r#"{"index":0,"delta":{},"finish_reason":"stop"}"#, "");
    let usage =
        format!(r#","usage":{{"prompt_tokens":100,"completion_tokens":{tokens},"total_tokens":{}}}"#, 100 + tokens);
    let end = finish + &event("", &usage) + "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
    let mut pieces = vec![head + &token];
    pieces.extend((1..tokens).map(|_| token.clone()));
    pieces.push(end);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_where_its_head_says() {
        let request = b"POST /v1 HTTP/1.1\r\nhost: x\r\nContent-Length: 5\r\n\r\nhelloPOST";
        assert_eq!(request_length(request), Some(request.len() - 4));
        assert_eq!(request_length(b"GET / HTTP/1.1\r\n\r\n"), Some(18));
        assert_eq!(request_length(b"GET / HTTP/1.1\r\nhost: x\r\n"), None);
    }
}

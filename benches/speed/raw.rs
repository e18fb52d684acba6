//! An HTTP client and server of a few lines each, on blocking sockets with a thread a connection: oracles that share no
//! code with what they are held against.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Sends at a constant rate over so many connections; the service times, sorted. A connection's calls are due in turn
/// with the others', each at its own time whatever became of the one before.
pub fn service_times(authority: &str, body: &str, load: Load) -> io::Result<Vec<Duration>> {
    let Load { connections, rate, time } = load;
    let request = request(authority, body);
    let start = Instant::now() + Duration::from_millis(50);
    let threads: Vec<_> = (0..connections)
        .map(|number| {
            let (authority, request) = (authority.to_owned(), request.clone());
            std::thread::spawn(move || -> io::Result<Vec<Duration>> {
                sharpen_sleep();
                let mut stream = TcpStream::connect(authority)?;
                stream.set_nodelay(true)?;
                let mut times = Vec::new();
                for turn in 0.. {
                    let due = start + Duration::from_secs_f64(f64::from(number + turn * connections) / rate);
                    if due >= start + time {
                        break;
                    }
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    let sent = Instant::now();
                    stream.write_all(&request)?;
                    read_answer(&mut stream)?;
                    times.push(sent.elapsed());
                }
                Ok(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for thread in threads {
        times.extend(thread.join().map_err(|_| io::Error::other("a thread of the raw client failed"))??);
    }
    times.sort();
    Ok(times)
}

#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub connections: u32,
    pub rate: f64,
    pub time: Duration,
}

/// Connects, asks once, closes: how long the connect took, and the answer after it.
pub fn once(authority: &str, body: &str) -> io::Result<(Duration, Duration)> {
    let start = Instant::now();
    let mut stream = TcpStream::connect(authority)?;
    let connected = Instant::now();
    stream.set_nodelay(true)?;
    stream.write_all(&request(authority, body))?;
    read_answer(&mut stream)?;
    Ok((connected - start, connected.elapsed()))
}

pub fn quantile_ms(sorted: &[Duration], quantile: f64) -> f64 {
    let rank = (sorted.len() as f64 * quantile).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

fn request(authority: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Reads one answer with a content-length.
fn read_answer(stream: &mut TcpStream) -> io::Result<()> {
    let (mut seen, mut bytes) = (Vec::with_capacity(2048), [0; 2048]);
    loop {
        let n = stream.read(&mut bytes)?;
        seen.extend_from_slice(&bytes[..n]);
        match length(&seen) {
            Some(length) if seen.len() >= length => return Ok(()),
            _ if n == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ => {}
        }
    }
}

/// Of a whole message, once its head is there.
fn length(message: &[u8]) -> Option<usize> {
    let head = message.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let lines = std::str::from_utf8(&message[..head]).ok()?.lines();
    let body =
        lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    Some(head + body.and_then(|(_, value)| value.trim().parse::<usize>().ok()).unwrap_or(0))
}

/// Answers every request at once and writes down when it came.
pub struct Witness {
    pub authority: String,
    came: Arc<Mutex<Vec<Instant>>>,
}

impl Witness {
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let witness = Self { authority: listener.local_addr()?.to_string(), came: Arc::default() };
        let came = witness.came.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let came = came.clone();
                std::thread::spawn(move || answer_all(socket, &came));
            }
        });
        Ok(witness)
    }

    /// When requests came, sorted.
    pub fn came(&self) -> Vec<Instant> {
        let mut came = self.came.lock().map(|came| came.clone()).unwrap_or_default();
        came.sort();
        came
    }
}

fn answer_all(mut socket: TcpStream, came: &Mutex<Vec<Instant>>) {
    let body = r#"{"choices":[{"message":{"content":"ok"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
    while let Ok(n @ 1..) = socket.read(&mut bytes) {
        let now = Instant::now();
        seen.extend_from_slice(&bytes[..n]);
        if length(&seen).is_some_and(|length| seen.len() >= length) {
            seen.clear();
            let _ = came.lock().map(|mut came| came.push(now));
            let _ = socket.write_all(answer.as_bytes());
        }
    }
}

/// Linux rounds a thread's sleeps up by its timer slack, 50 us by default.
pub fn sharpen_sleep() {
    // SAFETY: PR_SET_TIMERSLACK takes one integer and changes only this thread.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1, 0, 0, 0) };
}

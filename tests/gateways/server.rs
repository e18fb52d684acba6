//! A server that gives the same answer to every request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// Serves until the process ends, a thread for each connection.
pub fn start(answer: Vec<u8>) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let base_url = format!("http://{}/v1", listener.local_addr()?);
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || serve(socket, &answer));
        }
    });
    Ok(base_url)
}

/// Ends with the first error: the client has gone.
fn serve(socket: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    let mut requests = BufReader::new(socket.try_clone()?);
    let mut socket = socket;
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if requests.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line == "\r\n" {
                break;
            }
        }
        requests.read_exact(&mut vec![0; length])?;
        socket.write_all(answer)?;
    }
}

/// A file of this folder as bytes on a wire.
pub fn on_the_wire(file: &str) -> Result<Vec<u8>, String> {
    let (head, body) = file.split_once("\n\n").ok_or("there is no empty line between head and body")?;
    let head = head.replace('\n', "\r\n");
    Ok(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

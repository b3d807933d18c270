//! A local server with scripted behaviour, down to the reset of a connection.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with one connection.
#[derive(Debug, Clone)]
pub(super) enum Behaviour {
    /// Reads the request, writes these bytes and closes.
    Answer(Vec<u8>),
    /// Reads the request, writes these bytes and resets.
    AnswerThenReset(Vec<u8>),
    /// Resets without reading a byte.
    ResetUnread,
    /// Reads the request and resets.
    Reset,
    /// Reads the request, writes these bytes and then nothing.
    AnswerThenHang(Vec<u8>),
    /// Waits after reading the request, then writes these bytes and closes.
    AnswerLate(Duration, Vec<u8>),
}

/// A server with one behaviour per connection; the last one repeats.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn playing(behaviours: impl IntoIterator<Item = Behaviour>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(play(listener, behaviours.into_iter().collect(), seen.clone()));
        Self { address, seen }
    }

    pub(super) fn base(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The requests so far, heads and bodies, in order; an unread request is an empty text.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("unpoisoned").clone()
    }
}

async fn play(listener: TcpListener, mut behaviours: VecDeque<Behaviour>, seen: Arc<Mutex<Vec<String>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let behaviour = if behaviours.len() > 1 { behaviours.pop_front() } else { behaviours.front().cloned() };
        tokio::spawn(perform(stream, behaviour.expect("a behaviour"), seen.clone()));
    }
}

async fn perform(mut stream: TcpStream, behaviour: Behaviour, seen: Arc<Mutex<Vec<String>>>) {
    let request =
        if matches!(behaviour, Behaviour::ResetUnread) { String::new() } else { read_request(&mut stream).await };
    seen.lock().expect("unpoisoned").push(request);
    match behaviour {
        Behaviour::Answer(bytes) => write(&mut stream, &bytes).await,
        Behaviour::AnswerThenReset(bytes) => {
            write(&mut stream, &bytes).await;
            stream.set_zero_linger().expect("a reset");
        }
        Behaviour::ResetUnread | Behaviour::Reset => stream.set_zero_linger().expect("a reset"),
        Behaviour::AnswerThenHang(bytes) => {
            write(&mut stream, &bytes).await;
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
        Behaviour::AnswerLate(after, bytes) => {
            tokio::time::sleep(after).await;
            write(&mut stream, &bytes).await;
        }
    }
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) {
    // The client may have closed the connection during a long response.
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !is_whole(&bytes) {
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => break,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
        }
    }
    String::from_utf8(bytes).expect("a request is text")
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// A complete HTTP response.
pub(super) fn answer(status: u16, headers: &[&str], body: &str) -> Vec<u8> {
    let length = format!("content-length: {}", body.len());
    let status = format!("HTTP/1.1 {status} Whatever");
    let head: Vec<_> = [status.as_str(), &length].into_iter().chain(headers.iter().copied()).collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n")).into_bytes()
}

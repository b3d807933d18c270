//! A minimal client over raw TCP.

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::super::*;

/// The outcome of one exchange as the client sees it.
#[derive(Debug)]
pub(super) enum Seen {
    /// The connection was refused.
    Refused,
    /// The connection was reset before any byte of a response.
    Reset,
    /// No response within the timeout.
    Silence,
    /// A response.
    Answer(Answer),
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
    /// Whether the body has the length that the head says.
    pub(super) is_complete: bool,
}

impl Seen {
    pub(super) fn answer(self) -> Answer {
        let Self::Answer(answer) = self else { panic!("no answer: {self:?}") };
        answer
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub(super) fn data(&self) -> Value {
        self.json()["data"].clone()
    }
}

pub(super) async fn exchange(address: SocketAddr, method: &str, path: &str, token: &str, body: &str) -> Seen {
    let Ok(mut stream) = TcpStream::connect(address).await else { return Seen::Refused };
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: simulator\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut bytes = Vec::new();
    match timeout(Duration::from_millis(1_500), stream.read_to_end(&mut bytes)).await {
        Err(_) => Seen::Silence,
        Ok(Err(error)) if bytes.is_empty() && error.kind() == io::ErrorKind::ConnectionReset => Seen::Reset,
        Ok(outcome) => {
            outcome.expect("a response is never cut off by a reset");
            Seen::Answer(parse(&bytes))
        }
    }
}

fn parse(bytes: &[u8]) -> Answer {
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..split].to_vec()).expect("a text");
    let body = bytes[split + 4..].to_vec();
    let mut answer = Answer { status: head[9..12].parse().expect("a status"), head, body, is_complete: false };
    answer.is_complete = answer.header("content-length").expect("a length").parse() == Ok(answer.body.len());
    answer
}

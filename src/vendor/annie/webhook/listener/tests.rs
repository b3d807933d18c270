use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::vendor::hints::{HintReceiver, channel};

const ID: &str = "0b1c7f0e-5a0e-4a56-9d0e-3f7c1c9f1a11";

/// A running listener, and the receiving end of its hints.
struct Fixture {
    address: SocketAddr,
    hints: HintReceiver,
    serving: RunningListener,
}

fn fixture() -> Fixture {
    let listener = WebhookListener::open(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    let (sender, hints) = channel();
    let address = listener.address();
    let token = WebhookToken::parse("s3cret").expect("a token");
    Fixture { address, hints, serving: listener.serve(token, sender) }
}

fn delivery(authorization: Option<&str>, body: &str) -> String {
    let authorization = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    let length = body.len();
    format!("POST /annie HTTP/1.1\r\nHost: here\r\n{authorization}Content-Length: {length}\r\n\r\n{body}")
}

fn ours(body: &str) -> String {
    delivery(Some("Bearer s3cret"), body)
}

impl Fixture {
    /// Sends these bytes; returns the response's status, if there is one.
    async fn send(&self, request: &str) -> Option<u16> {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        // The listener may close the connection while this is still writing.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        std::str::from_utf8(&answer).ok()?.split(' ').nth(1)?.parse().ok()
    }

    /// The ids of the hints received so far.
    fn hinted_ids(&mut self) -> Vec<String> {
        let next = futures_util::FutureExt::now_or_never(self.hints.next()).unwrap_or_default();
        next.iter().map(|id| id.as_str().to_owned()).collect()
    }
}

#[tokio::test]
async fn only_a_delivery_with_the_token_gives_a_hint() {
    let mut fixture = fixture();
    let body = format!("{{\"id\":\"{ID}\"}}");
    for (authorization, status, has_hint) in [
        (None, 401, false),
        (Some("Bearer other"), 401, false),
        (Some("s3cret"), 401, false),
        (Some("Bearer s3cret"), 204, true),
    ] {
        assert_eq!(fixture.send(&delivery(authorization, &body)).await, Some(status), "{authorization:?}");
        assert_eq!(fixture.hinted_ids().is_empty(), !has_hint, "{authorization:?}");
    }
    let get = "GET /annie HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer s3cret\r\n\r\n";
    assert_eq!(fixture.send(get).await, Some(405));
}

#[tokio::test]
async fn a_malformed_delivery_is_accepted_and_gives_no_hint() {
    let mut fixture = fixture();
    for body in ["", "nonsense", "{\"id\":", "[[[[", "{}", "\u{0}\u{1}"] {
        assert_eq!(fixture.send(&ours(body)).await, Some(204), "{body:?}");
    }
    for request in ["nonsense\r\n\r\n", "POST\r\n\r\n"] {
        assert!(fixture.send(request).await.is_none_or(|status| status == 400), "{request:?}");
    }
    assert_eq!(fixture.hinted_ids(), [""; 0]);
}

#[tokio::test]
async fn a_duplicate_delivery_repeats_its_hint_and_no_more() {
    let mut fixture = fixture();
    for _ in 0..3 {
        assert_eq!(fixture.send(&ours(&format!("[\"{ID}\",\"{ID}\"]"))).await, Some(204));
    }
    assert_eq!(fixture.hinted_ids(), [ID; 3]);
}

#[tokio::test]
async fn a_body_of_a_megabyte_is_cut_off() {
    let mut fixture = fixture();
    let body = format!("[\"{ID}\",\"{}\"]", "x".repeat(1024 * 1024));
    let status = fixture.send(&ours(&body)).await;
    assert!(status.is_none_or(|status| status == 413), "{status:?}");
    let endless = "POST / HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer s3cret\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("80000\r\n{}\r\n", "x".repeat(0x8_0000));
    let status = fixture.send(&format!("{endless}{chunk}{chunk}")).await;
    assert!(status.is_none_or(|status| status == 413), "{status:?}");
    let long_head = format!("POST / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1024 * 1024));
    assert!(fixture.send(&long_head).await.is_none_or(|status| status == 431));
    assert_eq!(fixture.hinted_ids(), [""; 0]);
    assert_eq!(fixture.send(&ours("[]")).await, Some(204), "the next delivery is accepted");
}

#[tokio::test(start_paused = true)]
async fn a_slow_delivery_is_cut_off() {
    let mut fixture = fixture();
    let whole = ours(&format!("\"{ID}\""));
    for sent in [0, 10, whole.len() - 1] {
        let mut stream = TcpStream::connect(fixture.address).await.expect("a connection");
        stream.write_all(&whole.as_bytes()[..sent]).await.expect("sent");
        // The paused clock skips the wait for the timeout.
        let since = tokio::time::Instant::now();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty() && since.elapsed() <= TIMEOUT, "after {sent} bytes: {:?}", since.elapsed());
    }
    assert_eq!(fixture.hinted_ids(), [""; 0]);
}

#[tokio::test]
async fn hints_beyond_the_capacity_are_dropped_without_waiting() {
    let mut fixture = fixture();
    let ids = |round: u32| (0..200).map(|n| format!("\"c-{round}-{n}\"")).collect::<Vec<_>>().join(",");
    for round in 0..20 {
        // Nothing receives the hints during this.
        assert_eq!(fixture.send(&ours(&format!("[{}]", ids(round)))).await, Some(204));
    }
    let mut waiting = 0;
    loop {
        match fixture.hinted_ids().len() {
            0 => break,
            received => waiting += received,
        }
    }
    assert_eq!(waiting, 1024, "of 4,000");
}

#[tokio::test]
async fn silent_connections_hold_only_their_permits_and_end_with_the_run() {
    let fixture = fixture();
    let mut silent = Vec::new();
    for _ in 0..MAX_CONNECTIONS - 1 {
        silent.push(TcpStream::connect(fixture.address).await.expect("a connection"));
    }
    assert_eq!(fixture.send(&ours("[]")).await, Some(204), "one permit is left");
    let Fixture { address, serving, .. } = fixture;
    drop(serving);
    for mut stream in silent {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty());
    }
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
}

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::annie::webhook::{Hints, channel};

const ID: &str = "0b1c7f0e-5a0e-4a56-9d0e-3f7c1c9f1a11";

/// A door that is served, and the run's end of the way.
struct Scene {
    address: SocketAddr,
    hints: Hints,
    serving: Serving,
}

fn scene() -> Scene {
    let door = Door::open(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    let (hinting, hints) = channel();
    let address = door.address();
    let token = WebhookToken::parse("s3cret").expect("a token");
    Scene { address, hints, serving: door.serve(token, hinting) }
}

fn delivery(authorization: Option<&str>, body: &str) -> String {
    let authorization = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    let length = body.len();
    format!("POST /annie HTTP/1.1\r\nHost: here\r\n{authorization}Content-Length: {length}\r\n\r\n{body}")
}

fn ours(body: &str) -> String {
    delivery(Some("Bearer s3cret"), body)
}

impl Scene {
    /// What is answered to these bytes: a status, or nothing.
    async fn say(&self, request: &str) -> Option<u16> {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        // Who is not read to the end may be cut off while it still speaks.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        std::str::from_utf8(&answer).ok()?.split(' ').nth(1)?.parse().ok()
    }

    /// What has been named so far.
    fn named(&mut self) -> Vec<String> {
        let next = futures_util::FutureExt::now_or_never(self.hints.next()).unwrap_or_default();
        next.iter().map(|id| id.as_str().to_owned()).collect()
    }
}

#[tokio::test]
async fn only_a_delivery_with_the_token_names_anything() {
    let mut scene = scene();
    let body = format!("{{\"id\":\"{ID}\"}}");
    for (authorization, status, named) in [
        (None, 401, false),
        (Some("Bearer other"), 401, false),
        (Some("s3cret"), 401, false),
        (Some("Bearer s3cret"), 204, true),
    ] {
        assert_eq!(scene.say(&delivery(authorization, &body)).await, Some(status), "{authorization:?}");
        assert_eq!(scene.named().is_empty(), !named, "{authorization:?}");
    }
    let get = "GET /annie HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer s3cret\r\n\r\n";
    assert_eq!(scene.say(get).await, Some(405));
}

#[tokio::test]
async fn garbage_is_taken_and_names_nobody() {
    let mut scene = scene();
    for body in ["", "nonsense", "{\"id\":", "[[[[", "{}", "\u{0}\u{1}"] {
        assert_eq!(scene.say(&ours(body)).await, Some(204), "{body:?}");
    }
    for request in ["nonsense\r\n\r\n", "POST\r\n\r\n"] {
        assert!(scene.say(request).await.is_none_or(|status| status == 400), "{request:?}");
    }
    assert_eq!(scene.named(), [""; 0]);
}

#[tokio::test]
async fn a_duplicate_names_the_same_again_and_no_more() {
    let mut scene = scene();
    for _ in 0..3 {
        assert_eq!(scene.say(&ours(&format!("[\"{ID}\",\"{ID}\"]"))).await, Some(204));
    }
    assert_eq!(scene.named(), [ID; 3]);
}

#[tokio::test]
async fn a_body_of_a_megabyte_is_cut_off() {
    let mut scene = scene();
    let body = format!("[\"{ID}\",\"{}\"]", "x".repeat(1024 * 1024));
    let answered = scene.say(&ours(&body)).await;
    assert!(answered.is_none_or(|status| status == 413), "{answered:?}");
    let endless = "POST / HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer s3cret\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("80000\r\n{}\r\n", "x".repeat(0x8_0000));
    let answered = scene.say(&format!("{endless}{chunk}{chunk}")).await;
    assert!(answered.is_none_or(|status| status == 413), "{answered:?}");
    let long_head = format!("POST / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1024 * 1024));
    assert!(scene.say(&long_head).await.is_none_or(|status| status == 431));
    assert_eq!(scene.named(), [""; 0]);
    assert_eq!(scene.say(&ours("[]")).await, Some(204), "and the next one is taken");
}

#[tokio::test(start_paused = true)]
async fn who_takes_too_long_is_cut_off() {
    let mut scene = scene();
    let whole = ours(&format!("\"{ID}\""));
    for sent in [0, 10, whole.len() - 1] {
        let mut stream = TcpStream::connect(scene.address).await.expect("a connection");
        stream.write_all(&whole.as_bytes()[..sent]).await.expect("sent");
        // It would wait for ever; the paused clock passes the time at once.
        let since = tokio::time::Instant::now();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty() && since.elapsed() <= AT_MOST, "after {sent} bytes: {:?}", since.elapsed());
    }
    assert_eq!(scene.named(), [""; 0]);
}

#[tokio::test]
async fn a_flood_is_dropped_and_waits_for_nobody() {
    let mut scene = scene();
    let ids = |round: u32| (0..200).map(|n| format!("\"c-{round}-{n}\"")).collect::<Vec<_>>().join(",");
    for round in 0..20 {
        // Nobody takes the hints meanwhile.
        assert_eq!(scene.say(&ours(&format!("[{}]", ids(round)))).await, Some(204));
    }
    let mut waiting = 0;
    loop {
        match scene.named().len() {
            0 => break,
            named => waiting += named,
        }
    }
    assert_eq!(waiting, 1024, "of 4,000");
}

#[tokio::test]
async fn connections_that_say_nothing_take_no_more_than_their_places_and_end_with_the_run() {
    let scene = scene();
    let mut silent = Vec::new();
    for _ in 0..AT_ONCE - 1 {
        silent.push(TcpStream::connect(scene.address).await.expect("a connection"));
    }
    assert_eq!(scene.say(&ours("[]")).await, Some(204), "one place is left");
    let Scene { address, serving, .. } = scene;
    drop(serving);
    for mut stream in silent {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty());
    }
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

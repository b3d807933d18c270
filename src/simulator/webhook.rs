//! Webhooks: the vendor's deliveries about a conversation.
//!
//! The contract says only that deliveries carry a token (`annie-api.md`, Webhooks). So a seed decides how they come:
//! with bodies of many shapes, once, several times, late, early or never, and mixed with meaningless ones. What a body
//! says about a conversation may be wrong.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::http::Uri;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::clock::SharedClock;

use super::call_log::LoggedCall;
use super::seeded_rng::SeededRng;

/// The timeout of one delivery, in real time.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where deliveries go, and the token that they carry.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The socket, on this machine.
    pub address: SocketAddr,
    /// The path, with its leading `/`.
    pub path: String,
    /// The bearer token, `authToken` in the contract.
    pub token: SecretString,
    /// The most deliveries that are sent; `None`: no limit.
    pub stops_after: Option<u32>,
}

/// The text is not a webhook address on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address of this machine, such as http://127.0.0.1:4020/annie")]
pub struct WebhookUrlError;

/// One delivery to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) at: DateTime<Utc>,
    pub(super) body: String,
}

/// Sends deliveries.
#[derive(Debug)]
pub(super) struct WebhookSender {
    webhook: Webhook,
    sent: AtomicU32,
}

impl Webhook {
    /// The webhook at an http URL of this machine.
    pub fn from_url(url: &str, token: SecretString) -> Result<Self, WebhookUrlError> {
        let url: Uri = url.parse().map_err(|_| WebhookUrlError)?;
        let host = match url.host() {
            Some("localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Some(host) => host.trim_matches(['[', ']']).parse().map_err(|_| WebhookUrlError)?,
            None => return Err(WebhookUrlError),
        };
        if url.scheme_str() != Some("http") || !host.is_loopback() {
            return Err(WebhookUrlError);
        }
        let address = SocketAddr::from((host, url.port_u16().unwrap_or(80)));
        Ok(Self { address, path: url.path().to_owned(), token, stops_after: None })
    }
}

/// The deliveries about a call whose conversation closes `closing` after its end.
pub(super) fn deliveries(rng: &SeededRng, call: &LoggedCall, closing: TimeDelta) -> Vec<Delivery> {
    let mut rng = rng.derive_text(call.conversation_id.as_str());
    let id = call.conversation_id.as_str();
    let closes = call.at + TimeDelta::seconds(call.duration_seconds.into()) + closing;
    let mut planned = Vec::new();
    let mut plan = |at, body| planned.push(Delivery { at, body });
    if rng.fraction() < 0.3 {
        let early = call.at + (closes - call.at) / 2;
        plan(early, body(&mut rng, id));
    }
    if rng.fraction() < 0.9 {
        let late = TimeDelta::seconds(if rng.fraction() < 0.1 { 90 } else { 0 });
        plan(closes + late, body(&mut rng, id));
        for _ in 0..rng.below(4).saturating_sub(1) {
            let again = TimeDelta::milliseconds(rng.below(30_000).cast_signed());
            plan(closes + again, body(&mut rng, id));
        }
    }
    if rng.fraction() < 0.3 {
        let meaningless = ["", "nonsense", "{\"id\":", "[[]]", "null", "{\"conversationId\":\"nobody-of-ours\"}"];
        let at = rng.below(meaningless.len() as u64) as usize;
        plan(closes - TimeDelta::seconds(5), meaningless[at].to_owned());
    }
    if rng.fraction() < 0.5 {
        let ended = closes - closing;
        plan(ended, body(&mut rng, id));
    }
    planned
}

/// A body of random shape. Everything in it but the id may be wrong.
fn body(rng: &mut SeededRng, id: &str) -> String {
    let status = ["OPEN", "CLOSING", "CLOSED"][rng.below(3) as usize];
    let body = match rng.below(5) {
        0 => json!({ "conversationId": id }),
        1 => json!({ "event": "conversation.updated", "data": { "conversation": { "id": id, "status": status } } }),
        2 => json!([{ "type": "call", "payload": { "conversation_id": id, "tags": ["appointment_booked"] } }]),
        3 => json!({ "data": { "conversations": [{ "conversationId": id, "status": status, "duration": 7.5 }] } }),
        _ => json!({ "id": "evt-1", "subject": id, "summary": "Patient is coming on Tuesday.", "attempt": 2 }),
    };
    body.to_string()
}

impl WebhookSender {
    pub(super) fn new(webhook: Webhook) -> Self {
        Self { webhook, sent: AtomicU32::new(0) }
    }

    /// Sends one delivery at its time. A failed one is not repeated.
    pub(super) async fn deliver(self: Arc<Self>, delivery: Delivery, clock: SharedClock) {
        clock.sleep(delivery.at - clock.now()).await;
        let sent = self.sent.fetch_add(1, Ordering::Relaxed);
        if self.webhook.stops_after.is_none_or(|limit| sent < limit) {
            let _ = tokio::time::timeout(TIMEOUT, self.post(&delivery.body)).await;
        }
    }

    async fn post(&self, body: &str) -> std::io::Result<()> {
        let Webhook { address, path, token, .. } = &self.webhook;
        let (token, length) = (token.expose_secret(), body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.read_to_end(&mut Vec::new()).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ConversationId;
    use crate::phone::E164;
    use crate::simulator::Behaviour;
    use crate::simulator::medium::SimulatedMedium;

    fn call(n: u32) -> LoggedCall {
        LoggedCall {
            at: "2026-11-24T16:00:00Z".parse().expect("an instant"),
            conversation_id: ConversationId::new(format!("conversation-{n}")),
            medium: SimulatedMedium::Voice,
            from_number: E164::parse("+13125550142").expect("a number"),
            to_number: E164::parse("+13125550101").expect("a number"),
            patient_id: None,
            appointment_id: None,
            behaviour: Behaviour::Books,
            duration_seconds: 100,
            answered: None,
        }
    }

    #[test]
    fn most_endings_are_delivered_some_of_them_twice_some_never_and_some_early() {
        let closing = TimeDelta::seconds(20);
        let (mut delivered, mut early, mut twice, mut never) = (0, 0, 0, 0);
        for n in 0..200 {
            let call = call(n);
            let closes = call.at + TimeDelta::seconds(120);
            let planned = deliveries(&SeededRng::new(1), &call, closing);
            assert_eq!(planned, deliveries(&SeededRng::new(1), &call, closing), "a seed decides");
            let about = |delivery: &&Delivery| delivery.body.contains(call.conversation_id.as_str());
            let in_time = planned.iter().filter(about).filter(|delivery| delivery.at >= closes).count();
            early += u32::from(planned.iter().filter(about).any(|delivery| delivery.at < closes));
            delivered += u32::from(in_time > 0);
            twice += u32::from(in_time > 1);
            never += u32::from(in_time == 0);
        }
        assert!(delivered > 150 && early > 30 && twice > 30 && never > 5, "{delivered} {early} {twice} {never}");
    }

    #[test]
    fn deliveries_go_to_this_machine_only() {
        let parsed =
            |url| Webhook::from_url(url, "token".into()).map(|webhook| (webhook.address.to_string(), webhook.path));
        assert_eq!(parsed("http://127.0.0.1:4020/annie"), Ok(("127.0.0.1:4020".into(), "/annie".into())));
        assert_eq!(parsed("http://localhost:4020"), Ok(("127.0.0.1:4020".into(), "/".into())));
        assert_eq!(parsed("http://[::1]:4020/"), Ok(("[::1]:4020".into(), "/".into())));
        for url in ["", "127.0.0.1:4020", "https://127.0.0.1:4020/", "http://192.0.2.1:4020/", "http://example.com/"] {
            assert_eq!(parsed(url), Err(WebhookUrlError), "{url}");
        }
    }
}

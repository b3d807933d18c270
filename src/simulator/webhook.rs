//! Webhooks: what the vendor delivers of a conversation, by itself.
//!
//! The contract says no more than that deliveries bear a token (`annie-api.md`, Webhooks). So their bodies come in every
//! shape that one could think of, once, several times, late, never, before their time, and beside them things that mean
//! nothing: a seed decides. What a body says of a conversation may be wrong.

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

use super::dice::Dice;
use super::log::Placed;

/// The longest that a delivery may take, in real time.
const AT_MOST: Duration = Duration::from_secs(5);

/// Where deliveries go, and what they bear.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The socket, on this machine.
    pub address: SocketAddr,
    /// The path, from its `/`.
    pub path: String,
    /// `authToken`.
    pub token: SecretString,
    /// After so many deliveries there are no more.
    pub stops_after: Option<u32>,
}

/// Why a text is no webhook's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address of this machine, such as http://127.0.0.1:4020/annie")]
pub struct NotAnAddress;

/// One delivery that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) at: DateTime<Utc>,
    pub(super) body: String,
}

/// Who makes them.
#[derive(Debug)]
pub(super) struct Postman {
    webhook: Webhook,
    made: AtomicU32,
}

impl Webhook {
    /// The webhook at a URL of this machine.
    pub fn at(url: &str, token: SecretString) -> Result<Self, NotAnAddress> {
        let url: Uri = url.parse().map_err(|_| NotAnAddress)?;
        let host = match url.host() {
            Some("localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Some(host) => host.trim_matches(['[', ']']).parse().map_err(|_| NotAnAddress)?,
            None => return Err(NotAnAddress),
        };
        if url.scheme_str() != Some("http") || !host.is_loopback() {
            return Err(NotAnAddress);
        }
        let address = SocketAddr::from((host, url.port_u16().unwrap_or(80)));
        Ok(Self { address, path: url.path().to_owned(), token, stops_after: None })
    }
}

/// What is delivered about a call that closes `closing` after its end.
pub(super) fn deliveries(dice: &Dice, call: &Placed, closing: TimeDelta) -> Vec<Delivery> {
    let mut dice = dice.under_text(call.conversation_id.as_str());
    let id = call.conversation_id.as_str();
    let closes = call.at + TimeDelta::seconds(call.duration_seconds.into()) + closing;
    let mut planned = Vec::new();
    let mut deliver = |at, body| planned.push(Delivery { at, body });
    if dice.share() < 0.3 {
        let early = call.at + (closes - call.at) / 2;
        deliver(early, body(&mut dice, id));
    }
    if dice.share() < 0.9 {
        let late = TimeDelta::seconds(if dice.share() < 0.1 { 90 } else { 0 });
        deliver(closes + late, body(&mut dice, id));
        for _ in 0..dice.below(4).saturating_sub(1) {
            let again = TimeDelta::milliseconds(dice.below(30_000).cast_signed());
            deliver(closes + again, body(&mut dice, id));
        }
    }
    if dice.share() < 0.3 {
        let nonsense = ["", "nonsense", "{\"id\":", "[[]]", "null", "{\"conversationId\":\"nobody-of-ours\"}"];
        let at = dice.below(nonsense.len() as u64) as usize;
        deliver(closes - TimeDelta::seconds(5), nonsense[at].to_owned());
    }
    planned
}

/// One of the shapes that a body may have. What it says beside the id is as likely wrong as right.
fn body(dice: &mut Dice, id: &str) -> String {
    let status = ["OPEN", "CLOSING", "CLOSED"][dice.below(3) as usize];
    let body = match dice.below(5) {
        0 => json!({ "conversationId": id }),
        1 => json!({ "event": "conversation.updated", "data": { "conversation": { "id": id, "status": status } } }),
        2 => json!([{ "type": "call", "payload": { "conversation_id": id, "tags": ["appointment_booked"] } }]),
        3 => json!({ "data": { "conversations": [{ "conversationId": id, "status": status, "duration": 7.5 }] } }),
        _ => json!({ "id": "evt-1", "subject": id, "summary": "Patient is coming on Tuesday.", "attempt": 2 }),
    };
    body.to_string()
}

impl Postman {
    pub(super) fn new(webhook: Webhook) -> Self {
        Self { webhook, made: AtomicU32::new(0) }
    }

    /// Makes one delivery at its time. What becomes of it is of no interest here: there is no second try.
    pub(super) async fn make(self: Arc<Self>, delivery: Delivery, clock: SharedClock) {
        clock.sleep(delivery.at - clock.now()).await;
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        if self.webhook.stops_after.is_none_or(|most| made < most) {
            let _ = tokio::time::timeout(AT_MOST, self.post(&delivery.body)).await;
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
    use crate::simulator::conversation::Medium;

    fn call(n: u32) -> Placed {
        Placed {
            at: "2026-11-24T16:00:00Z".parse().expect("an instant"),
            conversation_id: ConversationId::new(format!("conversation-{n}")),
            medium: Medium::Voice,
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
    fn most_endings_are_told_some_of_them_twice_some_never_and_some_before_their_time() {
        let closing = TimeDelta::seconds(20);
        let (mut told, mut early, mut twice, mut never) = (0, 0, 0, 0);
        for n in 0..200 {
            let call = call(n);
            let closes = call.at + TimeDelta::seconds(120);
            let made = deliveries(&Dice::new(1), &call, closing);
            assert_eq!(made, deliveries(&Dice::new(1), &call, closing), "a seed decides");
            let about = |delivery: &&Delivery| delivery.body.contains(call.conversation_id.as_str());
            let in_time = made.iter().filter(about).filter(|delivery| delivery.at >= closes).count();
            early += u32::from(made.iter().filter(about).any(|delivery| delivery.at < closes));
            told += u32::from(in_time > 0);
            twice += u32::from(in_time > 1);
            never += u32::from(in_time == 0);
        }
        assert!(told > 150 && early > 30 && twice > 30 && never > 5, "{told} {early} {twice} {never}");
    }

    #[test]
    fn deliveries_go_to_this_machine_alone() {
        let at = |url| Webhook::at(url, "token".into()).map(|webhook| (webhook.address.to_string(), webhook.path));
        assert_eq!(at("http://127.0.0.1:4020/annie"), Ok(("127.0.0.1:4020".into(), "/annie".into())));
        assert_eq!(at("http://localhost:4020"), Ok(("127.0.0.1:4020".into(), "/".into())));
        assert_eq!(at("http://[::1]:4020/"), Ok(("[::1]:4020".into(), "/".into())));
        for url in ["", "127.0.0.1:4020", "https://127.0.0.1:4020/", "http://192.0.2.1:4020/", "http://example.com/"] {
            assert_eq!(at(url), Err(NotAnAddress), "{url}");
        }
    }
}

//! The vendor's webhooks (`annie-api.md`, Webhooks): deliveries are taken beside a run, and what they name are hints.
//!
//! A delivery proves with its bearer token that it is meant for us, and no more than that: its body is not documented. So
//! every text in it that could be a conversation's id ([`body`]) becomes a hint to read that conversation, and what the
//! body says of it is never looked at. [`Hints`] go to the run through a channel that is bounded: when it is full they are
//! dropped, since the list shows everything that they could. [`Door`] is the socket.

pub mod body;
mod door;
mod token;

use tokio::sync::mpsc;

pub use door::{Door, Serving};
pub use token::{WebhookToken, WebhookTokenProblem};

use crate::ids::ConversationId;

/// Hints that may wait for the run.
const WAITING: usize = 1024;

/// Hints taken at once.
const AT_ONCE: usize = 256;

/// What deliveries have named, for the run.
#[derive(Debug)]
pub struct Hints(mpsc::Receiver<ConversationId>);

/// The other end, for whoever takes deliveries.
#[derive(Debug, Clone)]
pub struct Hinting(mpsc::Sender<ConversationId>);

/// A bounded way for hints.
#[must_use]
pub fn channel() -> (Hinting, Hints) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Hinting(sender), Hints(receiver))
}

impl Hinting {
    /// Names a conversation. It never waits: what nobody has room for is dropped.
    pub fn hint(&self, id: ConversationId) {
        // Full, or the run is over: the list is there for that.
        let _ = self.0.try_send(id);
    }
}

impl Hints {
    /// The next ones, at least one; it waits for ever if nobody gives any more. Nothing is lost if it is dropped.
    pub async fn next(&mut self) -> Vec<ConversationId> {
        let mut named = Vec::new();
        if self.0.recv_many(&mut named, AT_ONCE).await == 0 {
            std::future::pending::<()>().await;
        }
        named
    }
}

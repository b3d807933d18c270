//! Hints: ids of conversations that a webhook delivery named, which the run should read. They pass through a bounded
//! channel. A full channel drops them, since the conversation list shows everything that a hint could.

use tokio::sync::mpsc;

use crate::ids::ConversationId;

/// The channel's capacity, in hints.
const CAPACITY: usize = 1024;

/// The most hints that one [`HintReceiver::next`] returns.
const MAX_BATCH: usize = 256;

/// The receiving end, held by the run.
#[derive(Debug)]
pub struct HintReceiver(mpsc::Receiver<ConversationId>);

/// The sending end, held by the webhook listener.
#[derive(Debug, Clone)]
pub struct HintSender(mpsc::Sender<ConversationId>);

/// A bounded channel for hints.
#[must_use]
pub fn channel() -> (HintSender, HintReceiver) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    (HintSender(sender), HintReceiver(receiver))
}

impl HintSender {
    /// Sends one hint. Never waits: a full channel drops it.
    pub fn hint(&self, id: ConversationId) {
        // Full, or the run has ended. The list shows the conversation anyway.
        let _ = self.0.try_send(id);
    }
}

impl HintReceiver {
    /// The next hints, at least one. Waits forever once all senders are gone. Cancel-safe: dropping the future loses no
    /// hint.
    pub async fn next(&mut self) -> Vec<ConversationId> {
        let mut ids = Vec::new();
        if self.0.recv_many(&mut ids, MAX_BATCH).await == 0 {
            std::future::pending::<()>().await;
        }
        ids
    }
}

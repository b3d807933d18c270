//! What was said in one conversation, as text or as a document.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::entry::TranscriptMessage;
use crate::ids::{ConversationId, EntryId};
use crate::ledger::RecordedConversation;
use crate::visible;
use crate::zone::Zone;

/// The document of `transcript --json`.
#[derive(Serialize)]
pub struct TranscriptDocument<'m> {
    entry: EntryId,
    call: u32,
    conversation_id: &'m ConversationId,
    started_at: DateTime<Utc>,
    messages: Vec<DocumentMessage<'m>>,
}

#[derive(Serialize)]
struct DocumentMessage<'m> {
    at: Option<DateTime<Utc>>,
    role: Option<&'m str>,
    text: Option<&'m str>,
}

/// The document for other programs.
#[must_use]
pub fn document<'m>(
    entry: EntryId,
    conversation: &'m RecordedConversation,
    messages: &'m [TranscriptMessage],
) -> TranscriptDocument<'m> {
    let messages = messages.iter().map(|TranscriptMessage { role, text, at }| DocumentMessage {
        at: *at,
        role: role.as_deref(),
        text: text.as_deref(),
    });
    TranscriptDocument {
        entry,
        call: conversation.number,
        conversation_id: &conversation.conversation,
        started_at: conversation.at,
        messages: messages.collect(),
    }
}

/// The conversation with a line for each message; instants are in `zone`.
#[must_use]
pub fn render(
    entry: EntryId,
    conversation: &RecordedConversation,
    messages: &[TranscriptMessage],
    zone: &Zone,
) -> String {
    let RecordedConversation { number, conversation, at, .. } = conversation;
    let started = zone.date_and_second(*at);
    let mut text = format!("#{entry}, call {number}, {started}, conversation {conversation}\n");
    for TranscriptMessage { role, text: said, at } in messages {
        let at = at.map_or_else(String::new, |at| zone.local(at).format("%H:%M:%S").to_string());
        let role = visible::value(role.as_deref().unwrap_or("?"));
        let said = said.as_deref().map_or("(no text)".into(), visible::value);
        text += &format!("  {at:<8}  {role:<9}  {said}\n");
    }
    if messages.is_empty() {
        text += "  the vendor has no message of this conversation\n";
    }
    text
}

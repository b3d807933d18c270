//! The conversations of an entry that the vendor can be asked about, and the record of who read one.

use chrono::{DateTime, Utc};

use super::codec::{instant_at, millis, phone_at};
use super::error::LedgerError;
use super::operator::Operator;
use super::reader::LedgerReader;
use super::sql::sql;
use crate::ids::{AttemptId, ConversationId, EntryId, OrganisationId, RunId};
use crate::phone::E164;

/// A call of an entry with its conversation.
#[derive(Debug, Clone)]
pub struct RecordedConversation {
    /// The attempt.
    pub attempt: AttemptId,
    /// The run that placed it.
    pub run: RunId,
    /// The organisation that it belongs to.
    pub organisation: OrganisationId,
    /// The caller id.
    pub from: E164,
    /// The ordinal of the call among those to its entry: 1, 2, …
    pub number: u32,
    /// The conversation.
    pub conversation: ConversationId,
    /// When it started.
    pub at: DateTime<Utc>,
}

impl LedgerReader {
    /// The conversations of an entry, oldest first.
    pub fn conversations_of(&self, entry: EntryId) -> Result<Vec<RecordedConversation>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("conversations_of_entry"))?;
        let mut rows = statement.query([entry.0])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(RecordedConversation {
                attempt: AttemptId(row.get("id")?),
                run: RunId(row.get("run_id")?),
                organisation: OrganisationId::new(row.get::<_, String>("organisation")?),
                from: phone_at(row, "from_number")?,
                number: row.get("number")?,
                conversation: ConversationId::new(row.get::<_, String>("conversation")?),
                at: instant_at(row, "at")?,
            });
        }
        Ok(found)
    }
}

impl Operator {
    /// Records that somebody read a conversation's transcript.
    pub fn note_transcript(
        &mut self,
        entry: EntryId,
        read: &RecordedConversation,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<(), LedgerError> {
        let detail = format!("call {}, by {by}", read.number);
        let row = (millis(now), read.run.0, entry.0, read.attempt.0, "transcript_read", detail);
        self.conn.prepare_cached(sql!("event_note"))?.execute(row)?;
        Ok(())
    }
}

//! What was said in conversations: one row for each attempt that ended, kept until the campaign's `[privacy]
//! keep_words_for` has passed.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row};

use super::codec::{instant_at, json, json_at, maybe_instant_at, maybe_outcome_at, millis, phone_at};
use super::error::LedgerError;
use super::reader::LedgerReader;
use super::sql::sql;
use crate::entry::{ConversationWords, Outcome, OutcomeSignals};
use crate::ids::{AttemptId, EntryId};
use crate::phone::E164;

/// Keeps what was said in an attempt's conversation.
pub(super) fn keep(
    conn: &Connection,
    attempt: AttemptId,
    words: &ConversationWords,
    at: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let ConversationWords { signals: OutcomeSignals { tags, topic, summary, actions, duration }, is_whole } = words;
    conn.prepare_cached(sql!("conversation_words_insert"))?.execute((
        attempt.0,
        json(tags),
        topic,
        summary,
        json(actions),
        duration,
        is_whole,
        millis(at),
    ))?;
    Ok(())
}

/// Removes the words that have been kept for as long as their campaign's file says. The table is written anew, because
/// SQLite leaves copies of rows in pages that it has rebalanced, and `secure_delete` overwrites only what is deleted or
/// freed: so no page holds them any more. (The write-ahead log does, until it is checkpointed.) Returns whether there
/// were any.
pub(super) fn remove_old(conn: &Connection, now: DateTime<Utc>) -> Result<bool, LedgerError> {
    if !conn.prepare_cached(sql!("conversation_words_old"))?.exists([millis(now)])? {
        return Ok(false);
    }
    conn.execute(sql!("conversation_words_set_aside"), [millis(now)])?;
    conn.execute_batch(sql!("conversation_words_rewrite"))?;
    Ok(true)
}

/// What was said in one of an entry's conversations.
#[derive(Debug, Clone)]
pub struct KeptWords {
    /// The attempt that became the conversation.
    pub attempt: AttemptId,
    /// The number that was dialled.
    pub to: E164,
    /// When the conversation started, if the vendor said so.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// What it was taken for.
    pub outcome: Outcome,
    /// What was said.
    pub words: ConversationWords,
    /// When the words were kept.
    pub kept_at: DateTime<Utc>,
}

impl LedgerReader {
    /// What was said in the entry's conversations and is still kept, oldest first.
    pub fn words_of(&self, entry: EntryId) -> Result<Vec<KeptWords>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("conversation_words_of"))?;
        let mut rows = statement.query([entry.0])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(kept_words(row)?);
        }
        Ok(found)
    }
}

fn kept_words(row: &Row<'_>) -> Result<KeptWords, LedgerError> {
    Ok(KeptWords {
        attempt: AttemptId(row.get("id")?),
        to: phone_at(row, "to_number")?,
        started_at: maybe_instant_at(row, "started_at")?,
        ended_at: instant_at(row, "ended_at")?,
        outcome: maybe_outcome_at(row, "outcome")?.ok_or(LedgerError::INVALID_ROW)?,
        words: words_at(row)?,
        kept_at: instant_at(row, "kept_at")?,
    })
}

/// The words in a row with the table's columns.
pub(super) fn words_at(row: &Row<'_>) -> Result<ConversationWords, LedgerError> {
    let signals = OutcomeSignals {
        tags: json_at(row, "tags")?,
        topic: row.get("topic")?,
        summary: row.get("summary")?,
        actions: json_at(row, "actions")?,
        duration: row.get("duration")?,
    };
    Ok(ConversationWords { signals, is_whole: row.get("is_whole")? })
}

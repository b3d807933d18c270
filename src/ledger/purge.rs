//! Removing patients' data from a ledger once it is no longer needed. What prevents a call too many stays: keys,
//! numbers, states, times and outcomes of calls, and the suppression list.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::TransactionBehavior;

use super::codec::{json, millis};
use super::error::LedgerError;
use super::sql::sql;
use super::wal_recovery::SystemDisk;
use super::{open, purged_content, runs};
use crate::entry::PatientInfo;
use crate::visible::DisplayPath;
use crate::wording::counted;

/// Removes names, dates of birth, messages and alternate numbers from all entries that have been over since `before`:
/// finished, failed, suppressed, withdrawn, expired or cancelled, and what was said in their calls and in any call before
/// then, with the front desk's notes and the write-back files that tell it. Needs the ledger's lock. Returns the number of
/// entries; [`LedgerError::PurgeIncomplete`] if a reader keeps the old pages in the write-ahead log: retry later. `by`
/// says who decided, for the record.
pub fn purge(path: &Path, before: DateTime<Utc>, by: &str, now: DateTime<Utc>) -> Result<u64, LedgerError> {
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.shown() });
    }
    let mut opened = open::exclusively(path, now, &SystemDisk)?;
    let at = runs::newest_event(&opened.conn)?.map_or(now, |newest| newest.max(now));
    let (no_content, no_patient) = (purged_content::empty(), json(&PatientInfo::default()));
    let transaction = opened.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let entries = transaction.execute(sql!("entry_purge"), (millis(before), &no_content))? as u64;
    transaction.execute(sql!("member_purge"), (&no_content, &no_patient))?;
    transaction.execute(sql!("former_member_purge"), (&no_content, &no_patient))?;
    transaction.execute(sql!("planned_purge"), [&no_content])?;
    transaction.execute(sql!("conversation_words_purge"), (millis(before), &no_content))?;
    transaction.execute(sql!("worklist_note_purge"), (millis(before), &no_content))?;
    transaction.execute(sql!("writeback_purge"), (millis(before), &no_content))?;
    let detail = format!("decided by {by}; {}", counted(entries, "entry", "entries"));
    transaction.execute(sql!("event_of_ledger"), (millis(at), "purged", detail))?;
    transaction.commit()?;
    // `secure_delete` overwrites deleted cells, but not what a rebalanced page leaves behind: VACUUM writes every page
    // anew. Then the log still holds the old pages.
    opened.conn.execute_batch(sql!("vacuum"))?;
    let is_complete = opened.conn.query_row(sql!("checkpoint"), [], |row| {
        let (busy, in_log, moved): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(!busy && in_log == moved)
    })?;
    if is_complete { Ok(entries) } else { Err(LedgerError::PurgeIncomplete) }
}

//! Taking patients' data off a ledger once it is not needed any more. What keeps anybody from being called once too often
//! stays: keys, numbers, states, when who was called, what came of it, and the suppression list.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::TransactionBehavior;

use super::disk::OwnDisk;
use super::error::LedgerError;
use super::rows::{json, millis};
use super::{open, runs, sql};
use crate::entry::{Content, PatientInfo};
use crate::visible::Shown;

/// Takes names, dates of birth, messages and other numbers off all entries that have been over since `before`: finished,
/// refused, suppressed, withdrawn, expired or cancelled. Needs the ledger for itself. Returns how many entries there were;
/// [`LedgerError::NotGone`] if a reader keeps the old pages in the log, and the same again is to be tried later.
/// `by` says who decided, for the record.
pub fn purge(path: &Path, before: DateTime<Utc>, by: &str, now: DateTime<Utc>) -> Result<u64, LedgerError> {
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.shown() });
    }
    let mut opened = open::exclusively(path, now, &OwnDisk)?;
    let at = runs::newest_event(&opened.conn)?.map_or(now, |newest| newest.max(now));
    let (nothing, nobody) = (json(&Content::default()), json(&PatientInfo::default()));
    let transaction = opened.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let entries = transaction.execute(sql!("entry_purge"), (millis(before), &nothing))? as u64;
    transaction.execute(sql!("member_purge"), (&nothing, &nobody))?;
    transaction.execute(sql!("former_member_purge"), (&nothing, &nobody))?;
    transaction.execute(sql!("planned_purge"), [&nothing])?;
    let detail = format!("decided by {by}; {entries} entries");
    transaction.execute(sql!("event_of_ledger"), (millis(at), "purged", detail))?;
    transaction.commit()?;
    // Deleted content is overwritten (`secure_delete`), but in the log its pages would stand as they were.
    let is_whole = opened.conn.query_row(sql!("checkpoint"), [], |row| {
        let (busy, in_log, moved): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(!busy && in_log == moved)
    })?;
    if is_whole { Ok(entries) } else { Err(LedgerError::NotGone) }
}

//! Removing what was said once it has been kept for as long as the campaigns' files say: the words, the front desk's notes
//! and the bytes of write-back files.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;

use super::codec::millis;
use super::error::LedgerError;
use super::sql::sql;
use super::{conversation_words, worklist_ticks, writeback};

/// The tables are written anew, which takes long in a large ledger: campaigns that run one after another do it once, unless
/// one of them keeps what was said for less than a day.
const AT_MOST_EVERY: TimeDelta = TimeDelta::days(1);

/// Removes what is old enough, unless that was done within the last day. Returns whether there was any.
pub(super) fn remove(conn: &Connection, now: DateTime<Utc>) -> Result<bool, LedgerError> {
    let since = AT_MOST_EVERY.num_milliseconds() - 1;
    if conn.prepare_cached(sql!("words_removed_on"))?.exists((millis(now), since))? {
        return Ok(false);
    }
    let words = conversation_words::remove_old(conn, now)?;
    let notes = worklist_ticks::remove_old_notes(conn, now)?;
    let files = writeback::remove_old(conn, now)?;
    let is_any = words || notes || files;
    if is_any {
        conn.execute(sql!("words_removed_note"), [millis(now)])?;
    }
    Ok(is_any)
}

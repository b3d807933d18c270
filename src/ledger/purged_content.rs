//! Entries whose content was purged: they have nothing to say in a call, so only a list that has them again opens them.

use rusqlite::Connection;

use super::codec::json;
use super::error::LedgerError;
use super::sql::sql;
use crate::entry::CallContent;
use crate::ids::EntryId;

/// Whether an entry's content was purged.
pub(super) fn is_purged(conn: &Connection, entry: EntryId) -> Result<bool, LedgerError> {
    Ok(conn.prepare_cached(sql!("entry_is_purged"))?.exists((entry.0, empty()))?)
}

/// What a purge leaves of an entry's content, as it is stored.
pub(super) fn empty() -> String {
    json(&CallContent::default())
}

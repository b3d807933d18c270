//! A patient's other numbers: who is not there under one may be under the next.

use rusqlite::Connection;

use super::error::LedgerError;
use super::rows::phone_at;
use super::sql;
use crate::ids::EntryId;
use crate::phone::E164;

/// The best number of the entry's list that no call of the entry went to yet.
pub(super) fn not_dialled(conn: &Connection, entry: EntryId) -> Result<Option<E164>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("entry_other_numbers"))?;
    let mut rows = statement.query([entry.0])?;
    rows.next()?.map(|row| phone_at(row, "phone")).transpose()
}

/// The number to dial of a known entry: the list's best one that no call has found to be wrong.
pub(super) fn to_dial(
    conn: &Connection,
    entry: EntryId,
    best: E164,
    alternatives: &[E164],
) -> Result<E164, LedgerError> {
    if alternatives.is_empty() {
        return Ok(best);
    }
    let mut found_wrong = conn.prepare_cached(sql!("attempt_found_wrong"))?;
    for phone in std::iter::once(&best).chain(alternatives) {
        if !found_wrong.exists((entry.0, phone.expose()))? {
            return Ok(*phone);
        }
    }
    Ok(best)
}

/// Moves an entry to another number.
pub(super) fn renumber(conn: &Connection, entry: EntryId, phone: E164) -> Result<(), LedgerError> {
    super::rows::exactly_one(conn.prepare_cached(sql!("entry_renumber"))?.execute((entry.0, phone.expose()))?)
}

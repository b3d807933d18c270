//! A patient's alternate numbers: after a wrong number, the next one is dialled.

use rusqlite::Connection;

use super::codec::{exactly_one, phone_at};
use super::error::LedgerError;
use super::sql::sql;
use crate::entry::Fact;
use crate::ids::{CampaignId, EntryId, EntryKey};
use crate::phone::E164;

/// The first of the entry's numbers that none of its calls has dialled.
pub(super) fn not_dialled(conn: &Connection, entry: EntryId) -> Result<Option<E164>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("entry_next_number"))?;
    let mut rows = statement.query([entry.0])?;
    rows.next()?.map(|row| phone_at(row, "phone")).transpose()
}

/// The number to dial for a patient: the first of the list's that no call has found wrong, else `best`. A household's call
/// may have found it wrong before the patient has an entry.
pub(super) fn to_dial(
    conn: &Connection,
    campaign: CampaignId,
    key: &EntryKey,
    best: E164,
    alternatives: &[E164],
) -> Result<E164, LedgerError> {
    if alternatives.is_empty() {
        return Ok(best);
    }
    let mut found_wrong = conn.prepare_cached(sql!("attempt_found_wrong"))?;
    for phone in std::iter::once(&best).chain(alternatives) {
        if !found_wrong.exists((campaign.0, key.as_str(), phone.expose()))? {
            return Ok(*phone);
        }
    }
    Ok(best)
}

/// After a wrong number, moves the entry to the patient's next number; without another number there is no redial.
pub(super) fn switch_if_wrong(conn: &Connection, entry: EntryId, fact: Fact) -> Result<Fact, LedgerError> {
    if !fact.needs_another_number() {
        return Ok(fact);
    }
    let Some(next) = not_dialled(conn, entry)? else { return Ok(fact.without_redial()) };
    renumber(conn, entry, next)?;
    Ok(fact)
}

/// Whether `phone` is worth a call after a wrong number: none of the patient's calls has shown it to be wrong, and fewer
/// than `max_calls` were made.
pub(super) fn is_new_chance(
    conn: &Connection,
    entry: EntryId,
    phone: E164,
    max_calls: u32,
) -> Result<bool, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("patient_number_is_new"))?;
    Ok(statement.query_row((entry.0, phone.expose(), max_calls), |row| row.get(0))?)
}

/// Changes the entry's number to dial.
pub(super) fn renumber(conn: &Connection, entry: EntryId, phone: E164) -> Result<(), LedgerError> {
    exactly_one(conn.prepare_cached(sql!("entry_renumber"))?.execute((entry.0, phone.expose()))?)
}

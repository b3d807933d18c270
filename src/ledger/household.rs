//! Patients that a household's call covered and that have had entries of their own since.

use rusqlite::Connection;

use super::codec::{attempt_state_at, maybe_outcome_at};
use super::error::LedgerError;
use super::sql::sql;
use crate::ids::{AttemptId, CampaignId, EntryId, EntryKey};
use crate::policy::CallFacts;

/// Stores the keys that an attempt covers.
pub(super) fn note(conn: &Connection, attempt: AttemptId, entry: EntryId) -> Result<(), LedgerError> {
    conn.prepare_cached(sql!("covered_insert"))?.execute((attempt.0, entry.0))?;
    Ok(())
}

/// Adds the calls that covered the patient with `key` and were made to other entries.
pub(super) fn add_calls(
    conn: &Connection,
    campaign: CampaignId,
    key: &EntryKey,
    facts: &mut CallFacts<'_>,
) -> Result<(), LedgerError> {
    let mut statement = conn.prepare_cached(sql!("covered_by"))?;
    let mut rows = statement.query((campaign.0, key.as_str()))?;
    while let Some(row) = rows.next()? {
        facts.add_household_call(attempt_state_at(row, "state")?, maybe_outcome_at(row, "outcome")?);
    }
    Ok(())
}

/// The household members that an entry's call covers.
pub(super) fn members(conn: &Connection, entry: EntryId) -> Result<Vec<EntryKey>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("member_keys"))?;
    let keys = statement.query_map([entry.0], |row| row.get::<_, String>(0))?;
    Ok(keys.map(|key| key.map(EntryKey::new)).collect::<Result<_, _>>()?)
}

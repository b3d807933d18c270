//! Patients who are called with their household at one time and alone at another: calls to one entry that concerned the
//! patient of another.

use rusqlite::{Connection, Row};

use super::codec::{attempt_state_at, instant_at, maybe_outcome_at, phone_at};
use super::error::LedgerError;
use super::sql::sql;
use crate::ids::{AttemptId, CampaignId, EntryId, EntryKey};
use crate::phone::E164;
use crate::policy::{CallFacts, HouseholdCall};

/// Stores the keys that an attempt covers.
pub(super) fn note(conn: &Connection, attempt: AttemptId, entry: EntryId) -> Result<(), LedgerError> {
    conn.prepare_cached(sql!("covered_insert"))?.execute((attempt.0, entry.0))?;
    Ok(())
}

/// Adds the calls that covered the patient with `key` and were made to other entries.
pub(super) fn add_covering_calls(
    conn: &Connection,
    campaign: CampaignId,
    key: &EntryKey,
    phone: E164,
    facts: &mut CallFacts<'_>,
) -> Result<(), LedgerError> {
    let mut statement = conn.prepare_cached(sql!("covered_by"))?;
    let mut rows = statement.query((campaign.0, key.as_str()))?;
    while let Some(row) = rows.next()? {
        facts.add_covering_call(household_call(row, phone)?);
    }
    Ok(())
}

/// Adds the calls to the patient with `key`, whom a call to `entry` covers: those to an entry of the patient's own, and
/// those to the household by another entry.
pub(super) fn add_member_calls(
    conn: &Connection,
    campaign: CampaignId,
    key: &EntryKey,
    entry: Option<EntryId>,
    phone: E164,
    facts: &mut CallFacts<'_>,
) -> Result<(), LedgerError> {
    let mut statement = conn.prepare_cached(sql!("member_calls"))?;
    let mut rows = statement.query((campaign.0, key.as_str(), entry.map(|entry| entry.0)))?;
    while let Some(row) = rows.next()? {
        facts.add_member_call(household_call(row, phone)?);
    }
    Ok(())
}

fn household_call(row: &Row<'_>, phone: E164) -> Result<HouseholdCall, LedgerError> {
    Ok(HouseholdCall {
        state: attempt_state_at(row, "state")?,
        outcome: maybe_outcome_at(row, "outcome")?,
        at: instant_at(row, "placed_at")?,
        is_same_number: phone_at(row, "to_number")? == phone,
    })
}

/// The household members that an entry's call covers.
pub(super) fn members(conn: &Connection, entry: EntryId) -> Result<Vec<EntryKey>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("member_keys"))?;
    let keys = statement.query_map([entry.0], |row| row.get::<_, String>(0))?;
    Ok(keys.map(|key| key.map(EntryKey::new)).collect::<Result<_, _>>()?)
}

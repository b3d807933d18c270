//! Patients that a household's call covered and that have had entries of their own since.

use rusqlite::Connection;

use super::codec::{attempt_state_at, maybe_outcome_at};
use super::error::LedgerError;
use super::sql::sql;
use crate::entry::Outcome;
use crate::ids::{AttemptId, CampaignId, EntryId, EntryKey};

/// The effect on a patient of calls to other entries of the household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CoveredBy {
    /// In one of them, somebody decided for the household.
    pub(super) spoken_for: bool,
    /// One of them is in flight.
    pub(super) unsettled: bool,
}

/// Stores the keys that an attempt covers.
pub(super) fn note(conn: &Connection, attempt: AttemptId, entry: EntryId) -> Result<(), LedgerError> {
    conn.prepare_cached(sql!("covered_insert"))?.execute((attempt.0, entry.0))?;
    Ok(())
}

/// The calls that covered the patient with `key` and were made to other entries.
pub(super) fn covered(conn: &Connection, campaign: CampaignId, key: &EntryKey) -> Result<CoveredBy, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("covered_by"))?;
    let mut rows = statement.query((campaign.0, key.as_str()))?;
    let mut covered = CoveredBy::default();
    while let Some(row) = rows.next()? {
        covered.unsettled |= attempt_state_at(row, "state")?.is_in_flight();
        covered.spoken_for |= maybe_outcome_at(row, "outcome")?.is_some_and(Outcome::is_decision);
    }
    Ok(covered)
}

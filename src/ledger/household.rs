//! Patients for whom a household's call spoke, and who are entries of their own by now.

use rusqlite::Connection;

use super::error::LedgerError;
use super::rows::{attempt_state_at, maybe_outcome_at};
use super::sql;
use crate::entry::Outcome;
use crate::ids::{AttemptId, CampaignId, EntryId, EntryKey};

/// What the calls to others of the household have done for a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Covered {
    /// One of them was answered by somebody who decided for the household.
    pub(super) spoken_for: bool,
    /// One of them is not settled.
    pub(super) unsettled: bool,
}

/// Notes whom an attempt speaks for.
pub(super) fn note(conn: &Connection, attempt: AttemptId, entry: EntryId) -> Result<(), LedgerError> {
    conn.prepare_cached(sql!("covered_insert"))?.execute((attempt.0, entry.0))?;
    Ok(())
}

/// What was done for the patient of `key`.
pub(super) fn covered(conn: &Connection, campaign: CampaignId, key: &EntryKey) -> Result<Covered, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("covered_by"))?;
    let mut rows = statement.query((campaign.0, key.as_str()))?;
    let mut covered = Covered::default();
    while let Some(row) = rows.next()? {
        covered.unsettled |= attempt_state_at(row, "state")?.is_under_way();
        covered.spoken_for |= maybe_outcome_at(row, "outcome")?.is_some_and(Outcome::is_a_decision);
    }
    Ok(covered)
}

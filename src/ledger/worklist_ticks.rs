//! What is ticked off of the worklist.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, Rows};

use super::codec::{instant_at, maybe_outcome_at, maybe_reason_at, millis, state_at};
use super::error::LedgerError;
use super::runs::RunHandle;
use super::sql::sql;
use crate::entry::WorkGroup;
use crate::ids::{AttemptId, CampaignId, EntryId};

/// Somebody's word that an item is done.
#[derive(Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Tick {
    /// When.
    pub at: DateTime<Utc>,
    /// Who says so.
    pub by: String,
    /// What they noted.
    pub note: Option<String>,
}

/// The number of a campaign's items that are ticked off.
pub(super) fn ticked(conn: &Connection, campaign: CampaignId) -> Result<u64, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("worklist_ticked"))?;
    count_ticked(statement.query([campaign.0])?)
}

/// The same as of the event before `event`, which began the run after this one.
pub(super) fn ticked_before(conn: &Connection, run: RunHandle, event: i64) -> Result<u64, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("worklist_ticked_before"))?;
    count_ticked(statement.query((run.campaign.0, run.run.0, event))?)
}

fn count_ticked(mut rows: Rows<'_>) -> Result<u64, LedgerError> {
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let word: String = row.get("work_group")?;
        count += u64::from(group_at(row)?.is_some_and(|group| group.is_work() && group.name() == word));
    }
    Ok(count)
}

/// Who has ticked an entry's item off, the first one first: its group after this attempt.
pub(super) fn ticks(
    conn: &Connection,
    entry: EntryId,
    group: WorkGroup,
    attempt: Option<AttemptId>,
) -> Result<Vec<Tick>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("worklist_ticks_of"))?;
    let mut rows = statement.query((entry.0, group.name(), attempt.map(|attempt| attempt.0)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Tick { at: instant_at(row, "at")?, by: row.get("ticked_by")?, note: row.get("note")? });
    }
    Ok(found)
}

/// Removes the notes that have been kept for as long as their campaign keeps what was said; the table is written anew,
/// so that no page holds them any more. Returns whether there were any.
pub(super) fn remove_old_notes(conn: &Connection, now: DateTime<Utc>) -> Result<bool, LedgerError> {
    if !conn.prepare_cached(sql!("worklist_notes_old"))?.exists([millis(now)])? {
        return Ok(false);
    }
    conn.execute(sql!("worklist_notes_set_aside"), [millis(now)])?;
    conn.execute_batch(sql!("worklist_notes_rewrite"))?;
    Ok(true)
}

/// The group of an entry by its columns; `None` for one that is still to be called or is being called.
pub(super) fn group_at(row: &Row<'_>) -> Result<Option<WorkGroup>, LedgerError> {
    Ok(WorkGroup::of(state_at(row, "state")?, maybe_outcome_at(row, "outcome")?, maybe_reason_at(row, "reason")?))
}

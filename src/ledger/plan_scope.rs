//! Runs of an approved plan: the calls that they may place are stored with the run, and their claims see no others.

use rusqlite::{Connection, OptionalExtension};

use super::codec::{exactly_one, json};
use super::error::LedgerError;
use super::runs::RunHandle;
use super::sql::sql;
use crate::entry::CallContent;
use crate::ids::{EntryKey, RunId};
use crate::phone::E164;

/// A call that an approved plan allows.
#[derive(Clone)]
pub struct ApprovedCall {
    /// The entry's key.
    pub key: EntryKey,
    /// The number to dial.
    pub phone: E164,
    /// What the call says.
    pub content: CallContent,
    /// The number of calls to the entry when the plan was made: one more is allowed.
    pub calls: u32,
}

/// Confines a run to the calls of a plan. Fails if one of their entries is not enrolled.
pub(super) fn approve(
    conn: &Connection,
    run: RunHandle,
    plan: &str,
    calls: &[ApprovedCall],
) -> Result<(), LedgerError> {
    exactly_one(conn.prepare_cached(sql!("run_plan"))?.execute((run.run.0, plan))?)?;
    for call in calls {
        let ApprovedCall { key, phone, content, calls } = call;
        let inserted = conn.prepare_cached(sql!("planned_insert"))?.execute((
            run.run.0,
            run.campaign.0,
            key.as_str(),
            phone.expose(),
            json(content),
            calls,
        ))?;
        exactly_one(inserted)?;
    }
    Ok(())
}

/// The newest run of a plan whose list was enrolled to its end.
pub(super) fn run_of(conn: &Connection, plan: &str) -> Result<Option<RunId>, LedgerError> {
    Ok(conn.prepare_cached(sql!("run_of_plan"))?.query_row([plan], |row| row.get(0)).optional()?.map(RunId))
}

/// Whether a run is confined to a plan.
pub(super) fn confines(conn: &Connection, run: RunId) -> Result<bool, LedgerError> {
    Ok(conn.prepare_cached(sql!("run_is_planned"))?.exists([run.0])?)
}

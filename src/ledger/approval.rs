//! Runs of an approved plan: what they may dial is written down with the run, and their claims see nothing else.

use rusqlite::{Connection, OptionalExtension};

use super::error::LedgerError;
use super::rows::json;
use super::runs::RunHandle;
use super::sql;
use crate::entry::Content;
use crate::ids::{EntryKey, RunId};
use crate::phone::E164;

/// A call that an approved plan allows.
#[derive(Clone)]
pub struct Approved {
    /// Whose.
    pub key: EntryKey,
    /// The number to dial.
    pub phone: E164,
    /// What is said.
    pub content: Content,
    /// Calls to the entry when the plan was made: one more is allowed.
    pub calls: u32,
}

/// Confines a run to what a plan allows.
pub(super) fn approve(conn: &Connection, run: RunHandle, plan: &str, calls: &[Approved]) -> Result<(), LedgerError> {
    super::rows::exactly_one(conn.prepare_cached(sql!("run_plan"))?.execute((run.run.0, plan))?)?;
    for call in calls {
        let Approved { key, phone, content, calls } = call;
        let inserted = conn.prepare_cached(sql!("planned_insert"))?.execute((
            run.run.0,
            run.campaign.0,
            key.as_str(),
            phone.expose(),
            json(content),
            calls,
        ))?;
        super::rows::exactly_one(inserted)?;
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

//! When a run has to claim next.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::claim::ClaimScope;
use super::codec::maybe_instant_at;
use super::error::LedgerError;
use super::plan_scope;
use super::runs::RunHandle;
use super::sql::sql;

/// When the first entry that is ready or waiting is due: in the past if it is due already, `None` if none is left.
pub(super) fn next_due(
    conn: &Connection,
    run: RunHandle,
    scope: &ClaimScope,
) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let (mut statement, owner) = if plan_scope::confines(conn, run.run)? {
        (conn.prepare_cached(sql!("planned_next_due"))?, run.run.0)
    } else {
        (conn.prepare_cached(sql!("entry_next_due"))?, run.campaign.0)
    };
    statement.query_row((owner, scope.organisation.as_str(), scope.excluded_as_json()), |row| {
        Ok(maybe_instant_at(row, "next_due"))
    })?
}

//! Our caller ids, and up to when this ledger holds every call that each has placed.
//!
//! An older copy of a ledger put back in its place, or a ledger that was copied and continued elsewhere, lacks calls
//! and would make them again. So before a run's first call, the vendor's list is scanned back to the watermark, the
//! last instant at which the ledger held every call; `unrecorded_calls` handles what the scan finds.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::codec::{instant_at, maybe_instant_at, millis};
use super::error::LedgerError;
use super::sql::sql;
use crate::ids::OrganisationId;
use crate::phone::E164;

/// One of our from-numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerId {
    /// The organisation whose request budget its calls use.
    pub organisation: OrganisationId,
    /// The number.
    pub from: E164,
}

/// How far this ledger's record of a caller id's calls is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark {
    /// The ledger holds every call up to this instant.
    pub at: DateTime<Utc>,
    /// An operator has adopted the ledger and this caller id has not been scanned since: unrecorded calls are taken
    /// over.
    pub takes_over: bool,
    /// When the operator adopted it. The other ledger may have placed calls until then, which the vendor's list may
    /// show late.
    pub adopted_at: Option<DateTime<Utc>>,
}

pub(super) fn watermark(conn: &Connection, caller_id: &CallerId) -> Result<Watermark, LedgerError> {
    conn.prepare_cached(sql!("watermark_read"))?.query_row(
        (caller_id.organisation.as_str(), caller_id.from.expose()),
        |row| {
            let takes_over = row.get("takes_over")?;
            Ok(instant_at(row, "in_step_at")
                .and_then(|at| Ok(Watermark { at, takes_over, adopted_at: maybe_instant_at(row, "adopted_at")? })))
        },
    )?
}

/// Notes that the ledger holds every call of the caller id up to `at`.
pub(super) fn advance(conn: &Connection, caller_id: &CallerId, at: DateTime<Utc>) -> Result<(), LedgerError> {
    let CallerId { organisation, from } = caller_id;
    conn.prepare_cached(sql!("watermark_advance"))?.execute((organisation.as_str(), from.expose(), millis(at)))?;
    Ok(())
}

/// The same, after unrecorded calls were taken over: from now on they stop a run again.
pub(super) fn advance_after_takeover(
    conn: &Connection,
    caller_id: &CallerId,
    at: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let CallerId { organisation, from } = caller_id;
    conn.execute(sql!("watermark_after_adoption"), (organisation.as_str(), from.expose(), millis(at)))?;
    Ok(())
}

//! What a newer list says of an entry that is not settled: its call is under way, or a person must decide. It is kept,
//! and carried out as soon as the entry could be called again, so that nobody is redialled whom the list has taken off
//! since.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::error::LedgerError;
use super::rows::{exactly_one, maybe_reason_at};
use super::sql;
use super::transition::Step;
use crate::entry::{Fact, Reason, State};
use crate::ids::{EntryId, RunId};

/// Keeps what the newest list says; `None`: nothing stands in the way of the next call.
pub(super) fn keep(conn: &Connection, entry: EntryId, says: Option<(State, Reason)>) -> Result<(), LedgerError> {
    let (state, reason) = says.unzip();
    exactly_one(conn.prepare_cached(sql!("entry_meanwhile_set"))?.execute((
        entry.0,
        state.map(State::name),
        reason.map(Reason::name),
    ))?)
}

/// Carries out what the newest list says of an entry that now stands at `from`, if it may be called from there; where it
/// stands then.
pub(super) fn carry_out(
    conn: &Connection,
    run: RunId,
    entry: EntryId,
    from: State,
    at: DateTime<Utc>,
) -> Result<State, LedgerError> {
    if !matches!(from, State::Ready | State::Waiting) {
        return Ok(from);
    }
    let Some(fact) = kept(conn, entry)? else { return Ok(from) };
    let detail = Some("said by a list while the call was not settled");
    let to = Step { run, entry, attempt: None, at, from, fact: &fact, detail }.take(conn)?;
    keep(conn, entry, None)?;
    Ok(to)
}

fn kept(conn: &Connection, entry: EntryId) -> Result<Option<Fact>, LedgerError> {
    let (state, reason) = conn.prepare_cached(sql!("entry_meanwhile"))?.query_row([entry.0], |row| {
        let state: Option<String> = row.get("meanwhile")?;
        Ok((state.and_then(|word| State::named(&word)), maybe_reason_at(row, "meanwhile_reason")))
    })?;
    Ok(match (state, reason?) {
        (Some(State::Suppressed), Some(reason)) => Some(Fact::Barred { reason }),
        (Some(State::Held), Some(reason)) => Some(Fact::SetAside { reason }),
        (Some(State::Withdrawn), Some(_)) => Some(Fact::Unlisted),
        (Some(_) | None, _) => None,
    })
}

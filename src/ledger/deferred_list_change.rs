//! List changes for entries that are not settled: a call is in flight, or a person must decide. The change is stored
//! and applied as soon as the entry becomes callable again, so that no patient is redialled
//! after a newer list has removed them.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::codec::{exactly_one, maybe_reason_at};
use super::error::LedgerError;
use super::sql::sql;
use super::transition::Transition;
use crate::entry::list_effect::demanded_fact;
use crate::entry::{Fact, Reason, State};
use crate::ids::{EntryId, RunId};

/// Stores the fact that the newest list demands, as the state and the reason to which it takes a callable entry; `None`
/// clears them: the list allows the next call.
pub(super) fn store(conn: &Connection, entry: EntryId, demanded: Option<&Fact>) -> Result<(), LedgerError> {
    let state = demanded.and_then(|fact| State::Ready.after(fact).ok());
    let reason = demanded.and_then(|fact| fact.effect_on_entry(DateTime::UNIX_EPOCH).reason);
    exactly_one(conn.prepare_cached(sql!("deferred_change_set"))?.execute((
        entry.0,
        state.map(State::name),
        reason.map(Reason::name),
    ))?)
}

/// Applies the stored change, if any, to an entry whose state is now `from` and would allow a call. Returns its new
/// state.
pub(super) fn apply_to_callable(
    conn: &Connection,
    run: RunId,
    entry: EntryId,
    from: State,
    at: DateTime<Utc>,
) -> Result<State, LedgerError> {
    if !from.is_callable() {
        return Ok(from);
    }
    let Some(fact) = stored(conn, entry)? else { return Ok(from) };
    let detail = Some("said by a list while the call was not settled");
    let to = Transition { run, entry, attempt: None, at, from, fact: &fact, detail }.apply(conn)?;
    store(conn, entry, None)?;
    Ok(to)
}

fn stored(conn: &Connection, entry: EntryId) -> Result<Option<Fact>, LedgerError> {
    let (state, reason) = conn.prepare_cached(sql!("deferred_change_read"))?.query_row([entry.0], |row| {
        let state: Option<String> = row.get("meanwhile")?;
        Ok((state.and_then(|word| State::named(&word)), maybe_reason_at(row, "meanwhile_reason")))
    })?;
    Ok(state.zip(reason?).and_then(|(state, reason)| demanded_fact(state, reason)))
}

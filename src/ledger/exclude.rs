//! Suppresses the patients on the exclude list, also during a run.

use rusqlite::Connection;

use chrono::{DateTime, Utc};

use super::deferred_list_change;
use super::error::LedgerError;
use super::known_entry::KnownEntry;
use super::runs::RunHandle;
use super::sql::sql;
use super::transition::Transition;
use crate::entry::{Fact, Reason, State};
use crate::ids::{EntryId, EntryKey};

/// Suppresses the campaign's entries that are excluded by their own key or by that of a household member
/// covered by their call. An entry that is not settled follows once it is. Returns the entries suppressed now.
pub(super) fn exclude(
    conn: &Connection,
    run: RunHandle,
    is_excluded: &dyn Fn(&EntryKey) -> bool,
    now: DateTime<Utc>,
) -> Result<Vec<EntryId>, LedgerError> {
    let mut suppressed = Vec::new();
    for (known, key) in not_over(conn, run)? {
        if !is_excluded(&key) && !members(conn, known.id)?.iter().any(is_excluded) {
            continue;
        }
        if known.is_not_settled() {
            deferred_list_change::store(conn, known.id, Some((State::Suppressed, Reason::Excluded)))?;
            continue;
        }
        if matches!(known.state, State::Ready | State::Waiting) {
            let fact = Fact::Barred { reason: Reason::Excluded };
            let detail = Some("the exclude list changed while the run was under way");
            Transition {
                run: run.run,
                entry: known.id,
                attempt: None,
                at: now,
                from: known.state,
                fact: &fact,
                detail,
            }
            .apply(conn)?;
            suppressed.push(known.id);
        }
    }
    Ok(suppressed)
}

fn not_over(conn: &Connection, run: RunHandle) -> Result<Vec<(KnownEntry, EntryKey)>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("entry_callable"))?;
    let mut rows = statement.query([run.campaign.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((KnownEntry::from_row(row)?, EntryKey::new(row.get::<_, String>("key")?)));
    }
    Ok(found)
}

fn members(conn: &Connection, entry: EntryId) -> Result<Vec<EntryKey>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("member_keys"))?;
    let keys = statement.query_map([entry.0], |row| row.get::<_, String>(0))?;
    Ok(keys.map(|key| key.map(EntryKey::new)).collect::<Result<_, _>>()?)
}

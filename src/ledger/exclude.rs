//! Suppresses the patients on the exclude list, also during a run.

use rusqlite::Connection;

use chrono::{DateTime, Utc};

use super::deferred_list_change;
use super::error::LedgerError;
use super::household;
use super::known_entry::KnownEntry;
use super::runs::RunHandle;
use super::sql::sql;
use super::transition::Transition;
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
    for (known, key) in excludable(conn, run)? {
        if !is_excluded(&key) && !household::members(conn, known.id)?.iter().any(is_excluded) {
            continue;
        }
        let effect = known.status.on_excluded();
        if let Some(demanded) = effect.once_callable() {
            deferred_list_change::store(conn, known.id, Some(demanded))?;
        }
        if let Some(fact) = effect.now() {
            let detail = Some("the exclude list changed while the run was under way");
            let (run, entry, from) = (run.run, known.id, known.status.state);
            Transition { run, entry, attempt: None, at: now, from, fact: &fact, detail }.apply(conn)?;
            suppressed.push(known.id);
        }
    }
    Ok(suppressed)
}

fn excludable(conn: &Connection, run: RunHandle) -> Result<Vec<(KnownEntry, EntryKey)>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("entry_excludable"))?;
    let mut rows = statement.query([run.campaign.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((KnownEntry::from_row(row)?, EntryKey::new(row.get::<_, String>("key")?)));
    }
    Ok(found)
}

//! Taking patients off while a run is under way: those whom a second list names by now.

use rusqlite::Connection;

use chrono::{DateTime, Utc};

use super::enrol::Known;
use super::error::LedgerError;
use super::runs::RunHandle;
use super::transition::Step;
use super::{meanwhile, sql};
use crate::entry::{Fact, Reason, State};
use crate::ids::{EntryId, EntryKey};

/// Bars the campaign's entries whose key is excluded, or that of a household's member whom their call covers; one that is not
/// settled, once it is. Returns those that are barred now.
pub(super) fn exclude(
    conn: &Connection,
    run: RunHandle,
    is_excluded: &dyn Fn(&EntryKey) -> bool,
    now: DateTime<Utc>,
) -> Result<Vec<EntryId>, LedgerError> {
    let mut barred = Vec::new();
    for (known, key) in not_over(conn, run)? {
        if !is_excluded(&key) && !members(conn, known.id)?.iter().any(is_excluded) {
            continue;
        }
        if known.is_not_settled() {
            meanwhile::keep(conn, known.id, Some((State::Suppressed, Reason::Excluded)))?;
            continue;
        }
        if matches!(known.state, State::Ready | State::Waiting) {
            let fact = Fact::Barred { reason: Reason::Excluded };
            let detail = Some("the exclude list changed while the run was under way");
            Step { run: run.run, entry: known.id, attempt: None, at: now, from: known.state, fact: &fact, detail }
                .take(conn)?;
            barred.push(known.id);
        }
    }
    Ok(barred)
}

fn not_over(conn: &Connection, run: RunHandle) -> Result<Vec<(Known, EntryKey)>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("entry_callable"))?;
    let mut rows = statement.query([run.campaign.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((Known::from_row(row)?, EntryKey::new(row.get::<_, String>("key")?)));
    }
    Ok(found)
}

fn members(conn: &Connection, entry: EntryId) -> Result<Vec<EntryKey>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("member_keys"))?;
    let keys = statement.query_map([entry.0], |row| row.get::<_, String>(0))?;
    Ok(keys.map(|key| key.map(EntryKey::new)).collect::<Result<_, _>>()?)
}

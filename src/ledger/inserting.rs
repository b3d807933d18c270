//! New entries on their way into their table.

use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection};

use super::enrol::forbidden_by;
use super::error::LedgerError;
use super::prepared::Prepared;
use super::rows::{exactly_one, millis};
use super::runs::RunHandle;
use super::sql;
use crate::entry::{Reason, State};
use crate::ids::{EntryId, Location};
use crate::phone::E164;

/// Inserts a list's entries, and what is written beside them.
pub(super) struct Inserting<'c> {
    conn: &'c Connection,
    run: RunHandle,
    at: i64,
    entry: CachedStatement<'c>,
    member: CachedStatement<'c>,
    enrolled: CachedStatement<'c>,
}

impl<'c> Inserting<'c> {
    pub(super) fn ready(conn: &'c Connection, run: RunHandle, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        Ok(Self {
            conn,
            run,
            at: millis(now),
            entry: conn.prepare_cached(sql!("entry_insert"))?,
            member: conn.prepare_cached(sql!("member_insert"))?,
            enrolled: conn.prepare_cached(sql!("event_enrolled"))?,
        })
    }

    /// Inserts an entry, unless the campaign has one of its key. Whether it did.
    pub(super) fn insert(&mut self, prepared: &Prepared) -> Result<bool, LedgerError> {
        let [alternatives, zones, content] = &prepared.rest;
        let (state, reason) = forbidden_by(prepared.standing).unzip();
        let state = state.unwrap_or(State::Ready);
        let inserted = self.entry.execute((
            self.run.campaign.0,
            self.run.run.0,
            self.at,
            prepared.key.as_str(),
            prepared.line,
            prepared.organisation.as_str(),
            prepared.location.as_ref().map(Location::as_str),
            prepared.phone.expose(),
            alternatives,
            zones,
            content,
            prepared.not_after.map(millis),
            state.name(),
            reason.map(Reason::name),
        ))?;
        if inserted == 0 {
            return Ok(false);
        }
        let entry = EntryId(self.conn.last_insert_rowid());
        let event = (self.at, self.run.run.0, entry.0, state.name(), reason.map(Reason::name));
        exactly_one(self.enrolled.execute(event)?)?;
        self.put_members(entry, prepared)?;
        Ok(true)
    }

    /// Gives an entry that is there already the number, the texts and the members that the list has for it.
    pub(super) fn refresh(&mut self, entry: EntryId, phone: E164, prepared: &Prepared) -> Result<(), LedgerError> {
        let [alternatives, zones, content] = &prepared.rest;
        self.conn.prepare_cached(sql!("entry_refresh"))?.execute((
            entry.0,
            phone.expose(),
            alternatives,
            zones,
            content,
            prepared.not_after.map(millis),
            prepared.organisation.as_str(),
            prepared.location.as_ref().map(Location::as_str),
        ))?;
        self.conn.prepare_cached(sql!("member_keep"))?.execute([entry.0])?;
        self.conn.prepare_cached(sql!("member_clear"))?.execute([entry.0])?;
        self.put_members(entry, prepared)
    }

    fn put_members(&mut self, entry: EntryId, prepared: &Prepared) -> Result<(), LedgerError> {
        for (key, line, patient) in &prepared.members {
            self.member.execute((entry.0, key.as_str(), line, patient))?;
        }
        Ok(())
    }
}

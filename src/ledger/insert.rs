//! Inserting and refreshing the rows of a list's entries.

use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection};

use super::batch::EntryValues;
use super::cancellation;
use super::codec::{exactly_one, millis};
use super::error::LedgerError;
use super::runs::RunHandle;
use super::sql::sql;
use crate::entry::{EntryStatus, Reason};
use crate::ids::{EntryId, Location};
use crate::phone::E164;

/// Writes a list's entries, their members and their `enrolled` events.
pub(super) struct EntryInserter<'c> {
    conn: &'c Connection,
    run: RunHandle,
    now: DateTime<Utc>,
    entry: CachedStatement<'c>,
    member: CachedStatement<'c>,
    enrolled: CachedStatement<'c>,
    /// Whether an operator has cancelled anything in the campaign.
    has_cancelled: bool,
}

impl<'c> EntryInserter<'c> {
    pub(super) fn new(conn: &'c Connection, run: RunHandle, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        Ok(Self {
            conn,
            run,
            now,
            entry: conn.prepare_cached(sql!("entry_insert"))?,
            member: conn.prepare_cached(sql!("member_insert"))?,
            enrolled: conn.prepare_cached(sql!("event_enrolled"))?,
            has_cancelled: cancellation::has_any(conn, run.campaign)?,
        })
    }

    /// Inserts an entry, with the number to dial, unless the campaign has one with its key, and cancels it with its household.
    /// Returns whether it did.
    pub(super) fn insert(&mut self, listed: &EntryValues, phone: E164) -> Result<bool, LedgerError> {
        let [alternatives, zones, content] = &listed.json;
        let status = EntryStatus::enrolled(listed.eligibility, self.now);
        let EntryStatus { state, reason, due_at, .. } = status;
        let inserted = self.entry.execute((
            self.run.campaign.0,
            self.run.run.0,
            millis(due_at),
            listed.key.as_str(),
            listed.line,
            listed.organisation.as_str(),
            listed.location.as_ref().map(Location::as_str),
            phone.expose(),
            alternatives,
            zones,
            content,
            listed.not_after.map(millis),
            state.name(),
            reason.map(Reason::name),
        ))?;
        if inserted == 0 {
            return Ok(false);
        }
        let entry = EntryId(self.conn.last_insert_rowid());
        let event = (millis(self.now), self.run.run.0, entry.0, state.name(), reason.map(Reason::name));
        exactly_one(self.enrolled.execute(event)?)?;
        self.put_members(entry, listed)?;
        if self.has_cancelled {
            cancellation::follow_household(self.conn, self.run, entry, &listed.key, status, self.now)?;
        }
        Ok(true)
    }

    /// Gives an existing entry the number, texts and members that the list has for it. `is_same`: whether the number and the
    /// data are as before.
    pub(super) fn refresh(
        &mut self,
        entry: EntryId,
        phone: E164,
        listed: &EntryValues,
        is_same: bool,
    ) -> Result<(), LedgerError> {
        let [alternatives, zones, content] = &listed.json;
        self.conn.prepare_cached(sql!("entry_refresh"))?.execute((
            entry.0,
            phone.expose(),
            alternatives,
            zones,
            content,
            listed.not_after.map(millis),
            listed.organisation.as_str(),
            listed.location.as_ref().map(Location::as_str),
            (!is_same).then_some(millis(self.now)),
        ))?;
        self.conn.prepare_cached(sql!("member_keep"))?.execute([entry.0])?;
        self.conn.prepare_cached(sql!("member_clear"))?.execute([entry.0])?;
        self.put_members(entry, listed)
    }

    fn put_members(&mut self, entry: EntryId, listed: &EntryValues) -> Result<(), LedgerError> {
        for (key, line, patient) in &listed.members {
            self.member.execute((entry.0, key.as_str(), line, patient))?;
        }
        Ok(())
    }
}

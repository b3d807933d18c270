//! What enrolling a list would change, computed without writing, by the same rules as enrolling. `check`
//! shows it, and plans are made from it.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::Row;

use super::batch::EntryValues;
use super::call_facts::{self, CallSubject};
use super::codec::{json_at, maybe_instant_at, phone_at};
use super::enrol;
use super::error::LedgerError;
use super::known_entry::KnownEntry;
use super::pause::{self, Pause};
use super::reader::LedgerReader;
use super::sql::sql;
use super::{alternate_numbers, cancellation, household, runs};
use crate::entry::{
    AbsenceEffect, CallContent, CalledPartyZones, EntryChange, EntryStatus, Fact, ListEffect, NewEntry, State,
};
use crate::ids::{CampaignId, CampaignName, EntryId, EntryKey, Location};
use crate::phone::E164;
use crate::policy::CallFacts;

/// An entry as it would be after the list is enrolled.
#[derive(Debug, Clone, Copy)]
pub struct EnrolPreview {
    /// Its id in the ledger, if it has one.
    pub entry: Option<EntryId>,
    /// What the list changes about it.
    pub change: EntryChange,
    /// The number to dial.
    pub phone: E164,
    /// Its state.
    pub status: EntryStatus,
}

impl EnrolPreview {
    /// The preview of an entry that the ledger does not have.
    #[must_use]
    pub fn new(entry: &NewEntry, now: DateTime<Utc>) -> Self {
        let status = EntryStatus::enrolled(entry.eligibility, now);
        Self { entry: None, change: EntryChange::New, phone: entry.phone, status }
    }
}

/// An entry of the campaign that the list does not have, and that is not over.
#[derive(Clone)]
pub struct AbsentEntry {
    /// Its id in the ledger.
    pub entry: EntryId,
    /// Its key.
    pub key: EntryKey,
    /// Its row number in the list that it came from.
    pub line: u64,
    /// The number to dial.
    pub phone: E164,
    /// Its location, in a campaign that has locations.
    pub location: Option<Location>,
    /// The time zones in which the called party may be.
    pub zones: CalledPartyZones,
    /// What the call says.
    pub content: CallContent,
    /// The last instant at which the call makes sense.
    pub not_after: Option<DateTime<Utc>>,
    /// What its absence from the list does to it.
    pub absence: AbsenceEffect,
    /// Its current state.
    pub status: EntryStatus,
    /// The keys of the household members that its call covers, if it is kept.
    pub covers: Vec<EntryKey>,
}

impl LedgerReader {
    /// The time of the newest event; `None` in a new ledger.
    pub fn newest_event(&self) -> Result<Option<DateTime<Utc>>, LedgerError> {
        runs::newest_event(&self.conn)
    }

    /// The number of events later than `now`, which a clock that was ahead wrote, and the time of the latest.
    pub fn future_events(&self, now: DateTime<Utc>) -> Result<Option<(u64, DateTime<Utc>)>, LedgerError> {
        runs::future_events(&self.conn, now)
    }

    /// The time of a campaign's newest event; `None` if the ledger does not have the campaign.
    pub fn newest_event_of(&self, campaign: &CampaignName) -> Result<Option<DateTime<Utc>>, LedgerError> {
        runs::newest_event_of(&self.conn, campaign)
    }

    /// Makes all later reads see the same commit.
    pub fn begin_snapshot(&self) -> Result<(), LedgerError> {
        Ok(self.conn.execute_batch(sql!("begin_snapshot"))?)
    }

    /// The pause of the campaign with that name that holds at `now`.
    pub fn pause_of(&self, name: &CampaignName, now: DateTime<Utc>) -> Result<Option<Pause>, LedgerError> {
        match self.campaign(name)? {
            Some(campaign) => pause::in_force(&self.conn, campaign, now),
            None => Ok(None),
        }
    }

    /// The campaign with that name, if the ledger has it.
    pub fn campaign(&self, name: &CampaignName) -> Result<Option<CampaignId>, LedgerError> {
        runs::campaign_named(&self.conn, name)
    }

    /// The number of the campaign's entries that are still to be called.
    pub fn to_call(&self, campaign: CampaignId) -> Result<u64, LedgerError> {
        enrol::to_call(&self.conn, campaign)
    }

    /// The entry that enrolling `entry` at `now` would produce. `max_calls`: the calls that the campaign allows for one
    /// patient.
    pub fn preview(
        &self,
        campaign: CampaignId,
        entry: &NewEntry,
        max_calls: u32,
        now: DateTime<Utc>,
    ) -> Result<EnrolPreview, LedgerError> {
        let phone = alternate_numbers::to_dial(&self.conn, campaign, &entry.key, entry.phone, &entry.alternatives)?;
        let Some(known) = KnownEntry::find(&self.conn, campaign, entry.key.as_str())? else {
            let new = EnrolPreview::new(entry, now);
            let status = cancellation::status_with_household(&self.conn, campaign, &entry.key, new.status)?;
            return Ok(EnrolPreview { phone, status, ..new });
        };
        let listing = known.listing(&self.conn, &EntryValues::new(entry), phone, max_calls, now)?;
        let effect = known.status.on_listed(listing, now);
        let change = known.status.change(listing, &effect);
        let illegal = |illegal| LedgerError::Illegal { entry: known.id, illegal };
        let forbidden = effect.once_callable().cloned();
        let mut status =
            effect.now().map_or(Ok(known.status), |fact| known.status.after(&fact, now).map_err(illegal))?;
        let becomes_callable = status.state.is_ended_by_cancel() && !known.status.state.is_ended_by_cancel();
        if becomes_callable && self.is_cancelled_once_callable(known.id)? {
            status = status.after(&Fact::CancelledByOperator, now).map_err(illegal)?;
        }
        if let Some(fact) = forbidden.filter(|_| status.state.is_callable()) {
            status = status.after(&fact, now).map_err(illegal)?;
        }
        let is_due_again = status.state == State::Waiting && !listing.is_same();
        let due_at = if is_due_again { status.due_at.min(now) } else { status.due_at };
        let status = EntryStatus { due_at, ..status };
        Ok(EnrolPreview { entry: Some(known.id), change, phone, status })
    }

    /// Whether the entry was cancelled when it could not be called.
    fn is_cancelled_once_callable(&self, entry: EntryId) -> Result<bool, LedgerError> {
        Ok(self.conn.prepare_cached(sql!("cancellation_pending"))?.exists([entry.0])?)
    }

    /// The campaign's entries that are not over and whose keys are not in `listed`, ordered by id.
    pub fn absent(
        &self,
        campaign: CampaignId,
        listed: &HashSet<EntryKey>,
        withdraw: bool,
        now: DateTime<Utc>,
    ) -> Result<Vec<AbsentEntry>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("entry_pending"))?;
        let mut rows = statement.query([campaign.0])?;
        let mut absent = Vec::new();
        while let Some(row) = rows.next()? {
            if !listed.contains(&EntryKey::new(row.get::<_, String>("key")?)) {
                absent.extend(self.absent_entry(row, withdraw, now)?);
            }
        }
        Ok(absent)
    }

    fn absent_entry(
        &self,
        row: &Row<'_>,
        withdraw: bool,
        now: DateTime<Utc>,
    ) -> Result<Option<AbsentEntry>, LedgerError> {
        let known = KnownEntry::from_row(row)?;
        let absence = match known.on_absent(now)? {
            _ if !withdraw => AbsenceEffect::Kept,
            // It is not called anyway, as long as its number is barred.
            ListEffect::OnceSettled(_) if known.status.state == State::Suppressed => return Ok(None),
            ListEffect::Nothing => return Ok(None),
            ListEffect::Now(Fact::TooLate { .. }) => AbsenceEffect::Expired,
            ListEffect::Now(_) | ListEffect::Corrected { .. } => AbsenceEffect::Withdrawn,
            ListEffect::OnceSettled(_) => AbsenceEffect::WithdrawnOnceSettled,
        };
        let is_kept = absence == AbsenceEffect::Kept;
        let covers = if is_kept { household::members(&self.conn, known.id)? } else { Vec::new() };
        Ok(Some(AbsentEntry {
            entry: known.id,
            key: EntryKey::new(row.get::<_, String>("key")?),
            line: row.get::<_, i64>("line")? as u64,
            phone: phone_at(row, "phone")?,
            location: row.get::<_, Option<String>>("location")?.map(Location::new),
            zones: json_at(row, "zones")?,
            content: json_at(row, "content")?,
            not_after: maybe_instant_at(row, "not_after")?,
            absence,
            status: known.status,
            covers,
        }))
    }

    /// The facts about calling an entry, for a decision at `at`.
    pub fn call_facts<'a>(&self, subject: CallSubject<'a>, at: DateTime<Utc>) -> Result<CallFacts<'a>, LedgerError> {
        call_facts::gather(&self.conn, subject, at)
    }

    /// The durations of the newest conversations, in seconds, newest first, at most `limit`.
    pub fn call_durations(&self, limit: u32) -> Result<Vec<f64>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("attempt_lengths"))?;
        let millis: Vec<i64> = statement.query_map([limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(millis.into_iter().map(|millis| millis as f64 / 1000.0).collect())
    }
}

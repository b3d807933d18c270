//! What enrolling a list would change, computed without writing, by the same functions that enrol and claim. `check`
//! shows it, and plans are made from it.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::batch::EntryValues;
use super::claim;
use super::codec::{instant_at, json_at, maybe_instant_at, maybe_outcome_at, phone_at};
use super::enrol;
use super::error::LedgerError;
use super::known_entry::{EntryChange, KnownEntry, forbidden_by};
use super::reader::LedgerReader;
use super::sql::sql;
use super::{alternate_numbers, household, runs, suppression};
use crate::campaign::{Caps, Purpose};
use crate::entry::{CallContent, CalledPartyZones, Fact, NewEntry, Outcome, Reason, State};
use crate::ids::{CampaignId, CampaignName, EntryId, EntryKey, Location};
use crate::phone::E164;
use crate::policy::NumberHistory;

/// An entry as it would be after the list is enrolled.
#[derive(Debug, Clone)]
pub struct EnrolPreview {
    /// Its id in the ledger, if it has one.
    pub entry: Option<EntryId>,
    /// What the list changes about it.
    pub change: EntryChange,
    /// The number to dial.
    pub phone: E164,
    /// Its state.
    pub state: State,
    /// The reason for its state, where it has one.
    pub reason: Option<Reason>,
    /// The outcome of its last conversation.
    pub outcome: Option<Outcome>,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// Calls to it that were placed, or may have been.
    pub calls: u32,
    /// The time of the last of them that counts for its number.
    pub last_call: Option<DateTime<Utc>>,
    /// Whether a call to another entry of the household has already decided for it.
    pub spoken_for: bool,
}

impl EnrolPreview {
    /// The preview of an entry that the ledger does not have.
    #[must_use]
    pub fn new(entry: &NewEntry, now: DateTime<Utc>) -> Self {
        let (state, reason) = forbidden_by(entry.eligibility).unzip();
        Self {
            entry: None,
            change: EntryChange::New,
            phone: entry.phone,
            state: state.unwrap_or(State::Ready),
            reason,
            outcome: None,
            due_at: now,
            calls: 0,
            last_call: None,
            spoken_for: false,
        }
    }
}

/// The effect of a list on an entry that it no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AbsenceEffect {
    /// It is withdrawn.
    Withdrawn,
    /// It is withdrawn once its call is settled or a person has decided.
    WithdrawnOnceSettled,
    /// It stays and is called when it is due.
    Kept,
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
    pub preview: EnrolPreview,
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

    /// The campaign with that name, if the ledger has it.
    pub fn campaign(&self, name: &CampaignName) -> Result<Option<CampaignId>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("campaign_find"))?;
        Ok(statement.query_row([name.as_str()], |row| row.get(0)).optional()?.map(CampaignId))
    }

    /// The number of the campaign's entries that are still to be called.
    pub fn to_call(&self, campaign: CampaignId) -> Result<u64, LedgerError> {
        enrol::to_call(&self.conn, campaign)
    }

    /// The entry that enrolling `entry` at `now` would produce.
    pub fn preview(
        &self,
        campaign: CampaignId,
        entry: &NewEntry,
        now: DateTime<Utc>,
    ) -> Result<EnrolPreview, LedgerError> {
        let spoken_for = household::covered(&self.conn, campaign, &entry.key)?.spoken_for;
        let Some(known) = KnownEntry::find(&self.conn, campaign, entry.key.as_str())? else {
            return Ok(EnrolPreview { spoken_for, ..EnrolPreview::new(entry, now) });
        };
        let fact = known.fact_from_list(entry.eligibility, entry.not_after, now);
        let phone = alternate_numbers::to_dial(&self.conn, known.id, entry.phone, &entry.alternatives)?;
        let current = self.current(&known, phone)?;
        let change = known.change(&EntryValues::new(entry), phone);
        Ok(after(EnrolPreview { change, spoken_for, ..current }, fact.as_ref(), now))
    }

    /// The campaign's entries that are not over and whose keys are not in `listed`, ordered by id.
    pub fn absent(
        &self,
        campaign: CampaignId,
        listed: &HashSet<EntryKey>,
        withdraw: bool,
    ) -> Result<Vec<AbsentEntry>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("entry_pending"))?;
        let mut rows = statement.query([campaign.0])?;
        let mut absent = Vec::new();
        while let Some(row) = rows.next()? {
            if !listed.contains(&EntryKey::new(row.get::<_, String>("key")?)) {
                absent.extend(self.absent_entry(row, withdraw)?);
            }
        }
        Ok(absent)
    }

    fn absent_entry(&self, row: &Row<'_>, withdraw: bool) -> Result<Option<AbsentEntry>, LedgerError> {
        let known = KnownEntry::from_row(row)?;
        let absence = match (withdraw, known.is_not_settled()) {
            (true, _) if known.is_suppressed_for_good() => return Ok(None),
            (true, false) => AbsenceEffect::Withdrawn,
            (true, true) => AbsenceEffect::WithdrawnOnceSettled,
            (false, _) => AbsenceEffect::Kept,
        };
        let phone = phone_at(row, "phone")?;
        Ok(Some(AbsentEntry {
            entry: known.id,
            key: EntryKey::new(row.get::<_, String>("key")?),
            line: row.get::<_, i64>("line")? as u64,
            phone,
            location: row.get::<_, Option<String>>("location")?.map(Location::new),
            zones: json_at(row, "zones")?,
            content: json_at(row, "content")?,
            not_after: maybe_instant_at(row, "not_after")?,
            absence,
            preview: self.current(&known, phone)?,
        }))
    }

    fn current(&self, known: &KnownEntry, phone: E164) -> Result<EnrolPreview, LedgerError> {
        let (calls, last_call) = claim::calls_of(&self.conn, known.id, phone)?;
        let mut statement = self.conn.prepare_cached(sql!("entry_due_and_outcome"))?;
        let (due_at, outcome) = statement
            .query_row([known.id.0], |row| Ok((instant_at(row, "due_at"), maybe_outcome_at(row, "outcome"))))?;
        Ok(EnrolPreview {
            entry: Some(known.id),
            change: EntryChange::Same,
            phone,
            state: known.state,
            reason: known.reason,
            outcome: outcome?,
            due_at: due_at?,
            calls,
            last_call,
            spoken_for: false,
        })
    }

    /// The calls to a number from every campaign.
    pub fn calls_to(&self, phone: E164, caps: &Caps) -> Result<NumberHistory, LedgerError> {
        claim::history(&self.conn, phone, caps)
    }

    /// Whether the suppression list forbids a call of this purpose to this number at `now`.
    pub fn forbids(&self, phone: E164, purpose: Purpose, now: DateTime<Utc>) -> Result<bool, LedgerError> {
        suppression::forbids(&self.conn, phone, purpose, now)
    }

    /// The durations of the newest conversations, in seconds, newest first, at most `limit`.
    pub fn call_durations(&self, limit: u32) -> Result<Vec<f64>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("attempt_lengths"))?;
        let millis: Vec<i64> = statement.query_map([limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(millis.into_iter().map(|millis| millis as f64 / 1000.0).collect())
    }
}

/// The entry after `fact`, if the list establishes one.
fn after(current: EnrolPreview, fact: Option<&Fact>, now: DateTime<Utc>) -> EnrolPreview {
    let Some((state, fact)) = fact.and_then(|fact| Some((current.state.after(fact).ok()?, fact))) else {
        return current;
    };
    let reason = if let Fact::Barred { reason } | Fact::SetAside { reason } = fact { Some(*reason) } else { None };
    EnrolPreview { state, reason, due_at: now, ..current }
}

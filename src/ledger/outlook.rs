//! What enrolling a list would make of the campaign's entries, read without writing: the view that `check` shows and that
//! a plan is made from. It asks the same functions as enrolling and claiming do.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::claim;
use super::enrol::{self, Known};
use super::error::LedgerError;
use super::prepared::Prepared;
use super::read::Reader;
use super::rows::{instant_at, json_at, maybe_instant_at, maybe_outcome_at, phone_at};
use super::{household, numbers, runs, sql, suppression};
use crate::campaign::{Caps, Purpose};
use crate::entry::{CalledPartyZones, Content, Draft, Fact, Outcome, Reason, State};
use crate::ids::{CampaignId, CampaignName, EntryId, EntryKey, Location};
use crate::phone::E164;
use crate::policy::NumberHistory;

/// What a list changes about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The campaign does not have it yet.
    New,
    /// Nothing, or nothing that still counts: what is over stays as it was.
    Same,
    /// Its texts, its patient, or where it may be called.
    Changed,
    /// Its number.
    Renumbered,
    /// Its number, while a call to the old one is not settled.
    RenumberedUnderWay,
}

/// An entry as it would stand once the list is enrolled.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// Its number in the ledger, if it has one.
    pub entry: Option<EntryId>,
    /// What the list changes about it.
    pub change: Change,
    /// The number to dial.
    pub phone: E164,
    /// Where it would stand.
    pub state: State,
    /// Why.
    pub reason: Option<Reason>,
    /// What its last conversation meant.
    pub outcome: Option<Outcome>,
    /// When it would be due.
    pub due_at: DateTime<Utc>,
    /// Calls to it that were placed, or may have been.
    pub calls: u32,
    /// When the last of them to its number was.
    pub last_call: Option<DateTime<Utc>>,
    /// Whether a call to somebody else of the household has spoken for it.
    pub spoken_for: bool,
}

impl Outlook {
    /// What a ledger that does not know the entry would make of it.
    #[must_use]
    pub fn new(draft: &Draft, now: DateTime<Utc>) -> Self {
        let (state, reason) = enrol::forbidden_by(draft.standing).unzip();
        Self {
            entry: None,
            change: Change::New,
            phone: draft.phone,
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

/// What becomes of an entry that the list no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Absence {
    /// It is withdrawn.
    Withdrawn,
    /// It is withdrawn once its call is settled, or a person has decided.
    WithdrawnOnceSettled,
    /// It stays, and is called when it is due.
    Kept,
}

/// An entry of the campaign that the list does not have, and that is not over.
#[derive(Clone)]
pub struct Absent {
    /// Its number in the ledger.
    pub entry: EntryId,
    /// Its key.
    pub key: EntryKey,
    /// The row of the list that it came from.
    pub line: u64,
    /// Its number.
    pub phone: E164,
    /// Which of the practice's places it is of.
    pub location: Option<Location>,
    /// Where the called party may be.
    pub zones: CalledPartyZones,
    /// What the call says.
    pub content: Content,
    /// The last instant at which the call makes sense.
    pub not_after: Option<DateTime<Utc>>,
    /// What becomes of it.
    pub absence: Absence,
    /// Where it stands.
    pub outlook: Outlook,
}

impl Reader {
    /// The instant of the newest event; `None` in a new ledger.
    pub fn newest_event(&self) -> Result<Option<DateTime<Utc>>, LedgerError> {
        runs::newest_event(&self.conn)
    }

    /// The events after `now`, which a clock that was ahead has written: how many, and when the last of them would be.
    pub fn future_events(&self, now: DateTime<Utc>) -> Result<Option<(u64, DateTime<Utc>)>, LedgerError> {
        runs::future_events(&self.conn, now)
    }

    /// The instant of a campaign's newest event; `None` if the ledger does not know it.
    pub fn newest_event_of(&self, campaign: &CampaignName) -> Result<Option<DateTime<Utc>>, LedgerError> {
        runs::newest_event_of(&self.conn, campaign)
    }

    /// From here on, everything is read as of one commit.
    pub fn hold_still(&self) -> Result<(), LedgerError> {
        Ok(self.conn.execute_batch(sql!("begin_reading"))?)
    }

    /// The campaign of that name, if the ledger knows it.
    pub fn campaign(&self, name: &CampaignName) -> Result<Option<CampaignId>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("campaign_find"))?;
        Ok(statement.query_row([name.as_str()], |row| row.get(0)).optional()?.map(CampaignId))
    }

    /// How many of the campaign's entries are still to be called.
    pub fn to_call(&self, campaign: CampaignId) -> Result<u64, LedgerError> {
        enrol::to_call(&self.conn, campaign)
    }

    /// What enrolling `draft` at `now` would make of its entry.
    pub fn outlook(&self, campaign: CampaignId, draft: &Draft, now: DateTime<Utc>) -> Result<Outlook, LedgerError> {
        let spoken_for = household::covered(&self.conn, campaign, &draft.key)?.spoken_for;
        let Some(known) = enrol::find(&self.conn, campaign, draft.key.as_str())? else {
            return Ok(Outlook { spoken_for, ..Outlook::new(draft, now) });
        };
        let said = enrol::what_the_list_says(&known, draft.standing, draft.not_after, now);
        let phone = numbers::to_dial(&self.conn, known.id, draft.phone, &draft.alternatives)?;
        let outlook = self.standing(&known, phone)?;
        let change = change_by(&known, draft, phone);
        Ok(after(Outlook { change, spoken_for, ..outlook }, said.as_ref(), now))
    }

    /// The campaign's entries that are not over and whose keys are not `listed`, in the order of the ledger.
    pub fn absent(
        &self,
        campaign: CampaignId,
        listed: &HashSet<EntryKey>,
        withdraw: bool,
    ) -> Result<Vec<Absent>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("entry_pending"))?;
        let mut rows = statement.query([campaign.0])?;
        let mut absent = Vec::new();
        while let Some(row) = rows.next()? {
            if !listed.contains(&EntryKey::new(row.get::<_, String>("key")?)) {
                absent.extend(self.one_absent(row, withdraw)?);
            }
        }
        Ok(absent)
    }

    fn one_absent(&self, row: &Row<'_>, withdraw: bool) -> Result<Option<Absent>, LedgerError> {
        let known = Known::from_row(row)?;
        let absence = match (withdraw, known.is_not_settled()) {
            (true, _) if known.is_suppressed_for_good() => return Ok(None),
            (true, false) => Absence::Withdrawn,
            (true, true) => Absence::WithdrawnOnceSettled,
            (false, _) => Absence::Kept,
        };
        let phone = phone_at(row, "phone")?;
        Ok(Some(Absent {
            entry: known.id,
            key: EntryKey::new(row.get::<_, String>("key")?),
            line: row.get::<_, i64>("line")? as u64,
            phone,
            location: row.get::<_, Option<String>>("location")?.map(Location::new),
            zones: json_at(row, "zones")?,
            content: json_at(row, "content")?,
            not_after: maybe_instant_at(row, "not_after")?,
            absence,
            outlook: self.standing(&known, phone)?,
        }))
    }

    fn standing(&self, known: &Known, phone: E164) -> Result<Outlook, LedgerError> {
        let (calls, last_call) = claim::calls_of(&self.conn, known.id, phone)?;
        let mut statement = self.conn.prepare_cached(sql!("entry_standing"))?;
        let (due_at, outcome) = statement
            .query_row([known.id.0], |row| Ok((instant_at(row, "due_at"), maybe_outcome_at(row, "outcome"))))?;
        Ok(Outlook {
            entry: Some(known.id),
            change: Change::Same,
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

    /// The calls to a number, from every campaign.
    pub fn calls_to(&self, phone: E164, caps: &Caps) -> Result<NumberHistory, LedgerError> {
        claim::history(&self.conn, phone, caps)
    }

    /// Whether a call of this purpose to this number is forbidden at `now`.
    pub fn forbids(&self, phone: E164, purpose: Purpose, now: DateTime<Utc>) -> Result<bool, LedgerError> {
        suppression::forbids(&self.conn, phone, purpose, now)
    }

    /// How long the ledger's newest conversations lasted, in seconds, the newest first: at most `most` of them.
    pub fn lengths_of_calls(&self, most: u32) -> Result<Vec<f64>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("attempt_lengths"))?;
        let millis: Vec<i64> = statement.query_map([most], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(millis.into_iter().map(|millis| millis as f64 / 1000.0).collect())
    }
}

/// What the list changes about an entry that is there, `phone` being the number to dial now.
fn change_by(known: &Known, draft: &Draft, phone: E164) -> Change {
    known.change(&Prepared::of(draft), phone)
}

/// Where the entry stands once `fact` is known of it, if the list makes one known.
fn after(outlook: Outlook, fact: Option<&Fact>, now: DateTime<Utc>) -> Outlook {
    let Some((state, fact)) = fact.and_then(|fact| Some((outlook.state.after(fact).ok()?, fact))) else {
        return outlook;
    };
    let reason = if let Fact::Barred { reason } | Fact::SetAside { reason } = fact { Some(*reason) } else { None };
    Outlook { state, reason, due_at: now, ..outlook }
}

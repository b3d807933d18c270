//! An entry that the campaign already has, and what a newer list changes about it. Pure apart from the look-up.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::batch::EntryValues;
use super::codec::{maybe_reason_at, millis, state_at};
use super::error::LedgerError;
use super::sql::sql;
use crate::entry::{Fact, ListEligibility, Reason, State};
use crate::ids::{CampaignId, EntryId, Location};
use crate::phone::E164;

/// What a list changes about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryChange {
    /// The campaign does not have it yet.
    New,
    /// Nothing, or nothing that still matters: an entry that is over keeps its data.
    Same,
    /// Its texts, its patient, its location or its time zones.
    Changed,
    /// Its number.
    Renumbered,
    /// Its number, while a call to the old one is not settled.
    RenumberedUnderWay,
}

/// An entry's row, as far as a list may change it.
pub(super) struct KnownEntry {
    pub(super) id: EntryId,
    pub(super) state: State,
    pub(super) reason: Option<Reason>,
    phone: String,
    /// Alternatives, zones and content, as JSON.
    json: [String; 3],
    location: Option<String>,
    not_after: Option<i64>,
}

impl KnownEntry {
    pub(super) fn find(conn: &Connection, campaign: CampaignId, key: &str) -> Result<Option<Self>, LedgerError> {
        conn.prepare_cached(sql!("entry_find"))?
            .query_row((campaign.0, key), |row| Ok(Self::from_row(row)))
            .optional()?
            .transpose()
    }

    pub(super) fn from_row(row: &Row<'_>) -> Result<Self, LedgerError> {
        Ok(Self {
            id: EntryId(row.get("id")?),
            state: state_at(row, "state")?,
            reason: maybe_reason_at(row, "reason")?,
            phone: row.get("phone")?,
            json: [row.get("alternatives")?, row.get("zones")?, row.get("content")?],
            location: row.get("location")?,
            not_after: row.get("not_after")?,
        })
    }

    /// What the list changes about the entry, `phone` being the number to dial now.
    pub(super) fn change(&self, listed: &EntryValues, phone: E164) -> EntryChange {
        let is_over = matches!(self.state, State::Finished | State::Failed | State::Cancelled);
        let is_in_flight = matches!(self.state, State::Submitting | State::Open | State::Unknown | State::LostTrack);
        let has_same_data = self.json == listed.json
            && self.location.as_deref() == listed.location.as_ref().map(Location::as_str)
            && self.not_after == listed.not_after.map(millis);
        match (self.phone == phone.expose(), has_same_data) {
            _ if is_over => EntryChange::Same,
            (true, true) => EntryChange::Same,
            (true, false) => EntryChange::Changed,
            (false, _) if is_in_flight => EntryChange::RenumberedUnderWay,
            (false, _) => EntryChange::Renumbered,
        }
    }

    /// The fact, if any, that the list establishes about the entry.
    pub(super) fn fact_from_list(
        &self,
        eligibility: ListEligibility,
        not_after: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Option<Fact> {
        let from_list = self.reason_is_from_list();
        let in_time = not_after.is_none_or(|last| last > now);
        match (self.state, eligibility) {
            (State::Ready | State::Waiting, ListEligibility::Suppressed(reason)) => Some(Fact::Barred { reason }),
            (State::Ready | State::Waiting, ListEligibility::Held(reason)) => Some(Fact::SetAside { reason }),
            (State::Suppressed | State::Held | State::Withdrawn, ListEligibility::Ready) if from_list => {
                Some(Fact::Listed)
            }
            (State::Expired, ListEligibility::Ready) if in_time => Some(Fact::Listed),
            _ => None,
        }
    }

    /// Whether the entry is suppressed for a reason that no list gave: a patient's decision outlasts every list.
    pub(super) fn is_suppressed_for_good(&self) -> bool {
        self.state == State::Suppressed && !self.reason_is_from_list()
    }

    /// Whether something other than a list may make the entry callable again: its call ends, or a person decides.
    pub(super) fn is_not_settled(&self) -> bool {
        let needs_a_person = self.state == State::Held && !self.reason_is_from_list();
        needs_a_person || matches!(self.state, State::Submitting | State::Open | State::Unknown | State::LostTrack)
    }

    fn reason_is_from_list(&self) -> bool {
        self.reason.is_some_and(Reason::comes_from_list)
    }
}

/// The state and reason of an entry that its list does not allow to be called; `None` if it may be called.
pub(super) fn forbidden_by(eligibility: ListEligibility) -> Option<(State, Reason)> {
    match eligibility {
        ListEligibility::Ready => None,
        ListEligibility::Suppressed(reason) => Some((State::Suppressed, reason)),
        ListEligibility::Held(reason) => Some((State::Held, reason)),
    }
}

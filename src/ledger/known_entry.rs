//! An entry that the campaign already has, as far as a list may change it.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::batch::EntryValues;
use super::codec::{instant, instant_at, maybe_outcome_at, maybe_reason_at, millis, state_at};
use super::error::LedgerError;
use super::sql::sql;
use super::{alternate_numbers, suppression};
use crate::entry::{EntryStatus, ListEffect, ListedNumber, Listing, Reason, State};
use crate::ids::{CampaignId, EntryId, Location};
use crate::phone::E164;

/// An entry's row, as far as a list may change it.
pub(super) struct KnownEntry {
    pub(super) id: EntryId,
    pub(super) status: EntryStatus,
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
            status: EntryStatus {
                state: state_at(row, "state")?,
                reason: maybe_reason_at(row, "reason")?,
                due_at: instant_at(row, "due_at")?,
                outcome: maybe_outcome_at(row, "outcome")?,
            },
            phone: row.get("phone")?,
            json: [row.get("alternatives")?, row.get("zones")?, row.get("content")?],
            location: row.get("location")?,
            not_after: row.get("not_after")?,
        })
    }

    /// What a list that lacks the entry does to it, if it withdraws what it lacks.
    pub(super) fn on_absent(&self, now: DateTime<Utc>) -> Result<ListEffect, LedgerError> {
        Ok(self.status.on_absent(self.not_after.map(instant).transpose()?, now))
    }

    /// What the list says of the entry, `phone` being the number to dial now. `max_calls`: the calls that the campaign
    /// allows for one patient.
    pub(super) fn listing(
        &self,
        conn: &Connection,
        listed: &EntryValues,
        phone: E164,
        max_calls: u32,
        now: DateTime<Utc>,
    ) -> Result<Listing, LedgerError> {
        let has_same_data = self.json == listed.json
            && self.location.as_deref() == listed.location.as_ref().map(Location::as_str)
            && self.not_after == listed.not_after.map(millis);
        let number = match () {
            () if self.phone == phone.expose() => ListedNumber::Same,
            () if self.status.had_wrong_number()
                && alternate_numbers::is_new_chance(conn, self.id, phone, max_calls)? =>
            {
                ListedNumber::NewChance
            }
            () => ListedNumber::Other,
        };
        let is_suppressed = self.status.state == State::Suppressed && self.status.reason == Some(Reason::Suppressed);
        let is_barred = is_suppressed && suppression::bars_entry(conn, self.id, phone, now)?;
        let EntryValues { eligibility, not_after, .. } = *listed;
        Ok(Listing { eligibility, not_after, number, is_barred, has_same_data })
    }
}

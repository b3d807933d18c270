//! An entry that the campaign already has, as far as a list may change it.

use rusqlite::{Connection, OptionalExtension, Row};

use super::batch::EntryValues;
use super::codec::{instant_at, maybe_outcome_at, maybe_reason_at, millis, state_at};
use super::error::LedgerError;
use super::sql::sql;
use crate::entry::{EntryChange, EntryStatus};
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

    /// What the list changes about the entry, `phone` being the number to dial now.
    pub(super) fn change(&self, listed: &EntryValues, phone: E164) -> EntryChange {
        let has_same_data = self.json == listed.json
            && self.location.as_deref() == listed.location.as_ref().map(Location::as_str)
            && self.not_after == listed.not_after.map(millis);
        self.status.change(self.phone == phone.expose(), has_same_data)
    }
}

//! A campaign's entries that are still to be called, by when they are due.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use rusqlite::Row;

use super::codec::{instant_at, json_at, maybe_instant_at, phone_at};
use super::error::LedgerError;
use super::household;
use super::reader::LedgerReader;
use super::sql::sql;
use crate::entry::CalledPartyZones;
use crate::ids::{CampaignId, CampaignName, EntryId, EntryKey, Location, OrganisationId};
use crate::phone::E164;

/// An entry that is ready or waiting.
pub struct CallableEntry {
    /// Its campaign.
    pub campaign: CampaignId,
    /// The entry.
    pub entry: EntryId,
    /// Its key.
    pub key: EntryKey,
    /// The keys of the household members that its call covers.
    pub covers: Vec<EntryKey>,
    /// Its location, in a campaign that has locations.
    pub location: Option<Location>,
    /// The number to dial.
    pub phone: E164,
    /// The time zones in which the called party may be.
    pub zones: CalledPartyZones,
    /// The last instant at which the call makes sense.
    pub not_after: Option<DateTime<Utc>>,
    /// When it is due, as stored.
    pub due_at: DateTime<Utc>,
}

impl LedgerReader {
    /// Calls `on_entry` for an organisation's entries that are ready or waiting, by when they are due, until it breaks. A
    /// large ledger's entries after the first ten thousand are not examined.
    pub fn each_callable(
        &self,
        campaign: &CampaignName,
        organisation: &OrganisationId,
        mut on_entry: impl FnMut(CallableEntry) -> Result<ControlFlow<()>, LedgerError>,
    ) -> Result<(), LedgerError> {
        let Some(campaign) = self.campaign(campaign)? else { return Ok(()) };
        let mut statement = self.conn.prepare_cached(sql!("entry_by_due"))?;
        let mut rows = statement.query((campaign.0, organisation.as_str()))?;
        while let Some(row) = rows.next()? {
            if on_entry(self.callable_entry(campaign, row)?)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn callable_entry(&self, campaign: CampaignId, row: &Row<'_>) -> Result<CallableEntry, LedgerError> {
        let entry = EntryId(row.get("id")?);
        Ok(CallableEntry {
            campaign,
            entry,
            key: EntryKey::new(row.get::<_, String>("key")?),
            covers: household::members(&self.conn, entry)?,
            location: row.get::<_, Option<String>>("location")?.map(Location::new),
            phone: phone_at(row, "phone")?,
            zones: json_at(row, "zones")?,
            not_after: maybe_instant_at(row, "not_after")?,
            due_at: instant_at(row, "due_at")?,
        })
    }
}

//! The entries that only a person can settle, with what is known of their last call.

use chrono::{DateTime, Utc};
use rusqlite::Row;

use super::call_media;
use super::codec::{attempt_state_at, instant_at, json_at, maybe_instant_at, maybe_reason_at, phone_at, state_at};
use super::error::LedgerError;
use super::reader::LedgerReader;
use super::sql::sql;
use crate::entry::{AttemptState, CallContent, PatientInfo, Reason, State};
use crate::ids::{AttemptId, CampaignName, ConversationId, EntryId, EntryKey, Location, OrganisationId, RunId};
use crate::phone::E164;

/// An entry that is held, that the vendor refused, or whose call was lost track of.
#[derive(Clone)]
pub struct StuckEntry {
    /// The entry.
    pub entry: EntryId,
    /// The newest run whose list has it.
    pub run: RunId,
    /// Its campaign.
    pub campaign: CampaignName,
    /// Its key.
    pub key: EntryKey,
    /// Its patient.
    pub patient: PatientInfo,
    /// The number to dial.
    pub phone: E164,
    /// Its location, in a campaign that has locations.
    pub location: Option<Location>,
    /// Its state.
    pub state: State,
    /// The reason for its state.
    pub reason: Option<Reason>,
    /// When it came into that state.
    pub since: DateTime<Utc>,
    /// Its last attempt, if there is one.
    pub attempt: Option<LastAttempt>,
}

/// The last attempt of an entry: what to look for at the vendor.
#[derive(Clone)]
pub struct LastAttempt {
    /// The attempt.
    pub attempt: AttemptId,
    /// The organisation that placed it, or tried to.
    pub organisation: OrganisationId,
    /// The caller id.
    pub from: E164,
    /// The number dialled.
    pub to: E164,
    /// Its state.
    pub state: AttemptState,
    /// When its intent was committed.
    pub intent_at: DateTime<Utc>,
    /// The last instant at which its request could have been accepted: when it was answered, or its answer was found to
    /// be lost. `None`: neither has happened yet.
    pub accepted_until: Option<DateTime<Utc>>,
    /// Its conversation, if it is known.
    pub conversation: Option<ConversationId>,
}

impl LedgerReader {
    /// The entries that only a person can settle, of one campaign or of all.
    pub fn stuck_entries(&self, campaign: Option<&CampaignName>) -> Result<Vec<StuckEntry>, LedgerError> {
        self.stuck(None, campaign)
    }

    /// The entry, whatever its state; `None` if the ledger has no such entry.
    pub fn last_call_of(&self, entry: EntryId) -> Result<Option<StuckEntry>, LedgerError> {
        Ok(self.stuck(Some(entry), None)?.pop())
    }

    /// The `medium` words that the organisation's calls show, each with whether an ended call showed it.
    pub fn call_media(&self, organisation: &OrganisationId) -> Result<Vec<(Option<String>, bool)>, LedgerError> {
        call_media::load(&self.conn, organisation)
    }

    fn stuck(&self, entry: Option<EntryId>, campaign: Option<&CampaignName>) -> Result<Vec<StuckEntry>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("stuck_entries"))?;
        let mut rows = statement.query((entry.map(|entry| entry.0), campaign.map(CampaignName::as_str)))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(stuck_entry(row)?);
        }
        Ok(found)
    }
}

fn stuck_entry(row: &Row<'_>) -> Result<StuckEntry, LedgerError> {
    let attempt = row.get::<_, Option<i64>>("attempt_id")?;
    Ok(StuckEntry {
        entry: EntryId(row.get("id")?),
        run: RunId(row.get("run_id")?),
        campaign: CampaignName::new(row.get::<_, String>("campaign")?),
        key: EntryKey::new(row.get::<_, String>("key")?),
        patient: json_at::<CallContent>(row, "content")?.patient,
        phone: phone_at(row, "phone")?,
        location: row.get::<_, Option<String>>("location")?.map(Location::new),
        state: state_at(row, "state")?,
        reason: maybe_reason_at(row, "reason")?,
        since: instant_at(row, "updated_at")?,
        attempt: attempt.map(|attempt| last_attempt(row, AttemptId(attempt))).transpose()?,
    })
}

fn last_attempt(row: &Row<'_>, attempt: AttemptId) -> Result<LastAttempt, LedgerError> {
    let lost_at = maybe_instant_at(row, "lost_at")?;
    Ok(LastAttempt {
        attempt,
        organisation: OrganisationId::new(row.get::<_, String>("organisation")?),
        from: phone_at(row, "from_number")?,
        to: phone_at(row, "to_number")?,
        state: attempt_state_at(row, "attempt_state")?,
        intent_at: instant_at(row, "intent_at")?,
        accepted_until: lost_at.or(maybe_instant_at(row, "answered_at")?),
        conversation: row.get::<_, Option<String>>("conversation")?.map(ConversationId::new),
    })
}

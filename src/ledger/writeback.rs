//! Write-back files: numbered batches of calls for the practice's own software. Each call is in one batch at most, and
//! a batch is kept with its bytes, so that it can be written again.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use super::codec::{instant_at, json_at, maybe_outcome_at, millis, phone_at};
use super::conversation_words;
use super::error::LedgerError;
use super::operator::{Operator, OperatorError};
use super::reader::LedgerReader;
use super::sql::sql;
use crate::entry::{Appointment, CallContent, ConversationWords, Outcome, PatientInfo};
use crate::ids::{AttemptId, CampaignName, EntryId, EntryKey, Location};
use crate::phone::E164;

/// A call that is over, as a write-back file tells it.
#[derive(Clone)]
pub struct Contact {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its entry.
    pub entry: EntryId,
    /// The ordinal of the call among those to its entry: 1, 2, …
    pub number: u32,
    /// The entry's key.
    pub key: EntryKey,
    /// The practice's location, in a campaign that has locations.
    pub location: Option<Location>,
    /// The patient that the call addressed.
    pub patient: PatientInfo,
    /// The other patients that it covered; `None`: nothing is known of one any more.
    pub covered: Vec<Option<PatientInfo>>,
    /// The appointment that it was about.
    pub appointment: Option<Appointment>,
    /// The number dialled.
    pub phone: E164,
    /// When it started.
    pub called_at: DateTime<Utc>,
    /// What it meant.
    pub outcome: Outcome,
    /// What was said, as long as it is kept.
    pub words: Option<ConversationWords>,
}

/// The content of a batch that is to be made.
pub struct BatchContent {
    /// The bytes of its file.
    pub content: Vec<u8>,
    /// The calls that it tells.
    pub calls: Vec<AttemptId>,
}

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WritebackBatch {
    /// Its number.
    pub number: i64,
    /// Its campaign.
    pub campaign: CampaignName,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Who made it.
    pub by: String,
    /// Its format's word.
    pub format: String,
    /// The number of calls that it tells.
    pub calls: u64,
    /// Whether its bytes are still kept.
    pub has_content: bool,
}

/// The calls that no batch tells yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct WaitingCalls {
    /// Those that the next batch tells.
    pub ready: u64,
    /// Those that wait for a person who reads what was said.
    pub in_doubt: u64,
}

/// The bytes of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptContent {
    /// The ledger has no batch of this number.
    NoSuchBatch,
    /// The bytes were removed, because they hold patients' data.
    Removed,
    /// The bytes.
    Bytes(Vec<u8>),
}

impl Operator {
    /// Makes a batch of the campaign's calls that no other batch tells, in one transaction: either it exists with its
    /// bytes, or not at all. `render` gets the calls; without any rendered call there is no batch.
    pub fn write_back(
        &mut self,
        campaign: &CampaignName,
        format: &str,
        by: &str,
        now: DateTime<Utc>,
        render: impl FnOnce(Vec<Contact>) -> BatchContent,
    ) -> Result<Option<WritebackBatch>, OperatorError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let BatchContent { content, calls } = render(due(&transaction, campaign)?);
        if calls.is_empty() {
            return Ok(None);
        }
        let count = calls.len() as i64;
        transaction.prepare_cached(sql!("writeback_insert"))?.execute((
            campaign.as_str(),
            millis(now),
            by,
            format,
            count,
        ))?;
        let number = transaction.last_insert_rowid();
        transaction.prepare_cached(sql!("writeback_content_insert"))?.execute((number, content))?;
        for call in &calls {
            transaction.prepare_cached(sql!("writeback_call_insert"))?.execute((call.0, number))?;
        }
        let detail = format!("batch {number}, {count} calls, by {by}");
        transaction.execute(sql!("event_of_ledger"), (millis(now), "written_back", detail))?;
        transaction.commit()?;
        let (campaign, by, format) = (campaign.clone(), by.to_owned(), format.to_owned());
        Ok(Some(WritebackBatch { number, campaign, at: now, by, format, calls: calls.len() as u64, has_content: true }))
    }
}

impl LedgerReader {
    /// The batches of one campaign, or of all, oldest first.
    pub fn writeback_batches(&self, campaign: Option<&CampaignName>) -> Result<Vec<WritebackBatch>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("writeback_list"))?;
        let mut rows = statement.query([campaign.map(CampaignName::as_str)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(batch(row)?);
        }
        Ok(found)
    }

    /// The bytes of a batch.
    pub fn writeback_content(&self, number: i64) -> Result<KeptContent, LedgerError> {
        let content: Option<Option<Vec<u8>>> =
            self.conn.prepare_cached(sql!("writeback_content"))?.query_row([number], |row| row.get(0)).optional()?;
        Ok(match content {
            None => KeptContent::NoSuchBatch,
            Some(None) => KeptContent::Removed,
            Some(Some(bytes)) => KeptContent::Bytes(bytes),
        })
    }

    /// The campaign's calls that no batch tells yet.
    pub fn waiting_for_writeback(&self, campaign: &CampaignName) -> Result<WaitingCalls, LedgerError> {
        let count = |row: &Row<'_>, column| row.get::<_, i64>(column).map(|count| count as u64);
        Ok(self.conn.prepare_cached(sql!("writeback_waiting"))?.query_row([campaign.as_str()], |row| {
            Ok(WaitingCalls { ready: count(row, 0)?, in_doubt: count(row, 1)? })
        })?)
    }
}

/// Removes the bytes of batches that have been kept for as long as their campaign keeps what was said; written anew, so
/// that no page holds them any more. Returns whether there were any.
pub(super) fn remove_old(conn: &Connection, now: DateTime<Utc>) -> Result<bool, LedgerError> {
    if !conn.prepare_cached(sql!("writeback_old"))?.exists([millis(now)])? {
        return Ok(false);
    }
    conn.execute(sql!("writeback_set_aside"), [millis(now)])?;
    conn.execute_batch(sql!("writeback_rewrite"))?;
    Ok(true)
}

fn batch(row: &Row<'_>) -> Result<WritebackBatch, LedgerError> {
    Ok(WritebackBatch {
        number: row.get("number")?,
        campaign: CampaignName::new(row.get::<_, String>("campaign")?),
        at: instant_at(row, "at")?,
        by: row.get("made_by")?,
        format: row.get("format")?,
        calls: row.get::<_, i64>("calls")? as u64,
        has_content: row.get("has_content")?,
    })
}

fn due(conn: &Connection, campaign: &CampaignName) -> Result<Vec<Contact>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("writeback_due"))?;
    let mut rows = statement.query([campaign.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(contact(conn, row)?);
    }
    Ok(found)
}

fn contact(conn: &Connection, row: &Row<'_>) -> Result<Contact, LedgerError> {
    let attempt = AttemptId(row.get("id")?);
    let CallContent { patient, appointment, .. } = json_at(row, "content")?;
    let has_words: bool = row.get("has_words")?;
    Ok(Contact {
        attempt,
        entry: EntryId(row.get("entry_id")?),
        number: row.get("number")?,
        key: EntryKey::new(row.get::<_, String>("key")?),
        location: row.get::<_, Option<String>>("location")?.map(Location::new),
        patient,
        covered: covered(conn, attempt)?,
        appointment,
        phone: phone_at(row, "to_number")?,
        called_at: instant_at(row, "called_at")?,
        outcome: maybe_outcome_at(row, "outcome")?.ok_or(LedgerError::INVALID_ROW)?,
        words: has_words.then(|| conversation_words::words_at(row)).transpose()?,
    })
}

fn covered(conn: &Connection, attempt: AttemptId) -> Result<Vec<Option<PatientInfo>>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("covered_patients"))?;
    let mut rows = statement.query([attempt.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let is_known = row.get_ref("patient")? != rusqlite::types::ValueRef::Null;
        found.push(if is_known { Some(json_at(row, "patient")?) } else { None });
    }
    Ok(found)
}

//! What the front desk has to do: the entries that are finished or stuck, and what of it is done. An item is an entry's
//! group after its last attempt, so a further call or another outcome makes a new item, which is open.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use super::codec::{json_at, maybe_instant_at, maybe_outcome_at, maybe_reason_at, millis, phone_at, state_at};
use super::conversation_words;
use super::error::LedgerError;
use super::operator::{Operator, OperatorError};
use super::reader::LedgerReader;
use super::sql::sql;
use super::worklist_ticks::{Tick, group_at, ticks};
use crate::entry::{CallContent, ConversationWords, Outcome, PatientInfo, Reason, State, WorkGroup};
use crate::ids::{AttemptId, CampaignName, EntryId, EntryKey, Location, RunId};
use crate::phone::E164;

/// An entry that is finished or stuck, as the front desk sees it.
#[derive(Clone)]
pub struct WorkItem {
    /// What has to be done.
    pub group: WorkGroup,
    /// The entry.
    pub entry: EntryId,
    /// Its campaign.
    pub campaign: CampaignName,
    /// The newest run whose list has it.
    pub run: RunId,
    /// Its location, in a campaign that has locations.
    pub location: Option<Location>,
    /// Its key.
    pub key: EntryKey,
    /// The patient that the call addressed.
    pub patient: PatientInfo,
    /// The other patients of the household that the call covers.
    pub household: Vec<PatientInfo>,
    /// The number that was called last; if none was, the number to dial.
    pub phone: E164,
    /// Its state.
    pub state: State,
    /// The reason for its state, where it has one.
    pub reason: Option<Reason>,
    /// The outcome of its last conversation.
    pub outcome: Option<Outcome>,
    /// The calls that were placed, or may have been.
    pub calls: u64,
    /// When the last of them was.
    pub last_call_at: Option<DateTime<Utc>>,
    /// What was said in the last conversation, as long as it is kept.
    pub words: Option<ConversationWords>,
    /// Who has ticked it off, the first one first; empty: it is open.
    pub ticks: Vec<Tick>,
}

impl WorkItem {
    /// Whether somebody has to do something about it, and nobody has ticked it off.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.group.is_work() && self.ticks.is_empty()
    }
}

/// What became of a tick.
#[derive(Clone, PartialEq, Eq)]
pub struct TickResult {
    /// The item's group.
    pub group: WorkGroup,
    /// Who had ticked it off before, if somebody had. The new tick is kept all the same, with its note.
    pub first: Option<Tick>,
}

/// What a tick is about.
struct ItemIdentity {
    run: i64,
    group: WorkGroup,
    attempt: Option<AttemptId>,
}

impl LedgerReader {
    /// Calls `on_item` for every entry that is finished or stuck, of one campaign or of all. Items are streamed, so
    /// that a large ledger needs no memory.
    pub fn each_work_item<E: From<LedgerError>>(
        &self,
        campaign: Option<&CampaignName>,
        mut on_item: impl FnMut(WorkItem) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self.conn.prepare_cached(sql!("worklist_items")).map_err(LedgerError::from)?;
        let mut rows = statement.query([campaign.map(CampaignName::as_str)]).map_err(LedgerError::from)?;
        while let Some(row) = rows.next().map_err(LedgerError::from)? {
            if let Some(item) = work_item(&self.conn, row)? {
                on_item(item)?;
            }
        }
        Ok(())
    }

    /// Whether the ledger has a campaign of this name.
    pub fn has_campaign(&self, campaign: &CampaignName) -> Result<bool, LedgerError> {
        Ok(self.conn.prepare_cached(sql!("campaign_find"))?.exists([campaign.as_str()])?)
    }
}

impl Operator {
    /// Ticks an entry's item off. Returns whether somebody had done so before.
    pub fn tick(
        &mut self,
        entry: EntryId,
        by: &str,
        note: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<TickResult, OperatorError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let item = identity(&transaction, entry)?;
        let first = ticks(&transaction, entry, item.group, item.attempt)?.into_iter().next();
        transaction.prepare_cached(sql!("worklist_tick_insert"))?.execute((
            entry.0,
            item.group.name(),
            item.attempt.map(|attempt| attempt.0),
            millis(now),
            by,
            note,
        ))?;
        note_event(&transaction, entry, &item, "worklist_done", by, now)?;
        transaction.commit()?;
        Ok(TickResult { group: item.group, first })
    }

    /// Opens an entry's item again. Returns who had ticked it off.
    pub fn untick(&mut self, entry: EntryId, by: &str, now: DateTime<Utc>) -> Result<Vec<Tick>, OperatorError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let item = identity(&transaction, entry)?;
        let undone = ticks(&transaction, entry, item.group, item.attempt)?;
        if !undone.is_empty() {
            let attempt = item.attempt.map(|attempt| attempt.0);
            let row = (entry.0, item.group.name(), attempt, millis(now), by);
            transaction.prepare_cached(sql!("worklist_tick_undo"))?.execute(row)?;
            note_event(&transaction, entry, &item, "worklist_undone", by, now)?;
        }
        transaction.commit()?;
        Ok(undone)
    }
}

/// The item of an entry that is finished or stuck.
fn identity(conn: &Connection, entry: EntryId) -> Result<ItemIdentity, OperatorError> {
    let item = |row: &Row<'_>| {
        let (run, attempt) = (row.get("run_id")?, row.get::<_, Option<i64>>("attempt_id")?);
        Ok((run, attempt.map(AttemptId), state_at(row, "state"), group_at(row)))
    };
    let found = conn.prepare_cached(sql!("worklist_item"))?.query_row([entry.0], item).optional()?;
    let (run, attempt, state, group) = found.ok_or(OperatorError::NoSuchEntry(entry))?;
    let group = group?.ok_or(OperatorError::StillCalled { entry, state: state? })?;
    Ok(ItemIdentity { run, group, attempt })
}

fn note_event(
    conn: &Connection,
    entry: EntryId,
    item: &ItemIdentity,
    kind: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let attempt = item.attempt.map(|attempt| attempt.0);
    let row = (millis(now), item.run, entry.0, attempt, kind, format!("{}, by {by}", item.group.label()));
    conn.prepare_cached(sql!("event_note"))?.execute(row)?;
    Ok(())
}

/// The other patients of the household that an entry's call covers.
fn household(conn: &Connection, entry: EntryId) -> Result<Vec<PatientInfo>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("members_of_entry"))?;
    let mut rows = statement.query([entry.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(json_at(row, "patient")?);
    }
    Ok(found)
}

fn work_item(conn: &Connection, row: &Row<'_>) -> Result<Option<WorkItem>, LedgerError> {
    let Some(group) = group_at(row)? else { return Ok(None) };
    let entry = EntryId(row.get("id")?);
    let attempt = row.get::<_, Option<i64>>("attempt_id")?.map(AttemptId);
    let has_words: bool = row.get("has_words")?;
    Ok(Some(WorkItem {
        group,
        entry,
        campaign: CampaignName::new(row.get::<_, String>("campaign")?),
        run: RunId(row.get("run_id")?),
        location: row.get::<_, Option<String>>("location")?.map(Location::new),
        key: EntryKey::new(row.get::<_, String>("key")?),
        patient: json_at::<CallContent>(row, "content")?.patient,
        household: household(conn, entry)?,
        phone: phone_at(row, "phone")?,
        state: state_at(row, "state")?,
        reason: maybe_reason_at(row, "reason")?,
        outcome: maybe_outcome_at(row, "outcome")?,
        calls: row.get::<_, i64>("calls")? as u64,
        last_call_at: maybe_instant_at(row, "last_call_at")?,
        words: has_words.then(|| conversation_words::words_at(row)).transpose()?,
        ticks: ticks(conn, entry, group, attempt)?,
    }))
}

//! Enrolling a list: inserts new entries and updates known ones. An entry that was called is not called again because
//! it is listed again.

use chrono::{DateTime, Utc};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::codec::{exactly_one, millis};
use super::error::LedgerError;
use super::insert::EntryInserter;
use super::known_entry::KnownEntry;
use super::plan_scope::{self, ApprovedCall};
use super::runs::{self, RunHandle};
use super::sql::sql;
use super::transition::Transition;
use super::{alternate_numbers, deferred_list_change};
use crate::entry::{EntryChange, Fact, ListCounts, ListEffect};
use crate::ids::{CampaignId, EntryId, RunId};

/// Entries of an enrolled list, counted by what the list changed about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EnrolmentCounts {
    /// Entries that are new to the campaign.
    pub new: u64,
    /// Entries that were known with the same data, or are over.
    pub same: u64,
    /// Entries whose texts, patient, location or time zones changed.
    pub changed: u64,
    /// Entries whose number changed.
    pub renumbered: u64,
    /// Renumbered entries whose call to the old number is not settled.
    pub renumbered_under_way: u64,
    /// Renumbered entries that are called again because the old number had turned out to be wrong.
    #[serde(default)]
    pub corrected: u64,
    /// Entries whose call the list forbids now, or for which it requires a person's decision.
    #[serde(default)]
    pub excluded: u64,
    /// Entries whose call the list no longer forbids.
    #[serde(default)]
    pub allowed: u64,
    /// Entries that are back on the list.
    #[serde(default)]
    pub returned: u64,
}

impl EnrolmentCounts {
    /// Counts one more entry.
    pub fn count(&mut self, change: EntryChange) {
        match change {
            EntryChange::New => self.new += 1,
            EntryChange::Same => self.same += 1,
            EntryChange::Changed => self.changed += 1,
            EntryChange::Renumbered => self.renumbered += 1,
            EntryChange::RenumberedUnderWay => {
                self.renumbered += 1;
                self.renumbered_under_way += 1;
            }
            EntryChange::Corrected => {
                self.renumbered += 1;
                self.corrected += 1;
            }
            EntryChange::Excluded => self.excluded += 1,
            EntryChange::Allowed => self.allowed += 1,
            EntryChange::Returned => self.returned += 1,
        }
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            new: self.new + other.new,
            same: self.same + other.same,
            changed: self.changed + other.changed,
            renumbered: self.renumbered + other.renumbered,
            renumbered_under_way: self.renumbered_under_way + other.renumbered_under_way,
            corrected: self.corrected + other.corrected,
            excluded: self.excluded + other.excluded,
            allowed: self.allowed + other.allowed,
            returned: self.returned + other.returned,
        }
    }
}

/// Part of a list on its way into the ledger.
pub enum ListChunk {
    /// The next entries.
    Entries(Batch),
    /// The list has been read to its end.
    End(ListEnd),
}

/// The end of a list.
pub struct ListEnd {
    /// Its rows, counted by what became of them.
    pub counts: ListCounts,
    /// Withdraws the campaign's entries that are not on the list, unless they are more than this fraction (0–1) of
    /// those still to be called; `None`: withdraws nothing.
    pub max_withdraw_rate: Option<f64>,
    /// The id of the plan that confines the run, and the calls that it allows.
    pub plan: Option<(String, Vec<ApprovedCall>)>,
}

/// The result of enrolling a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnrolledList {
    /// The run that was started for it.
    pub run: RunHandle,
    /// Its entries, counted by change.
    pub enrolled: EnrolmentCounts,
    /// Entries that were withdrawn because the list does not have them.
    pub withdrawn: u64,
}

/// The number of rows from which the index by number is dropped and rebuilt at the end. That is faster than updating
/// it: numbers come in no order, so each row would change another page.
const REBUILD_INDEX_FROM: u64 = 10_000;

/// Starts a run and enrols its list of about `rows` rows. Fails if the list stops before its end; the caller's
/// savepoint then undoes everything.
pub(super) fn whole_list(
    conn: &Connection,
    begin: impl FnOnce(&Connection) -> Result<RunHandle, LedgerError>,
    chunks: impl Iterator<Item = ListChunk>,
    rows: u64,
    now: DateTime<Utc>,
) -> Result<EnrolledList, LedgerError> {
    let run = begin(conn)?;
    let to_call = to_call(conn, run.campaign)?;
    let last: i64 = conn.query_row(sql!("entry_last"), [], |row| row.get(0))?;
    let is_long = rows >= REBUILD_INDEX_FROM && last.unsigned_abs() < rows;
    if is_long {
        conn.execute_batch(sql!("entry_by_phone_drop"))?;
    }
    let (enrolled, end) = enrol_chunks(conn, run, chunks, now)?;
    if is_long {
        conn.execute_batch(sql!("entry_by_phone_make"))?;
    }
    let withdrawn = finish(conn, run, enrolled, end, to_call, now)?;
    Ok(EnrolledList { run, enrolled, withdrawn })
}

/// Enrols the list's entries. Returns its end.
fn enrol_chunks(
    conn: &Connection,
    run: RunHandle,
    chunks: impl Iterator<Item = ListChunk>,
    now: DateTime<Utc>,
) -> Result<(EnrolmentCounts, ListEnd), LedgerError> {
    let mut inserter = EntryInserter::new(conn, run, now)?;
    let mut enrolled = EnrolmentCounts::default();
    for chunk in chunks {
        match chunk {
            ListChunk::Entries(entries) => {
                enrolled = enrolled.plus(enrol_batch(conn, run, &mut inserter, &entries, now)?);
            }
            ListChunk::End(end) => return Ok((enrolled, end)),
        }
    }
    Err(LedgerError::ListBrokenOff)
}

/// Completes a list whose entries are all enrolled. Returns the number of entries withdrawn.
fn finish(
    conn: &Connection,
    run: RunHandle,
    enrolled: EnrolmentCounts,
    end: ListEnd,
    to_call: u64,
    now: DateTime<Utc>,
) -> Result<u64, LedgerError> {
    let ListEnd { counts, max_withdraw_rate, plan } = end;
    if let Some((plan, calls)) = plan {
        plan_scope::approve(conn, run, &plan, &calls)?;
    }
    note_changes(conn, run, enrolled)?;
    let listed: i64 = conn.prepare_cached(sql!("entry_listed_count"))?.query_row([run.run.0], |row| row.get(0))?;
    if listed.unsigned_abs() != counts.accepted {
        // The intake gives each key once; an entry that the list has twice would be overwritten silently.
        return Err(LedgerError::Conflict);
    }
    if let Some(rate) = max_withdraw_rate {
        refuse_if_cut_short(conn, run, rate, to_call, now)?;
    }
    close_list(conn, run, counts, max_withdraw_rate.is_some(), now)
}

/// The number of entries still to be called from which `max_withdraw_rate` applies.
const RATE_APPLIES_FROM: u64 = 20;

/// Whether `withdrawn` of the `to_call` entries still to be called are more than `rate` (0–1) allows, so that the list
/// was probably cut short.
#[must_use]
pub fn is_cut_short(withdrawn: u64, to_call: u64, rate: f64) -> bool {
    to_call >= RATE_APPLIES_FROM && withdrawn as f64 > rate * to_call as f64
}

pub(super) fn to_call(conn: &Connection, campaign: CampaignId) -> Result<u64, LedgerError> {
    let count: i64 = conn.prepare_cached(sql!("entry_to_call"))?.query_row([campaign.0], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

fn refuse_if_cut_short(
    conn: &Connection,
    run: RunHandle,
    rate: f64,
    of: u64,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let missing: i64 = conn
        .prepare_cached(sql!("entry_missing"))?
        .query_row((run.campaign.0, run.run.0, millis(now)), |row| row.get(0))?;
    let withdrawn = missing.unsigned_abs();
    if is_cut_short(withdrawn, of, rate) { Err(LedgerError::TooManyWithdrawn { withdrawn, of }) } else { Ok(()) }
}

pub(super) fn enrol(
    conn: &Connection,
    run: RunHandle,
    entries: &Batch,
    now: DateTime<Utc>,
) -> Result<EnrolmentCounts, LedgerError> {
    enrol_batch(conn, run, &mut EntryInserter::new(conn, run, now)?, entries, now)
}

fn enrol_batch(
    conn: &Connection,
    run: RunHandle,
    inserter: &mut EntryInserter<'_>,
    entries: &Batch,
    now: DateTime<Utc>,
) -> Result<EnrolmentCounts, LedgerError> {
    let mut enrolled = EnrolmentCounts::default();
    let max_calls = runs::max_calls_each(conn, run.run)?;
    let before = runs::before(conn, run)?;
    for listed in entries.iter() {
        let phone = alternate_numbers::to_dial(conn, run.campaign, &listed.key, listed.phone, &listed.alternatives)?;
        if inserter.insert(listed, phone)? {
            enrolled.count(EntryChange::New);
            continue;
        }
        let known = KnownEntry::find(conn, run.campaign, listed.key.as_str())?.ok_or(LedgerError::Conflict)?;
        let listing = known.listing(conn, listed, phone, max_calls, now)?;
        let effect = known.status.on_listed(listing, now);
        enrolled.count(known.status.change(listing, &effect));
        mark_listed(conn, run, before, known.id, listed.line)?;
        update_state(conn, run, &known, effect, now)?;
        // A corrected number counts for an entry that is callable again.
        inserter.refresh(known.id, phone, listed, listing.is_same())?;
    }
    Ok(enrolled)
}

/// Marks a known entry as on the run's list. `before`: the campaign's run before.
fn mark_listed(conn: &Connection, run: RunHandle, before: RunId, entry: EntryId, line: i64) -> Result<(), LedgerError> {
    conn.prepare_cached(sql!("earlier_listing_insert"))?.execute((entry.0, before.0))?;
    exactly_one(conn.prepare_cached(sql!("entry_listed"))?.execute((entry.0, run.run.0, line, before.0))?)
}

/// Applies the list's effect on a known entry, now or, for an entry that is not settled, later.
fn update_state(
    conn: &Connection,
    run: RunHandle,
    known: &KnownEntry,
    effect: ListEffect,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    deferred_list_change::store(conn, known.id, effect.once_callable())?;
    if let Some(fact) = effect.now() {
        let (run, entry, from) = (run.run, known.id, known.status.state);
        let to = Transition { run, entry, attempt: None, at: now, from, fact: &fact, detail: None }.apply(conn)?;
        deferred_list_change::apply_to_callable(conn, run, entry, to, now)?;
    }
    Ok(())
}

pub(super) fn note_changes(conn: &Connection, run: RunHandle, changes: EnrolmentCounts) -> Result<(), LedgerError> {
    exactly_one(conn.prepare_cached(sql!("run_changes"))?.execute((
        run.run.0,
        changes.new as i64,
        changes.changed as i64,
        changes.renumbered as i64,
        changes.renumbered_under_way as i64,
        changes.corrected as i64,
        changes.excluded as i64,
        changes.allowed as i64,
        changes.returned as i64,
    ))?)
}

pub(super) fn close_list(
    conn: &Connection,
    run: RunHandle,
    counts: ListCounts,
    withdraw: bool,
    now: DateTime<Utc>,
) -> Result<u64, LedgerError> {
    exactly_one(conn.prepare_cached(sql!("run_listed"))?.execute((
        run.run.0,
        counts.read as i64,
        counts.accepted as i64,
        counts.rejected as i64,
        counts.duplicate as i64,
        counts.merged as i64,
    ))?)?;
    let withdrawn = if withdraw { withdraw_absent(conn, run, now)? } else { 0 };
    exactly_one(conn.prepare_cached(sql!("run_withdrawn"))?.execute((run.run.0, withdrawn as i64))?)?;
    Ok(withdrawn)
}

fn withdraw_absent(conn: &Connection, run: RunHandle, now: DateTime<Utc>) -> Result<u64, LedgerError> {
    let mut withdrawn = 0;
    for known in absent(conn, run)? {
        let effect = known.on_absent(now)?;
        if let Some(demanded) = effect.once_callable() {
            deferred_list_change::store(conn, known.id, Some(demanded))?;
        }
        if let Some(fact) = effect.now() {
            let (run, entry, from) = (run.run, known.id, known.status.state);
            Transition { run, entry, attempt: None, at: now, from, fact: &fact, detail: None }.apply(conn)?;
            withdrawn += u64::from(fact == Fact::Unlisted);
        }
    }
    Ok(withdrawn)
}

fn absent(conn: &Connection, run: RunHandle) -> Result<Vec<KnownEntry>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("entry_absent"))?;
    let mut rows = statement.query((run.campaign.0, run.run.0))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(KnownEntry::from_row(row)?);
    }
    Ok(found)
}

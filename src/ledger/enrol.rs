//! Enrolling a list: new entries are inserted, known ones brought up to date, and nothing that was called is called
//! again because it is listed again.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::approval::{self, Approved};
use super::error::LedgerError;
use super::inserting::Inserting;
use super::outlook::Change;
use super::prepared::{Batch, Prepared};
use super::rows::{exactly_one, maybe_reason_at, millis, state_at};
use super::runs::RunHandle;
use super::transition::Step;
use super::{meanwhile, numbers, sql};
use crate::entry::{Fact, ListTally, Reason, Standing, State};
use crate::ids::{CampaignId, EntryId, Location};
use crate::phone::E164;

/// What enrolling did: the entries by what their list changes about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Enrolled {
    /// Entries that are new to the campaign.
    pub new: u64,
    /// Entries that were there just so, or are over.
    pub same: u64,
    /// Entries whose texts, patient or place are others than before.
    pub changed: u64,
    /// Entries that have another number.
    pub renumbered: u64,
    /// Those of them whose call to the old number is not settled.
    pub renumbered_under_way: u64,
}

impl Enrolled {
    /// Counts one more entry.
    pub fn count(&mut self, change: Change) {
        match change {
            Change::New => self.new += 1,
            Change::Same => self.same += 1,
            Change::Changed => self.changed += 1,
            Change::Renumbered => self.renumbered += 1,
            Change::RenumberedUnderWay => {
                self.renumbered += 1;
                self.renumbered_under_way += 1;
            }
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            new: self.new + other.new,
            same: self.same + other.same,
            changed: self.changed + other.changed,
            renumbered: self.renumbered + other.renumbered,
            renumbered_under_way: self.renumbered_under_way + other.renumbered_under_way,
        }
    }
}

/// An entry that the campaign has already.
pub(super) struct Known {
    pub(super) id: EntryId,
    pub(super) state: State,
    pub(super) reason: Option<Reason>,
    phone: String,
    /// Everything else that a list says of it, as it is written.
    rest: [String; 3],
    location: Option<String>,
    not_after: Option<i64>,
}

/// A list on its way into the ledger, piece by piece.
pub enum Piece {
    /// The next entries.
    Entries(Batch),
    /// The list has been read to its end.
    End(End),
}

/// A list's end, and what comes with it.
pub struct End {
    /// What became of its rows.
    pub tally: ListTally,
    /// Whether entries of the campaign that it does not have are withdrawn, and which share of those still to be called
    /// may be.
    pub withdraw: Option<f64>,
    /// The plan that the run is confined to, by its id, and the calls that it allows.
    pub plan: Option<(String, Vec<Approved>)>,
}

/// A list that is enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The run that it was enrolled for.
    pub run: RunHandle,
    /// What enrolling did.
    pub enrolled: Enrolled,
    /// Entries that were withdrawn because it does not have them.
    pub withdrawn: u64,
}

/// From so many rows on, the index by number is made anew at the end, which takes less time than to keep it up: numbers come
/// in no order, and each row would change a page of its own.
const MANY: u64 = 10_000;

/// Starts a run and enrols its list of about `rows` rows. A list that breaks off before its end is none, and leaves nothing.
pub(super) fn whole_list(
    conn: &Connection,
    begin: impl FnOnce(&Connection) -> Result<RunHandle, LedgerError>,
    pieces: impl Iterator<Item = Piece>,
    rows: u64,
    now: DateTime<Utc>,
) -> Result<Listed, LedgerError> {
    let run = begin(conn)?;
    let to_call = to_call(conn, run.campaign)?;
    let last: i64 = conn.query_row(sql!("entry_last"), [], |row| row.get(0))?;
    let is_long = rows >= MANY && last.unsigned_abs() < rows;
    if is_long {
        conn.execute_batch(sql!("entry_by_phone_drop"))?;
    }
    let (enrolled, end) = every_entry(conn, run, pieces, now)?;
    if is_long {
        conn.execute_batch(sql!("entry_by_phone_make"))?;
    }
    let withdrawn = finish(conn, run, enrolled, end, to_call, now)?;
    Ok(Listed { run, enrolled, withdrawn })
}

/// Enrols the list's entries, and gives its end.
fn every_entry(
    conn: &Connection,
    run: RunHandle,
    pieces: impl Iterator<Item = Piece>,
    now: DateTime<Utc>,
) -> Result<(Enrolled, End), LedgerError> {
    let mut inserting = Inserting::ready(conn, run, now)?;
    let mut enrolled = Enrolled::default();
    for piece in pieces {
        match piece {
            Piece::Entries(entries) => enrolled = enrolled.and(each(conn, run, &mut inserting, &entries, now)?),
            Piece::End(end) => return Ok((enrolled, end)),
        }
    }
    Err(LedgerError::ListBrokenOff)
}

/// What is left to do once all entries are there. How many were withdrawn.
fn finish(
    conn: &Connection,
    run: RunHandle,
    enrolled: Enrolled,
    end: End,
    to_call: u64,
    now: DateTime<Utc>,
) -> Result<u64, LedgerError> {
    let End { tally, withdraw, plan } = end;
    if let Some((plan, calls)) = plan {
        approval::approve(conn, run, &plan, &calls)?;
    }
    note_changes(conn, run, enrolled)?;
    if let Some(rate) = withdraw {
        refuse_a_list_cut_short(conn, run, rate, to_call)?;
    }
    close_list(conn, run, tally, withdraw.is_some(), now)
}

/// From so many entries on that are still to be called, a list may withdraw a share of them only.
pub const FEW: u64 = 20;

/// Whether so many withdrawals of `to_call` entries are more than `rate` allows.
#[must_use]
pub fn is_cut_short(withdrawn: u64, to_call: u64, rate: f64) -> bool {
    to_call >= FEW && withdrawn as f64 > rate * to_call as f64
}

pub(super) fn to_call(conn: &Connection, campaign: CampaignId) -> Result<u64, LedgerError> {
    let count: i64 = conn.prepare_cached(sql!("entry_to_call"))?.query_row([campaign.0], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

fn refuse_a_list_cut_short(conn: &Connection, run: RunHandle, rate: f64, of: u64) -> Result<(), LedgerError> {
    let is_to_call = |known: &&Known| matches!(known.state, State::Ready | State::Waiting);
    let withdrawn = absent(conn, run)?.iter().filter(is_to_call).count() as u64;
    if is_cut_short(withdrawn, of, rate) { Err(LedgerError::TooManyWithdrawn { withdrawn, of }) } else { Ok(()) }
}

pub(super) fn enrol(
    conn: &Connection,
    run: RunHandle,
    entries: &Batch,
    now: DateTime<Utc>,
) -> Result<Enrolled, LedgerError> {
    each(conn, run, &mut Inserting::ready(conn, run, now)?, entries, now)
}

fn each(
    conn: &Connection,
    run: RunHandle,
    inserting: &mut Inserting<'_>,
    entries: &Batch,
    now: DateTime<Utc>,
) -> Result<Enrolled, LedgerError> {
    let mut enrolled = Enrolled::default();
    for prepared in entries.iter() {
        if inserting.insert(prepared)? {
            enrolled.count(Change::New);
            continue;
        }
        let known = find(conn, run.campaign, prepared.key.as_str())?.ok_or(LedgerError::Conflict)?;
        let phone = numbers::to_dial(conn, known.id, prepared.phone, &prepared.alternatives)?;
        enrolled.count(known.change(prepared, phone));
        inserting.refresh(known.id, phone, prepared)?;
        bring_up_to_date(conn, run, &known, prepared, now)?;
    }
    Ok(enrolled)
}

pub(super) fn find(conn: &Connection, campaign: CampaignId, key: &str) -> Result<Option<Known>, LedgerError> {
    conn.prepare_cached(sql!("entry_find"))?
        .query_row((campaign.0, key), |row| Ok(Known::from_row(row)))
        .optional()?
        .transpose()
}

/// The list knows best whom to call, on which number and with which words; what is over stays as it was.
fn bring_up_to_date(
    conn: &Connection,
    run: RunHandle,
    known: &Known,
    prepared: &Prepared,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let listed = conn.prepare_cached(sql!("entry_listed"))?.execute((known.id.0, run.run.0, prepared.line))?;
    exactly_one(listed)?;
    meanwhile::keep(conn, known.id, forbidden_by(prepared.standing).filter(|_| known.is_not_settled()))?;
    let Some(fact) = what_the_list_says(known, prepared.standing, prepared.not_after, now) else {
        return Ok(());
    };
    let from = known.state;
    Step { run: run.run, entry: known.id, attempt: None, at: now, from, fact: &fact, detail: None }.take(conn)?;
    Ok(())
}

impl Known {
    pub(super) fn from_row(row: &Row<'_>) -> Result<Self, LedgerError> {
        Ok(Self {
            id: EntryId(row.get("id")?),
            state: state_at(row, "state")?,
            reason: maybe_reason_at(row, "reason")?,
            phone: row.get("phone")?,
            rest: [row.get("alternatives")?, row.get("zones")?, row.get("content")?],
            location: row.get("location")?,
            not_after: row.get("not_after")?,
        })
    }

    /// What the list changes about it, `phone` being the number to dial now.
    pub(super) fn change(&self, prepared: &Prepared, phone: E164) -> Change {
        let over = matches!(self.state, State::Finished | State::Failed | State::Cancelled);
        let under_way = matches!(self.state, State::Submitting | State::Open | State::Unknown | State::LostTrack);
        let is_told_the_same = self.rest == prepared.rest
            && self.location.as_deref() == prepared.location.as_ref().map(Location::as_str)
            && self.not_after == prepared.not_after.map(millis);
        match (self.phone == phone.expose(), is_told_the_same) {
            _ if over => Change::Same,
            (true, true) => Change::Same,
            (true, false) => Change::Changed,
            (false, _) if under_way => Change::RenumberedUnderWay,
            (false, _) => Change::Renumbered,
        }
    }

    /// Whether something else than a list suppresses it: what a patient has decided stays whatever the list says.
    pub(super) fn is_suppressed_for_good(&self) -> bool {
        self.state == State::Suppressed && !self.is_of_the_list()
    }

    /// Whether it may become callable again by something else than a list: its call ends, or a person decides.
    pub(super) fn is_not_settled(&self) -> bool {
        let for_a_person = self.state == State::Held && !self.is_of_the_list();
        for_a_person || matches!(self.state, State::Submitting | State::Open | State::Unknown | State::LostTrack)
    }

    fn is_of_the_list(&self) -> bool {
        self.reason.is_some_and(Reason::is_of_the_list)
    }
}

/// Where the list puts an entry that it does not let be called.
pub(super) fn forbidden_by(standing: Standing) -> Option<(State, Reason)> {
    match standing {
        Standing::Ready => None,
        Standing::Suppressed(reason) => Some((State::Suppressed, reason)),
        Standing::Held(reason) => Some((State::Held, reason)),
    }
}

/// The fact, if any, that the list makes known about an entry that is there already.
pub(super) fn what_the_list_says(
    known: &Known,
    standing: Standing,
    not_after: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<Fact> {
    let by_list = known.is_of_the_list();
    let still_time = not_after.is_none_or(|last| last > now);
    match (known.state, standing) {
        (State::Ready | State::Waiting, Standing::Suppressed(reason)) => Some(Fact::Barred { reason }),
        (State::Ready | State::Waiting, Standing::Held(reason)) => Some(Fact::SetAside { reason }),
        (State::Suppressed | State::Held | State::Withdrawn, Standing::Ready) if by_list => Some(Fact::Listed),
        (State::Expired, Standing::Ready) if still_time => Some(Fact::Listed),
        _ => None,
    }
}

pub(super) fn note_changes(conn: &Connection, run: RunHandle, changes: Enrolled) -> Result<(), LedgerError> {
    exactly_one(conn.prepare_cached(sql!("run_changes"))?.execute((
        run.run.0,
        changes.new as i64,
        changes.changed as i64,
        changes.renumbered as i64,
        changes.renumbered_under_way as i64,
    ))?)
}

pub(super) fn close_list(
    conn: &Connection,
    run: RunHandle,
    tally: ListTally,
    withdraw: bool,
    now: DateTime<Utc>,
) -> Result<u64, LedgerError> {
    exactly_one(conn.prepare_cached(sql!("run_listed"))?.execute((
        run.run.0,
        tally.read as i64,
        tally.accepted as i64,
        tally.rejected as i64,
        tally.duplicate as i64,
        tally.merged as i64,
    ))?)?;
    let withdrawn = if withdraw { withdraw_absent(conn, run, now)? } else { 0 };
    exactly_one(conn.prepare_cached(sql!("run_withdrawn"))?.execute((run.run.0, withdrawn as i64))?)?;
    Ok(withdrawn)
}

fn withdraw_absent(conn: &Connection, run: RunHandle, now: DateTime<Utc>) -> Result<u64, LedgerError> {
    let mut withdrawn = 0;
    for known in absent(conn, run)? {
        if known.is_not_settled() {
            meanwhile::keep(conn, known.id, Some((State::Withdrawn, Reason::Unlisted)))?;
            continue;
        }
        if known.is_suppressed_for_good() {
            continue;
        }
        let from = known.state;
        Step { run: run.run, entry: known.id, attempt: None, at: now, from, fact: &Fact::Unlisted, detail: None }
            .take(conn)?;
        withdrawn += 1;
    }
    Ok(withdrawn)
}

fn absent(conn: &Connection, run: RunHandle) -> Result<Vec<Known>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("entry_absent"))?;
    let mut rows = statement.query((run.campaign.0, run.run.0))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Known::from_row(row)?);
    }
    Ok(found)
}

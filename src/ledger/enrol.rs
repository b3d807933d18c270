//! Enrolling a list: new entries are inserted, known ones brought up to date, and nothing that was called is called
//! again because it is listed again.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::outlook::Change;
use super::rows::{exactly_one, json, maybe_reason_at, millis, state_at};
use super::runs::RunHandle;
use super::transition::Step;
use super::{meanwhile, numbers, sql};
use crate::entry::{Draft, Fact, ListTally, Reason, Standing, State};
use crate::ids::{CampaignId, EntryId};
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
    not_after: Option<i64>,
}

pub(super) fn enrol(
    conn: &Connection,
    run: RunHandle,
    drafts: &[Draft],
    now: DateTime<Utc>,
) -> Result<Enrolled, LedgerError> {
    let mut enrolled = Enrolled::default();
    for draft in drafts {
        let entry = if let Some(known) = find(conn, run.campaign, draft)? {
            let phone = numbers::to_dial(conn, known.id, draft)?;
            enrolled.count(known.change(draft, phone));
            bring_up_to_date(conn, run, &known, draft, phone, now)?;
            conn.prepare_cached(sql!("member_keep"))?.execute([known.id.0])?;
            conn.prepare_cached(sql!("member_clear"))?.execute([known.id.0])?;
            known.id
        } else {
            enrolled.count(Change::New);
            insert(conn, run, draft, now)?
        };
        put_members(conn, entry, draft)?;
    }
    Ok(enrolled)
}

pub(super) fn find(conn: &Connection, campaign: CampaignId, draft: &Draft) -> Result<Option<Known>, LedgerError> {
    conn.prepare_cached(sql!("entry_find"))?
        .query_row((campaign.0, draft.key.as_str()), |row| Ok(Known::from_row(row)))
        .optional()?
        .transpose()
}

fn insert(conn: &Connection, run: RunHandle, draft: &Draft, now: DateTime<Utc>) -> Result<EntryId, LedgerError> {
    let (state, reason) = forbidden_by(draft).unzip();
    let (state, reason) = (state.unwrap_or(State::Ready), reason.map(Reason::name));
    conn.prepare_cached(sql!("entry_insert"))?.execute((
        run.campaign.0,
        run.run.0,
        draft.key.as_str(),
        draft.line as i64,
        draft.organisation.as_str(),
        draft.phone.expose(),
        alternatives(draft),
        json(&draft.zones),
        json(&draft.content),
        draft.not_after.map(millis),
        state.name(),
        reason,
        millis(now),
    ))?;
    let entry = EntryId(conn.last_insert_rowid());
    conn.prepare_cached(sql!("event_enrolled"))?.execute((millis(now), run.run.0, entry.0, state.name(), reason))?;
    Ok(entry)
}

fn alternatives(draft: &Draft) -> String {
    json(&draft.alternatives.iter().map(|phone| phone.expose()).collect::<Vec<_>>())
}

/// The list knows best whom to call, on which number and with which words; what is over stays as it was.
fn bring_up_to_date(
    conn: &Connection,
    run: RunHandle,
    known: &Known,
    draft: &Draft,
    phone: E164,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let listed = conn.prepare_cached(sql!("entry_listed"))?.execute((known.id.0, run.run.0, draft.line as i64))?;
    exactly_one(listed)?;
    conn.prepare_cached(sql!("entry_refresh"))?.execute((
        known.id.0,
        phone.expose(),
        alternatives(draft),
        json(&draft.zones),
        json(&draft.content),
        draft.not_after.map(millis),
    ))?;
    meanwhile::keep(conn, known.id, forbidden_by(draft).filter(|_| known.is_not_settled()))?;
    let Some(fact) = what_the_list_says(known, draft, now) else { return Ok(()) };
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
            not_after: row.get("not_after")?,
        })
    }

    /// What the list changes about it, `phone` being the number to dial now.
    pub(super) fn change(&self, draft: &Draft, phone: E164) -> Change {
        let over = matches!(self.state, State::Finished | State::Failed | State::Cancelled);
        let rest = [alternatives(draft), json(&draft.zones), json(&draft.content)];
        let under_way = matches!(self.state, State::Submitting | State::Open | State::Unknown | State::LostTrack);
        match (self.phone == phone.expose(), self.rest == rest && self.not_after == draft.not_after.map(millis)) {
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
pub(super) fn forbidden_by(draft: &Draft) -> Option<(State, Reason)> {
    match draft.standing {
        Standing::Ready => None,
        Standing::Suppressed(reason) => Some((State::Suppressed, reason)),
        Standing::Held(reason) => Some((State::Held, reason)),
    }
}

/// The fact, if any, that the list makes known about an entry that is there already.
pub(super) fn what_the_list_says(known: &Known, draft: &Draft, now: DateTime<Utc>) -> Option<Fact> {
    let by_list = known.is_of_the_list();
    let still_time = draft.not_after.is_none_or(|last| last > now);
    match (known.state, draft.standing) {
        (State::Ready | State::Waiting, Standing::Suppressed(reason)) => Some(Fact::Barred { reason }),
        (State::Ready | State::Waiting, Standing::Held(reason)) => Some(Fact::SetAside { reason }),
        (State::Suppressed | State::Held | State::Withdrawn, Standing::Ready) if by_list => Some(Fact::Listed),
        (State::Expired, Standing::Ready) if still_time => Some(Fact::Listed),
        _ => None,
    }
}

fn put_members(conn: &Connection, entry: EntryId, draft: &Draft) -> Result<(), LedgerError> {
    for member in &draft.members {
        conn.prepare_cached(sql!("member_insert"))?.execute((
            entry.0,
            member.key.as_str(),
            member.line as i64,
            json(&member.patient),
        ))?;
    }
    Ok(())
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

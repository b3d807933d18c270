//! Calls on the vendor's list that our number placed to one of our patients and that this ledger lacks: *unrecorded*
//! calls. They show that the ledger is an older copy, or that a copy of it placed calls elsewhere. They stop a run,
//! unless an operator has adopted the ledger: then the run takes them over.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::call_watermark::{self, CallerId};
use super::claim::insert_attempt;
use super::codec::{exactly_one, millis, state_at};
use super::error::LedgerError;
use super::record::{self, AttemptUpdate, InFlightAttempt, record_one};
use super::runs::{self, RunHandle};
use super::sql::sql;
use super::transition::Transition;
use crate::entry::{Fact, State};
use crate::ids::{AttemptId, CampaignId, ConversationId, EntryId};
use crate::phone::E164;
use crate::wording::counted;

/// A conversation on the vendor's list that our number began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedCall {
    /// The vendor's id.
    pub conversation: ConversationId,
    /// The number that called.
    pub from: E164,
    /// The number that was called.
    pub to: E164,
    /// When it started, by our clock.
    pub started: DateTime<Utc>,
}

/// A row of the vendor's list without an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObservedWithoutId {
    /// The number that called.
    pub from: E164,
    /// The number that was called.
    pub to: E164,
    /// When it started, by our clock.
    pub started: DateTime<Utc>,
}

/// How far the vendor's start of a call may be from our own record of it.
const START_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// How late a call whose answer was lost may begin: the minimum S of rule R. A call that begins later is another one.
const LATEST_START: TimeDelta = TimeDelta::minutes(2);

/// Those of `calls` that are unrecorded, oldest first.
pub(super) fn unrecorded(conn: &Connection, calls: Vec<ObservedCall>) -> Result<Vec<ObservedCall>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("call_is_unrecorded"))?;
    let mut found = Vec::new();
    for call in calls {
        let ObservedCall { conversation, to, started, .. } = &call;
        let (started, tolerance) = (millis(*started), LATEST_START.num_milliseconds());
        if statement.exists((conversation.as_str(), to.expose(), started, tolerance))? {
            found.push(call);
        }
    }
    found.sort_by_key(|call| call.started);
    Ok(found)
}

/// Those of `rows` that match no attempt of this ledger by both numbers and approximate time. Numbers and time identify
/// a call as well as an id does, since no number is called twice within a few minutes.
pub(super) fn unmatched_rows(
    conn: &Connection,
    rows: Vec<ObservedWithoutId>,
) -> Result<Vec<ObservedWithoutId>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_matches"))?;
    let mut unmatched = Vec::new();
    for row in rows {
        let ObservedWithoutId { from, to, started } = row;
        let tolerance = START_TOLERANCE.num_milliseconds();
        if !statement.exists((from.expose(), to.expose(), millis(started), tolerance))? {
            unmatched.push(row);
        }
    }
    Ok(unmatched)
}

/// Records unrecorded calls, oldest first, as attempts of the entries with their numbers, and advances the caller id's
/// watermark. Returns the attempts of `run`'s campaign that are now to be followed, or polled once.
pub(super) fn take_over_calls(
    conn: &Connection,
    run: RunHandle,
    caller_id: &CallerId,
    unrecorded: &[ObservedCall],
    now: DateTime<Utc>,
) -> Result<Vec<InFlightAttempt>, LedgerError> {
    let mut followed = Vec::new();
    for (at, call) in unrecorded.iter().enumerate() {
        // The outcome of the newest call to a number decides whether there is to be another.
        let is_newest = unrecorded[at + 1..].iter().all(|later| later.to != call.to);
        followed.extend(take_over_call(conn, run, caller_id, call, is_newest, now)?);
    }
    if !unrecorded.is_empty() {
        runs::note(
            conn,
            run.run,
            "caught_up",
            now,
            Some(&format!("{} taken over", counted(unrecorded.len() as u64, "call", "calls"))),
        )?;
    }
    call_watermark::advance_after_takeover(conn, caller_id, now)?;
    let lost_track = record::lost_track(conn, run.campaign, DateTime::UNIX_EPOCH)?;
    let all = record::in_flight(conn, run.campaign)?.into_iter().chain(lost_track);
    Ok(all.filter(|attempt| followed.contains(&attempt.attempt)).collect())
}

/// The entry to which an unrecorded call is attributed.
struct TargetEntry {
    entry: EntryId,
    campaign: CampaignId,
    state: State,
    callable: bool,
}

fn take_over_call(
    conn: &Connection,
    run: RunHandle,
    caller_id: &CallerId,
    call: &ObservedCall,
    is_newest: bool,
    now: DateTime<Utc>,
) -> Result<Option<AttemptId>, LedgerError> {
    let Some(target) = target_entry(conn, run, call.to)? else { return Ok(None) };
    let detail = "a call that this ledger did not know, taken over";
    if !(target.callable && is_newest) {
        let attempt = insert_untracked(conn, run, caller_id, call, target.entry)?;
        let note = record::AuditNote {
            at: now,
            entry: Some(target.entry),
            attempt: None,
            kind: "taken_over",
            detail: detail.into(),
        };
        record::note(conn, run, &note)?;
        return Ok((target.campaign == run.campaign).then_some(attempt));
    }
    let number = next_number(conn, target.entry)?;
    let attempt = insert_attempt(conn, run, caller_id, target.entry, call.to, number, call.started)?;
    let transition = Transition {
        run: run.run,
        entry: target.entry,
        attempt: Some(attempt),
        at: now,
        from: target.state,
        fact: &Fact::Claimed,
        detail: Some(detail),
    };
    transition.apply(conn)?;
    let accepted = AttemptUpdate {
        attempt,
        entry: target.entry,
        at: now,
        fact: Fact::Accepted,
        conversation: Some(call.conversation.clone()),
        started: Some(call.started),
        ended: None,
        words: None,
        patient_died: false,
        detail: None,
    };
    record_one(conn, run.run, &accepted)?;
    exactly_one(conn.prepare_cached(sql!("attempt_taken_over"))?.execute([attempt.0])?)?;
    Ok((target.campaign == run.campaign).then_some(attempt))
}

fn target_entry(conn: &Connection, run: RunHandle, to: E164) -> Result<Option<TargetEntry>, LedgerError> {
    let read = |row: &Row<'_>| {
        let (entry, campaign) = (EntryId(row.get("id")?), CampaignId(row.get("campaign_id")?));
        let callable = row.get("callable")?;
        Ok(state_at(row, "state").map(|state| TargetEntry { entry, campaign, state, callable }))
    };
    let found = conn.prepare_cached(sql!("entry_for_unrecorded_call"))?.query_row((to.expose(), run.campaign.0), read);
    found.optional()?.transpose()
}

/// Records a call that does not change its entry's state, as an attempt that was lost track of.
fn insert_untracked(
    conn: &Connection,
    run: RunHandle,
    caller_id: &CallerId,
    call: &ObservedCall,
    entry: EntryId,
) -> Result<AttemptId, LedgerError> {
    let number = next_number(conn, entry)?;
    exactly_one(conn.prepare_cached(sql!("attempt_insert_untracked"))?.execute((
        entry.0,
        run.run.0,
        number,
        caller_id.organisation.as_str(),
        caller_id.from.expose(),
        call.to.expose(),
        millis(call.started),
        call.conversation.as_str(),
    ))?)?;
    Ok(AttemptId(conn.last_insert_rowid()))
}

/// The ordinal of the entry's next call: 1, 2, …
fn next_number(conn: &Connection, entry: EntryId) -> Result<u32, LedgerError> {
    Ok(conn.prepare_cached(sql!("attempt_next_number"))?.query_row([entry.0], |row| row.get(0))?)
}

//! Our numbers, and whether this ledger holds every call that they have placed.
//!
//! An older copy of a ledger put back in its place, or a ledger that was copied and went on elsewhere, lacks calls, and
//! would make them again. Before a run's first call the vendor's list is looked through, back to the last moment at which
//! the ledger held everything: a call from our number to one of its patients that it does not know is a *stranger*.
//! Strangers stop a run, unless an operator has adopted the ledger: then they are taken over.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::claim::insert_attempt;
use super::error::LedgerError;
use super::record::{self, Happened, UnderWay, record_one};
use super::rows::{exactly_one, instant_at, maybe_instant_at, millis, state_at};
use super::runs::{self, RunHandle};
use super::sql;
use super::transition::Step;
use crate::entry::{Fact, State};
use crate::ids::{AttemptId, CampaignId, ConversationId, EntryId, OrganisationId};
use crate::phone::E164;

/// One of our numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurLine {
    /// On whose budget it calls.
    pub organisation: OrganisationId,
    /// The number.
    pub from: E164,
}

/// How much this ledger knows of a line's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InStep {
    /// It holds every call until then.
    pub at: DateTime<Utc>,
    /// An operator has adopted the ledger, and this line has not been looked at since: calls that the ledger does not know
    /// are taken over.
    pub takes_over: bool,
    /// When the operator did: until then the other ledger may have placed calls, which the vendor's list may be slow to
    /// show.
    pub adopted_at: Option<DateTime<Utc>>,
}

/// A conversation on the vendor's list that our number began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The vendor's id.
    pub conversation: ConversationId,
    /// The number that called.
    pub from: E164,
    /// The number that was called.
    pub to: E164,
    /// When, by our clock.
    pub started: DateTime<Utc>,
}

/// A row of the vendor's list without an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unnamed {
    /// The number that called.
    pub from: E164,
    /// The number that was called.
    pub to: E164,
    /// When, by our clock.
    pub started: DateTime<Utc>,
}

pub(super) fn in_step(conn: &Connection, line: &OurLine) -> Result<InStep, LedgerError> {
    conn.prepare_cached(sql!("line_in_step_at"))?.query_row(
        (line.organisation.as_str(), line.from.expose()),
        |row| {
            let takes_over = row.get("takes_over")?;
            Ok(instant_at(row, "in_step_at")
                .and_then(|at| Ok(InStep { at, takes_over, adopted_at: maybe_instant_at(row, "adopted_at")? })))
        },
    )?
}

/// The ledger holds every call of the line until `at`.
pub(super) fn moved_on(conn: &Connection, line: &OurLine, at: DateTime<Utc>) -> Result<(), LedgerError> {
    let OurLine { organisation, from } = line;
    conn.prepare_cached(sql!("line_in_step"))?.execute((organisation.as_str(), from.expose(), millis(at)))?;
    Ok(())
}

/// Those of `sightings` that are strangers, the oldest first.
pub(super) fn strangers(conn: &Connection, sightings: Vec<Sighting>) -> Result<Vec<Sighting>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("is_stranger"))?;
    let mut found = Vec::new();
    for sighting in sightings {
        let Sighting { conversation, to, started, .. } = &sighting;
        let (started, late) = (millis(*started), LATE.num_milliseconds());
        if statement.exists((conversation.as_str(), to.expose(), started, late))? {
            found.push(sighting);
        }
    }
    found.sort_by_key(|stranger| stranger.started);
    Ok(found)
}

/// Those of `rows` that are no call of this ledger's: none of its attempts is of the same two numbers at about that time.
/// Number and time identify a call as well as an id does, since a number is not called twice in a few minutes.
pub(super) fn unexplained(conn: &Connection, rows: Vec<Unnamed>) -> Result<Vec<Unnamed>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_explains"))?;
    let mut found = Vec::new();
    for row in rows {
        let Unnamed { from, to, started } = row;
        let (from, to, started, about) = (from.expose(), to.expose(), millis(started), ABOUT.num_milliseconds());
        if !statement.exists((from, to, started, about))? {
            found.push(row);
        }
    }
    Ok(found)
}

/// How far the vendor's start of a call may be from our own record of it.
const ABOUT: TimeDelta = TimeDelta::minutes(5);

/// How late a call may begin whose answer was lost, the least S of rule R: another one's may begin after that.
const LATE: TimeDelta = TimeDelta::minutes(2);

/// Puts strangers, the oldest first, down to entries, as calls that were made: those of `run`'s campaign that are now to be followed, or
/// asked for once.
pub(super) fn take_over(
    conn: &Connection,
    run: RunHandle,
    line: &OurLine,
    strangers: &[Sighting],
    now: DateTime<Utc>,
) -> Result<Vec<UnderWay>, LedgerError> {
    let mut followed = Vec::new();
    for (at, stranger) in strangers.iter().enumerate() {
        // What the newest call to a number came to decides whether there is to be another.
        let is_newest = strangers[at + 1..].iter().all(|later| later.to != stranger.to);
        followed.extend(take_one_over(conn, run, line, stranger, is_newest, now)?);
    }
    if !strangers.is_empty() {
        runs::note(conn, run.run, "caught_up", now, Some(&format!("{} calls taken over", strangers.len())))?;
    }
    let OurLine { organisation, from } = line;
    conn.execute(sql!("line_taken_over"), (organisation.as_str(), from.expose(), millis(now)))?;
    let lost_track = record::lost_track(conn, run.campaign, DateTime::UNIX_EPOCH)?;
    let all = record::under_way(conn, run.campaign)?.into_iter().chain(lost_track);
    Ok(all.filter(|one| followed.contains(&one.attempt)).collect())
}

/// The entry that a call is put down to.
struct Taker {
    entry: EntryId,
    campaign: CampaignId,
    state: State,
    callable: bool,
}

fn take_one_over(
    conn: &Connection,
    run: RunHandle,
    line: &OurLine,
    stranger: &Sighting,
    is_newest: bool,
    now: DateTime<Utc>,
) -> Result<Option<AttemptId>, LedgerError> {
    let Some(taker) = taker(conn, run, stranger.to)? else { return Ok(None) };
    let detail = "a call that this ledger did not know, taken over";
    if !(taker.callable && is_newest) {
        let attempt = put_down_as_over(conn, run, line, stranger, taker.entry)?;
        let note = record::Note {
            at: now,
            entry: Some(taker.entry),
            attempt: None,
            kind: "taken_over",
            detail: detail.into(),
        };
        record::note(conn, run, &note)?;
        return Ok((taker.campaign == run.campaign).then_some(attempt));
    }
    let number = next_number(conn, taker.entry)?;
    let attempt = insert_attempt(conn, run, line, taker.entry, stranger.to, number, stranger.started)?;
    let step = Step {
        run: run.run,
        entry: taker.entry,
        attempt: Some(attempt),
        at: now,
        from: taker.state,
        fact: &Fact::Claimed,
        detail: Some(detail),
    };
    step.take(conn)?;
    let accepted = Happened {
        attempt,
        entry: taker.entry,
        at: now,
        fact: Fact::Accepted,
        conversation: Some(stranger.conversation.clone()),
        started: Some(stranger.started),
        ended: None,
        detail: None,
    };
    record_one(conn, run.run, &accepted)?;
    record::found_on_the_list(conn, attempt)?;
    Ok((taker.campaign == run.campaign).then_some(attempt))
}

fn taker(conn: &Connection, run: RunHandle, to: E164) -> Result<Option<Taker>, LedgerError> {
    let read = |row: &Row<'_>| {
        let (entry, campaign) = (EntryId(row.get("id")?), CampaignId(row.get("campaign_id")?));
        let callable = row.get("callable")?;
        Ok(state_at(row, "state").map(|state| Taker { entry, campaign, state, callable }))
    };
    let found = conn.prepare_cached(sql!("entry_to_take_over"))?.query_row((to.expose(), run.campaign.0), read);
    found.optional()?.transpose()
}

fn put_down_as_over(
    conn: &Connection,
    run: RunHandle,
    line: &OurLine,
    stranger: &Sighting,
    entry: EntryId,
) -> Result<AttemptId, LedgerError> {
    let number = next_number(conn, entry)?;
    exactly_one(conn.prepare_cached(sql!("attempt_insert_over"))?.execute((
        entry.0,
        run.run.0,
        number,
        line.organisation.as_str(),
        line.from.expose(),
        stranger.to.expose(),
        millis(stranger.started),
        stranger.conversation.as_str(),
    ))?)?;
    Ok(AttemptId(conn.last_insert_rowid()))
}

/// Which call to the entry the next one is.
fn next_number(conn: &Connection, entry: EntryId) -> Result<u32, LedgerError> {
    Ok(conn.prepare_cached(sql!("attempt_next_number"))?.query_row([entry.0], |row| row.get(0))?)
}

//! Campaigns and runs: who started what, when, and how it ended.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::approval;
use super::claim::Share;
use super::error::LedgerError;
use super::rows::{exactly_one, instant, json, maybe_instant_at, maybe_outcome_at, millis};
use super::sql;
use crate::campaign::{Campaign, Source};
use crate::entry::Outcome;
use crate::ids::{CampaignId, CampaignName, OrganisationId, RunId};

/// A run that is being worked on, and the campaign it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunHandle {
    /// The run.
    pub run: RunId,
    /// Its campaign.
    pub campaign: CampaignId,
}

/// A run found in the ledger, to be gone on with.
#[derive(Debug, Clone)]
pub struct Reopened {
    /// The run.
    pub handle: RunHandle,
    /// Its campaign's file as it was.
    pub source: Source,
    /// Whether its list was enrolled to its end.
    pub listed: bool,
}

/// What is left to do in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prospects {
    /// When the next entry that is ready or waiting is due; in the past if it is due already.
    pub next_due: Option<DateTime<Utc>>,
}

/// How a call finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// Its conversation is over, and meant this.
    Ended(Outcome),
    /// It was refused for good, or its answer was lost.
    Failed,
}

/// So many calls are enough to judge a run by; a run that goes on with a million must not wait for them all.
const MOST_FINISHES: u32 = 20_000;

pub(super) fn begin(
    conn: &Connection,
    campaign: &Campaign,
    attested: bool,
    now: DateTime<Utc>,
) -> Result<RunHandle, LedgerError> {
    let id: i64 = conn.prepare_cached(sql!("campaign_put"))?.query_row(
        (
            campaign.name.as_str(),
            campaign.purpose.name(),
            &campaign.source.text,
            campaign.source.directory.to_string_lossy(),
            millis(now),
        ),
        |row| row.get(0),
    )?;
    assign(conn, CampaignId(id), campaign)?;
    conn.prepare_cached(sql!("run_supersede"))?.execute((id, millis(now)))?;
    conn.prepare_cached(sql!("run_insert"))?.execute((id, millis(now), attested))?;
    let handle = RunHandle { run: RunId(conn.last_insert_rowid()), campaign: CampaignId(id) };
    note(conn, handle.run, "run_started", now, None)?;
    Ok(handle)
}

/// Gives every entry to the organisation that calls for its location by the campaign as it is now. An entry whose location
/// has no line goes to the first organisation, which holds it when it claims it: otherwise nobody would ever ask about it.
fn assign(conn: &Connection, id: CampaignId, campaign: &Campaign) -> Result<(), LedgerError> {
    if !campaign.lines.are_written() {
        let everybodys = campaign.practice.organisation.as_str();
        conn.prepare_cached(sql!("entry_assign_all"))?.execute((id.0, everybodys))?;
        return Ok(());
    }
    let lines: Vec<_> = campaign.lines.iter().map(|(location, practice)| (location, &practice.organisation)).collect();
    conn.prepare_cached(sql!("entry_assign"))?.execute((id.0, json(&lines)))?;
    let organisations: Vec<_> = campaign.lines.accounts().iter().map(|account| &account.organisation).collect();
    let first = organisations.first().map(|organisation| organisation.as_str());
    conn.prepare_cached(sql!("entry_assign_others"))?.execute((id.0, first, json(&organisations)))?;
    Ok(())
}

/// The run named, or the newest.
pub(super) fn named_or_newest(conn: &Connection, run: Option<RunId>) -> Result<RunId, LedgerError> {
    Ok(find(conn, run)?.handle.run)
}

fn find(conn: &Connection, run: Option<RunId>) -> Result<Reopened, LedgerError> {
    conn.prepare_cached(sql!("run_find"))?
        .query_row([run.map(|run| run.0)], |row| Ok(reopened(row)))
        .optional()?
        .ok_or(run.map_or(LedgerError::NoRun, LedgerError::NoSuchRun))?
}

pub(super) fn reopen(conn: &Connection, run: Option<RunId>) -> Result<Reopened, LedgerError> {
    let found = find(conn, run)?;
    conn.prepare_cached(sql!("run_reopen"))?.execute([found.handle.run.0])?;
    Ok(found)
}

fn reopened(row: &Row<'_>) -> Result<Reopened, LedgerError> {
    let directory: String = row.get("directory")?;
    Ok(Reopened {
        handle: RunHandle { run: RunId(row.get("id")?), campaign: CampaignId(row.get("campaign_id")?) },
        source: Source { text: row.get("source")?, directory: directory.into() },
        listed: row.get("listed")?,
    })
}

pub(super) fn finishes(conn: &Connection, campaign: CampaignId) -> Result<Vec<(OrganisationId, Finish)>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("finish_newest"))?;
    let mut rows = statement.query((campaign.0, MOST_FINISHES))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let finish = maybe_outcome_at(row, "outcome")?.map_or(Finish::Failed, Finish::Ended);
        found.push((OrganisationId::new(row.get::<_, String>("organisation")?), finish));
    }
    found.reverse();
    Ok(found)
}

/// The calls that a run has placed, or may have, by organisation.
pub(super) fn placed(conn: &Connection, run: RunId) -> Result<Vec<(OrganisationId, u32)>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_placed"))?;
    let counted =
        statement.query_map([run.0], |row| Ok((OrganisationId::new(row.get::<_, String>(0)?), row.get(1)?)))?;
    Ok(counted.collect::<Result<_, _>>()?)
}

pub(super) fn end(
    conn: &Connection,
    handle: RunHandle,
    ending: &str,
    why: &str,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    exactly_one(conn.prepare_cached(sql!("run_end"))?.execute((handle.run.0, millis(now), ending, why))?)?;
    note(conn, handle.run, "run_ended", now, Some(ending))
}

pub(super) fn note(
    conn: &Connection,
    run: RunId,
    kind: &str,
    at: DateTime<Utc>,
    detail: Option<&str>,
) -> Result<(), LedgerError> {
    conn.prepare_cached(sql!("event_of_run"))?.execute((millis(at), run.0, kind, detail))?;
    Ok(())
}

pub(super) fn newest_event(conn: &Connection) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let newest: Option<i64> = conn.query_row(sql!("event_newest"), [], |row| row.get(0)).optional()?;
    newest.map(instant).transpose()
}

pub(super) fn future_events(
    conn: &Connection,
    now: DateTime<Utc>,
) -> Result<Option<(u64, DateTime<Utc>)>, LedgerError> {
    let (events, newest): (i64, Option<i64>) =
        conn.query_row(sql!("event_after"), [millis(now)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    newest.map(|newest| Ok((events.unsigned_abs(), instant(newest)?))).transpose()
}

pub(super) fn newest_event_of(
    conn: &Connection,
    campaign: &CampaignName,
) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let newest: Option<i64> = conn.query_row(sql!("event_newest_of"), [campaign.as_str()], |row| row.get(0))?;
    newest.map(instant).transpose()
}

pub(super) fn prospects(conn: &Connection, run: RunHandle, share: &Share) -> Result<Prospects, LedgerError> {
    let (mut statement, of) = if approval::confines(conn, run.run)? {
        (conn.prepare_cached(sql!("planned_next_due"))?, run.run.0)
    } else {
        (conn.prepare_cached(sql!("entry_next_due"))?, run.campaign.0)
    };
    statement
        .query_row((of, share.organisation.as_str(), share.left_out()), |row| Ok(maybe_instant_at(row, "next_due")))?
        .map(|next_due| Prospects { next_due })
}

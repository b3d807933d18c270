//! Campaigns and runs: starting, reopening and ending a run, and what a run needs to know about earlier ones.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::codec::{exactly_one, instant, json, maybe_outcome_at, millis};
use super::error::LedgerError;
use super::sql::sql;
use crate::campaign::{Campaign, CampaignSource};
use crate::ending::Ending;
use crate::entry::Outcome;
use crate::ids::{CampaignId, CampaignName, OrganisationId, RunId};

/// A run and the campaign that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunHandle {
    /// The run.
    pub run: RunId,
    /// Its campaign.
    pub campaign: CampaignId,
}

/// A run that was found in the ledger and may be resumed.
#[derive(Debug, Clone)]
pub struct ReopenedRun {
    /// The run.
    pub handle: RunHandle,
    /// Its campaign's file as it was when the run was started.
    pub source: CampaignSource,
    /// Whether its list was enrolled to the end.
    pub listed: bool,
}

/// The result of a call, as far as stop rules are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallResult {
    /// Its conversation ended with this outcome.
    Ended(Outcome),
    /// The vendor refused it for good, or its answer was lost.
    Failed,
}

/// The most results that are read: enough for every stop rule, and a campaign of a million calls need not read them
/// all.
const MAX_CALL_RESULTS: u32 = 20_000;

pub(super) fn begin(
    conn: &Connection,
    campaign: &Campaign,
    attested: bool,
    now: DateTime<Utc>,
) -> Result<RunHandle, LedgerError> {
    refuse_other_vendor(conn, campaign)?;
    let id: i64 = conn.prepare_cached(sql!("campaign_put"))?.query_row(
        (
            campaign.name.as_str(),
            campaign.purpose.name(),
            &campaign.source.text,
            campaign.source.directory.to_string_lossy(),
            millis(now),
            campaign.privacy.keep_words_for.num_milliseconds(),
            campaign.vendor.kind.name(),
        ),
        |row| row.get(0),
    )?;
    assign(conn, CampaignId(id), campaign)?;
    conn.prepare_cached(sql!("run_supersede"))?.execute((id, millis(now), Ending::Superseded.name()))?;
    let max_calls_each = campaign.redial.max_attempts;
    conn.prepare_cached(sql!("run_insert"))?.execute((id, millis(now), attested, max_calls_each))?;
    let handle = RunHandle { run: RunId(conn.last_insert_rowid()), campaign: CampaignId(id) };
    note(conn, handle.run, "run_started", now, None)?;
    Ok(handle)
}

/// Refuses a campaign whose calls are under way at a vendor of another kind than it names now: they could not be
/// followed.
fn refuse_other_vendor(conn: &Connection, campaign: &Campaign) -> Result<(), LedgerError> {
    let elsewhere = conn
        .prepare_cached(sql!("campaign_calls_elsewhere"))?
        .query_row((campaign.name.as_str(), campaign.vendor.kind.name()), |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    match elsewhere {
        Some((was, calls)) => Err(LedgerError::OtherVendor { was, calls: calls.unsigned_abs() }),
        None => Ok(()),
    }
}

/// Assigns every entry to the organisation that calls for its location in the current campaign file. An entry whose
/// location has no caller id goes to the first organisation, whose claim holds it: otherwise no claim would ever see
/// it.
fn assign(conn: &Connection, id: CampaignId, campaign: &Campaign) -> Result<(), LedgerError> {
    if !campaign.locations.are_defined() {
        let only = campaign.practice.organisation.as_str();
        conn.prepare_cached(sql!("entry_assign_all"))?.execute((id.0, only))?;
        return Ok(());
    }
    let locations: Vec<_> =
        campaign.locations.iter().map(|(location, practice)| (location, &practice.organisation)).collect();
    conn.prepare_cached(sql!("entry_assign"))?.execute((id.0, json(&locations)))?;
    let organisations: Vec<_> =
        campaign.locations.organisations().iter().map(|organisation| &organisation.id).collect();
    let first = organisations.first().map(|organisation| organisation.as_str());
    conn.prepare_cached(sql!("entry_assign_others"))?.execute((id.0, first, json(&organisations)))?;
    Ok(())
}

/// The calls that a run's campaign allows for one patient.
pub(super) fn max_calls_each(conn: &Connection, run: RunId) -> Result<u32, LedgerError> {
    Ok(conn.prepare_cached(sql!("run_max_calls_each"))?.query_row([run.0], |row| row.get(0))?)
}

/// The campaign's run before this one whose list was enrolled to its end; 0 if there is none.
pub(super) fn before(conn: &Connection, handle: RunHandle) -> Result<RunId, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("run_before"))?;
    Ok(RunId(statement.query_row((handle.campaign.0, handle.run.0), |row| row.get(0))?))
}

/// The given run, or the newest one, and its campaign's name.
pub(super) fn named_or_newest(conn: &Connection, run: Option<RunId>) -> Result<(RunHandle, CampaignName), LedgerError> {
    conn.prepare_cached(sql!("run_and_campaign"))?
        .query_row([run.map(|run| run.0)], with_campaign)
        .optional()?
        .ok_or(run.map_or(LedgerError::NoRun, LedgerError::NoSuchRun))
}

/// The newest run of the campaign with this name.
pub(super) fn newest_of(conn: &Connection, name: &CampaignName) -> Result<(RunHandle, CampaignName), LedgerError> {
    let found = conn.prepare_cached(sql!("run_newest_of"))?.query_row([name.as_str()], with_campaign).optional()?;
    match found {
        Some(found) => Ok(found),
        None => Err(no_such_campaign(conn, name)?),
    }
}

/// The campaign with this name, if the ledger has it.
pub(super) fn campaign_named(conn: &Connection, name: &CampaignName) -> Result<Option<CampaignId>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("campaign_find"))?;
    Ok(statement.query_row([name.as_str()], |row| row.get(0)).optional()?.map(CampaignId))
}

/// The newest run of a campaign.
pub(super) fn newest_in(conn: &Connection, campaign: CampaignId) -> Result<RunId, LedgerError> {
    Ok(conn.prepare_cached(sql!("run_newest_in"))?.query_row([campaign.0], |row| row.get(0)).map(RunId)?)
}

/// Whether the run has ended, or a later run of the campaign has superseded it.
pub(super) fn has_ended(conn: &Connection, run: RunId) -> Result<bool, LedgerError> {
    Ok(conn.prepare_cached(sql!("run_has_ended"))?.exists([run.0])?)
}

fn with_campaign(row: &Row<'_>) -> rusqlite::Result<(RunHandle, CampaignName)> {
    let handle = RunHandle { run: RunId(row.get("id")?), campaign: CampaignId(row.get("campaign_id")?) };
    Ok((handle, CampaignName::new(row.get::<_, String>("name")?)))
}

fn no_such_campaign(conn: &Connection, name: &CampaignName) -> Result<LedgerError, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("campaign_names"))?;
    let names = statement.query_map([], |row| row.get::<_, String>(0).map(CampaignName::new));
    let names = names?.map(|name| name.map(|name| name.to_string())).collect::<Result<Vec<_>, _>>()?;
    Ok(if names.is_empty() {
        LedgerError::NoRun
    } else {
        LedgerError::NoSuchCampaign { name: name.clone(), known: names.join(", ") }
    })
}

fn find(conn: &Connection, run: Option<RunId>) -> Result<ReopenedRun, LedgerError> {
    conn.prepare_cached(sql!("run_find"))?
        .query_row([run.map(|run| run.0)], |row| Ok(reopened(row)))
        .optional()?
        .ok_or(run.map_or(LedgerError::NoRun, LedgerError::NoSuchRun))?
}

pub(super) fn reopen(conn: &Connection, run: Option<RunId>) -> Result<ReopenedRun, LedgerError> {
    let found = find(conn, run)?;
    conn.prepare_cached(sql!("run_reopen"))?.execute([found.handle.run.0])?;
    Ok(found)
}

fn reopened(row: &Row<'_>) -> Result<ReopenedRun, LedgerError> {
    let directory: String = row.get("directory")?;
    Ok(ReopenedRun {
        handle: RunHandle { run: RunId(row.get("id")?), campaign: CampaignId(row.get("campaign_id")?) },
        source: CampaignSource { text: row.get("source")?, directory: directory.into() },
        listed: row.get("listed")?,
    })
}

pub(super) fn call_results(
    conn: &Connection,
    campaign: CampaignId,
) -> Result<Vec<(OrganisationId, CallResult)>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("call_results_newest"))?;
    let mut rows = statement.query((campaign.0, MAX_CALL_RESULTS))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let result = maybe_outcome_at(row, "outcome")?.map_or(CallResult::Failed, CallResult::Ended);
        found.push((OrganisationId::new(row.get::<_, String>("organisation")?), result));
    }
    found.reverse();
    Ok(found)
}

/// The number of calls that a run has placed, or may have, by organisation.
pub(super) fn placed(conn: &Connection, run: RunId) -> Result<Vec<(OrganisationId, u32)>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_placed"))?;
    let counted =
        statement.query_map([run.0], |row| Ok((OrganisationId::new(row.get::<_, String>(0)?), row.get(1)?)))?;
    Ok(counted.collect::<Result<_, _>>()?)
}

pub(super) fn end(
    conn: &Connection,
    handle: RunHandle,
    ending: Ending,
    why: &str,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    exactly_one(conn.prepare_cached(sql!("run_end"))?.execute((handle.run.0, millis(now), ending.name(), why))?)?;
    note(conn, handle.run, "run_ended", now, Some(ending.name()))
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

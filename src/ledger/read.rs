//! Reading a ledger beside its writer: what `status`, `report` and `explain` show.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::census::{self, Census};
use super::error::LedgerError;
use super::rows::{instant_at, json_at, maybe_instant_at, maybe_outcome_at, maybe_reason_at, phone_at, state_at};
use super::runs::RunHandle;
use super::suppression::{self, SuppressionRow};
use super::{open, sql};
use crate::campaign::Source;
use crate::entry::{Content, ListTally, Outcome, PatientInfo, Reason, State};
use crate::ids::{CampaignId, CampaignName, ConversationId, EntryId, EntryKey, Location, RunId};
use crate::phone::E164;
use crate::policy::Evidence;

/// A view of a ledger as of its last commit. Never writes, never waits for the writer.
pub struct Reader {
    pub(super) conn: Connection,
}

/// A run: its list, its calls, and where its campaign's entries stand now.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// The run and its campaign.
    pub handle: RunHandle,
    /// The campaign's name.
    pub campaign: CampaignName,
    /// The campaign's purpose.
    pub purpose: String,
    /// The campaign's file as it was.
    pub source: Source,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended; `None` while it goes on, or if it was killed.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub ending: Option<String>,
    /// The same in a sentence, with its numbers.
    pub why: Option<String>,
    /// Whether the practice attests consent for the whole list.
    pub attested: bool,
    /// Its list's rows; all 0 until the list is enrolled to its end.
    pub list: ListTally,
    /// What its list changed about the campaign's entries.
    pub changes: ListChanges,
    /// Where the campaign's entries stand now.
    pub census: Census,
    /// What became of the attempts of this run.
    pub attempts: AttemptCounts,
}

/// What a run's list changed about the campaign's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, schemars::JsonSchema)]
pub struct ListChanges {
    /// New to the campaign.
    pub new: u64,
    /// With other texts or data than before.
    pub changed: u64,
    /// With another number than before.
    pub renumbered: u64,
    /// Those of them whose call to the old number was not settled.
    pub renumbered_under_way: u64,
    /// Not on the list any more, and withdrawn.
    pub withdrawn: u64,
}

/// What a run was begun with.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The run.
    pub run: RunId,
    /// Its campaign.
    pub campaign: CampaignName,
    /// The campaign's file.
    pub source: Source,
    /// Entries of its list.
    pub accepted: u64,
}

/// What became of a run's attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, schemars::JsonSchema)]
pub struct AttemptCounts {
    /// Conversations at the vendor: open, ended and lost track of.
    pub placed: u64,
    /// Conversations that are closed.
    pub ended: u64,
    /// Provably not placed, refusals included.
    pub not_placed: u64,
    /// Answer lost, and not found (yet).
    pub unresolved: u64,
}

/// One patient's result: an entry's own patient, or a household member whom its call covers.
#[derive(Clone)]
pub struct EntryRow {
    /// The entry.
    pub entry: EntryId,
    /// The patient's key.
    pub key: EntryKey,
    /// The row of the list.
    pub line: u64,
    /// The patient.
    pub patient: PatientInfo,
    /// The number of the entry.
    pub phone: E164,
    /// Which of the practice's places it is of.
    pub location: Option<Location>,
    /// Covered by the entry's call to another member of the household.
    pub covered_by_household: bool,
    /// Where the entry stands.
    pub state: State,
    /// Why.
    pub reason: Option<Reason>,
    /// What the last conversation meant.
    pub outcome: Option<Outcome>,
    /// Calls placed, or maybe placed.
    pub calls: u64,
    /// When the last of them was.
    pub last_call_at: Option<DateTime<Utc>>,
    /// The last of their conversations.
    pub conversation: Option<ConversationId>,
    /// When the entry is due, if it is ready or waiting.
    pub due_at: Option<DateTime<Utc>>,
}

/// A household member who is on no list any more.
#[derive(Clone)]
pub struct FormerMember {
    /// The entry whose call covered the member.
    pub entry: EntryId,
    /// The member's key.
    pub key: EntryKey,
    /// The row of the earlier list.
    pub line: u64,
    /// The member.
    pub patient: PatientInfo,
}

/// Something that happened to an entry.
#[derive(Debug, Clone, serde::Serialize)]
pub struct EventRow {
    /// When.
    pub at: DateTime<Utc>,
    /// A word for it.
    pub kind: String,
    /// Where the entry stood.
    pub before: Option<State>,
    /// Where it stood then.
    pub after: Option<State>,
    /// The rule.
    pub reason: Option<Reason>,
    /// Evidence.
    pub detail: Option<String>,
    /// What the decision was made from, where it was one.
    pub evidence: Option<Evidence>,
    /// What the conversation meant, where it ended.
    pub outcome: Option<Outcome>,
    /// The vendor's id of the conversation, where it became known.
    pub conversation: Option<ConversationId>,
}

impl Reader {
    /// Opens an existing ledger.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self { conn: open::for_reading(path)? })
    }

    /// What the named or newest run was begun with, without its census, which takes long on a large ledger.
    pub fn begun(&self, run: Option<RunId>) -> Result<Begun, LedgerError> {
        let begun = |row: &Row<'_>| {
            Ok(Begun {
                run: RunId(row.get("id")?),
                campaign: CampaignName::new(row.get::<_, String>("name")?),
                source: Source { text: row.get("source")?, directory: row.get::<_, String>("directory")?.into() },
                accepted: row.get::<_, i64>("accepted")? as u64,
            })
        };
        self.conn
            .prepare_cached(sql!("run_report"))?
            .query_row([run.map(|run| run.0)], begun)
            .optional()?
            .ok_or(run.map_or(LedgerError::NoRun, LedgerError::NoSuchRun))
    }

    /// The run named, or the newest.
    pub fn run(&self, run: Option<RunId>) -> Result<RunReport, LedgerError> {
        self.conn
            .prepare_cached(sql!("run_report"))?
            .query_row([run.map(|run| run.0)], |row| Ok(self.run_report(row)))
            .optional()?
            .ok_or(run.map_or(LedgerError::NoRun, LedgerError::NoSuchRun))?
    }

    fn run_report(&self, row: &Row<'_>) -> Result<RunReport, LedgerError> {
        let count = |column| Ok::<_, LedgerError>(row.get::<_, i64>(column)? as u64);
        let handle = RunHandle { run: RunId(row.get("id")?), campaign: CampaignId(row.get("campaign_id")?) };
        Ok(RunReport {
            handle,
            campaign: CampaignName::new(row.get::<_, String>("name")?),
            purpose: row.get("purpose")?,
            source: Source { text: row.get("source")?, directory: row.get::<_, String>("directory")?.into() },
            started_at: instant_at(row, "started_at")?,
            ended_at: maybe_instant_at(row, "ended_at")?,
            ending: row.get("ending")?,
            why: row.get("ending_detail")?,
            attested: row.get("attested")?,
            list: ListTally {
                read: count("rows_read")?,
                accepted: count("accepted")?,
                rejected: count("rejected")?,
                duplicate: count("duplicate")?,
                merged: count("merged")?,
            },
            changes: list_changes(row)?,
            census: census::take(&self.conn, handle)?,
            attempts: attempt_counts(&self.conn, handle.run)?,
        })
    }

    /// Every patient of the run's campaign, in the order of the list: first those of the run's own list. `see` is called
    /// for one row after the other, so that a large ledger needs no memory.
    pub fn each_entry<E: From<LedgerError>>(
        &self,
        run: RunHandle,
        mut see: impl FnMut(EntryRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self.conn.prepare_cached(sql!("report_rows")).map_err(LedgerError::from)?;
        let mut rows = statement.query((run.campaign.0, run.run.0)).map_err(LedgerError::from)?;
        while let Some(row) = rows.next().map_err(LedgerError::from)? {
            see(entry_row(row)?)?;
        }
        Ok(())
    }

    /// Household members who were on an earlier list and on none since, each as its entry's call covered it.
    pub fn former_members(&self, run: RunHandle) -> Result<Vec<FormerMember>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("former_members"))?;
        let mut rows = statement.query([run.campaign.0])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(FormerMember {
                entry: EntryId(row.get("entry_id")?),
                key: EntryKey::new(row.get::<_, String>("key")?),
                line: row.get::<_, i64>("line")? as u64,
                patient: json_at(row, "patient")?,
            });
        }
        Ok(found)
    }

    /// The newest run of each campaign, the newest one first.
    pub fn newest_runs(&self) -> Result<Vec<RunReport>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("run_of_each_campaign"))?;
        let runs: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        runs.into_iter().map(|run| self.run(Some(RunId(run)))).collect()
    }

    /// What the suppression list says of a number, what has expired included.
    pub fn suppressions_of(&self, phone: E164) -> Result<Vec<SuppressionRow>, LedgerError> {
        suppression::of(&self.conn, phone)
    }

    /// What happened to an entry, in order.
    pub fn events_of(&self, entry: EntryId) -> Result<Vec<EventRow>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("event_of_entry"))?;
        let mut rows = statement.query([entry.0])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            let state =
                |column| row.get::<_, Option<String>>(column).map(|word| word.and_then(|word| State::named(&word)));
            events.push(EventRow {
                at: instant_at(row, "at")?,
                kind: row.get("kind")?,
                before: state("state_before")?,
                after: state("state_after")?,
                reason: maybe_reason_at(row, "reason")?,
                detail: row.get("detail")?,
                evidence: row.get::<_, Option<String>>("evidence")?.and_then(|text| parsed(&text)),
                outcome: maybe_outcome_at(row, "outcome")?,
                conversation: row.get::<_, Option<String>>("conversation")?.map(ConversationId::new),
            });
        }
        Ok(events)
    }
}

fn list_changes(row: &Row<'_>) -> Result<ListChanges, LedgerError> {
    let count = |column| row.get::<_, i64>(column).map(|count| count as u64);
    Ok(ListChanges {
        new: count("entries_new")?,
        changed: count("entries_changed")?,
        renumbered: count("entries_renumbered")?,
        renumbered_under_way: count("entries_renumbered_under_way")?,
        withdrawn: count("entries_withdrawn")?,
    })
}

fn parsed(evidence: &str) -> Option<Evidence> {
    serde_json::from_str(evidence).ok()
}

pub(super) fn attempt_counts(conn: &Connection, run: RunId) -> Result<AttemptCounts, LedgerError> {
    Ok(conn.prepare_cached(sql!("attempt_counts"))?.query_row([run.0], |row| {
        let count = |column| row.get::<_, i64>(column).map(|count| count as u64);
        Ok(AttemptCounts {
            placed: count("placed")?,
            ended: count("ended")?,
            not_placed: count("not_placed")?,
            unresolved: count("unresolved")?,
        })
    })?)
}

fn entry_row(row: &Row<'_>) -> Result<EntryRow, LedgerError> {
    let covered: bool = row.get("covered")?;
    let patient = if covered { json_at(row, "patient")? } else { json_at::<Content>(row, "patient")?.patient };
    let state = state_at(row, "state")?;
    let waits = matches!(state, State::Ready | State::Waiting);
    Ok(EntryRow {
        entry: EntryId(row.get("id")?),
        key: EntryKey::new(row.get::<_, String>("key")?),
        line: row.get::<_, i64>("line")? as u64,
        patient,
        phone: phone_at(row, "phone")?,
        location: row.get::<_, Option<String>>("location")?.map(Location::new),
        covered_by_household: covered,
        state,
        reason: maybe_reason_at(row, "reason")?,
        outcome: maybe_outcome_at(row, "outcome")?,
        calls: row.get::<_, i64>("calls")? as u64,
        last_call_at: maybe_instant_at(row, "last_call_at")?,
        conversation: row.get::<_, Option<String>>("conversation")?.map(ConversationId::new),
        due_at: waits.then(|| instant_at(row, "due_at")).transpose()?,
    })
}

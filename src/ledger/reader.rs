//! Reading a ledger alongside its writer, for `status`, `report` and `explain`.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::codec::{
    instant_at, json_at, maybe_instant_at, maybe_outcome_at, maybe_reason_at, millis, phone_at, state_at,
};
use super::error::LedgerError;
use super::open;
use super::run_results::{AttemptCounts, attempt_counts, calls_in_all, outcomes_of};
use super::runs::{self, RunHandle};
use super::sql::sql;
use super::state_counts::{self, StateCounts};
use super::suppression::{self, SuppressionRow};
use super::worklist_ticks;
use crate::campaign::CampaignSource;
use crate::ending::RecordedEnding;
use crate::entry::{CallContent, ListCounts, Outcome, PatientInfo, Reason, State};
use crate::ids::{CampaignId, CampaignName, ConversationId, EntryId, EntryKey, Location, RunId};
use crate::phone::E164;
use crate::policy::DecisionEvidence;

/// A view of a ledger as of its last commit. Never writes, never waits for the writer.
pub struct LedgerReader {
    pub(super) conn: Connection,
}

/// A run: its list, its calls, and the current states of its campaign's entries.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// The run and its campaign.
    pub handle: RunHandle,
    /// The campaign's name.
    pub campaign: CampaignName,
    /// The campaign's purpose.
    pub purpose: String,
    /// The campaign's file as it was when the run was started.
    pub source: CampaignSource,
    /// When the run started.
    pub started_at: DateTime<Utc>,
    /// When it ended; `None` while it is under way, or if it was killed.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub ending: Option<RecordedEnding>,
    /// How it ended, as a sentence with the numbers that matter.
    pub why: Option<String>,
    /// Whether the practice attests consent for the whole list.
    pub attested: bool,
    /// Its list's rows; all 0 until the list is enrolled to the end.
    pub list: ListCounts,
    /// What its list changed about the campaign's entries.
    pub changes: ListChanges,
    /// The current states of the campaign's entries.
    pub counts: StateCounts,
    /// The results of this run's attempts.
    pub attempts: AttemptCounts,
    /// What the front desk has to do about the campaign's entries and nobody has ticked off.
    pub front_desk: u64,
    /// The outcomes of the calls that this run placed and that have ended: their sum is `attempts.ended`.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// The calls of the campaign up to and with this run.
    pub calls_in_all: u64,
    /// The campaign's run after this one, if there is one: then the entries' states are those before it.
    pub next: Option<RunId>,
}

/// What a run's list changed about the campaign's entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, schemars::JsonSchema)]
pub struct ListChanges {
    /// Entries that are new to the campaign.
    pub new: u64,
    /// Entries with other texts or data than before.
    pub changed: u64,
    /// Entries with another number than before.
    pub renumbered: u64,
    /// Renumbered entries whose call to the old number was not settled.
    pub renumbered_under_way: u64,
    /// Renumbered entries that are called again because the old number had turned out to be wrong.
    pub corrected: u64,
    /// Entries whose call the list forbids now, or for which it requires a person's decision.
    pub excluded: u64,
    /// Entries whose call the list no longer forbids.
    pub allowed: u64,
    /// Entries that are back on the list.
    pub returned: u64,
    /// Entries that were withdrawn because they are no longer on the list.
    pub withdrawn: u64,
}

/// What a run was started with.
#[derive(Debug, Clone)]
pub struct RunStart {
    /// The run.
    pub run: RunId,
    /// Its campaign.
    pub campaign: CampaignName,
    /// The campaign's file.
    pub source: CampaignSource,
    /// The number of its list's accepted rows.
    pub accepted: u64,
}

/// One patient's result: an entry's own patient, or a household member covered by its call.
#[derive(Clone)]
pub struct EntryRow {
    /// The entry.
    pub entry: EntryId,
    /// The patient's key.
    pub key: EntryKey,
    /// The patient's row number in the list.
    pub line: u64,
    /// The patient.
    pub patient: PatientInfo,
    /// The entry's number to dial.
    pub phone: E164,
    /// The entry's location, in a campaign that has locations.
    pub location: Option<Location>,
    /// Whether the patient is covered by the entry's call to another member of the household.
    pub covered_by_household: bool,
    /// The entry's state.
    pub state: State,
    /// The reason for its state, where it has one.
    pub reason: Option<Reason>,
    /// The outcome of the last conversation.
    pub outcome: Option<Outcome>,
    /// The number of calls that were placed, or may have been.
    pub calls: u64,
    /// The time of the last of them.
    pub last_call_at: Option<DateTime<Utc>>,
    /// The conversation of the last of them that has one.
    pub conversation: Option<ConversationId>,
    /// When the entry is due, if it is ready or waiting.
    pub due_at: Option<DateTime<Utc>>,
    /// Whether the suppression list forbids the campaign's calls to the number.
    pub number_suppressed: bool,
    /// The state to which the newest list would take the entry if it were to be called: it is finished, say, or cancelled.
    pub demanded_by_list: Option<State>,
    /// The key of the patient whose entry's call covers this one.
    pub covered_by: Option<EntryKey>,
    /// Whether the patient is on the run's own list.
    pub listed: bool,
    /// The calls that the run itself placed to the entry, or may have.
    pub calls_in_run: u64,
}

/// A household member who is no longer on any list.
#[derive(Clone)]
pub struct FormerMember {
    /// The entry whose call covered the member.
    pub entry: EntryId,
    /// The member's key.
    pub key: EntryKey,
    /// The member's row number in the earlier list.
    pub line: u64,
    /// The member's data.
    pub patient: PatientInfo,
}

/// An event of an entry.
#[derive(Debug, Clone, serde::Serialize)]
pub struct EventRow {
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Its kind, as a machine word.
    pub kind: String,
    /// The entry's state before it.
    pub before: Option<State>,
    /// The entry's state after it.
    pub after: Option<State>,
    /// The rule that decided.
    pub reason: Option<Reason>,
    /// Evidence for people; no patient data.
    pub detail: Option<String>,
    /// What a decision was based on.
    pub evidence: Option<DecisionEvidence>,
    /// The outcome, if the event ended a conversation.
    pub outcome: Option<Outcome>,
    /// The vendor's conversation id, if the event made it known.
    pub conversation: Option<ConversationId>,
}

impl LedgerReader {
    /// Opens an existing ledger.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self { conn: open::for_reading(path)? })
    }

    /// What the given or newest run was started with, without counting entries, which takes long on a large ledger.
    pub fn run_start(&self, run: Option<RunId>) -> Result<RunStart, LedgerError> {
        let run_start = |row: &Row<'_>| {
            Ok(RunStart {
                run: RunId(row.get("id")?),
                campaign: CampaignName::new(row.get::<_, String>("name")?),
                source: CampaignSource {
                    text: row.get("source")?,
                    directory: row.get::<_, String>("directory")?.into(),
                },
                accepted: row.get::<_, i64>("accepted")? as u64,
            })
        };
        self.conn
            .prepare_cached(sql!("run_report"))?
            .query_row([run.map(|run| run.0)], run_start)
            .optional()?
            .ok_or(run.map_or(LedgerError::NoRun, LedgerError::NoSuchRun))
    }

    /// The given run, or the newest one.
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
        let past = PastRun::find(&self.conn, handle)?;
        let (counts, ticked) = match &past {
            Some(past) => (
                state_counts::count_before(&self.conn, handle, past.before)?,
                worklist_ticks::ticked_before(&self.conn, handle, past.before)?,
            ),
            None => (state_counts::count(&self.conn, handle)?, worklist_ticks::ticked(&self.conn, handle.campaign)?),
        };
        Ok(RunReport {
            front_desk: counts.work().saturating_sub(ticked),
            handle,
            campaign: CampaignName::new(row.get::<_, String>("name")?),
            purpose: row.get("purpose")?,
            source: CampaignSource { text: row.get("source")?, directory: row.get::<_, String>("directory")?.into() },
            started_at: instant_at(row, "started_at")?,
            ended_at: maybe_instant_at(row, "ended_at")?,
            ending: row.get::<_, Option<String>>("ending")?.map(RecordedEnding::from_word),
            why: row.get("ending_detail")?,
            attested: row.get("attested")?,
            list: ListCounts {
                read: count("rows_read")?,
                accepted: count("accepted")?,
                rejected: count("rejected")?,
                duplicate: count("duplicate")?,
                merged: count("merged")?,
            },
            changes: list_changes(row)?,
            counts,
            attempts: attempt_counts(&self.conn, handle.run)?,
            outcomes: outcomes_of(&self.conn, handle.run)?,
            calls_in_all: calls_in_all(&self.conn, handle)?,
            next: past.map(|past| past.next),
        })
    }

    /// Calls `on_row` for every patient of the run's campaign, in list order, those of the run's own list first. Rows
    /// are streamed, so that a large ledger needs no memory. `now` decides which suppressions have expired.
    pub fn each_entry<E: From<LedgerError>>(
        &self,
        run: RunHandle,
        now: DateTime<Utc>,
        mut on_row: impl FnMut(EntryRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self.conn.prepare_cached(sql!("report_rows")).map_err(LedgerError::from)?;
        let mut rows = statement.query((run.campaign.0, run.run.0, millis(now))).map_err(LedgerError::from)?;
        while let Some(row) = rows.next().map_err(LedgerError::from)? {
            on_row(entry_row(row)?)?;
        }
        Ok(())
    }

    /// Calls `on_row` for every patient of the run's campaign, once each, in list order, those of the run's own list first:
    /// as of the run's end, or, for an earlier run, as of the next one's start; suppressions as of `now`. Rows are streamed.
    pub fn each_patient<E: From<LedgerError>>(
        &self,
        run: RunHandle,
        now: DateTime<Utc>,
        mut on_row: impl FnMut(EntryRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let before = PastRun::find(&self.conn, run)?.map(|past| past.before);
        let mut statement = self.conn.prepare_cached(sql!("report_patients")).map_err(LedgerError::from)?;
        let mut rows = statement.query((run.campaign.0, run.run.0, before, millis(now))).map_err(LedgerError::from)?;
        while let Some(row) = rows.next().map_err(LedgerError::from)? {
            on_row(patient_row(row)?)?;
        }
        Ok(())
    }

    /// The newest run of a campaign; `None` if the ledger does not have the campaign.
    pub fn newest_run_of(&self, campaign: &CampaignName) -> Result<Option<RunReport>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("run_newest_of"))?;
        let run: Option<i64> = statement.query_row([campaign.as_str()], |row| row.get(0)).optional()?;
        run.map(|run| self.run(Some(RunId(run)))).transpose()
    }

    /// Household members who were on an earlier list and on none since, with the entry whose call covered them.
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

    /// The newest run of each campaign, newest first.
    pub fn newest_runs(&self) -> Result<Vec<RunReport>, LedgerError> {
        self.newest_run_ids()?.into_iter().map(|run| self.run(Some(run))).collect()
    }

    /// What the newest run of each campaign was started with, newest first; without counting entries.
    pub fn newest_run_of_each_campaign(&self) -> Result<Vec<RunStart>, LedgerError> {
        self.newest_run_ids()?.into_iter().map(|run| self.run_start(Some(run))).collect()
    }

    fn newest_run_ids(&self) -> Result<Vec<RunId>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("run_of_each_campaign"))?;
        Ok(statement.query_map([], |row| row.get(0).map(RunId))?.collect::<Result<_, _>>()?)
    }

    /// The later of `now` and the newest event: a rehearsal's time may be ahead of the machine's.
    pub fn not_before_newest(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, LedgerError> {
        Ok(runs::newest_event(&self.conn)?.map_or(now, |newest| newest.max(now)))
    }

    /// The suppressions of a number, expired ones included.
    pub fn suppressions_of(&self, phone: E164) -> Result<Vec<SuppressionRow>, LedgerError> {
        suppression::for_number(&self.conn, phone)
    }

    /// The events of an entry, oldest first.
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
        corrected: count("entries_corrected")?,
        excluded: count("entries_excluded")?,
        allowed: count("entries_allowed")?,
        returned: count("entries_returned")?,
        withdrawn: count("entries_withdrawn")?,
    })
}

fn parsed(evidence: &str) -> Option<DecisionEvidence> {
    serde_json::from_str(evidence).ok()
}

fn entry_row(row: &Row<'_>) -> Result<EntryRow, LedgerError> {
    let covered: bool = row.get("covered")?;
    let patient = if covered { json_at(row, "patient")? } else { json_at::<CallContent>(row, "patient")?.patient };
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
        number_suppressed: row.get("number_suppressed")?,
        demanded_by_list: row.get::<_, Option<String>>("demanded_by_list")?.and_then(|word| State::named(&word)),
        covered_by: row.get::<_, Option<String>>("covered_by")?.map(EntryKey::new),
        listed: row.get("listed")?,
        calls_in_run: row.get::<_, i64>("calls_in_run")? as u64,
    })
}

/// A row of `report_patients`: a former member of a household, whom no list has any more, is withdrawn.
fn patient_row(row: &Row<'_>) -> Result<EntryRow, LedgerError> {
    let is_former: bool = row.get("former")?;
    let found = entry_row(row)?;
    Ok(if is_former {
        let (state, reason) = (State::Withdrawn, Some(Reason::Unlisted));
        EntryRow { covered_by_household: false, state, reason, due_at: None, ..found }
    } else {
        found
    })
}

/// A run that is not its campaign's newest.
struct PastRun {
    /// The campaign's run after it.
    next: RunId,
    /// The first event of that one: what came before is what this run left.
    before: i64,
}

impl PastRun {
    fn find(conn: &Connection, run: RunHandle) -> Result<Option<Self>, LedgerError> {
        let mut statement = conn.prepare_cached(sql!("run_after"))?;
        let found = statement.query_row((run.campaign.0, run.run.0), |row| {
            Ok(Self { next: RunId(row.get("id")?), before: row.get("first_event")? })
        });
        Ok(found.optional()?)
    }
}

//! Claiming: one transaction asks the rules and writes the intents, so that nothing can change between the two.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row};

use super::call_watermark::{self, CallerId};
use super::codec::{
    attempt_state_at, instant_at, json, json_at, maybe_instant_at, maybe_outcome_at, millis, phone_at, state_at,
};
use super::error::LedgerError;
use super::household::{self, CoveredBy};
use super::runs::RunHandle;
use super::sql::sql;
use super::transition::Transition;
use super::{plan_scope, suppression};
use crate::campaign::{Campaign, Caps, Practice};
use crate::entry::{CallContent, CalledPartyZones, Fact, Outcome, Reason, State};
use crate::ids::{AttemptId, EntryId, EntryKey, Location, OrganisationId};
use crate::phone::E164;
use crate::policy::{
    self, CallFacts, ContactResult, Decision, DecisionEvidence, Hours, NumberHistory, PastCall, RedialFacts,
    dialing_hours,
};

/// Due entries examined in one transaction: enough to get past many that may not be called, few enough that replies
/// queued behind it do not wait long.
const EXAMINED: u32 = 256;

/// Due entries examined in addition to those requested, in case some may not be called.
const SPARE: u32 = 8;

/// Which of a campaign's entries to claim: one organisation's, except for some locations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimScope {
    /// The organisation whose request budget the calls use.
    pub organisation: OrganisationId,
    /// Locations whose entries are left untouched, because the vendor blocks their caller id.
    pub excluded_locations: Vec<Location>,
}

impl ClaimScope {
    /// All entries of an organisation.
    #[must_use]
    pub fn for_organisation(organisation: OrganisationId) -> Self {
        Self { organisation, excluded_locations: Vec::new() }
    }

    /// The excluded locations as the statements expect them.
    pub(super) fn excluded_as_json(&self) -> String {
        json(&self.excluded_locations)
    }
}

/// What to claim.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// The run that claims.
    pub run: RunHandle,
    /// The campaign, with its rules.
    pub campaign: Arc<Campaign>,
    /// Which entries.
    pub scope: ClaimScope,
    /// The instant at which the rules are evaluated.
    pub now: DateTime<Utc>,
    /// The maximum number of attempts to authorise.
    pub limit: u32,
}

/// The result of a claim.
#[derive(Debug, Clone, Default)]
pub struct ClaimResult {
    /// Attempts whose intents are on stable storage: each must now be submitted once.
    pub claimed: Vec<ClaimedAttempt>,
    /// Entries that were due but may not be called now.
    pub deferred: Vec<Deferral>,
    /// Who has paused the run; `None` if it is not paused. A paused run claims nothing.
    pub paused_by: Option<String>,
}

/// An attempt whose intent is on stable storage.
#[derive(Debug, Clone)]
pub struct ClaimedAttempt {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its entry.
    pub entry: EntryId,
    /// The organisation whose request budget the call uses.
    pub organisation: OrganisationId,
    /// The number that calls.
    pub from: E164,
    /// The number to dial.
    pub to: E164,
    /// The ordinal of the call among those to this entry, if it is placed: 1, 2, …
    pub number: u32,
    /// When the intent was committed.
    pub intent_at: DateTime<Utc>,
    /// The instant from which the call may no longer be dialled.
    pub allowed_until: DateTime<Utc>,
    /// What the call says.
    pub content: CallContent,
}

/// An entry that was due but may not be called now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferral {
    /// The entry.
    pub entry: EntryId,
    /// Its new state.
    pub state: State,
    /// The rule that decided.
    pub reason: Reason,
    /// When it is due again, if it waits.
    pub until: Option<DateTime<Utc>>,
}

struct DueEntry {
    entry: EntryId,
    key: EntryKey,
    state: State,
    organisation: OrganisationId,
    location: Option<Location>,
    phone: E164,
    zones: CalledPartyZones,
    not_after: Option<DateTime<Utc>>,
}

pub(super) fn claim(conn: &Connection, request: &ClaimRequest) -> Result<ClaimResult, LedgerError> {
    let paused_by = conn.prepare_cached(sql!("run_paused"))?.query_row([request.run.run.0], |row| row.get(0))?;
    let mut claims = ClaimResult { paused_by, ..ClaimResult::default() };
    if claims.paused_by.is_some() {
        return Ok(claims);
    }
    let mut left = EXAMINED.max(request.limit);
    loop {
        let wanted = request.limit.saturating_sub(claims.claimed.len() as u32);
        // Entries that were claimed or deferred are no longer due, so the query returns the next ones.
        let limit = wanted.saturating_add(SPARE).min(left);
        if wanted == 0 || limit == 0 {
            break;
        }
        let found = due_entries(conn, request, limit)?;
        let is_last = found.len() < limit as usize;
        left -= found.len() as u32;
        for due in found {
            if claims.claimed.len() < request.limit as usize {
                claim_or_defer(conn, request, due, &mut claims)?;
            }
        }
        if is_last {
            break;
        }
    }
    advance_watermarks(conn, request, &claims)?;
    Ok(claims)
}

/// Authorises a call to a due entry, or defers the entry, as the rules decide.
fn claim_or_defer(
    conn: &Connection,
    request: &ClaimRequest,
    due: DueEntry,
    claims: &mut ClaimResult,
) -> Result<(), LedgerError> {
    let Some(practice) = request.campaign.practice_at(due.location.as_ref()) else {
        claims.deferred.push(hold_without_caller_id(conn, request, &due)?);
        return Ok(());
    };
    let mut history = history(conn, due.phone, &request.campaign.calling.caps)?;
    let covered = household::covered(conn, request.run.campaign, &due.key)?;
    history.unsettled |= covered.unsettled;
    let (decision, evidence) = decide(conn, request, practice, &due, &history, covered)?;
    let (fact, reason, until) = match decision {
        Decision::Call { until } => {
            claims.claimed.push(authorise(conn, request, practice, due, &history, until, &evidence)?);
            return Ok(());
        }
        Decision::Wait { until, reason } => (Fact::Deferred { until, reason }, reason, Some(until)),
        Decision::Hold(reason) => (Fact::SetAside { reason }, reason, None),
        Decision::Never(reason) => (Fact::Barred { reason }, reason, None),
        Decision::TooLate => (Fact::TooLate, Reason::NotAfter, None),
    };
    let state = defer(conn, request, &due, &fact, Some(&evidence))?;
    claims.deferred.push(Deferral { entry: due.entry, state, reason, until });
    Ok(())
}

/// Advances the watermark of each caller id that calls now: the ledger holds all of its calls up to this instant.
fn advance_watermarks(conn: &Connection, request: &ClaimRequest, claims: &ClaimResult) -> Result<(), LedgerError> {
    let mut advanced = BTreeSet::new();
    for ClaimedAttempt { organisation, from, .. } in &claims.claimed {
        if advanced.insert(*from) {
            let caller_id = CallerId { organisation: organisation.clone(), from: *from };
            call_watermark::advance(conn, &caller_id, request.now)?;
        }
    }
    Ok(())
}

/// Holds an entry whose location no longer has a caller id: a person decides.
fn hold_without_caller_id(conn: &Connection, request: &ClaimRequest, due: &DueEntry) -> Result<Deferral, LedgerError> {
    let reason = Reason::NoLine;
    let state = defer(conn, request, due, &Fact::SetAside { reason }, None)?;
    Ok(Deferral { entry: due.entry, state, reason, until: None })
}

/// The first due entries, at most `limit`.
fn due_entries(conn: &Connection, request: &ClaimRequest, limit: u32) -> Result<Vec<DueEntry>, LedgerError> {
    let RunHandle { run, campaign } = request.run;
    let (mut statement, owner) = if plan_scope::confines(conn, run)? {
        (conn.prepare_cached(sql!("planned_due"))?, run.0)
    } else {
        (conn.prepare_cached(sql!("entry_due"))?, campaign.0)
    };
    let (organisation, now) = (request.scope.organisation.as_str(), millis(request.now));
    let mut rows = statement.query((owner, organisation, now, limit, request.scope.excluded_as_json()))?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        due.push(due_entry(row)?);
    }
    Ok(due)
}

fn due_entry(row: &Row<'_>) -> Result<DueEntry, LedgerError> {
    Ok(DueEntry {
        entry: EntryId(row.get("id")?),
        key: EntryKey::new(row.get::<_, String>("key")?),
        state: state_at(row, "state")?,
        organisation: OrganisationId::new(row.get::<_, String>("organisation")?),
        location: row.get::<_, Option<String>>("location")?.map(Location::new),
        phone: phone_at(row, "phone")?,
        zones: json_at(row, "zones")?,
        not_after: maybe_instant_at(row, "not_after")?,
    })
}

fn decide(
    conn: &Connection,
    request: &ClaimRequest,
    practice: &Practice,
    due: &DueEntry,
    history: &NumberHistory,
    covered: CoveredBy,
) -> Result<(Decision, DecisionEvidence), LedgerError> {
    let Campaign { calling, redial, .. } = &*request.campaign;
    let (calls, last) = calls_of(conn, due.entry, due.phone)?;
    let facts = CallFacts {
        hours: &Hours::for_entry(calling, &practice.zone, due.phone, &due.zones),
        caps: &calling.caps,
        state_cap: dialing_hours::state_cap(calling, due.phone, &due.zones),
        redial: Some(RedialFacts { rules: redial, zone: &practice.zone, calls, last }),
        history,
        suppressed: suppression::forbids(conn, due.phone, request.campaign.purpose, request.now)?,
        spoken_for: covered.spoken_for,
        not_after: due.not_after,
    };
    Ok((policy::decide(&facts, request.now), DecisionEvidence::gather(&facts, calling, &due.zones, request.now)))
}

/// The number of calls to an entry that were placed, or may have been, and the time of the last one. That time ignores
/// calls to a number other than `phone` that turned out wrong.
pub(super) fn calls_of(
    conn: &Connection,
    entry: EntryId,
    phone: E164,
) -> Result<(u32, Option<DateTime<Utc>>), LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_calls_of"))?;
    let (calls, last) = statement
        .query_row((entry.0, phone.expose()), |row| Ok((row.get("calls")?, maybe_instant_at(row, "last_at"))))?;
    Ok((calls, last?))
}

/// The calls to a number from every campaign. A call that may have been placed counts as placed.
pub(super) fn history(conn: &Connection, phone: E164, caps: &Caps) -> Result<NumberHistory, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_history"))?;
    let mut rows = statement.query([phone.expose()])?;
    let mut history = NumberHistory::default();
    while let Some(row) = rows.next()? {
        history.unsettled |= attempt_state_at(row, "state")?.is_in_flight();
        let reached = match maybe_outcome_at(row, "outcome")?.map(|outcome: Outcome| caps.failed.contains(&outcome)) {
            Some(false) => ContactResult::Somebody,
            Some(true) => ContactResult::Nobody,
            None => ContactResult::NotKnown,
        };
        history.placements.push(PastCall { at: instant_at(row, "placed_at")?, reached });
    }
    // Sorted here, because SQLite would open a sorter for every query and few numbers have two calls.
    history.placements.sort_by_key(|placement| placement.at);
    Ok(history)
}

fn authorise(
    conn: &Connection,
    request: &ClaimRequest,
    practice: &Practice,
    due: DueEntry,
    history: &NumberHistory,
    allowed_until: DateTime<Utc>,
    evidence: &DecisionEvidence,
) -> Result<ClaimedAttempt, LedgerError> {
    let caller_id = CallerId { organisation: due.organisation.clone(), from: practice.from_number };
    let number = evidence.calls_to_entry + 1;
    let attempt = insert_attempt(conn, request.run, &caller_id, due.entry, due.phone, number, request.now)?;
    household::note(conn, attempt, due.entry)?;
    let detail = format!("call {number}; {} earlier calls to the number", history.placements.len());
    Transition {
        run: request.run.run,
        entry: due.entry,
        attempt: Some(attempt),
        at: request.now,
        from: due.state,
        fact: &Fact::Claimed,
        detail: Some(&detail),
    }
    .apply_with(conn, Some(evidence))?;
    let content = conn
        .prepare_cached(sql!("entry_content"))?
        .query_row([due.entry.0], |row| Ok(json_at::<CallContent>(row, "content")))??;
    let (DueEntry { entry, phone: to, .. }, CallerId { organisation, from }) = (due, caller_id);
    let intent_at = request.now;
    Ok(ClaimedAttempt { attempt, entry, organisation, from, to, number, intent_at, allowed_until, content })
}

/// Inserts an attempt in state `submitting`; `number` is its ordinal among its entry's calls.
pub(super) fn insert_attempt(
    conn: &Connection,
    run: RunHandle,
    caller_id: &CallerId,
    entry: EntryId,
    to: E164,
    number: u32,
    intent_at: DateTime<Utc>,
) -> Result<AttemptId, LedgerError> {
    conn.prepare_cached(sql!("attempt_insert"))?.execute((
        entry.0,
        run.run.0,
        number,
        caller_id.organisation.as_str(),
        caller_id.from.expose(),
        to.expose(),
        millis(intent_at),
    ))?;
    Ok(AttemptId(conn.last_insert_rowid()))
}

fn defer(
    conn: &Connection,
    request: &ClaimRequest,
    due: &DueEntry,
    fact: &Fact,
    evidence: Option<&DecisionEvidence>,
) -> Result<State, LedgerError> {
    let (run, at, from) = (request.run.run, request.now, due.state);
    Transition { run, entry: due.entry, attempt: None, at, from, fact, detail: None }.apply_with(conn, evidence)
}

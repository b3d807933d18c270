//! Claiming: one transaction asks the rules and writes the intents, so that nothing can change between the two.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row};

use super::call_facts::{self, CallSubject};
use super::call_watermark::{self, CallerId};
use super::codec::{json, json_at, maybe_instant_at, millis, phone_at, state_at};
use super::error::LedgerError;
use super::household;
use super::pause::{self, Pause};
use super::plan_scope;
use super::runs::RunHandle;
use super::sql::sql;
use super::transition::Transition;
use crate::campaign::Campaign;
use crate::entry::{CallContent, CalledPartyZones, Fact, Reason, State};
use crate::ids::{AttemptId, EntryId, EntryKey, Location, OrganisationId};
use crate::phone::E164;
use crate::policy::{self, CallFacts, CallRules, Decision, DecisionEvidence};
use crate::wording::counted;

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
    /// The pause of the campaign, if it is paused: then nothing is claimed.
    pub pause: Option<Pause>,
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
    let pause = pause::in_force(conn, request.run.campaign, request.now)?;
    let mut claims = ClaimResult { pause, ..ClaimResult::default() };
    if claims.pause.is_some() {
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
                claim_or_defer(conn, request, &due, &mut claims)?;
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
    due: &DueEntry,
    claims: &mut ClaimResult,
) -> Result<(), LedgerError> {
    let ClaimRequest { campaign, now, .. } = request;
    let practice = campaign.practice_at(due.location.as_ref());
    let rules = practice.map(|practice| CallRules::new(campaign, practice, due.phone, &due.zones));
    let covers = household::members(conn, due.entry)?;
    let subject = CallSubject {
        campaign: Some(request.run.campaign),
        purpose: campaign.purpose,
        entry: Some(due.entry),
        key: &due.key,
        covers: &covers,
        phone: due.phone,
        not_after: due.not_after,
        rules: rules.as_ref(),
    };
    let facts = call_facts::gather(conn, subject, *now)?;
    let evidence = DecisionEvidence::new(&facts, &campaign.calling, &due.zones, *now);
    let (fact, reason, until) = match policy::decide(&facts, *now) {
        Decision::Call { from, until } => {
            let permission = Permission { facts: &facts, from, until, evidence: evidence.as_ref() };
            claims.claimed.push(authorise(conn, request, due, permission)?);
            return Ok(());
        }
        Decision::Wait { until, reason } => (Fact::Deferred { until, reason }, reason, Some(until)),
        Decision::Hold(reason) => (Fact::SetAside { reason }, reason, None),
        Decision::Never(reason) => (Fact::Barred { reason }, reason, None),
        Decision::Settled(outcome) => (Fact::SettledBefore { outcome }, Reason::SpokenFor, None),
        Decision::TooLate(reason) => (Fact::TooLate { reason }, reason, None),
    };
    let (run, entry, from) = (request.run.run, due.entry, due.state);
    let state = Transition { run, entry, attempt: None, at: *now, from, fact: &fact, detail: None }
        .apply_with(conn, evidence.as_ref())?;
    claims.deferred.push(Deferral { entry, state, reason, until });
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

/// A call that every rule allows.
#[derive(Clone, Copy)]
struct Permission<'f> {
    facts: &'f CallFacts<'f>,
    /// The number that calls.
    from: E164,
    /// The instant from which it is no longer allowed.
    until: DateTime<Utc>,
    evidence: Option<&'f DecisionEvidence>,
}

fn authorise(
    conn: &Connection,
    request: &ClaimRequest,
    due: &DueEntry,
    permission: Permission<'_>,
) -> Result<ClaimedAttempt, LedgerError> {
    let &DueEntry { entry, phone: to, .. } = due;
    let Permission { facts, from, until: allowed_until, evidence } = permission;
    let caller_id = CallerId { organisation: due.organisation.clone(), from };
    let number = facts.calls + 1;
    let attempt = insert_attempt(conn, request.run, &caller_id, entry, to, number, request.now)?;
    if !facts.is_alone {
        household::note(conn, attempt, entry)?;
    }
    let earlier = facts.history.placements.len() as u64;
    let detail = format!("call {number}; {} to the number", counted(earlier, "earlier call", "earlier calls"));
    Transition {
        run: request.run.run,
        entry,
        attempt: Some(attempt),
        at: request.now,
        from: due.state,
        fact: &Fact::Claimed,
        detail: Some(&detail),
    }
    .apply_with(conn, evidence)?;
    let content = conn
        .prepare_cached(sql!("entry_content"))?
        .query_row([entry.0], |row| Ok(json_at::<CallContent>(row, "content")))??;
    let content = if facts.is_alone { content.without_household() } else { content };
    let CallerId { organisation, from } = caller_id;
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

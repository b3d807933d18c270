//! Cancelling the entries of a campaign or of a run's list, and taking that back. A call under way is followed to its
//! end, and no further call follows it: its entry is marked, and [`super::transition`] cancels it as soon as it could
//! be called again.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};

use super::codec::{exactly_one, maybe_reason_at, millis, state_at};
use super::error::LedgerError;
use super::runs::RunHandle;
use super::sql::sql;
use super::transition::Transition;
use super::{deferred_list_change, purged_content};
use crate::entry::{EntryStatus, Fact, Reason, State};
use crate::ids::{CampaignId, EntryId, EntryKey, RunId};

/// Entries that are cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CancelledEntries {
    /// By the state that they had.
    pub by_state: BTreeMap<State, u64>,
    /// Not among them: those with a conversation that a person has to read first.
    pub in_doubt: u64,
}

impl CancelledEntries {
    /// The number of entries whose state `is` says.
    pub fn count(&self, is: impl Fn(State) -> bool) -> u64 {
        self.by_state.iter().filter(|(state, _)| is(**state)).map(|(_, count)| count).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_state.is_empty() && self.in_doubt == 0
    }
}

/// Entries whose cancellation is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReinstatedEntries {
    /// Those that are no longer cancelled, by their state now.
    pub reinstated: BTreeMap<State, u64>,
    /// Those that stay cancelled, because their texts were purged.
    pub purged: u64,
}

/// The entries of a campaign, or of one run's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CancelScope {
    pub(super) campaign: CampaignId,
    /// The run that was named.
    pub(super) run: Option<RunId>,
}

/// Who decides, when, and the run to whose events the decision belongs.
#[derive(Clone, Copy)]
pub(super) struct Decision<'a> {
    pub(super) by: &'a str,
    pub(super) at: DateTime<Utc>,
    pub(super) run: RunId,
}

/// An entry that may be cancelled.
struct Candidate {
    entry: EntryId,
    state: State,
    reason: Option<Reason>,
    /// A person has to read a conversation of it: only that decides about it and its number.
    is_in_doubt: bool,
}

/// Whether anything is cancelled in the campaign.
pub(super) fn has_any(conn: &Connection, campaign: CampaignId) -> Result<bool, LedgerError> {
    Ok(conn.prepare_cached(sql!("cancellation_exists"))?.query_row([campaign.0], |row| row.get(0))?)
}

/// The cancellation of an entry in whose household a patient was.
struct HouseholdCancellation {
    decision: i64,
    run: Option<i64>,
    at: i64,
    by: String,
}

fn of_household(
    conn: &Connection,
    campaign: CampaignId,
    key: &EntryKey,
) -> Result<Option<HouseholdCancellation>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("cancellation_of_household"))?;
    let read = |row: &Row<'_>| {
        Ok(HouseholdCancellation {
            decision: row.get("decision")?,
            run: row.get("run_id")?,
            at: row.get("at")?,
            by: row.get("decided_by")?,
        })
    };
    Ok(statement.query_row((campaign.0, key.as_str()), read).optional()?)
}

/// Whether the household that a patient was in is cancelled.
pub(super) fn is_with_household(conn: &Connection, campaign: CampaignId, key: &EntryKey) -> Result<bool, LedgerError> {
    Ok(has_any(conn, campaign)? && of_household(conn, campaign, key)?.is_some())
}

/// The status of a new entry with this key: cancelled with the household that its patient was in.
pub(super) fn status_with_household(
    conn: &Connection,
    campaign: CampaignId,
    key: &EntryKey,
    status: EntryStatus,
) -> Result<EntryStatus, LedgerError> {
    let is_cancelled = status.state.is_ended_by_cancel() && is_with_household(conn, campaign, key)?;
    let cancelled = EntryStatus { state: State::Cancelled, reason: Some(Reason::Operator), ..status };
    Ok(if is_cancelled { cancelled } else { status })
}

/// Cancels a new entry if its patient was in the household of a cancelled entry: a household that a newer list divides is
/// not called either. What takes the household's cancellation back takes this one back, too.
pub(super) fn follow_household(
    conn: &Connection,
    run: RunHandle,
    entry: EntryId,
    key: &EntryKey,
    status: EntryStatus,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let Some(cancellation) = of_household(conn, run.campaign, key)? else { return Ok(()) };
    let HouseholdCancellation { decision: number, run: named, at, by } = cancellation;
    let is_ended = status.state.is_ended_by_cancel();
    conn.prepare_cached(sql!("cancellation_add"))?.execute((
        entry.0,
        number,
        named,
        at,
        &by,
        is_ended.then(|| status.state.name()),
        status.reason.filter(|_| is_ended).map(Reason::name),
    ))?;
    if is_ended {
        let decision = Decision { by: &by, at: now, run: run.run };
        advance(conn, decision, entry, status.state, &Fact::CancelledByOperator)?;
    }
    Ok(())
}

/// The entries that cancelling would concern, by their state.
pub(super) fn preview(conn: &Connection, scope: CancelScope) -> Result<CancelledEntries, LedgerError> {
    Ok(by_state(&candidates(conn, scope)?))
}

/// Cancels the scope's entries. Those that cannot be called now keep their state and are marked.
pub(super) fn cancel(
    conn: &Connection,
    scope: CancelScope,
    decision: Decision<'_>,
) -> Result<CancelledEntries, LedgerError> {
    let candidates = candidates(conn, scope)?;
    let number: i64 = conn.prepare_cached(sql!("cancellation_next"))?.query_row([], |row| row.get(0))?;
    for candidate in &candidates {
        cancel_one(conn, number, scope, decision, candidate)?;
    }
    Ok(by_state(&candidates))
}

fn by_state(candidates: &[Candidate]) -> CancelledEntries {
    let mut counts = CancelledEntries::default();
    for candidate in candidates {
        if candidate.is_in_doubt {
            counts.in_doubt += 1;
        } else {
            *counts.by_state.entry(candidate.state).or_default() += 1;
        }
    }
    counts
}

fn candidates(conn: &Connection, scope: CancelScope) -> Result<Vec<Candidate>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("cancellation_scope"))?;
    let mut rows = statement.query((scope.campaign.0, scope.run.map(|run| run.0)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (entry, state) = (EntryId(row.get("id")?), state_at(row, "state")?);
        let (reason, is_in_doubt) = (maybe_reason_at(row, "reason")?, row.get("in_doubt")?);
        found.push(Candidate { entry, state, reason, is_in_doubt });
    }
    Ok(found)
}

fn cancel_one(
    conn: &Connection,
    number: i64,
    scope: CancelScope,
    decision: Decision<'_>,
    candidate: &Candidate,
) -> Result<(), LedgerError> {
    let &Candidate { entry, state, reason, is_in_doubt } = candidate;
    let is_ended = state.is_ended_by_cancel() && !is_in_doubt;
    let before = is_ended.then_some(state);
    conn.prepare_cached(sql!("cancellation_add"))?.execute((
        entry.0,
        number,
        scope.run.map(|run| run.0),
        millis(decision.at),
        decision.by,
        before.map(State::name),
        reason.filter(|_| is_ended).map(Reason::name),
    ))?;
    if is_ended {
        advance(conn, decision, entry, state, &Fact::CancelledByOperator)?;
    } else if state.has_call_to_settle() || is_in_doubt {
        note(conn, decision, entry, "to_be_cancelled")?;
    }
    Ok(())
}

/// What is taken back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Undone {
    /// Everything that was cancelled in a campaign, or by naming a run.
    Scope(CancelScope),
    /// What one `cancel` cancelled.
    Newest {
        /// Its number.
        decision: i64,
        /// Its campaign.
        campaign: CampaignId,
    },
}

/// Takes back what was cancelled. What a newer list said of an entry meanwhile holds.
pub(super) fn undo(
    conn: &Connection,
    undone: Undone,
    decision: Decision<'_>,
) -> Result<ReinstatedEntries, LedgerError> {
    let mut counts = ReinstatedEntries::default();
    for cancelled in undoable(conn, undone)? {
        if cancelled.is_purged {
            counts.purged += 1;
            continue;
        }
        exactly_one(conn.prepare_cached(sql!("cancellation_remove"))?.execute([cancelled.entry.0])?)?;
        let state = reinstate(conn, &cancelled, decision)?;
        if state != State::Cancelled {
            *counts.reinstated.entry(state).or_default() += 1;
        }
    }
    Ok(counts)
}

/// The campaign and the number of the newest `cancel` of which something can be taken back, if there is any.
pub(super) fn newest(conn: &Connection) -> Result<Option<(CampaignId, i64)>, LedgerError> {
    let read = |row: &Row<'_>| Ok((CampaignId(row.get("campaign_id")?), row.get("decision")?));
    Ok(conn.prepare_cached(sql!("cancellation_newest"))?.query_row([purged_content::empty()], read).optional()?)
}

/// An entry whose cancellation may be taken back.
struct Cancelled {
    entry: EntryId,
    state: State,
    /// What it was before; `None`: it was not callable and still has its state, or a person settled it since.
    before: Option<(State, Option<Reason>)>,
    is_purged: bool,
}

fn undoable(conn: &Connection, undone: Undone) -> Result<Vec<Cancelled>, LedgerError> {
    let (campaign, run, decision) = match undone {
        Undone::Scope(CancelScope { campaign, run }) => (campaign, run.map(|run| run.0), None),
        Undone::Newest { decision, campaign } => (campaign, None, Some(decision)),
    };
    let mut statement = conn.prepare_cached(sql!("cancellation_undoable"))?;
    let mut rows = statement.query((campaign.0, run, decision, purged_content::empty()))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (state, reason) = (state_at(row, "state")?, maybe_reason_at(row, "reason_before")?);
        let before = row.get::<_, Option<String>>("state_before")?.and_then(|word| State::named(&word));
        found.push(Cancelled {
            entry: EntryId(row.get("id")?),
            state,
            before: before.map(|before| (before, reason)),
            is_purged: state == State::Cancelled && row.get("purged")?,
        });
    }
    Ok(found)
}

/// Brings an entry back to what it was, and applies what the lists said meanwhile. Returns its state.
fn reinstate(conn: &Connection, cancelled: &Cancelled, decision: Decision<'_>) -> Result<State, LedgerError> {
    let &Cancelled { entry, state, .. } = cancelled;
    let Some((to, reason)) = cancelled.before.filter(|_| state == State::Cancelled) else {
        note(conn, decision, entry, "cancellation_undone")?;
        return Ok(state);
    };
    let restored = advance(conn, decision, entry, state, &Fact::Reinstated { to, reason })?;
    deferred_list_change::apply_to_callable(conn, decision.run, entry, restored, decision.at)
}

fn advance(
    conn: &Connection,
    decision: Decision<'_>,
    entry: EntryId,
    from: State,
    fact: &Fact,
) -> Result<State, LedgerError> {
    let Decision { by, at, run } = decision;
    let detail = format!("decided by {by}");
    Transition { run, entry, attempt: None, at, from, fact, detail: Some(&detail) }.apply(conn)
}

/// Stores the decision about an entry whose state it does not change.
fn note(conn: &Connection, decision: Decision<'_>, entry: EntryId, kind: &str) -> Result<(), LedgerError> {
    let detail = format!("decided by {}", decision.by);
    let (at, none) = (millis(decision.at), None::<i64>);
    conn.prepare_cached(sql!("event_note"))?.execute((at, decision.run.0, entry.0, none, kind, detail))?;
    Ok(())
}

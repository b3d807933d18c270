//! Recording updates of attempts: responses, conversations found on the vendor's list, endings.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Rows};

use super::codec::{attempt_state_at, exactly_one, instant_at, maybe_instant_at, millis, phone_at, state_at};
use super::error::LedgerError;
use super::runs::RunHandle;
use super::sql::sql;
use super::suppression::{self, SuppressionScope};
use super::transition::{Transition, hold_if_in_doubt};
use super::{alternate_numbers, conversation_words, deferred_list_change};
use crate::entry::{AttemptState, ConversationWords, Doubt, Fact, Outcome, Reason, State};
use crate::ids::{AttemptId, CampaignId, ConversationId, EntryId, OrganisationId, RunId};
use crate::phone::E164;

/// An update of an attempt: a fact that became known about it.
#[derive(Debug, Clone)]
pub struct AttemptUpdate {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its entry.
    pub entry: EntryId,
    /// When the fact became known.
    pub at: DateTime<Utc>,
    /// The fact.
    pub fact: Fact,
    /// The conversation, if the fact names one.
    pub conversation: Option<ConversationId>,
    /// When the conversation started, by the vendor's clock.
    pub started: Option<DateTime<Utc>>,
    /// When the conversation ended, by the vendor's clock.
    pub ended: Option<DateTime<Utc>>,
    /// What was said in the conversation, if it ended.
    pub words: Option<ConversationWords>,
    /// Whether the conversation says for certain that the patient has died: then the number is suppressed.
    pub patient_died: bool,
    /// Evidence for people; no patient data.
    pub detail: Option<String>,
}

/// An attempt that is in flight or was lost track of.
#[derive(Debug, Clone)]
pub struct InFlightAttempt {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its entry.
    pub entry: EntryId,
    /// The organisation whose request budget it uses.
    pub organisation: OrganisationId,
    /// The number that called.
    pub from: E164,
    /// The number dialled.
    pub to: E164,
    /// The ordinal of the call among those to its entry: 1, 2, …
    pub number: u32,
    /// Submitting, open, unknown or lost track of.
    pub state: AttemptState,
    /// When its intent was committed.
    pub intent_at: DateTime<Utc>,
    /// When its request was answered.
    pub answered_at: Option<DateTime<Utc>>,
    /// The last instant at which its request could have been accepted, if its answer was lost.
    pub lost_at: Option<DateTime<Utc>>,
    /// Its conversation, once known.
    pub conversation: Option<ConversationId>,
}

/// Evidence that changes no state.
#[derive(Debug, Clone)]
pub struct AuditNote {
    /// When it was found.
    pub at: DateTime<Utc>,
    /// The entry that it is about, if any.
    pub entry: Option<EntryId>,
    /// The attempt that it is about, if any.
    pub attempt: Option<AttemptId>,
    /// The event's kind, as a machine word.
    pub kind: &'static str,
    /// Evidence for people; no patient data.
    pub detail: String,
}

pub(super) fn record(conn: &Connection, run: RunHandle, updates: &[AttemptUpdate]) -> Result<Vec<State>, LedgerError> {
    updates.iter().map(|update| record_one(conn, run.run, update)).collect()
}

/// Records one update. Returns the new state of its entry.
pub(super) fn record_one(conn: &Connection, run: RunId, update: &AttemptUpdate) -> Result<State, LedgerError> {
    let (from, attempt_from, dialled) = states(conn, update)?;
    let attempt_to = attempt_from.after(&update.fact).ok_or(LedgerError::Conflict)?;
    let set = update.fact.effect_on_attempt(update.at, update.ended);
    exactly_one(conn.prepare_cached(sql!("attempt_advance"))?.execute((
        update.attempt.0,
        attempt_from.name(),
        attempt_to.name(),
        set.answered_at.map(millis),
        set.lost_at.map(millis),
        update.conversation.as_ref().map(ConversationId::as_str),
        update.started.map(millis),
        set.ended_at.map(millis),
        set.outcome.map(Outcome::name),
        set.reason.map(Reason::name),
        set.doubt.map(Doubt::name),
        set.doubt.map(|_| millis(update.at)),
    ))?)?;
    if let Some(words) = &update.words {
        conversation_words::keep(conn, update.attempt, words, update.at)?;
    }
    if set.is_found_on_list {
        mark_found_on_list(conn, update.attempt)?;
    }
    if set.suppresses_number {
        suppression::suppress_for_good(conn, dialled, SuppressionScope::All, "opt-out in a conversation", update.at)?;
    }
    if update.patient_died {
        suppression::suppress_for_good(conn, dialled, SuppressionScope::All, "deceased by a conversation", update.at)?;
    }
    if attempt_from.may_have_been_placed() && !attempt_to.may_have_been_placed() {
        conn.prepare_cached(sql!("entry_due_again"))?.execute((update.attempt.0, millis(update.at)))?;
    }
    if !update.fact.concerns_entry(attempt_from, from) {
        // The outcome still counts, but the entry has moved on and keeps its state.
        note_late_ending(conn, run, update)?;
        conn.prepare_cached(sql!("entry_outcome_of_newest"))?.execute([update.entry.0])?;
        return hold_if_in_doubt(conn, run, update.entry, from, update.at);
    }
    let fact = alternate_numbers::switch_if_wrong(conn, update.entry, update.fact.clone())?;
    let state = Transition {
        run,
        entry: update.entry,
        attempt: Some(update.attempt),
        at: update.at,
        from,
        fact: &fact,
        detail: update.detail.as_deref(),
    }
    .apply(conn)?;
    deferred_list_change::apply_to_callable(conn, run, update.entry, state, update.at)
}

fn note_late_ending(conn: &Connection, run: RunId, update: &AttemptUpdate) -> Result<(), LedgerError> {
    let outcome = update.fact.effect_on_entry(update.at).outcome.map_or("unknown", Outcome::name);
    let rule = update.detail.as_ref().map_or_else(String::new, |rule| format!("; {rule}"));
    let detail = format!("outcome {outcome}, read after the call had been lost track of{rule}");
    let (entry, attempt) = (Some(update.entry.0), Some(update.attempt.0));
    conn.prepare_cached(sql!("event_note"))?.execute((
        millis(update.at),
        run.0,
        entry,
        attempt,
        "ended_late",
        &detail,
    ))?;
    Ok(())
}

/// Notes that the call's conversation is known from the vendor's list, not from the response to its request.
pub(super) fn mark_found_on_list(conn: &Connection, attempt: AttemptId) -> Result<(), LedgerError> {
    exactly_one(conn.prepare_cached(sql!("attempt_found"))?.execute([attempt.0])?)
}

/// Those of `conversations` that belong to attempts, each with whether the response to its request named it.
pub(super) fn recorded_among(
    conn: &Connection,
    conversations: Vec<ConversationId>,
) -> Result<Vec<(ConversationId, bool)>, LedgerError> {
    let mut known = conn.prepare_cached(sql!("attempt_has_conversation"))?;
    let mut answered = conn.prepare_cached(sql!("attempt_answered_with"))?;
    let mut recorded = Vec::new();
    for conversation in conversations {
        if known.exists([conversation.as_str()])? {
            let is_answered = answered.exists([conversation.as_str()])?;
            recorded.push((conversation, is_answered));
        }
    }
    Ok(recorded)
}

fn states(conn: &Connection, update: &AttemptUpdate) -> Result<(State, AttemptState, E164), LedgerError> {
    conn.prepare_cached(sql!("attempt_and_entry_states"))?.query_row((update.attempt.0, update.entry.0), |row| {
        Ok(state_at(row, "entry_state")
            .and_then(|entry| Ok((entry, attempt_state_at(row, "attempt_state")?, phone_at(row, "to_number")?))))
    })?
}

pub(super) fn in_flight(conn: &Connection, campaign: CampaignId) -> Result<Vec<InFlightAttempt>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_under_way"))?;
    attempts(statement.query([campaign.0])?)
}

pub(super) fn lost_track(
    conn: &Connection,
    campaign: CampaignId,
    since: DateTime<Utc>,
) -> Result<Vec<InFlightAttempt>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_lost_track"))?;
    attempts(statement.query((campaign.0, millis(since)))?)
}

fn attempts(mut rows: Rows<'_>) -> Result<Vec<InFlightAttempt>, LedgerError> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(InFlightAttempt {
            attempt: AttemptId(row.get("id")?),
            entry: EntryId(row.get("entry_id")?),
            organisation: OrganisationId::new(row.get::<_, String>("organisation")?),
            from: phone_at(row, "from_number")?,
            to: phone_at(row, "to_number")?,
            number: row.get("number")?,
            state: attempt_state_at(row, "state")?,
            intent_at: instant_at(row, "intent_at")?,
            answered_at: maybe_instant_at(row, "answered_at")?,
            lost_at: maybe_instant_at(row, "lost_at")?,
            conversation: row.get::<_, Option<String>>("conversation")?.map(ConversationId::new),
        });
    }
    Ok(found)
}

pub(super) fn unrecorded_among(
    conn: &Connection,
    conversations: Vec<ConversationId>,
) -> Result<Vec<ConversationId>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_has_conversation"))?;
    let mut unrecorded = Vec::new();
    for conversation in conversations {
        if !statement.exists([conversation.as_str()])? {
            unrecorded.push(conversation);
        }
    }
    Ok(unrecorded)
}

pub(super) fn note(conn: &Connection, run: RunHandle, note: &AuditNote) -> Result<(), LedgerError> {
    conn.prepare_cached(sql!("event_note"))?.execute((
        millis(note.at),
        run.run.0,
        note.entry.map(|entry| entry.0),
        note.attempt.map(|attempt| attempt.0),
        note.kind,
        &note.detail,
    ))?;
    Ok(())
}

//! A state change of an entry: compares with the expected state, sets the new one, and writes the event. An entry
//! that was cancelled when it could not be called is cancelled here, once it could be.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

use super::codec::{exactly_one, json, millis};
use super::error::LedgerError;
use super::sql::sql;
use crate::entry::{Doubt, EntryEffect, Fact, Outcome, Reason, State};
use crate::ids::{AttemptId, EntryId, RunId};
use crate::policy::DecisionEvidence;

/// A fact about an entry that is expected to be in state `from`.
pub(super) struct Transition<'a> {
    pub(super) run: RunId,
    pub(super) entry: EntryId,
    pub(super) attempt: Option<AttemptId>,
    pub(super) at: DateTime<Utc>,
    pub(super) from: State,
    pub(super) fact: &'a Fact,
    /// Evidence for people; no patient data.
    pub(super) detail: Option<&'a str>,
}

impl Transition<'_> {
    /// Carries the transition out. Returns the entry's new state.
    pub(super) fn apply(&self, conn: &Connection) -> Result<State, LedgerError> {
        self.apply_with(conn, None)
    }

    /// Carries the transition out, storing what the decision was based on.
    pub(super) fn apply_with(
        &self,
        conn: &Connection,
        evidence: Option<&DecisionEvidence>,
    ) -> Result<State, LedgerError> {
        let illegal = |illegal| LedgerError::Illegal { entry: self.entry, illegal };
        let to = self.from.after(self.fact).map_err(illegal)?;
        let EntryEffect { due_at, reason, outcome } = self.fact.effect_on_entry(self.at);
        let changed = conn.prepare_cached(sql!("entry_advance"))?.execute((
            self.entry.0,
            self.from.name(),
            to.name(),
            due_at.map(millis),
            reason.map(Reason::name),
            outcome.map(Outcome::name),
            millis(self.at),
        ))?;
        exactly_one(changed)?;
        conn.prepare_cached(sql!("event_insert"))?.execute((
            millis(self.at),
            self.run.0,
            self.entry.0,
            self.attempt.map(|attempt| attempt.0),
            self.fact.name(),
            self.from.name(),
            to.name(),
            reason.map(Reason::name),
            self.detail,
            evidence.map(json),
            outcome.map(Outcome::name),
        ))?;
        if self.from.is_callable() {
            return Ok(to);
        }
        let is_reinstated = matches!(self.fact, Fact::Reinstated { .. });
        if self.from == State::Cancelled && !is_reinstated {
            conn.prepare_cached(sql!("cancellation_back_to_pending"))?.execute([self.entry.0])?;
        }
        // While a conversation of the entry is in doubt it is neither callable nor over.
        let held = hold_if_in_doubt(conn, self.run, self.entry, to, self.at)?;
        if held == to && to.is_ended_by_cancel() { self.cancel_if_pending(conn, to, reason) } else { Ok(held) }
    }

    /// Carries out the cancellation of an entry that is now `to` and could not be called when it was cancelled.
    /// Returns the entry's state.
    fn cancel_if_pending(&self, conn: &Connection, to: State, reason: Option<Reason>) -> Result<State, LedgerError> {
        let pending: Option<String> = conn
            .prepare_cached(sql!("cancellation_pending"))?
            .query_row([self.entry.0], |row| row.get(0))
            .optional()?;
        let Some(by) = pending else { return Ok(to) };
        exactly_one(conn.prepare_cached(sql!("cancellation_carried_out"))?.execute((
            self.entry.0,
            to.name(),
            reason.map(Reason::name),
        ))?)?;
        let (fact, detail) = (&Fact::CancelledByOperator, Some(format!("decided by {by}")));
        Transition { from: to, attempt: None, fact, detail: detail.as_deref(), ..*self }.apply(conn)
    }
}

/// Holds an entry that is now in state `from` if a conversation of it is in doubt. Returns its new state.
pub(super) fn hold_if_in_doubt(
    conn: &Connection,
    run: RunId,
    entry: EntryId,
    from: State,
    at: DateTime<Utc>,
) -> Result<State, LedgerError> {
    let held_by = |doubt| Fact::ReviewNeeded { doubt };
    if Doubt::ALL.into_iter().all(|doubt| from.after(&held_by(doubt)).is_err()) {
        return Ok(from);
    }
    let mut statement = conn.prepare_cached(sql!("attempt_doubts_of"))?;
    let mut rows = statement.query([entry.0])?;
    let Some(row) = rows.next()? else { return Ok(from) };
    let (attempt, word) = (AttemptId(row.get("id")?), row.get::<_, String>("doubt")?);
    let fact = held_by(Doubt::named(&word).ok_or(LedgerError::INVALID_ROW)?);
    Transition { run, entry, attempt: Some(attempt), at, from, fact: &fact, detail: None }.apply(conn)
}

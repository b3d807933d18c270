//! A state change of an entry: compares with the expected state, sets the new one, and writes the event.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::codec::{exactly_one, json, millis};
use super::error::LedgerError;
use super::sql::sql;
use crate::entry::{EntryEffect, Fact, Outcome, Reason, State};
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
        ))?;
        Ok(to)
    }
}

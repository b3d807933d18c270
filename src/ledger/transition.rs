//! One step of an entry, carried out: compare with the expected state, set the new one, note the event.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::error::LedgerError;
use super::rows::{exactly_one, json, millis};
use super::sql;
use crate::entry::{Fact, Outcome, Reason, State};
use crate::ids::{AttemptId, EntryId, RunId};
use crate::policy::Evidence;

/// A fact about an entry that is expected to stand at `from`.
pub(super) struct Step<'a> {
    pub(super) run: RunId,
    pub(super) entry: EntryId,
    pub(super) attempt: Option<AttemptId>,
    pub(super) at: DateTime<Utc>,
    pub(super) from: State,
    pub(super) fact: &'a Fact,
    /// Evidence for people, never a patient's data.
    pub(super) detail: Option<&'a str>,
}

/// What an entry's row says beside its state.
#[derive(Default)]
struct Beside {
    due: Option<DateTime<Utc>>,
    reason: Option<Reason>,
    outcome: Option<Outcome>,
}

impl Step<'_> {
    /// Takes the step; the entry's new state.
    pub(super) fn take(&self, conn: &Connection) -> Result<State, LedgerError> {
        self.take_by(conn, None)
    }

    /// The same, keeping what the decision was made from.
    pub(super) fn take_by(&self, conn: &Connection, evidence: Option<&Evidence>) -> Result<State, LedgerError> {
        let illegal = |illegal| LedgerError::Illegal { entry: self.entry, illegal };
        let to = self.from.after(self.fact).map_err(illegal)?;
        let Beside { due, reason, outcome } = self.beside();
        let changed = conn.prepare_cached(sql!("entry_advance"))?.execute((
            self.entry.0,
            self.from.name(),
            to.name(),
            due.map(millis),
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

    fn beside(&self) -> Beside {
        let because = |reason| Beside { reason: Some(reason), ..Beside::default() };
        let due = |at| Beside { due: Some(at), ..Beside::default() };
        match *self.fact {
            Fact::Claimed | Fact::Accepted | Fact::Adopted => Beside::default(),
            Fact::Deferred { until, reason } => Beside { due: Some(until), ..because(reason) },
            Fact::NotPlaced { retry_at, reason } => Beside { due: Some(retry_at), ..because(reason) },
            Fact::Barred { reason } | Fact::SetAside { reason } | Fact::Refused { reason } => because(reason),
            Fact::Unlisted => because(Reason::Unlisted),
            Fact::TooLate => because(Reason::NotAfter),
            Fact::AnswerLost | Fact::Absent { retry: false } => because(Reason::AnswerLost),
            Fact::Listed | Fact::Absent { retry: true } | Fact::DeclaredNotPlaced => due(self.at),
            Fact::TrackLost => because(Reason::TrackLost),
            Fact::CancelledByOperator => because(Reason::Operator),
            Fact::Ended { outcome, redial } => {
                let again = if outcome.is_of_the_number() { Reason::OtherNumber } else { Reason::RedialGap };
                Beside { due: redial, reason: redial.map(|_| again), outcome: Some(outcome) }
            }
        }
    }
}

//! An operator's decisions: the suppression list, entries that only a person may settle, and runs that are called off.
//! They may be made while a run is under way: each is one transaction, and the run sees it with its next claim.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::error::LedgerError;
use super::record::{Happened, record_one};
use super::rows::{maybe_reason_at, state_at};
use super::runs;
use super::suppression::{self, Ban, Scope, SuppressionRow};
use super::transition::Step;
use super::{open, sql};
use crate::entry::{Fact, Reason, State};
use crate::ids::{AttemptId, ConversationId, EntryId, RunId};
use crate::phone::E164;

/// Writes an operator's decisions, beside a run if there is one.
pub struct Operator {
    conn: Connection,
}

/// What an operator says of a held attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// It became this conversation, which is now followed.
    Placed(ConversationId),
    /// No call was placed: the entry may be called again.
    NotPlaced,
    /// The entry is not to be called.
    Cancel,
}

/// Why a decision could not be carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Undecidable {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No such entry.
    #[error("the ledger has no entry {0}; `callrounds report` shows the entries' numbers")]
    NoSuchEntry(EntryId),
    /// The entry is neither held nor failed.
    #[error("entry {entry} is {state}: only an entry that is held or failed can be resolved")]
    NotHeld {
        /// Which.
        entry: EntryId,
        /// Where it stands.
        state: State,
    },
    /// The entry is held, but not for a lost answer.
    #[error("entry {entry} is held for another reason ({reason}): correct the list and run again, or use --cancel")]
    NoLostAnswer {
        /// Which.
        entry: EntryId,
        /// Why it is held.
        reason: Reason,
    },
    /// The vendor refused the call, so it became no conversation.
    #[error(
        "entry {0} failed: the vendor refused its call, so no conversation is its own; use --not-placed or --cancel"
    )]
    WasRefused(EntryId),
    /// Another attempt has the conversation.
    #[error("another attempt has that conversation already")]
    Taken,
    /// The run is over.
    #[error("run {0} has ended: it places no call until it is resumed")]
    Ended(RunId),
    /// The entry's call is under way, or it is over.
    #[error("entry {entry} is {state} and cannot be cancelled")]
    NotCancellable {
        /// Which.
        entry: EntryId,
        /// Where it stands.
        state: State,
    },
}

impl From<rusqlite::Error> for Undecidable {
    fn from(error: rusqlite::Error) -> Self {
        Self::Ledger(error.into())
    }
}

/// A held or failed entry, and the attempt whose answer was lost, or that was refused.
struct Held {
    state: State,
    reason: Option<Reason>,
    run: RunId,
    attempt: Option<AttemptId>,
}

impl Operator {
    /// Opens an existing ledger, or, for a suppression list before the first run, a new one.
    pub fn open(path: &Path, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        Ok(Self { conn: open::beside_a_run(path, now)? })
    }

    /// The later of `now` and the newest event: a decision never lies before what it is about.
    pub fn not_before_newest(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, LedgerError> {
        Ok(runs::newest_event(&self.conn)?.map_or(now, |newest| newest.max(now)))
    }

    /// Puts numbers on the suppression list. Returns how many.
    pub fn suppress(
        &mut self,
        phones: impl IntoIterator<Item = E164>,
        ban: Ban<'_>,
        now: DateTime<Utc>,
    ) -> Result<u64, LedgerError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut added = 0;
        for phone in phones {
            suppression::ban(&transaction, phone, ban, now)?;
            added += 1;
        }
        transaction.commit()?;
        Ok(added)
    }

    /// Takes a number off the suppression list. Whether it was on it.
    pub fn unsuppress(&mut self, phone: E164, scope: Scope) -> Result<bool, LedgerError> {
        Ok(self.conn.execute(sql!("suppression_remove"), (phone.expose(), scope.name()))? > 0)
    }

    /// Everybody on the suppression list.
    pub fn suppressions(&self) -> Result<Vec<SuppressionRow>, LedgerError> {
        suppression::listed(&self.conn)
    }

    /// Settles an entry that is held, or that the vendor refused. `by` says who decided, for the record.
    pub fn resolve(
        &mut self,
        entry: EntryId,
        resolution: Resolution,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<State, Undecidable> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let held = find(&transaction, entry)?;
        let (fact, conversation) = match resolution {
            Resolution::Cancel => {
                cancel(&transaction, entry, &held, by, now)?;
                transaction.commit()?;
                return Ok(State::Cancelled);
            }
            Resolution::Placed(conversation) => (Fact::Adopted, Some(conversation)),
            Resolution::NotPlaced => (Fact::DeclaredNotPlaced, None),
        };
        let attempt = unsettled_attempt(entry, &held)?;
        if held.state == State::Failed && fact == Fact::Adopted {
            return Err(Undecidable::WasRefused(entry));
        }
        if let Some(conversation) = &conversation
            && transaction.prepare(sql!("attempt_has_conversation"))?.exists([conversation.as_str()])?
        {
            return Err(Undecidable::Taken);
        }
        let detail = Some(format!("decided by {by}"));
        let happened = Happened { attempt, entry, at: now, fact, conversation, started: None, ended: None, detail };
        let state = record_one(&transaction, held.run, &happened)?;
        transaction.commit()?;
        Ok(state)
    }

    /// Pauses a run, the newest if none is named: it places no further call until somebody goes on with it, and what is
    /// under way is followed to its end. Returns which run it is.
    pub fn pause(&mut self, run: Option<RunId>, by: &str, now: DateTime<Utc>) -> Result<RunId, Undecidable> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let run = runs::named_or_newest(&transaction, run)?;
        if transaction.execute(sql!("run_pause"), (run.0, by))? == 0 {
            return Err(Undecidable::Ended(run));
        }
        runs::note(&transaction, run, "paused", now, Some(&format!("decided by {by}")))?;
        transaction.commit()?;
        Ok(run)
    }

    /// Ends all entries of a run's list that are not under way or over. Returns how many.
    pub fn cancel_run(&mut self, run: RunId, by: &str, now: DateTime<Utc>) -> Result<u64, Undecidable> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        runs::named_or_newest(&transaction, Some(run))?;
        let entries: Vec<i64> = transaction
            .prepare(sql!("entry_cancellable"))?
            .query_map([run.0], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for &entry in &entries {
            let entry = EntryId(entry);
            cancel(&transaction, entry, &find(&transaction, entry)?, by, now)?;
        }
        transaction.commit()?;
        Ok(entries.len() as u64)
    }
}

fn find(conn: &Connection, entry: EntryId) -> Result<Held, Undecidable> {
    conn.prepare_cached(sql!("entry_held"))?
        .query_row([entry.0], |row| {
            let (run, attempt) = (RunId(row.get("run_id")?), row.get::<_, Option<i64>>("attempt_id")?);
            let held = |state, reason| Held { state, reason, run, attempt: attempt.map(AttemptId) };
            Ok(state_at(row, "state").and_then(|state| Ok(held(state, maybe_reason_at(row, "reason")?))))
        })
        .optional()?
        .ok_or(Undecidable::NoSuchEntry(entry))?
        .map_err(Undecidable::from)
}

fn unsettled_attempt(entry: EntryId, held: &Held) -> Result<AttemptId, Undecidable> {
    match (held.state, held.attempt, held.reason) {
        (State::Held, Some(attempt), Some(Reason::AnswerLost)) | (State::Failed, Some(attempt), _) => Ok(attempt),
        (State::Held, _, Some(reason)) => Err(Undecidable::NoLostAnswer { entry, reason }),
        (state, ..) => Err(Undecidable::NotHeld { entry, state }),
    }
}

fn cancel(conn: &Connection, entry: EntryId, held: &Held, by: &str, now: DateTime<Utc>) -> Result<(), Undecidable> {
    let fact = Fact::CancelledByOperator;
    if held.state.after(&fact).is_err() {
        return Err(Undecidable::NotCancellable { entry, state: held.state });
    }
    let detail = format!("decided by {by}");
    let step =
        Step { run: held.run, entry, attempt: None, at: now, from: held.state, fact: &fact, detail: Some(&detail) };
    step.take(conn)?;
    Ok(())
}

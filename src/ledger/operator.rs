//! An operator's decisions: the suppression list, entries that only a person may settle, and pausing or cancelling
//! runs. They are possible while a run is under way: each is one transaction, which the run sees with its next claim.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::codec::{maybe_reason_at, state_at};
use super::error::LedgerError;
use super::open;
use super::record::{AttemptUpdate, record_one};
use super::runs;
use super::sql::sql;
use super::suppression::{self, SuppressionRequest, SuppressionRow, SuppressionScope};
use super::transition::Transition;
use crate::entry::{Doubt, Fact, Reason, State};
use crate::ids::{AttemptId, ConversationId, EntryId, RunId};
use crate::phone::E164;

/// Writes an operator's decisions, alongside a run if there is one.
pub struct Operator {
    pub(super) conn: Connection,
}

/// An operator's decision about an entry whose answer was lost or that the vendor refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The call was placed and became this conversation, which is followed from now on.
    Placed {
        /// The conversation.
        conversation: ConversationId,
        /// When it started, by the vendor's clock.
        started: Option<DateTime<Utc>>,
    },
    /// No call was placed: the entry may be called again.
    NotPlaced,
    /// The entry must not be called.
    Cancel,
}

/// Why a decision could not be carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OperatorError {
    /// An operation on the ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger has no entry with this id.
    #[error("the ledger has no patient #{0}; `callrounds report` shows each patient's #")]
    NoSuchEntry(EntryId),
    /// The entry is neither held nor failed.
    #[error(
        "patient #{entry} is {}: only a patient who is held for a person or refused by the vendor can be resolved, and with --cancel one \
         whose call was lost track of",
        .state.label()
    )]
    NotHeld {
        /// The entry.
        entry: EntryId,
        /// Its state.
        state: State,
    },
    /// The entry is held, but not for a lost answer.
    #[error(
        "patient #{entry} is held for another reason ({}): correct the list and run again, or use --cancel",
        .reason.label()
    )]
    NoLostAnswer {
        /// The entry.
        entry: EntryId,
        /// The reason for which it is held.
        reason: Reason,
    },
    /// A conversation of the entry is in doubt: only `review` decides about it.
    #[error(
        "a conversation of patient #{0} may contain an opt-out, or say that the patient has died: `callrounds review {0}` shows \
         it, and decides"
    )]
    InDoubt(EntryId),
    /// No conversation of the entry waits for a person.
    #[error("patient #{entry} is {}, and nothing said in a call waits for a person to read it", .state.label())]
    NothingToReview {
        /// The entry.
        entry: EntryId,
        /// Its state.
        state: State,
    },
    /// The vendor refused the call, so it became no conversation.
    #[error("patient #{0} was refused by the vendor, so there is no conversation; use --not-placed or --cancel")]
    WasRefused(EntryId),
    /// The conversation belongs to another attempt.
    #[error("another attempt has that conversation already")]
    ConversationTaken,
    /// The run has ended already.
    #[error("run {0} has ended: it places no call until it is resumed")]
    RunEnded(RunId),
    /// The entry is still to be called, or is being called: the front desk has nothing to do about it.
    #[error("patient #{entry} is {}: nothing is on the worklist before the calls are over", .state.label())]
    StillCalled {
        /// The entry.
        entry: EntryId,
        /// Its state.
        state: State,
    },
    /// The entry's call is in flight, or the entry is over.
    #[error("patient #{entry} is {} and cannot be cancelled", .state.label())]
    NotCancellable {
        /// The entry.
        entry: EntryId,
        /// Its state.
        state: State,
    },
}

impl From<rusqlite::Error> for OperatorError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Ledger(error.into())
    }
}

/// A held or failed entry, and the attempt whose answer was lost, or that was refused.
struct HeldEntry {
    state: State,
    reason: Option<Reason>,
    run: RunId,
    attempt: Option<AttemptId>,
}

impl Operator {
    /// Opens an existing ledger, or, for a suppression list before the first run, a new one.
    pub fn open(path: &Path, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        Ok(Self { conn: open::alongside_run(path, now)? })
    }

    /// The later of `now` and the newest event: a decision is never dated before the events that it is about.
    pub fn not_before_newest(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, LedgerError> {
        Ok(runs::newest_event(&self.conn)?.map_or(now, |newest| newest.max(now)))
    }

    /// Adds numbers to the suppression list. Returns how many.
    pub fn suppress(
        &mut self,
        phones: impl IntoIterator<Item = E164>,
        request: SuppressionRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<u64, LedgerError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut added = 0;
        for phone in phones {
            suppression::suppress(&transaction, phone, request, now)?;
            added += 1;
        }
        transaction.commit()?;
        Ok(added)
    }

    /// Removes a number from the suppression list. Returns whether it was on it.
    pub fn unsuppress(&mut self, phone: E164, scope: SuppressionScope) -> Result<bool, LedgerError> {
        Ok(self.conn.execute(sql!("suppression_remove"), (phone.expose(), scope.name()))? > 0)
    }

    /// The suppression list, expired entries included.
    pub fn suppressions(&self) -> Result<Vec<SuppressionRow>, LedgerError> {
        suppression::listed(&self.conn)
    }

    /// Settles an entry that is held or that the vendor refused. `by` says who decided, for the record. Returns its new
    /// state.
    pub fn resolve(
        &mut self,
        entry: EntryId,
        resolution: Resolution,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<State, OperatorError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let state = resolve_one(&transaction, entry, resolution, by, now)?;
        transaction.commit()?;
        Ok(state)
    }

    /// Settles several entries in one transaction. An entry that is no longer in the state that the operator was shown
    /// is left as it is. Returns the entries that were settled, each with its new state.
    pub fn resolve_all(
        &mut self,
        shown: &[(EntryId, State)],
        resolution: &Resolution,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<(EntryId, State)>, OperatorError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut settled = Vec::new();
        for &(entry, state) in shown {
            if find(&transaction, entry)?.state != state {
                continue;
            }
            match resolve_one(&transaction, entry, resolution.clone(), by, now) {
                Ok(state) => settled.push((entry, state)),
                // A conversation of it came into doubt meanwhile, or a list has brought another reason.
                Err(OperatorError::InDoubt(_) | OperatorError::NoLostAnswer { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        transaction.commit()?;
        Ok(settled)
    }

    /// Why the entry's last call cannot be said to be placed; nothing is changed.
    pub fn refuse_unless_lost(&self, entry: EntryId) -> Result<(), OperatorError> {
        let held = find(&self.conn, entry)?;
        unsettled_attempt(entry, &held)?;
        if held.state == State::Failed { Err(OperatorError::WasRefused(entry)) } else { Ok(()) }
    }

    /// Pauses the given or newest run: it places no further call until it is resumed, but still follows the calls in
    /// flight to their end. Returns the run's id.
    pub fn pause(&mut self, run: Option<RunId>, by: &str, now: DateTime<Utc>) -> Result<RunId, OperatorError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let run = runs::named_or_newest(&transaction, run)?;
        if transaction.execute(sql!("run_pause"), (run.0, by))? == 0 {
            return Err(OperatorError::RunEnded(run));
        }
        runs::note(&transaction, run, "paused", now, Some(&format!("decided by {by}")))?;
        transaction.commit()?;
        Ok(run)
    }

    /// Cancels all entries of a run's list that are not in flight or over. Returns how many.
    pub fn cancel_run(&mut self, run: RunId, by: &str, now: DateTime<Utc>) -> Result<u64, OperatorError> {
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

fn resolve_one(
    conn: &Connection,
    entry: EntryId,
    resolution: Resolution,
    by: &str,
    now: DateTime<Utc>,
) -> Result<State, OperatorError> {
    let held = find(conn, entry)?;
    let (fact, call) = match resolution {
        Resolution::Cancel => {
            refuse_in_doubt(conn, entry)?;
            cancel(conn, entry, &held, by, now)?;
            return Ok(State::Cancelled);
        }
        Resolution::Placed { conversation, started } => (Fact::Adopted, Some((conversation, started))),
        Resolution::NotPlaced => (Fact::DeclaredNotPlaced, None),
    };
    let attempt = unsettled_attempt(entry, &held)?;
    if held.state == State::Failed && fact == Fact::Adopted {
        return Err(OperatorError::WasRefused(entry));
    }
    if let Some((conversation, _)) = &call
        && conn.prepare(sql!("attempt_has_conversation"))?.exists([conversation.as_str()])?
    {
        return Err(OperatorError::ConversationTaken);
    }
    let (conversation, started) = call.map_or((None, None), |(conversation, started)| (Some(conversation), started));
    let detail = Some(format!("decided by {by}"));
    let (ended, words) = (None, None);
    let update = AttemptUpdate { attempt, entry, at: now, fact, conversation, started, ended, words, detail };
    Ok(record_one(conn, held.run, &update)?)
}

fn find(conn: &Connection, entry: EntryId) -> Result<HeldEntry, OperatorError> {
    conn.prepare_cached(sql!("entry_held"))?
        .query_row([entry.0], |row| {
            let (run, attempt) = (RunId(row.get("run_id")?), row.get::<_, Option<i64>>("attempt_id")?);
            let held = |state, reason| HeldEntry { state, reason, run, attempt: attempt.map(AttemptId) };
            Ok(state_at(row, "state").and_then(|state| Ok(held(state, maybe_reason_at(row, "reason")?))))
        })
        .optional()?
        .ok_or(OperatorError::NoSuchEntry(entry))?
        .map_err(OperatorError::from)
}

/// A number is barred until a person has read the conversation: cancelling its entry would leave it barred for ever.
fn refuse_in_doubt(conn: &Connection, entry: EntryId) -> Result<(), OperatorError> {
    let is_in_doubt = conn.prepare_cached(sql!("attempt_doubts_of"))?.exists([entry.0])?;
    if is_in_doubt { Err(OperatorError::InDoubt(entry)) } else { Ok(()) }
}

fn unsettled_attempt(entry: EntryId, held: &HeldEntry) -> Result<AttemptId, OperatorError> {
    match (held.state, held.attempt, held.reason) {
        (State::Held, Some(attempt), Some(Reason::AnswerLost)) | (State::Failed, Some(attempt), _) => Ok(attempt),
        (State::Held, _, Some(reason)) if Doubt::ALL.iter().any(|doubt| doubt.reason() == reason) => {
            Err(OperatorError::InDoubt(entry))
        }
        (State::Held, _, Some(reason)) => Err(OperatorError::NoLostAnswer { entry, reason }),
        (state, ..) => Err(OperatorError::NotHeld { entry, state }),
    }
}

fn cancel(
    conn: &Connection,
    entry: EntryId,
    held: &HeldEntry,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), OperatorError> {
    let fact = Fact::CancelledByOperator;
    if held.state.after(&fact).is_err() {
        return Err(OperatorError::NotCancellable { entry, state: held.state });
    }
    let detail = format!("decided by {by}");
    let transition = Transition {
        run: held.run,
        entry,
        attempt: None,
        at: now,
        from: held.state,
        fact: &fact,
        detail: Some(&detail),
    };
    transition.apply(conn)?;
    Ok(())
}

//! An operator's decisions: the suppression list, entries that only a person may settle, and pausing or cancelling
//! campaigns. They are possible while a run is under way: each is one transaction, which the run sees with its next
//! claim.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::cancellation::{self, CancelScope, CancelledEntries, Decision, ReinstatedEntries, Undone};
use super::codec::{maybe_reason_at, state_at};
use super::error::LedgerError;
use super::pause::{self, Pause};
use super::record::{AttemptUpdate, record_one};
use super::runs::{self, RunHandle};
use super::sql::sql;
use super::suppression::{self, SuppressionRequest, SuppressionRow, SuppressionScope};
use super::transition::Transition;
use super::{open, purged_content};
use crate::ending::Ending;
use crate::entry::{Fact, Reason, State, doubt_of_held};
use crate::ids::{AttemptId, CampaignName, ConversationId, EntryId, RunId};
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

/// What a decision is about: a campaign, or the list of one of its runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionScope {
    /// The campaign with this name.
    Campaign(CampaignName),
    /// This run.
    Run(RunId),
    /// The newest run.
    Newest,
}

impl DecisionScope {
    fn find(&self, conn: &Connection) -> Result<(RunHandle, CampaignName), LedgerError> {
        match self {
            Self::Campaign(name) => runs::newest_of(conn, name),
            Self::Run(run) => runs::named_or_newest(conn, Some(*run)),
            Self::Newest => runs::named_or_newest(conn, None),
        }
    }

    /// The campaign and, if a run is meant, its number, for cancelling.
    fn to_cancel(&self, conn: &Connection) -> Result<(CancelScope, RunId), LedgerError> {
        let (RunHandle { run, campaign }, _) = self.find(conn)?;
        let of_run = match self {
            Self::Campaign(_) => None,
            Self::Run(_) | Self::Newest => Some(run),
        };
        Ok((CancelScope { campaign, run: of_run }, run))
    }
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
    /// A conversation of the entry came into doubt after the person was shown what waited: it has to be read, too.
    #[error(
        "what was said to patient #{0} has changed meanwhile: read it with `callrounds review {0}`, and decide again"
    )]
    NotShown(EntryId),
    /// The entry's content was purged.
    #[error(
        "what a call to patient #{0} says was removed by `ledger purge`, so the patient cannot be called again: add the \
         patient to the list"
    )]
    Purged(EntryId),
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
                // A conversation of it came into doubt meanwhile, a list has brought another reason, or it was purged.
                Err(OperatorError::InDoubt(_) | OperatorError::NoLostAnswer { .. } | OperatorError::Purged(_)) => {}
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

    /// Pauses a campaign, the one of the run if a run is named: none of its runs places a further call until it is
    /// resumed or the pause ends; calls in flight are followed to their end. Returns the campaign's name.
    pub fn pause(&mut self, scope: &DecisionScope, pause: &Pause) -> Result<CampaignName, LedgerError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (RunHandle { run, campaign }, name) = scope.find(&transaction)?;
        pause::set(&transaction, campaign, pause)?;
        runs::note(&transaction, run, "paused", pause.since, Some(&format!("decided by {}", pause.by)))?;
        transaction.commit()?;
        Ok(name)
    }

    /// The run that a decision is about, or the newest of the campaign, and the campaign's name.
    pub fn find(&self, scope: &DecisionScope) -> Result<(RunHandle, CampaignName), LedgerError> {
        scope.find(&self.conn)
    }

    /// The entries that [`Self::cancel`] would cancel.
    pub fn cancel_preview(&self, scope: &DecisionScope) -> Result<CancelledEntries, LedgerError> {
        cancellation::preview(&self.conn, scope.to_cancel(&self.conn)?.0)
    }

    /// Cancels the entries of a campaign, or of a run's list: those that may be called are cancelled now, the others
    /// once they could be called.
    pub fn cancel(
        &mut self,
        scope: &DecisionScope,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<CancelledEntries, LedgerError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (scope, run) = scope.to_cancel(&transaction)?;
        let cancelled = cancellation::cancel(&transaction, scope, Decision { by, at, run })?;
        runs::note(&transaction, run, "cancelled", at, Some(&format!("decided by {by}")))?;
        transaction.commit()?;
        Ok(cancelled)
    }

    /// Takes back what was cancelled in a campaign, or by naming a run; [`DecisionScope::Newest`]: by the newest
    /// cancellation. Returns the campaign's name as well.
    pub fn undo_cancel(
        &mut self,
        scope: &DecisionScope,
        by: &str,
        at: DateTime<Utc>,
    ) -> Result<(ReinstatedEntries, CampaignName), LedgerError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let newest = if *scope == DecisionScope::Newest { cancellation::newest(&transaction)? } else { None };
        let (undone, run) = if let Some((campaign, decision)) = newest {
            (Undone::Newest { decision, campaign }, runs::newest_in(&transaction, campaign)?)
        } else {
            let (scope, run) = scope.to_cancel(&transaction)?;
            (Undone::Scope(scope), run)
        };
        let reinstated = cancellation::undo(&transaction, undone, Decision { by, at, run })?;
        runs::note(&transaction, run, "cancellation_undone", at, Some(&format!("decided by {by}")))?;
        let (_, name) = runs::named_or_newest(&transaction, Some(run))?;
        transaction.commit()?;
        Ok((reinstated, name))
    }

    /// Records that a run which had given its lock back was interrupted.
    pub fn end_interrupted_run(&mut self, run: RunHandle, why: &str, at: DateTime<Utc>) -> Result<(), LedgerError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if !runs::has_ended(&transaction, run.run)? {
            runs::end(&transaction, run, Ending::Interrupted, why, at)?;
        }
        Ok(transaction.commit()?)
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
        Resolution::NotPlaced if purged_content::is_purged(conn, entry)? => return Err(OperatorError::Purged(entry)),
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
    let update = AttemptUpdate {
        attempt,
        entry,
        at: now,
        fact,
        conversation,
        started,
        ended,
        words,
        patient_died: false,
        detail,
    };
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
        (state, _, reason) if doubt_of_held(state, reason).is_some() => Err(OperatorError::InDoubt(entry)),
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

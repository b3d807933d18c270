//! Conversations that may contain an opt-out, or say that the patient has died: only a person can judge them. Until
//! then the number is barred from every campaign, and the entry is held.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use super::codec::{
    exactly_one, instant_at, json_at, maybe_doubt_at, maybe_instant_at, maybe_outcome_at, maybe_reason_at, millis,
    phone_at, state_at,
};
use super::conversation_words::KeptWords;
use super::error::LedgerError;
use super::operator::{Operator, OperatorError};
use super::reader::LedgerReader;
use super::sql::sql;
use super::suppression::{self, SuppressionScope};
use super::transition::Transition;
use super::{alternate_numbers, deferred_list_change, purged_content};
use crate::campaign::{CampaignSource, Purpose, Redial};
use crate::entry::{CallContent, Doubt, Fact, Outcome, PatientInfo, Reason, State, doubt_of_held};
use crate::ids::{AttemptId, CampaignName, ConversationId, EntryId, EntryKey, Location, RunId};
use crate::phone::E164;
use crate::policy::redial;

/// A person's decision about what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewDecision {
    /// The person does not want to be called again.
    OptedOut,
    /// The patient has died.
    Deceased,
    /// Neither: the patient may be called, within the rules.
    MayBeCalled,
}

impl ReviewDecision {
    /// The outcome that the conversation has by this decision; `None`: the one that it has.
    fn outcome(self) -> Option<Outcome> {
        match self {
            Self::OptedOut => Some(Outcome::OptOut),
            Self::Deceased => Some(Outcome::DeceasedOrMoved),
            Self::MayBeCalled => None,
        }
    }

    /// The words for the record.
    fn label(self) -> &'static str {
        match self {
            Self::OptedOut => "opted out",
            Self::Deceased => "deceased",
            Self::MayBeCalled => "may be called",
        }
    }
}

/// A conversation that a person has to read.
#[derive(Debug, Clone)]
pub struct PendingReview {
    /// The attempt that became the conversation.
    pub attempt: AttemptId,
    /// The entry.
    pub entry: EntryId,
    /// Its campaign.
    pub campaign: CampaignName,
    /// Its key.
    pub key: EntryKey,
    /// Its patient.
    pub patient: PatientInfo,
    /// Its location, in a campaign that has locations.
    pub location: Option<Location>,
    /// Its state.
    pub state: State,
    /// The number that was called, and is barred until a person has decided.
    pub phone: E164,
    /// What may have been said.
    pub doubt: Doubt,
    /// Since when the number is barred.
    pub since: DateTime<Utc>,
    /// How the doubt arose, such as the rule that matched.
    pub decided_by: Option<String>,
    /// The vendor's id of the conversation.
    pub conversation: Option<ConversationId>,
    /// When the conversation started, if the vendor said so.
    pub started_at: Option<DateTime<Utc>>,
    /// What was said, as long as it is kept.
    pub said: Option<KeptWords>,
}

/// A conversation in doubt, as a decision needs it.
struct DoubtfulCall {
    attempt: AttemptId,
    to: E164,
    conversation: Option<String>,
}

impl LedgerReader {
    /// The conversations that a person has to read, oldest first; of one campaign, if it is named.
    pub fn pending_reviews(&self, campaign: Option<&CampaignName>) -> Result<Vec<PendingReview>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("review_pending"))?;
        let mut rows = statement.query([campaign.map(CampaignName::as_str)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let attempt = AttemptId(row.get("id")?);
            let said = self.words_of(EntryId(row.get("entry_id")?))?.into_iter().find(|said| said.attempt == attempt);
            found.push(pending_review(attempt, row, said)?);
        }
        Ok(found)
    }

    /// The name and the file of an entry's campaign; `None` if the ledger has no such entry.
    pub fn campaign_of(&self, entry: EntryId) -> Result<Option<(CampaignName, CampaignSource)>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("campaign_of_entry"))?;
        let read = |row: &Row<'_>| Ok((CampaignName::new(row.get::<_, String>("name")?), campaign_source(row)?));
        Ok(statement.query_row([entry.0], read).optional()?)
    }

    /// The file of a campaign, by name; `None` if the ledger does not have the campaign.
    pub fn campaign_source(&self, name: &CampaignName) -> Result<Option<CampaignSource>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("campaign_source"))?;
        Ok(statement.query_row([name.as_str()], campaign_source).optional()?)
    }

    /// The names of all campaigns, the newest first.
    pub fn campaign_names(&self) -> Result<Vec<CampaignName>, LedgerError> {
        let mut statement = self.conn.prepare_cached(sql!("campaign_names"))?;
        let names = statement.query_map([], |row| Ok(CampaignName::new(row.get::<_, String>(0)?)))?;
        Ok(names.collect::<Result<_, _>>()?)
    }
}

fn campaign_source(row: &Row<'_>) -> rusqlite::Result<CampaignSource> {
    Ok(CampaignSource { text: row.get("source")?, directory: row.get::<_, String>("directory")?.into() })
}

fn pending_review(attempt: AttemptId, row: &Row<'_>, said: Option<KeptWords>) -> Result<PendingReview, LedgerError> {
    Ok(PendingReview {
        attempt,
        entry: EntryId(row.get("entry_id")?),
        campaign: CampaignName::new(row.get::<_, String>("campaign")?),
        key: EntryKey::new(row.get::<_, String>("key")?),
        patient: json_at::<CallContent>(row, "content")?.patient,
        location: row.get::<_, Option<String>>("location")?.map(Location::new),
        state: state_at(row, "state")?,
        phone: phone_at(row, "to_number")?,
        doubt: maybe_doubt_at(row, "doubt")?.ok_or(LedgerError::INVALID_ROW)?,
        since: instant_at(row, "doubt_at")?,
        decided_by: row.get("decided_by")?,
        conversation: row.get::<_, Option<String>>("conversation")?.map(ConversationId::new),
        started_at: maybe_instant_at(row, "started_at")?,
        said,
    })
}

impl Operator {
    /// Decides about the conversations of an entry that the person was `shown`; one that has come into doubt since waits for
    /// its own decision. `rules` are the campaign's redial rules, for an entry that may be called; `by` says who decided,
    /// for the record. Returns the entry's new state.
    pub fn review(
        &mut self,
        entry: EntryId,
        shown: &[AttemptId],
        decision: ReviewDecision,
        rules: &Redial,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<State, OperatorError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (run, state, reason) = status(&transaction, entry)?.ok_or(OperatorError::NoSuchEntry(entry))?;
        let (read, unread): (Vec<_>, Vec<_>) =
            doubtful_calls(&transaction, entry)?.into_iter().partition(|call| shown.contains(&call.attempt));
        let Some((last, others)) = read.split_last() else {
            let is_unread = !unread.is_empty();
            return Err(if is_unread {
                OperatorError::NotShown(entry)
            } else {
                OperatorError::NothingToReview { entry, state }
            });
        };
        // In this order: once nothing is in doubt, nothing holds the entry again.
        for call in &read {
            settle(&transaction, call, decision, by, now)?;
        }
        let detail = record(decision, by, &read);
        for call in others {
            note(&transaction, run, entry, call.attempt, &detail, now)?;
        }
        let to = if unread.is_empty() && doubt_of_held(state, reason).is_some() {
            let fact = &reviewed(&transaction, entry, rules)?;
            let (attempt, detail) = (Some(last.attempt), Some(detail.as_str()));
            let to = Transition { run, entry, attempt, at: now, from: state, fact, detail }.apply(&transaction)?;
            deferred_list_change::apply_to_callable(&transaction, run, entry, to, now)?
        } else {
            // Another call is under way or in doubt, or a person must decide about a lost answer, too.
            note(&transaction, run, entry, last.attempt, &detail, now)?;
            state
        };
        if decision == ReviewDecision::MayBeCalled {
            for call in &read {
                lift_bar(&transaction, call.to, now)?;
            }
        }
        transaction.commit()?;
        Ok(to)
    }

    /// Whether a conversation with the number waits for a person, which keeps the number barred.
    pub fn awaits_review(&self, phone: E164) -> Result<bool, LedgerError> {
        let rows = suppression::for_number(&self.conn, phone)?;
        Ok(rows.iter().any(|row| row.is_pending_review))
    }
}

fn status(conn: &Connection, entry: EntryId) -> Result<Option<(RunId, State, Option<Reason>)>, LedgerError> {
    let read = |row: &Row<'_>| Ok((RunId(row.get("run_id")?), state_at(row, "state"), maybe_reason_at(row, "reason")));
    let found = conn.prepare_cached(sql!("entry_held"))?.query_row([entry.0], read).optional()?;
    found.map(|(run, state, reason)| Ok((run, state?, reason?))).transpose()
}

fn doubtful_calls(conn: &Connection, entry: EntryId) -> Result<Vec<DoubtfulCall>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_doubts_of"))?;
    let mut rows = statement.query([entry.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(DoubtfulCall {
            attempt: AttemptId(row.get("id")?),
            to: phone_at(row, "to_number")?,
            conversation: row.get("conversation")?,
        });
    }
    Ok(found)
}

/// Settles one conversation: it is no longer in doubt, and the number is suppressed if the decision demands it.
fn settle(
    conn: &Connection,
    call: &DoubtfulCall,
    decision: ReviewDecision,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let outcome = decision.outcome().map(Outcome::name);
    let row = (call.attempt.0, outcome, millis(now));
    exactly_one(conn.prepare_cached(sql!("attempt_reviewed"))?.execute(row)?)?;
    let source = match decision {
        ReviewDecision::OptedOut => format!("opt-out in a conversation, decided by {by}"),
        ReviewDecision::Deceased => format!("deceased by a conversation, decided by {by}"),
        ReviewDecision::MayBeCalled => return Ok(()),
    };
    suppression::suppress_for_good(conn, call.to, SuppressionScope::All, &source, now)
}

/// The decision with its evidence, for the record: never what was said, because events are never removed.
fn record(decision: ReviewDecision, by: &str, calls: &[DoubtfulCall]) -> String {
    let read: Vec<_> = calls.iter().filter_map(|call| call.conversation.as_deref()).collect();
    format!("{}, decided by {by}, who was shown conversation {}", decision.label(), read.join(" and "))
}

/// What the decisions about a held entry's conversations establish. A patient who may be called is redialled as the outcome
/// of the newest conversation says, unless something else had ended the entry.
fn reviewed(conn: &Connection, entry: EntryId, rules: &Redial) -> Result<Fact, LedgerError> {
    if let Some(outcome) = decided_for_good(conn, entry)? {
        return Ok(Fact::Reviewed { outcome, redial: None });
    }
    let (number, outcome, ended) = last_ended(conn, entry)?;
    let word: Option<String> = conn.prepare_cached(sql!("event_held_from"))?.query_row([entry.0], |row| row.get(0))?;
    let was_over = word.as_deref().and_then(State::named).is_some_and(|from| !may_be_redialled(from));
    let is_closed = was_over || purged_content::is_purged(conn, entry)?;
    let redial = redial::after_ending(rules, outcome, number, ended).filter(|_| !is_closed);
    alternate_numbers::switch_if_wrong(conn, entry, Fact::Reviewed { outcome, redial })
}

/// The outcome that forbids every further call to the entry, if one of its conversations has it.
fn decided_for_good(conn: &Connection, entry: EntryId) -> Result<Option<Outcome>, LedgerError> {
    let read = |row: &Row<'_>| Ok(maybe_outcome_at(row, "outcome"));
    let found = conn.prepare_cached(sql!("attempt_decision_of"))?.query_row([entry.0], read).optional()?;
    Ok(found.transpose()?.flatten())
}

/// Whether an entry that was held from this state was still to be called, or in a call.
fn may_be_redialled(from: State) -> bool {
    match from {
        State::Ready | State::Waiting | State::Submitting | State::Open | State::Unknown | State::LostTrack => true,
        State::Held
        | State::Finished
        | State::Failed
        | State::Suppressed
        | State::Withdrawn
        | State::Expired
        | State::Cancelled => false,
    }
}

/// The ordinal, the outcome and the end of the entry's newest conversation that is over.
fn last_ended(conn: &Connection, entry: EntryId) -> Result<(u32, Outcome, DateTime<Utc>), LedgerError> {
    conn.prepare_cached(sql!("attempt_last_ended"))?.query_row([entry.0], |row| {
        let number = row.get("number")?;
        let outcome = maybe_outcome_at(row, "outcome").and_then(|outcome| outcome.ok_or(LedgerError::INVALID_ROW));
        Ok(outcome.and_then(|outcome| Ok((number, outcome, instant_at(row, "ended_at")?))))
    })?
}

fn note(
    conn: &Connection,
    run: RunId,
    entry: EntryId,
    attempt: AttemptId,
    detail: &str,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    conn.prepare_cached(sql!("event_note"))?.execute((millis(now), run.0, entry.0, attempt.0, "reviewed", detail))?;
    Ok(())
}

/// Makes the entries ready again that a claim barred while a conversation with the number was in doubt, unless something
/// else forbids calls to it, or the newest list forbids the patient's call or lacks the patient.
fn lift_bar(conn: &Connection, phone: E164, now: DateTime<Utc>) -> Result<(), LedgerError> {
    let mut statement = conn.prepare_cached(sql!("entry_barred_in_doubt"))?;
    let barred: Vec<(i64, i64, String)> = statement
        .query_map((phone.expose(), purged_content::empty()), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (entry, run, purpose) in barred {
        let purpose = Purpose::named(&purpose).ok_or(LedgerError::INVALID_ROW)?;
        if !suppression::forbids(conn, phone, purpose, now)? {
            let (run, entry, from, fact) = (RunId(run), EntryId(entry), State::Suppressed, &Fact::BarLifted);
            let detail = Some("a conversation with the number was reviewed");
            let to = Transition { run, entry, attempt: None, at: now, from, fact, detail }.apply(conn)?;
            deferred_list_change::apply_to_callable(conn, run, entry, to, now)?;
        }
    }
    Ok(())
}

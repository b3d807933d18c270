//! Classifying anew, with newer outcome rules, what was said in a campaign's calls.
//!
//! Only a person takes an opt-out or a doubt back: newer rules may make a conversation an opt-out or doubtful, but
//! never less than that, and a conversation that a person has reviewed stays as decided.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use super::codec::{
    exactly_one, instant_at, maybe_doubt_at, maybe_outcome_at, maybe_reason_at, millis, phone_at, state_at,
};
use super::conversation_words::words_at;
use super::error::LedgerError;
use super::operator::{Operator, OperatorError};
use super::reader::LedgerReader;
use super::sql::sql;
use super::suppression::{self, SuppressionScope};
use super::transition::{Transition, hold_if_in_doubt};
use super::{alternate_numbers, purged_content};
use crate::campaign::Redial;
use crate::entry::{Classification, ConversationWords, Doubt, Fact, Outcome, Reason, State, doubt_of_held};
use crate::ids::{AttemptId, CampaignName, EntryId, RunId};
use crate::phone::E164;
use crate::policy::redial;

/// What was said in a call that is over, and what it is taken for.
#[derive(Debug, Clone)]
pub struct KeptConversation {
    /// The attempt that became the conversation.
    pub attempt: AttemptId,
    /// What it was taken for.
    pub outcome: Outcome,
    /// What a person still has to read.
    pub doubt: Option<Doubt>,
    /// Whether a person has decided about it.
    pub is_reviewed: bool,
    /// What was said.
    pub words: ConversationWords,
}

impl KeptConversation {
    /// Whether newer rules that take it for `taken_for` may change it.
    #[must_use]
    pub fn may_become(&self, taken_for: &Classification) -> bool {
        let is_certain = taken_for.outcome == Outcome::OptOut;
        let differs = taken_for.outcome != self.outcome || taken_for.to_review() != self.doubt;
        let is_settled = self.is_reviewed || self.outcome == Outcome::OptOut || !self.words.is_whole;
        differs && !is_settled && (self.doubt.is_none() || is_certain)
    }
}

/// A conversation that newer rules take for something else.
#[derive(Debug, Clone)]
pub struct Reclassification {
    /// The attempt that became the conversation.
    pub attempt: AttemptId,
    /// What it was taken for until now.
    pub was: Outcome,
    /// What a person still had to read.
    pub doubt: Option<Doubt>,
    /// What it is taken for now.
    pub taken_for: Classification,
}

/// What newer rules changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Reclassified {
    /// Conversations with another outcome, or a doubt.
    pub changed: u64,
    /// Of their entries, those that are called again when the rules allow it.
    pub to_call_again: u64,
    /// Those that would be, but stay as they are: a newer list was read since their call, or they were excluded.
    pub not_called_again: u64,
    /// Numbers that are suppressed for good.
    pub suppressed: u64,
    /// Those that are held until a person has read what was said.
    pub held: u64,
    /// Conversations that changed in the meantime, and were left as they are.
    pub overtaken: u64,
}

impl LedgerReader {
    /// Calls `on_row` for what was said in each of a campaign's calls, as far as it is kept, oldest first.
    pub fn each_conversation<E: From<LedgerError>>(
        &self,
        campaign: &CampaignName,
        mut on_row: impl FnMut(KeptConversation) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement =
            self.conn.prepare_cached(sql!("conversation_words_of_campaign")).map_err(LedgerError::from)?;
        let mut rows = statement.query([campaign.as_str()]).map_err(LedgerError::from)?;
        while let Some(row) = rows.next().map_err(LedgerError::from)? {
            on_row(kept_conversation(row)?)?;
        }
        Ok(())
    }
}

fn kept_conversation(row: &Row<'_>) -> Result<KeptConversation, LedgerError> {
    Ok(KeptConversation {
        attempt: AttemptId(row.get("id")?),
        outcome: maybe_outcome_at(row, "outcome")?.ok_or(LedgerError::INVALID_ROW)?,
        doubt: maybe_doubt_at(row, "doubt")?,
        is_reviewed: row.get("is_reviewed")?,
        words: words_at(row)?,
    })
}

impl Operator {
    /// Gives conversations the outcomes of newer rules, and moves their entries as these outcomes demand. `rules` are
    /// the campaign's redial rules; `by` says who decided, for the record.
    pub fn reclassify(
        &mut self,
        changes: &[Reclassification],
        rules: &Redial,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Reclassified, OperatorError> {
        let transaction = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut result = Reclassified::default();
        for change in changes {
            match ended_call(&transaction, change.attempt)? {
                Some(call) if call.is_as_shown(change) => {
                    let reclassifier = Reclassifier { conn: &transaction, rules, by, now };
                    reclassifier.apply(change, &call, &mut result)?;
                }
                Some(_) | None => result.overtaken += 1,
            }
        }
        transaction.commit()?;
        Ok(result)
    }
}

/// A conversation that is over, and its entry.
struct EndedCall {
    entry: EntryId,
    outcome: Outcome,
    doubt: Option<Doubt>,
    is_reviewed: bool,
    number: u32,
    to: E164,
    ended: DateTime<Utc>,
    state: State,
    reason: Option<Reason>,
    run: RunId,
    /// No call to the entry was placed later, none was an opt-out, and by none a person found the patient deceased.
    decides_entry: bool,
    /// No list may have forbidden a further call since.
    may_be_called: bool,
}

impl EndedCall {
    /// Whether the conversation is what it was when the change was shown.
    fn is_as_shown(&self, change: &Reclassification) -> bool {
        self.outcome == change.was && self.doubt == change.doubt && !self.is_reviewed
    }
}

fn ended_call(conn: &Connection, attempt: AttemptId) -> Result<Option<EndedCall>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_to_reclassify"))?;
    let found = statement.query_row((attempt.0, purged_content::empty()), |row| Ok(read_ended_call(row)));
    found.optional()?.transpose()
}

fn read_ended_call(row: &Row<'_>) -> Result<EndedCall, LedgerError> {
    Ok(EndedCall {
        entry: EntryId(row.get("entry_id")?),
        outcome: maybe_outcome_at(row, "outcome")?.ok_or(LedgerError::INVALID_ROW)?,
        doubt: maybe_doubt_at(row, "doubt")?,
        is_reviewed: row.get("is_reviewed")?,
        number: row.get("number")?,
        to: phone_at(row, "to_number")?,
        ended: instant_at(row, "ended_at")?,
        state: state_at(row, "state")?,
        reason: maybe_reason_at(row, "reason")?,
        run: RunId(row.get("run_id")?),
        decides_entry: row.get("decides_entry")?,
        may_be_called: row.get("may_be_called")?,
    })
}

struct Reclassifier<'a> {
    conn: &'a Connection,
    rules: &'a Redial,
    by: &'a str,
    now: DateTime<Utc>,
}

impl Reclassifier<'_> {
    fn apply(&self, change: &Reclassification, call: &EndedCall, result: &mut Reclassified) -> Result<(), LedgerError> {
        let Reclassification { attempt, was, doubt, taken_for } = change;
        exactly_one(self.conn.prepare_cached(sql!("attempt_reclassified"))?.execute((
            attempt.0,
            was.name(),
            doubt.map(Doubt::name),
            taken_for.outcome.name(),
            taken_for.to_review().map(Doubt::name),
            taken_for.to_review().map(|_| millis(self.now)),
        ))?)?;
        result.changed += 1;
        if taken_for.outcome == Outcome::OptOut || taken_for.is_death {
            let why = if taken_for.is_death { "deceased by" } else { "opt-out in" };
            let source = format!("{why} a conversation, by newer outcome rules, applied by {}", self.by);
            suppression::suppress_for_good(self.conn, call.to, SuppressionScope::All, &source, self.now)?;
            result.suppressed += 1;
        }
        let state = self.move_entry(change, call, result)?;
        result.held += u64::from(taken_for.to_review().is_some() && state == State::Held);
        Ok(())
    }

    /// Moves the entry if its newest call is the one that changed, and records the change in any case. Returns the
    /// entry's state.
    fn move_entry(
        &self,
        change: &Reclassification,
        call: &EndedCall,
        result: &mut Reclassified,
    ) -> Result<State, LedgerError> {
        let detail = self.detail(change);
        let fact = self.fact(change, call, result)?;
        let (run, entry, from, at) = (call.run, call.entry, call.state, self.now);
        let Some(fact) = fact.filter(|fact| from.after(fact).is_ok()) else {
            let event = (millis(at), run.0, entry.0, change.attempt.0, "reclassified", &detail);
            self.conn.prepare_cached(sql!("event_note"))?.execute(event)?;
            self.conn.prepare_cached(sql!("entry_outcome_of_newest"))?.execute([entry.0])?;
            return hold_if_in_doubt(self.conn, run, entry, from, at);
        };
        let attempt = Some(change.attempt);
        let state =
            Transition { run, entry, attempt, at, from, fact: &fact, detail: Some(&detail) }.apply(self.conn)?;
        result.to_call_again += u64::from(state == State::Waiting);
        Ok(state)
    }

    /// What the changed call means for its entry now; `None`: nothing, or a person has to read it first.
    fn fact(
        &self,
        change: &Reclassification,
        call: &EndedCall,
        result: &mut Reclassified,
    ) -> Result<Option<Fact>, LedgerError> {
        let outcome = change.taken_for.outcome;
        if change.taken_for.to_review().is_some() {
            return Ok(None);
        }
        if call.state == State::Held {
            // What was in doubt in any call is certain now: nobody would be shown it any more. A newer rule settles nothing
            // else for which an entry is held.
            let is_for_review = doubt_of_held(call.state, call.reason).is_some();
            let is_in_doubt = self.conn.prepare_cached(sql!("attempt_doubts_of"))?.exists([call.entry.0])?;
            let settles = outcome == Outcome::OptOut && is_for_review && !is_in_doubt;
            return Ok(settles.then_some(Fact::Reviewed { outcome, redial: None }));
        }
        if !call.decides_entry {
            return Ok(None);
        }
        let redial = redial::after_ending(self.rules, outcome, call.number, call.ended);
        let may_call = call.may_be_called || call.state.is_callable();
        result.not_called_again += u64::from(redial.is_some() && !may_call && call.state == State::Finished);
        let fact = Fact::Reclassified { outcome, redial: redial.filter(|_| may_call) };
        if call.state.after(&fact).is_err() {
            return Ok(None);
        }
        alternate_numbers::switch_if_wrong(self.conn, call.entry, fact).map(Some)
    }

    /// The change for the record; never what was said, because events are never removed.
    fn detail(&self, change: &Reclassification) -> String {
        let Classification { outcome, rule, .. } = &change.taken_for;
        let doubt = change.taken_for.to_review().map_or_else(String::new, |doubt| format!(", {}", doubt.label()));
        let rule = rule.as_ref().map_or("no outcome rule matched", |rule| rule.as_str());
        format!("{}{doubt} instead of {}; {rule}; applied by {}", outcome.label(), change.was.label(), self.by)
    }
}

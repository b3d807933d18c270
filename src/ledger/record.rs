//! What became known about attempts: replies, conversations found, endings.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Rows};

use super::error::LedgerError;
use super::rows::{attempt_state_at, exactly_one, instant_at, maybe_instant_at, millis, phone_at, state_at};
use super::runs::RunHandle;
use super::sql;
use super::suppression::{self, Scope};
use super::transition::Step;
use super::{meanwhile, numbers};
use crate::entry::{AttemptState, Fact, Outcome, Reason, State};
use crate::ids::{AttemptId, CampaignId, ConversationId, EntryId, OrganisationId, RunId};
use crate::phone::E164;

/// Something that became known about an attempt.
#[derive(Debug, Clone)]
pub struct Happened {
    /// Which attempt.
    pub attempt: AttemptId,
    /// Whose.
    pub entry: EntryId,
    /// When it became known.
    pub at: DateTime<Utc>,
    /// What.
    pub fact: Fact,
    /// The conversation, where the fact names one.
    pub conversation: Option<ConversationId>,
    /// When the conversation started, by the vendor's clock.
    pub started: Option<DateTime<Utc>>,
    /// When the conversation ended, by the vendor's clock.
    pub ended: Option<DateTime<Utc>>,
    /// Evidence for people, never a patient's data.
    pub detail: Option<String>,
}

/// An attempt that is not settled.
#[derive(Debug, Clone)]
pub struct UnderWay {
    /// The attempt.
    pub attempt: AttemptId,
    /// Whose.
    pub entry: EntryId,
    /// On whose budget.
    pub organisation: OrganisationId,
    /// The number that called.
    pub from: E164,
    /// The number dialled.
    pub to: E164,
    /// Which call to its entry it is.
    pub number: u32,
    /// Submitting, open or unknown.
    pub state: AttemptState,
    /// When its intent was committed.
    pub intent_at: DateTime<Utc>,
    /// When it was accepted.
    pub answered_at: Option<DateTime<Utc>>,
    /// The last moment at which its request could have been accepted, if its answer was lost.
    pub lost_at: Option<DateTime<Utc>>,
    /// Its conversation, if it is open.
    pub conversation: Option<ConversationId>,
}

/// Evidence that moves nothing.
#[derive(Debug, Clone)]
pub struct Note {
    /// When.
    pub at: DateTime<Utc>,
    /// What it is about.
    pub entry: Option<EntryId>,
    /// What it is about.
    pub attempt: Option<AttemptId>,
    /// A word for it.
    pub kind: &'static str,
    /// Evidence for people, never a patient's data.
    pub detail: String,
}

pub(super) fn record(conn: &Connection, run: RunHandle, happened: &[Happened]) -> Result<Vec<State>, LedgerError> {
    happened.iter().map(|one| record_one(conn, run.run, one)).collect()
}

/// Records one fact; where its entry stands then.
pub(super) fn record_one(conn: &Connection, run: RunId, happened: &Happened) -> Result<State, LedgerError> {
    let (from, attempt_from, dialled) = standing(conn, happened)?;
    let attempt_to = attempt_from.after(&happened.fact).ok_or(LedgerError::Conflict)?;
    let set = AttemptUpdate::of(happened);
    exactly_one(conn.prepare_cached(sql!("attempt_advance"))?.execute((
        happened.attempt.0,
        attempt_from.name(),
        attempt_to.name(),
        set.answered_at.map(millis),
        set.lost_at.map(millis),
        happened.conversation.as_ref().map(ConversationId::as_str),
        happened.started.map(millis),
        set.ended_at.map(millis),
        set.outcome.map(Outcome::name),
        set.reason.map(Reason::name),
    ))?)?;
    if happened.fact == Fact::Adopted {
        found_on_the_list(conn, happened.attempt)?;
    }
    if set.outcome == Some(Outcome::OptOut) {
        suppression::add(conn, dialled, Scope::All, "opt-out in a conversation", happened.at)?;
    }
    // An attempt that is not its entry's last one settles an entry that waits for the next call, or leaves it where it is.
    let is_late = attempt_from == AttemptState::LostTrack && from != State::LostTrack;
    let settles =
        matches!(from, State::Ready | State::Waiting) && matches!(happened.fact, Fact::Ended { redial: None, .. });
    if is_late && !settles {
        // Its entry has gone elsewhere since: what was said counts, and the entry stays where it is.
        note_late_ending(conn, run, happened)?;
        return Ok(from);
    }
    let fact = on_another_number(conn, happened)?;
    let state = Step {
        run,
        entry: happened.entry,
        attempt: Some(happened.attempt),
        at: happened.at,
        from,
        fact: &fact,
        detail: happened.detail.as_deref(),
    }
    .take(conn)?;
    meanwhile::carry_out(conn, run, happened.entry, state, happened.at)
}

fn note_late_ending(conn: &Connection, run: RunId, happened: &Happened) -> Result<(), LedgerError> {
    let outcome = if let Fact::Ended { outcome, .. } = happened.fact { outcome.name() } else { "unknown" };
    let detail = format!("outcome {outcome}, read after the call had been lost track of");
    let (entry, attempt) = (Some(happened.entry.0), Some(happened.attempt.0));
    conn.prepare_cached(sql!("event_note"))?.execute((
        millis(happened.at),
        run.0,
        entry,
        attempt,
        "ended_late",
        &detail,
    ))?;
    Ok(())
}

/// The call's conversation is known from the vendor's list, not by the answer to its request.
pub(super) fn found_on_the_list(conn: &Connection, attempt: AttemptId) -> Result<(), LedgerError> {
    exactly_one(conn.prepare_cached(sql!("attempt_found"))?.execute([attempt.0])?)
}

/// Those of `conversations` that are attempts', each with whether the answer to its request named it.
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

/// A call to somebody who is not there is followed by one to the patient's next number, and by none if there is no other.
fn on_another_number(conn: &Connection, happened: &Happened) -> Result<Fact, LedgerError> {
    let Fact::Ended { outcome, redial: Some(_) } = happened.fact else { return Ok(happened.fact.clone()) };
    if !outcome.is_of_the_number() {
        return Ok(happened.fact.clone());
    }
    let Some(other) = numbers::not_dialled(conn, happened.entry)? else {
        return Ok(Fact::Ended { outcome, redial: None });
    };
    numbers::renumber(conn, happened.entry, other)?;
    Ok(happened.fact.clone())
}

fn standing(conn: &Connection, happened: &Happened) -> Result<(State, AttemptState, E164), LedgerError> {
    conn.prepare_cached(sql!("attempt_standing"))?.query_row((happened.attempt.0, happened.entry.0), |row| {
        Ok(state_at(row, "entry_state")
            .and_then(|entry| Ok((entry, attempt_state_at(row, "attempt_state")?, phone_at(row, "to_number")?))))
    })?
}

/// What a fact sets in its attempt's row.
#[derive(Default)]
struct AttemptUpdate {
    answered_at: Option<DateTime<Utc>>,
    lost_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    outcome: Option<Outcome>,
    reason: Option<Reason>,
}

impl AttemptUpdate {
    fn of(happened: &Happened) -> Self {
        let at = Some(happened.at);
        match happened.fact {
            Fact::Accepted | Fact::Adopted => Self { answered_at: at, ..Self::default() },
            Fact::NotPlaced { reason, .. } | Fact::Refused { reason } => {
                Self { answered_at: at, reason: Some(reason), ..Self::default() }
            }
            Fact::AnswerLost => Self { lost_at: at, reason: Some(Reason::AnswerLost), ..Self::default() },
            Fact::Ended { outcome, .. } => {
                Self { ended_at: happened.ended.or(at), outcome: Some(outcome), ..Self::default() }
            }
            Fact::TrackLost => Self { reason: Some(Reason::TrackLost), ..Self::default() },
            Fact::Absent { .. } => Self { reason: Some(Reason::AnswerLost), ..Self::default() },
            Fact::DeclaredNotPlaced => Self { reason: Some(Reason::Operator), ..Self::default() },
            Fact::Claimed
            | Fact::Deferred { .. }
            | Fact::Barred { .. }
            | Fact::SetAside { .. }
            | Fact::Unlisted
            | Fact::TooLate
            | Fact::Listed
            | Fact::CancelledByOperator => Self::default(),
        }
    }
}

pub(super) fn under_way(conn: &Connection, campaign: CampaignId) -> Result<Vec<UnderWay>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_under_way"))?;
    attempts(statement.query([campaign.0])?)
}

pub(super) fn lost_track(
    conn: &Connection,
    campaign: CampaignId,
    since: DateTime<Utc>,
) -> Result<Vec<UnderWay>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_lost_track"))?;
    attempts(statement.query((campaign.0, millis(since)))?)
}

fn attempts(mut rows: Rows<'_>) -> Result<Vec<UnderWay>, LedgerError> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(UnderWay {
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

pub(super) fn unknown_among(
    conn: &Connection,
    conversations: Vec<ConversationId>,
) -> Result<Vec<ConversationId>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_has_conversation"))?;
    let mut unknown = Vec::new();
    for conversation in conversations {
        if !statement.exists([conversation.as_str()])? {
            unknown.push(conversation);
        }
    }
    Ok(unknown)
}

pub(super) fn note(conn: &Connection, run: RunHandle, note: &Note) -> Result<(), LedgerError> {
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

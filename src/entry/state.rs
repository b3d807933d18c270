//! The states of an entry, and the one function that decides their transitions.
//!
//! ```text
//! ready ──claimed──▶ submitting ──accepted──▶ open ──ended──▶ finished
//!   ▲                   │ not placed ▶ ready      │ ended without contact ▶ waiting
//!   │                   │ refused ▶ failed        │ track lost ▶ lost_track
//!   │                   │ answer lost ▶ unknown ──adopted──▶ open
//!   │                                     └──absent──▶ held, or ready if the operator opted in
//! waiting ◀─deferred─ ready                      held ▶ open | ready | cancelled | finished | waiting, by a person
//!                                                failed ▶ ready | cancelled, by a person
//! ready, waiting ▶ suppressed | withdrawn | expired | cancelled | held
//! open, and every state without a call under way ──possibly an opt-out, or deceased──▶ held
//! cancelled ▶ ready | waiting | held, as it was before, by a person
//! finished, failed ▶ ready, once a list corrects the number that was wrong
//! ```

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::classification::Doubt;
use super::outcome::Outcome;
use super::reason::Reason;

/// The state of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// May be called as soon as the rules allow.
    Ready,
    /// May be called from a known instant on.
    Waiting,
    /// An attempt's intent is on stable storage; its answer has not come yet.
    Submitting,
    /// The vendor accepted the call; the conversation is being followed.
    Open,
    /// The answer was lost: the call may or may not have been placed. Rule R settles it.
    Unknown,
    /// Only a person may decide what happens next.
    Held,
    /// Over, with an outcome.
    Finished,
    /// Over: the vendor refused this call for good.
    Failed,
    /// Not to be called: an exclusion, an opt-out, no consent.
    Suppressed,
    /// No longer on the list.
    Withdrawn,
    /// Its call would come too late.
    Expired,
    /// Ended by a person.
    Cancelled,
    /// The vendor accepted the call, but its conversation could not be followed to its end.
    LostTrack,
}

impl State {
    /// Every state, in the order in which people read them.
    pub const ALL: [Self; 13] = [
        Self::Ready,
        Self::Waiting,
        Self::Submitting,
        Self::Open,
        Self::Unknown,
        Self::Held,
        Self::Finished,
        Self::Failed,
        Self::Suppressed,
        Self::Withdrawn,
        Self::Expired,
        Self::Cancelled,
        Self::LostTrack,
    ];

    /// The machine word in the ledger, in exports and in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::Submitting => "submitting",
            Self::Open => "open",
            Self::Unknown => "unknown",
            Self::Held => "held",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::LostTrack => "lost_track",
        }
    }

    /// The words for people. They fit after a count and after "is".
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ready => "ready to call",
            Self::Waiting => "waiting",
            Self::Submitting => "being dialled",
            Self::Open => "in a call",
            Self::Unknown => "maybe called",
            Self::Held => "held for a person",
            Self::Finished => "finished",
            Self::Failed => "refused by the vendor",
            Self::Suppressed => "not to be called",
            Self::Withdrawn => "off the list",
            Self::Expired => "too late to call",
            Self::Cancelled => "cancelled",
            Self::LostTrack => "called with unknown outcome",
        }
    }

    /// The state with the machine word `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the entry may be called as soon as the rules allow.
    #[must_use]
    pub fn is_callable(self) -> bool {
        matches!(self, Self::Ready | Self::Waiting)
    }

    /// Whether a call to the entry is in flight or was lost track of.
    #[must_use]
    pub fn has_call_to_settle(self) -> bool {
        matches!(self, Self::Submitting | Self::Open | Self::Unknown | Self::LostTrack)
    }

    /// Whether cancelling its run or campaign ends the entry at once: it may be called, or a person may make it
    /// callable.
    #[must_use]
    pub fn is_ended_by_cancel(self) -> bool {
        self.is_callable() || self == Self::Held
    }

    /// Whether no list changes the entry any more, unless it corrects a wrong number.
    #[must_use]
    pub fn is_over_for_good(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Cancelled)
    }

    /// The entry's state after `fact`. No other code decides a transition: the ledger executes it with a
    /// compare-and-set and rejects every other pair by a table of its own.
    pub fn after(self, fact: &Fact) -> Result<Self, IllegalTransition> {
        use State::{
            Cancelled, Expired, Failed, Finished, Held, LostTrack, Open, Ready, Submitting, Suppressed, Unknown,
            Waiting, Withdrawn,
        };
        let (from, to): (&[Self], Self) = match fact {
            Fact::Claimed => (&[Ready, Waiting], Submitting),
            Fact::Deferred { .. } => (&[Ready, Waiting], Waiting),
            // A newer list may forbid what an earlier one left off, forbade or held for another reason.
            Fact::Barred { .. } => (&[Ready, Waiting, Withdrawn, Suppressed, Held], Suppressed),
            Fact::SetAside { .. } => (&[Ready, Waiting, Withdrawn, Suppressed, Held], Held),
            Fact::Unlisted => (&[Ready, Waiting, Held, Suppressed], Withdrawn),
            Fact::TooLate { .. } => (&[Ready, Waiting], Expired),
            Fact::Listed => (&[Withdrawn, Suppressed, Held, Expired], Ready),
            Fact::NumberCorrected => (&[Finished, Failed], Ready),
            Fact::SettledBefore { .. } => (&[Ready, Waiting], Finished),
            Fact::Accepted => (&[Submitting], Open),
            Fact::NotPlaced { .. } => (&[Submitting], Ready),
            Fact::Refused { .. } => (&[Submitting], Failed),
            Fact::AnswerLost => (&[Submitting], Unknown),
            // An earlier call may settle an entry that waits for its next call.
            Fact::Ended { redial: None, .. } => (&[Open, LostTrack, Ready, Waiting], Finished),
            Fact::Ended { redial: Some(_), .. } => (&[Open, LostTrack], Waiting),
            Fact::TrackLost => (&[Open], LostTrack),
            Fact::Adopted => (&[Unknown, Held], Open),
            Fact::Absent { retry: false } => (&[Unknown], Held),
            Fact::Absent { retry: true } => (&[Unknown], Ready),
            Fact::DeclaredNotPlaced => (&[Held, Failed], Ready),
            Fact::CancelledByOperator => (&[Ready, Waiting, Held, Failed, LostTrack], Cancelled),
            Fact::EndedInDoubt { .. } => (&[Open, LostTrack, Ready, Waiting], Held),
            Fact::ReviewNeeded { .. } => {
                (&[Ready, Waiting, Finished, Failed, Suppressed, Withdrawn, Expired, Cancelled], Held)
            }
            Fact::Reviewed { redial: None, .. } => (&[Held], Finished),
            Fact::Reviewed { redial: Some(_), .. } => (&[Held], Waiting),
            Fact::Reclassified { redial: None, .. } => (&[Finished, Ready, Waiting], Finished),
            Fact::Reclassified { redial: Some(_), .. } => (&[Finished, Ready, Waiting], Waiting),
            Fact::BarLifted => (&[Suppressed], Ready),
            Fact::Reinstated { to, .. } if to.is_ended_by_cancel() => (&[Cancelled], *to),
            Fact::Reinstated { to, .. } => (&[], *to),
        };
        if from.contains(&self) { Ok(to) } else { Err(IllegalTransition { state: self, fact: fact.name() }) }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A fact about an entry that may change its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Every rule allows the call now, and its intent is about to be committed.
    Claimed,
    /// A rule allows the call only later.
    Deferred {
        /// The earliest instant of the call.
        until: DateTime<Utc>,
        /// The rule that defers it.
        reason: Reason,
    },
    /// A rule forbids the call.
    Barred {
        /// The rule that forbids it.
        reason: Reason,
    },
    /// A rule requires a person's decision.
    SetAside {
        /// The rule that requires it.
        reason: Reason,
    },
    /// The newest list no longer has this entry.
    Unlisted,
    /// The last instant at which the call made sense has passed, or comes before the rules allow a call.
    TooLate {
        /// What made it too late.
        reason: Reason,
    },
    /// The newest list has this entry and no longer forbids its call.
    Listed,
    /// The number was a wrong one, and the newest list has another, which no call has dialled in vain.
    NumberCorrected,
    /// The vendor answered with a conversation id.
    Accepted,
    /// Provably no call was placed; another attempt may follow.
    NotPlaced {
        /// The earliest instant of the next attempt.
        retry_at: DateTime<Utc>,
        /// Why it was not placed.
        reason: Reason,
    },
    /// The vendor refused this call for a reason that does not pass with time.
    Refused {
        /// The vendor's reason.
        reason: Reason,
    },
    /// An earlier call has settled the entry: one to the household, whose outcome counts for this patient, too, or one that
    /// showed the number to be wrong.
    SettledBefore {
        /// The outcome.
        outcome: Outcome,
    },
    /// No answer says whether the call was placed.
    AnswerLost,
    /// The conversation is closed.
    Ended {
        /// The outcome of the conversation.
        outcome: Outcome,
        /// The earliest instant of the next call; `None` if there is none.
        redial: Option<DateTime<Utc>>,
    },
    /// The conversation's end was not seen before its deadline.
    TrackLost,
    /// The conversation of an attempt whose answer was lost has been found.
    Adopted,
    /// Rule R found no conversation for an attempt whose answer was lost.
    Absent {
        /// Whether the campaign allows another call to such an entry.
        retry: bool,
    },
    /// An operator says that a held attempt was not placed, or brings back one that was refused.
    DeclaredNotPlaced,
    /// An operator ends the entry.
    CancelledByOperator,
    /// The conversation is closed, and may have contained what only a person can judge.
    EndedInDoubt {
        /// The outcome of the conversation.
        outcome: Outcome,
        /// What may have been said.
        doubt: Doubt,
    },
    /// A conversation of the entry that is over may have contained what only a person can judge: one read after the
    /// entry had moved on, or one classified anew.
    ReviewNeeded {
        /// What may have been said.
        doubt: Doubt,
    },
    /// A person has read what was said and decided.
    Reviewed {
        /// The outcome of the conversation, as the person decided.
        outcome: Outcome,
        /// The earliest instant of the next call; `None` if there is none.
        redial: Option<DateTime<Utc>>,
    },
    /// Newer outcome rules take the entry's last conversation for something else.
    Reclassified {
        /// The outcome of the conversation by these rules.
        outcome: Outcome,
        /// The earliest instant of the next call; `None` if there is none.
        redial: Option<DateTime<Utc>>,
    },
    /// A person has found that the number may be called, after a rule had barred the entry until then.
    BarLifted,
    /// An operator takes a cancellation back: the entry is what it was before.
    Reinstated {
        /// The state before.
        to: State,
        /// The reason for that state, where it had one.
        reason: Option<Reason>,
    },
}

impl Fact {
    /// The machine word in the ledger's events.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Deferred { .. } => "deferred",
            Self::Barred { .. } => "barred",
            Self::SetAside { .. } => "set_aside",
            Self::Unlisted => "unlisted",
            Self::TooLate { .. } => "too_late",
            Self::Listed => "listed",
            Self::NumberCorrected => "number_corrected",
            Self::SettledBefore { .. } => "settled_before",
            Self::Accepted => "accepted",
            Self::NotPlaced { .. } => "not_placed",
            Self::Refused { .. } => "refused",
            Self::AnswerLost => "answer_lost",
            Self::Ended { .. } => "ended",
            Self::TrackLost => "track_lost",
            Self::Adopted => "adopted",
            Self::Absent { .. } => "absent",
            Self::DeclaredNotPlaced => "declared_not_placed",
            Self::CancelledByOperator => "cancelled",
            Self::EndedInDoubt { .. } => "ended_in_doubt",
            Self::ReviewNeeded { .. } => "review_needed",
            Self::Reviewed { .. } => "reviewed",
            Self::Reclassified { .. } => "reclassified",
            Self::BarLifted => "bar_lifted",
            Self::Reinstated { .. } => "reinstated",
        }
    }
}

/// A fact that cannot be true of an entry in its current state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry that is {state} cannot be {fact}")]
pub struct IllegalTransition {
    /// The entry's current state.
    pub state: State,
    /// The machine word of the fact.
    pub fact: &'static str,
}

#[cfg(test)]
impl Fact {
    /// Every fact, in every shape that leads to another state.
    pub(crate) fn every_shape() -> Vec<Self> {
        let (at, reason) = (DateTime::UNIX_EPOCH, Reason::Window);
        vec![
            Self::Claimed,
            Self::Deferred { until: at, reason },
            Self::Barred { reason },
            Self::SetAside { reason },
            Self::Unlisted,
            Self::TooLate { reason },
            Self::Listed,
            Self::NumberCorrected,
            Self::SettledBefore { outcome: Outcome::Booked },
            Self::Accepted,
            Self::NotPlaced { retry_at: at, reason },
            Self::Refused { reason },
            Self::AnswerLost,
            Self::Ended { outcome: Outcome::Booked, redial: None },
            Self::Ended { outcome: Outcome::Busy, redial: Some(at) },
            Self::TrackLost,
            Self::Adopted,
            Self::Absent { retry: false },
            Self::Absent { retry: true },
            Self::DeclaredNotPlaced,
            Self::CancelledByOperator,
            Self::EndedInDoubt { outcome: Outcome::Unclassified, doubt: Doubt::PossibleOptOut },
            Self::ReviewNeeded { doubt: Doubt::PossiblyDeceased },
            Self::Reviewed { outcome: Outcome::OptOut, redial: None },
            Self::Reviewed { outcome: Outcome::Busy, redial: Some(at) },
            Self::Reclassified { outcome: Outcome::Booked, redial: None },
            Self::Reclassified { outcome: Outcome::Busy, redial: Some(at) },
            Self::BarLifted,
            Self::Reinstated { to: State::Ready, reason: None },
            Self::Reinstated { to: State::Waiting, reason: Some(reason) },
            Self::Reinstated { to: State::Held, reason: Some(reason) },
            Self::Reinstated { to: State::Finished, reason: None },
        ]
    }
}

#[cfg(test)]
mod tests;

//! The states of an attempt, which is one authorised `POST`.

use super::state::Fact;

/// The state of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptState {
    /// The intent is on stable storage; no answer has arrived.
    Submitting,
    /// The vendor answered with a conversation id; the conversation is being polled.
    Open,
    /// The answer was lost: the call may or may not have been placed.
    Unknown,
    /// Provably not placed.
    NotPlaced,
    /// The vendor refused the call permanently.
    Refused,
    /// The conversation is closed.
    Ended,
    /// The answer was lost, and rule R found no conversation.
    Absent,
    /// The conversation's end was not seen before its deadline.
    LostTrack,
}

impl AttemptState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Submitting,
        Self::Open,
        Self::Unknown,
        Self::NotPlaced,
        Self::Refused,
        Self::Ended,
        Self::Absent,
        Self::LostTrack,
    ];

    /// Whether the call may still be in flight: its result is not known yet.
    #[must_use]
    pub fn is_in_flight(self) -> bool {
        match self {
            Self::Submitting | Self::Open | Self::Unknown => true,
            Self::NotPlaced | Self::Refused | Self::Ended | Self::Absent | Self::LostTrack => false,
        }
    }

    /// Whether the call was placed, or may have been: it counts for every cap.
    #[must_use]
    pub fn may_have_been_placed(self) -> bool {
        match self {
            Self::NotPlaced | Self::Refused => false,
            Self::Submitting | Self::Open | Self::Unknown | Self::Ended | Self::Absent | Self::LostTrack => true,
        }
    }

    /// The machine word, as the ledger stores it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Submitting => "submitting",
            Self::Open => "open",
            Self::Unknown => "unknown",
            Self::NotPlaced => "not_placed",
            Self::Refused => "refused",
            Self::Ended => "ended",
            Self::Absent => "absent",
            Self::LostTrack => "lost_track",
        }
    }

    /// The state with the machine word `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The attempt's state after `fact` about its entry; `None` if the fact does not concern an attempt in this state.
    #[must_use]
    pub fn after(self, fact: &Fact) -> Option<Self> {
        use AttemptState::{Absent, Ended, LostTrack, NotPlaced, Open, Refused, Submitting, Unknown};
        let (from, to): (&[Self], Self) = match fact {
            Fact::Accepted => (&[Submitting], Open),
            Fact::NotPlaced { .. } => (&[Submitting], NotPlaced),
            Fact::Refused { .. } => (&[Submitting], Refused),
            Fact::AnswerLost => (&[Submitting], Unknown),
            Fact::Adopted => (&[Unknown, Absent], Open),
            Fact::Absent { retry: false } => (&[Unknown], Absent),
            // The campaign accepts the absence proof: the call counts as not placed.
            Fact::Absent { retry: true } => (&[Unknown], NotPlaced),
            Fact::DeclaredNotPlaced => (&[Absent, Refused], NotPlaced),
            Fact::Ended { .. } | Fact::EndedInDoubt { .. } => (&[Open, LostTrack], Ended),
            Fact::TrackLost => (&[Open], LostTrack),
            Fact::Claimed
            | Fact::Deferred { .. }
            | Fact::Barred { .. }
            | Fact::SetAside { .. }
            | Fact::Unlisted
            | Fact::TooLate { .. }
            | Fact::Listed
            | Fact::NumberCorrected
            | Fact::SettledBefore { .. }
            | Fact::CancelledByOperator
            | Fact::Reinstated { .. }
            | Fact::ReviewNeeded { .. }
            | Fact::Reviewed { .. }
            | Fact::Reclassified { .. }
            | Fact::BarLifted => return None,
        };
        from.contains(&self).then_some(to)
    }
}

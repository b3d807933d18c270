//! Where an attempt, one authorised `POST`, stands.

use super::state::Fact;

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptState {
    /// Its intent is on stable storage; no answer yet.
    Submitting,
    /// It became a conversation, which is being followed.
    Open,
    /// Its answer was lost.
    Unknown,
    /// Provably not placed.
    NotPlaced,
    /// Refused for good.
    Refused,
    /// Its conversation is closed.
    Ended,
    /// Its answer was lost, and rule R found no conversation.
    Absent,
    /// Its conversation was not seen to end.
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

    /// Whether its call may still be under way: what came of it is not known yet.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        match self {
            Self::Submitting | Self::Open | Self::Unknown => true,
            Self::NotPlaced | Self::Refused | Self::Ended | Self::Absent | Self::LostTrack => false,
        }
    }

    /// Its word in the ledger.
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

    /// The state of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Where the attempt stands once `fact` is known of its entry; `None` if the fact does not concern an attempt in
    /// this state.
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
            // The campaign takes the proof for certain: the call counts as one that was never made.
            Fact::Absent { retry: true } => (&[Unknown], NotPlaced),
            Fact::DeclaredNotPlaced => (&[Absent, Refused], NotPlaced),
            Fact::Ended { .. } => (&[Open, LostTrack], Ended),
            Fact::TrackLost => (&[Open], LostTrack),
            Fact::Claimed
            | Fact::Deferred { .. }
            | Fact::Barred { .. }
            | Fact::SetAside { .. }
            | Fact::Unlisted
            | Fact::TooLate
            | Fact::Listed
            | Fact::CancelledByOperator => return None,
        };
        from.contains(&self).then_some(to)
    }
}

//! What a phrase or a tag means.

use crate::entry::Outcome;

/// What a phrase or a tag means: an outcome, or a death, which is surer to be asked about than a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Meaning {
    Outcome(Outcome),
    Deceased,
}

impl Meaning {
    pub(super) const OPT_OUT: Self = Self::Outcome(Outcome::OptOut);

    /// The meaning with this word in the files of phrases and tags.
    pub(super) fn named(word: &str) -> Option<Self> {
        if word == "deceased" { Some(Self::Deceased) } else { Outcome::named(word).map(Self::Outcome) }
    }

    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Outcome(outcome) => outcome,
            Self::Deceased => Outcome::DeceasedOrMoved,
        }
    }

    /// Whether nobody calls the number again after it.
    pub(super) fn bars_the_number(self) -> bool {
        matches!(self, Self::OPT_OUT | Self::Deceased)
    }
}

//! What a finished conversation was taken for, and how sure that is.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use super::reason::Reason;

/// What a finished conversation was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    /// The outcome: the best one that the conversation supports, never a guess.
    pub outcome: Outcome,
    /// Whether the conversation says for certain that the patient has died. The outcome alone may be a move.
    pub is_death: bool,
    /// What may have been said, but not certainly.
    pub doubt: Option<Doubt>,
    /// How it was decided; `None`: nothing matched.
    pub rule: Option<RuleName>,
}

impl Classification {
    /// Nothing known says what the conversation meant.
    pub const UNCLASSIFIED: Self = Self { outcome: Outcome::Unclassified, is_death: false, doubt: None, rule: None };

    /// What a person has to read: a certain opt-out leaves nothing to decide.
    #[must_use]
    pub fn to_review(&self) -> Option<Doubt> {
        self.doubt.filter(|_| self.outcome != Outcome::OptOut)
    }
}

/// What decided an outcome, for events and people, such as `outcome rule 3`. It never holds what the patient said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleName(String);

impl RuleName {
    /// A name in words.
    #[must_use]
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// The name of the rule at this position of the campaign's rules, counted from 1.
    #[must_use]
    pub fn numbered(position: usize) -> Self {
        Self(format!("outcome rule {position}"))
    }

    /// The name in words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What may have been said, but not certainly: a person has to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The person may not want to be called again.
    PossibleOptOut,
    /// The patient may have died.
    PossiblyDeceased,
}

impl Doubt {
    /// Every doubt.
    pub const ALL: [Self; 2] = [Self::PossibleOptOut, Self::PossiblyDeceased];

    /// The machine word in the ledger, exports and events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PossibleOptOut => "possible_opt_out",
            Self::PossiblyDeceased => "possibly_deceased",
        }
    }

    /// The words for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::PossibleOptOut => "possible opt-out",
            Self::PossiblyDeceased => "possibly deceased",
        }
    }

    /// Why an entry is held for it.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::PossibleOptOut => Reason::PossibleOptOut,
            Self::PossiblyDeceased => Reason::PossiblyDeceased,
        }
    }

    /// The doubt with the machine word `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|doubt| doubt.name() == name)
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

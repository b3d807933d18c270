//! What became of a list's rows, in numbers.

use std::collections::BTreeMap;
use std::fmt;

use super::rejection::TextName;
use crate::entry::{ListTally, Reason};

/// What became of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Where every row went.
    pub tally: ListTally,
    /// Rejected rows by rule.
    pub rejected_by: BTreeMap<String, u64>,
    /// Accepted entries that the list itself keeps from being called, or asks a person about.
    pub kept_by: BTreeMap<Reason, u64>,
    /// What somebody should look at, and in how many rows.
    pub warnings: BTreeMap<Warning, u64>,
}

/// What somebody should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Warning {
    /// Called without recorded consent.
    ConsentBlank,
    /// Covered by a household's call whose context does not speak of them.
    HouseholdUnnamed,
    /// The voicemail does not say who called.
    VoicemailWithoutPractice,
    /// The voicemail does not say how to call back.
    VoicemailWithoutNumber,
    /// A word of treatment, results or money.
    SensitiveWord {
        /// The text that has it.
        text: TextName,
        /// The word.
        word: &'static str,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConsentBlank => f.write_str("consent: blank; these patients are called all the same"),
            Self::HouseholdUnnamed => f.write_str(
                "message.context: does not name the household; these patients share a call that does not speak of \
                 them. Say {{ household_names }}, or household = \"off\" under [calling]",
            ),
            Self::VoicemailWithoutPractice => f.write_str("message.voicemail: does not say the practice's name"),
            Self::VoicemailWithoutNumber => f.write_str("message.voicemail: does not say the callback number"),
            Self::SensitiveWord { text, word } => {
                write!(f, "{text}: says `{word}`, which others might hear")
            }
        }
    }
}

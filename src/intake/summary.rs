//! The counts of an intake.

use std::collections::BTreeMap;
use std::fmt;

use super::rejection::MessageKind;
use crate::entry::{ListCounts, Reason};
use crate::wording::counted;

/// The counts of an intake.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IntakeSummary {
    /// The rows by result.
    pub counts: ListCounts,
    /// The rejected rows by rule.
    pub rejected_by: BTreeMap<String, u64>,
    /// The accepted entries that the list itself suppresses or holds, by reason.
    pub not_ready_by: BTreeMap<Reason, u64>,
    /// The number of affected rows by warning.
    pub warnings: BTreeMap<IntakeWarning, u64>,
    /// Rejected rows of patients who must not be called and have no number: they do not count for `max_reject_rate`.
    pub excluded_without_number: u64,
    /// How many patients of the exclude list are on the list; `None` without an exclude list.
    pub excluded: Option<ExcludedOnList>,
}

/// How many patients of an exclude list are on the list. If they are few, perhaps the two lists write their keys
/// differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct ExcludedOnList {
    /// The patients of the exclude list.
    pub patients: u64,
    /// Those of them who are on the list.
    pub on_list: u64,
}

impl fmt::Display for ExcludedOnList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { patients, on_list } = self;
        write!(f, "the exclude list: {on_list} of {} on the list", counted(*patients, "patient is", "patients are"))?;
        if *on_list < *patients {
            f.write_str("; if more should be, compare how the two lists write the columns of the key")?;
        }
        Ok(())
    }
}

/// A finding that does not reject a row but that a person should check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntakeWarning {
    /// The consent cell is blank, and the patient is called.
    ConsentBlank,
    /// Which word is the first name is not certain, and the patient is called by the whole name.
    NameDoubtful,
    /// So many rows have the number that it is no household's.
    NumberOfMany,
    /// Another row says that the patient's number must not be called, so the patient is not called.
    NumberForbidden,
    /// A row is a further appointment of a patient, and the key has no part for it.
    SeveralAppointments,
    /// A household's call covers the patient, but its context does not mention the household.
    HouseholdUnnamed,
    /// The voicemail does not say who called.
    VoicemailWithoutPractice,
    /// The voicemail does not say how to call back.
    VoicemailWithoutNumber,
    /// The text contains a word about treatment, results or money.
    SensitiveWord {
        /// The text that contains the word.
        text: MessageKind,
        /// The word.
        word: &'static str,
    },
}

impl fmt::Display for IntakeWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConsentBlank => f.write_str("consent: blank; these patients are called nevertheless"),
            Self::NameDoubtful => f.write_str(
                "name: which word is the first name is not certain; these patients are called by their whole names",
            ),
            Self::NumberOfMany => f.write_str(
                "phone: more than 100 rows have the same number; it is no household's, so each of these patients is called \
                 separately",
            ),
            Self::NumberForbidden => f.write_str(
                "phone: another row with the same number says that it must not be called; these patients are not called \
                 either",
            ),
            Self::SeveralAppointments => f.write_str(
                "key: a patient has several appointments, and the key does not tell them apart, so only the first is called \
                 about; say key = [\"patient_id\", \"appointment_start\"] under [list]",
            ),
            Self::HouseholdUnnamed => f.write_str(
                "message.context: does not name the household; these patients share a call that does not mention them. \
                 Use {{ household_names }}, or set household = \"off\" under [calling]",
            ),
            Self::VoicemailWithoutPractice => f.write_str("message.voicemail: does not say the practice's name"),
            Self::VoicemailWithoutNumber => f.write_str("message.voicemail: does not say the callback number"),
            Self::SensitiveWord { text, word } => {
                write!(f, "{text}: says `{word}`, which others might hear")
            }
        }
    }
}

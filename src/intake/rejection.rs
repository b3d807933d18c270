//! Why a row is rejected: the line, the field and the rule, never the value.

use std::fmt;

use super::date::DateError;
use super::field::Field;
use super::list::{RowFault, RowUnit};
use crate::entry::Reason;
use crate::phone::parse_cell::PhoneError;

/// A rejected row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// What `line` counts.
    pub unit: RowUnit,
    /// The row's first line in the list, counted from 1; or its number, if several rows are on one line.
    pub line: u64,
    /// The reason.
    pub reason: RejectReason,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.unit.word(), self.line, self.reason)
    }
}

/// Why a row is rejected. The text names the field and the rule. It is a key of `check --json` and a cell of rejects
/// files, so it must not change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    /// The row has more or fewer cells than the header, so cells may be in the wrong columns.
    #[error("row: has {found} cells where the header has {expected}")]
    Cells {
        /// The number of cells in the row.
        found: usize,
        /// The number of cells in the header.
        expected: usize,
    },
    /// A text where a number is expected, behind a comma and a space: cells have moved.
    #[error("row: the cells have moved; perhaps a comma in a cell has no quotes around it")]
    Moved,
    /// The row cannot be read at all.
    #[error("row: {0}")]
    Unreadable(RowFault),
    /// A required cell is empty.
    #[error("{0}: missing")]
    Missing(String),
    /// A name or a key with a character that could not be decoded.
    #[error("{0}: a character cannot be read; correct it, or name the file's encoding under [list]")]
    Damaged(Field),
    /// The columns of names name two people.
    #[error("{0}: not the name in the other columns; perhaps it is somebody else's")]
    NamesDiffer(Field),
    /// A name that is none: a company, a test, a number.
    #[error("{0}: not a patient's name")]
    NotAPerson(Field),
    /// No phone column has a number that can be dialled.
    #[error("phone: {0}")]
    Phone(PhoneError),
    /// The patient must not be called and has no number that could be dialled: nothing is lost.
    #[error("not called: {}, and no number to dial", .0.label())]
    Excluded(Reason),
    /// A date that cannot be read.
    #[error("{field}: {problem}")]
    Date {
        /// The date's field.
        field: Field,
        /// What is wrong with it.
        problem: DateError,
    },
    /// A time zone that cannot be read.
    #[error("timezone: not a time zone, such as America/Chicago or CT")]
    Zone,
    /// The campaign has no such location.
    #[error("location: the campaign has no line of it; add a [[line]], or mend the name")]
    Location,
    /// Another row has the same key.
    #[error("{key}: the same as on {} {first}, with other data", unit.word())]
    Conflict {
        /// The key columns.
        key: String,
        /// What `first` counts.
        unit: RowUnit,
        /// The line of the row that is kept.
        first: u64,
    },
    /// A template fails for this row.
    #[error("{text}, line {line}: {problem}")]
    Message {
        /// Which text.
        text: MessageKind,
        /// The template's line, counted from 1.
        line: usize,
        /// The error.
        problem: String,
    },
    /// A template uses a variable that the list does not have.
    #[error("{text}, line {line}: the list has no `{variable}`")]
    NoVariable {
        /// Which text.
        text: MessageKind,
        /// The template's line, counted from 1.
        line: usize,
        /// The variable.
        variable: String,
    },
    /// A text is longer than the vendor accepts.
    #[error("{text}: over {limit} characters")]
    TooLong {
        /// Which text.
        text: MessageKind,
        /// The most characters.
        limit: usize,
    },
}

/// One of the two texts of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// `[message] context`
    Context,
    /// `[message] voicemail`
    Voicemail,
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Context => "message.context",
            Self::Voicemail => "message.voicemail",
        })
    }
}

impl RejectReason {
    /// The reason without details that differ from row to row, for counting.
    #[must_use]
    pub fn rule(&self) -> String {
        match self {
            Self::Cells { .. } => "row: has not as many cells as the header".to_owned(),
            Self::Conflict { key, .. } => format!("{key}: on several lines, with different data"),
            Self::Unreadable(_)
            | Self::Moved
            | Self::Missing(_)
            | Self::Damaged(_)
            | Self::NotAPerson(_)
            | Self::NamesDiffer(_)
            | Self::Phone(_)
            | Self::Excluded(_)
            | Self::Date { .. }
            | Self::Zone
            | Self::Location
            | Self::Message { .. }
            | Self::NoVariable { .. }
            | Self::TooLong { .. } => self.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scripts compare these texts: they are the keys of `rejected` in `check --json`.
    #[test]
    fn the_rules_have_the_texts_that_scripts_know() {
        let problem = "the list has no `due`".to_owned();
        for (reason, text) in [
            (RejectReason::Cells { found: 2, expected: 3 }, "row: has not as many cells as the header"),
            (RejectReason::Unreadable(RowFault::NotJson), "row: not well-formed JSON"),
            (RejectReason::Missing("first_name".to_owned()), "first_name: missing"),
            (RejectReason::NotAPerson(Field::FullName), "full_name: not a patient's name"),
            (RejectReason::Phone(PhoneError::TooShort), "phone: too short"),
            (RejectReason::Date { field: Field::Due, problem: DateError::Future }, "due: in the future"),
            (RejectReason::Zone, "timezone: not a time zone, such as America/Chicago or CT"),
            (RejectReason::Location, "location: the campaign has no line of it; add a [[line]], or mend the name"),
            (
                RejectReason::Conflict { key: "patient_id".to_owned(), unit: RowUnit::Line, first: 2 },
                "patient_id: on several lines, with different data",
            ),
            (
                RejectReason::Message { text: MessageKind::Context, line: 1, problem },
                "message.context, line 1: the list has no `due`",
            ),
            (
                RejectReason::TooLong { text: MessageKind::Voicemail, limit: 500 },
                "message.voicemail: over 500 characters",
            ),
        ] {
            assert_eq!(reason.rule(), text);
        }
    }
}

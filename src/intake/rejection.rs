//! Why one row cannot be used: where and by which rule, never the value.

use std::fmt;

use super::date::DateProblem;
use super::field::Field;
use crate::phone::cell::PhoneProblem;
use crate::template::MAX_CHARS;

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The row's first line in the list, counted from 1.
    pub line: u64,
    /// Why.
    pub reason: RejectReason,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// Why a row cannot be used. The text names the field and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    /// Cells may have slipped into other columns.
    #[error("row: has {found} cells where the header has {expected}")]
    Cells {
        /// In the row.
        found: usize,
        /// In the header.
        expected: usize,
    },
    /// A cell that must not be empty is.
    #[error("{0}: missing")]
    Missing(String),
    /// No usable number in any phone column.
    #[error("phone: {0}")]
    Phone(PhoneProblem),
    /// A date that cannot be read.
    #[error("{field}: {problem}")]
    Date {
        /// The date's field.
        field: Field,
        /// What is wrong with it.
        problem: DateProblem,
    },
    /// A time zone that cannot be read.
    #[error("timezone: not a time zone, such as America/Chicago or CT")]
    Zone,
    /// The row is of a location that nobody calls for.
    #[error("location: the campaign has no line of it; add a [[line]], or mend the name")]
    Location,
    /// Another row has the same key.
    #[error("{key}: the same as on line {first}, with other data")]
    Conflict {
        /// The key columns.
        key: String,
        /// The line of the row that is kept.
        first: u64,
    },
    /// A template fails for this row.
    #[error("{text}, line {line}: {problem}")]
    Message {
        /// Which text.
        text: TextName,
        /// The template's line, counted from 1.
        line: usize,
        /// What the template says.
        problem: String,
    },
    /// A text is longer than the vendor takes.
    #[error("{0}: over {MAX_CHARS} characters")]
    TooLong(TextName),
}

/// The texts of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextName {
    /// `[message] context`
    Context,
    /// `[message] voicemail`
    Voicemail,
}

impl fmt::Display for TextName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Context => "message.context",
            Self::Voicemail => "message.voicemail",
        })
    }
}

impl RejectReason {
    /// The reason without what differs from row to row, for counting.
    #[must_use]
    pub fn rule(&self) -> String {
        match self {
            Self::Cells { .. } => "row: has not as many cells as the header".to_owned(),
            Self::Conflict { key, .. } => format!("{key}: on several lines, with different data"),
            Self::Missing(_)
            | Self::Phone(_)
            | Self::Date { .. }
            | Self::Zone
            | Self::Location
            | Self::Message { .. }
            | Self::TooLong(_) => self.to_string(),
        }
    }
}

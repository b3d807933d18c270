//! The result of the intake for each row.

use super::list::ListRow;
use super::rejection::Rejection;
use crate::entry::NewEntry;

/// The result for a row, or for the household that it belongs to.
#[derive(Clone)]
pub enum RowResult {
    /// An entry, including the other members of its household.
    Accepted(Box<NewEntry>),
    /// The reason, and the rejected row itself for the rejects file.
    Rejected(Rejection, ListRow),
    /// A row that repeats an earlier one exactly.
    Duplicate {
        /// The row's line.
        line: u64,
        /// The line of the row that it repeats.
        first: u64,
    },
    /// A row that a later row of the same key replaces (`on_conflict = "last_wins"`).
    Replaced {
        /// The row's line.
        line: u64,
        /// The line of the row that counts instead.
        by: u64,
    },
}

impl std::fmt::Debug for RowResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accepted(entry) => write!(f, "Accepted(line {})", entry.line),
            Self::Rejected(rejection, _) => write!(f, "Rejected({rejection})"),
            Self::Duplicate { line, first } => write!(f, "Duplicate(line {line} of {first})"),
            Self::Replaced { line, by } => write!(f, "Replaced(line {line} by {by})"),
        }
    }
}

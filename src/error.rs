//! What stops a command: its text and its exit code.

use std::process::ExitCode;

use crate::ledger::LedgerError;

/// How a command ends, as the shell sees it. Fixed: scripts and schedulers depend on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// Nothing due is left.
    Done,
    /// An error in the program.
    Internal,
    /// A wrong argument or campaign file; nothing was sent.
    Usage,
    /// The list was refused; nothing was sent.
    List,
    /// Stopped with due work left: run again.
    DueWorkLeft,
    /// Finished, but entries are held, refused for good or lost track of.
    NeedsAPerson,
    /// The vendor refused us: credentials, or the from-number.
    VendorRefused,
    /// The ledger is locked, damaged or full.
    Ledger,
    /// The vendor's list proves nothing: nobody was called.
    ListProvesNothing,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Internal => 1,
            Self::Usage => 2,
            Self::List => 3,
            Self::DueWorkLeft => 4,
            Self::NeedsAPerson => 5,
            Self::VendorRefused => 6,
            Self::Ledger => 7,
            Self::ListProvesNothing => 8,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What stops a command before its end. The text says what is wrong, where, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Wrong arguments, environment or surroundings.
    #[error("{0}")]
    Usage(String),
    /// The campaign file has problems; already in the form in which they are shown.
    #[error("{0}")]
    Campaign(String),
    /// The list is refused whole.
    #[error("{0}")]
    List(String),
    /// The vendor does not accept us.
    #[error("{0}")]
    VendorRefused(String),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger lacks calls that the vendor's list shows.
    #[error("{0}")]
    Behind(String),
    /// The vendor's list does not say whether the ledger holds every call.
    #[error("{0}")]
    ListProvesNothing(String),
    /// The vendor did not answer, or this machine's clock is wrong: nothing was written.
    #[error("{0}")]
    NotNow(String),
    /// Output could not be written.
    #[error("cannot write {what}: {}", plainly(*why))]
    Output {
        /// What was being written.
        what: String,
        /// Why not.
        why: std::io::ErrorKind,
    },
    /// An error in the program.
    #[error("{0}; this is an error in callrounds")]
    Internal(String),
}

fn plainly(why: std::io::ErrorKind) -> String {
    if why == std::io::ErrorKind::NotFound { "its folder does not exist".into() } else { why.to_string() }
}

impl Stop {
    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_)
            | Self::Campaign(_)
            | Self::Output { .. }
            | Self::Ledger(
                LedgerError::NoSuchRun(_)
                | LedgerError::NoRun
                | LedgerError::Missing { .. }
                | LedgerError::Folder { .. }
                | LedgerError::BackupExists { .. },
            ) => Exit::Usage,
            Self::List(_) | Self::Ledger(LedgerError::TooManyWithdrawn { .. }) => Exit::List,
            Self::ListProvesNothing(_) => Exit::ListProvesNothing,
            Self::NotNow(_) => Exit::DueWorkLeft,
            Self::VendorRefused(_) => Exit::VendorRefused,
            Self::Ledger(LedgerError::Illegal { .. } | LedgerError::Conflict) | Self::Internal(_) => Exit::Internal,
            Self::Ledger(_) | Self::Behind(_) => Exit::Ledger,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_codes_are_the_documented_ones() {
        let codes = [
            Exit::Done,
            Exit::Internal,
            Exit::Usage,
            Exit::List,
            Exit::DueWorkLeft,
            Exit::NeedsAPerson,
            Exit::VendorRefused,
            Exit::Ledger,
            Exit::ListProvesNothing,
        ]
        .map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
}

//! Command errors and exit codes.

use std::process::ExitCode;

use crate::ledger::LedgerError;

/// The exit status of a command. The numbers never change: scripts and schedulers depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExitStatus {
    /// Nothing due is left.
    Done,
    /// An error in the program.
    Internal,
    /// A wrong argument or campaign file; nothing was sent.
    Usage,
    /// The list was refused; nothing was sent.
    List,
    /// Due work is left, or the run did not begin: run again.
    DueWorkLeft,
    /// Finished, but entries need a person: held, permanently refused, or lost track of.
    NeedsAPerson,
    /// The vendor refused the credentials, the caller id, the account or three patients in a row, or nothing at the API's
    /// address is the API.
    VendorRefused,
    /// The ledger is locked, damaged, full, behind the calls placed with it, with events dated in the future, or of the
    /// other kind (live or rehearsal).
    Ledger,
    /// The vendor's list of calls cannot show whether the ledger is complete; nobody was called.
    ListProvesNothing,
}

impl ExitStatus {
    /// The exit code, 0 to 8.
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

impl From<ExitStatus> for ExitCode {
    fn from(exit: ExitStatus) -> Self {
        Self::from(exit.code())
    }
}

/// An error that stops a command. The text says what is wrong, where, and how to fix it.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A wrong argument, environment variable or file.
    #[error("{0}")]
    Usage(String),
    /// The problems of the campaign file, already drawn.
    #[error("{0}")]
    Campaign(String),
    /// The list is refused.
    #[error("{0}")]
    List(String),
    /// The vendor refused the credentials, the caller id, the account or three patients in a row, or nothing at the API's
    /// address is the API.
    #[error("{0}")]
    VendorRefused(String),
    /// An error of the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger is behind: it lacks calls that the vendor's list shows.
    #[error("{0}")]
    StaleLedger(String),
    /// The vendor's list cannot show whether the ledger has every call.
    #[error("{0}")]
    ListProvesNothing(String),
    /// The vendor did not answer, this machine's clock is wrong, or the command was interrupted; nothing was written.
    #[error("{0}")]
    NotStarted(String),
    /// Output could not be written.
    #[error("cannot write {what}: {}", describe(*why))]
    Output {
        /// What was being written.
        what: String,
        /// The kind of error.
        why: std::io::ErrorKind,
    },
    /// An error in the program.
    #[error("{0}; this is an error in callrounds")]
    Internal(String),
}

fn describe(why: std::io::ErrorKind) -> String {
    if why == std::io::ErrorKind::NotFound { "its folder does not exist".into() } else { why.to_string() }
}

impl CommandError {
    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> ExitStatus {
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
            ) => ExitStatus::Usage,
            Self::List(_) | Self::Ledger(LedgerError::TooManyWithdrawn { .. }) => ExitStatus::List,
            Self::ListProvesNothing(_) => ExitStatus::ListProvesNothing,
            Self::NotStarted(_) => ExitStatus::DueWorkLeft,
            Self::VendorRefused(_) => ExitStatus::VendorRefused,
            Self::Ledger(LedgerError::Illegal { .. } | LedgerError::Conflict) | Self::Internal(_) => {
                ExitStatus::Internal
            }
            Self::Ledger(_) | Self::StaleLedger(_) => ExitStatus::Ledger,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_codes_are_the_documented_ones() {
        let codes = [
            ExitStatus::Done,
            ExitStatus::Internal,
            ExitStatus::Usage,
            ExitStatus::List,
            ExitStatus::DueWorkLeft,
            ExitStatus::NeedsAPerson,
            ExitStatus::VendorRefused,
            ExitStatus::Ledger,
            ExitStatus::ListProvesNothing,
        ]
        .map(ExitStatus::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }
}

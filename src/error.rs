//! Command errors.

pub use crate::exit_status::ExitStatus;

use crate::ledger::LedgerError;
use crate::wording;

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
    /// A run ended so that the entries' states do not decide the exit code.
    #[error("{text}")]
    RunStopped {
        /// The exit code.
        exit: ExitStatus,
        /// Why, and what a person can do.
        text: String,
    },
    /// An error of the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
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

fn describe(why: std::io::ErrorKind) -> &'static str {
    if why == std::io::ErrorKind::NotFound { "its folder does not exist" } else { wording::io_problem(why) }
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
                | LedgerError::NoSuchCampaign { .. }
                | LedgerError::OtherVendor { .. }
                | LedgerError::Missing { .. }
                | LedgerError::Folder { .. }
                | LedgerError::BackupExists { .. },
            ) => ExitStatus::Usage,
            Self::List(_) | Self::Ledger(LedgerError::TooManyWithdrawn { .. }) => ExitStatus::List,
            Self::NotStarted(_) => ExitStatus::DueWorkLeft,
            Self::RunStopped { exit, .. } => *exit,
            Self::Ledger(LedgerError::Illegal { .. } | LedgerError::Conflict) | Self::Internal(_) => {
                ExitStatus::Internal
            }
            Self::Ledger(_) => ExitStatus::Ledger,
        }
    }
}

//! The exit codes of the commands.

use std::process::ExitCode;

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

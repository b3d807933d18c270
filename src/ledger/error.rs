//! Errors of the ledger. No message contains a value from the ledger.

use rusqlite::ErrorCode;

use crate::entry::IllegalTransition;
use crate::ids::{CampaignName, EntryId, RunId};
use crate::wording::{self, counted};

/// Why an operation on the ledger failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// Another process holds the ledger's lock.
    #[error("the ledger is in use{holder}; wait for that run or stop it, readers such as `status` work meanwhile")]
    Locked {
        /// ` by process 4711`, or nothing.
        holder: String,
    },
    /// Other users of the machine can read the ledger.
    #[error("the ledger can be read by other users of this machine; patients' data is in it: chmod 600 {path}")]
    Exposed {
        /// The ledger's path.
        path: String,
    },
    /// Every user of the machine can replace the ledger's file.
    #[error(
        "the ledger's folder {folder} can be written by every user of this machine, who could put another ledger there; \
         nothing was sent: chmod o-w {folder}"
    )]
    WritableFolder {
        /// The folder.
        folder: String,
    },
    /// A sibling file of the ledger is a link, and may be somebody else's file, or cannot be written.
    #[error(
        "{path} is {what}, but a file that belongs to the ledger must be an ordinary file of its own; nothing was sent: {way_out}"
    )]
    UnexpectedSibling {
        /// The sibling file.
        path: String,
        /// What it is, such as `a link`.
        what: &'static str,
        /// The way out, as an instruction.
        way_out: &'static str,
    },
    /// The path names a device, a pipe or a socket.
    #[error(
        "{path} is not an ordinary file, so it cannot be a ledger; nothing was sent: name another one with --ledger FILE"
    )]
    NotAFile {
        /// The ledger's path.
        path: String,
    },
    /// The path names a folder.
    #[error("{path} is a folder: name the ledger's file in it, such as --ledger {path}/callrounds.db")]
    Folder {
        /// The folder.
        path: String,
    },
    /// The write-ahead log still holds purged data, because a reader uses it.
    #[error(
        "the removed data is still on the disk: a reader, such as `status` or `report`, uses the ledger's log; wait until it \
         has ended, then run the same `ledger purge` again"
    )]
    PurgeIncomplete,
    /// There is no ledger.
    #[error("there is no ledger at {path}; name one with --ledger FILE, or start with `callrounds run CAMPAIGN`")]
    Missing {
        /// The path that was opened.
        path: String,
    },
    /// The file is not a ledger.
    #[error(
        "{path} is not a ledger of callrounds; it was not changed: name another file with --ledger FILE, or restore \
         the last backup"
    )]
    NotALedger {
        /// The file.
        path: String,
    },
    /// There was a ledger here, and its file is empty.
    #[error(
        "the ledger at {path} was emptied, and no longer knows which patients it called; nothing was sent: restore the last backup, \
         or remove the file to begin a new one"
    )]
    Emptied {
        /// The ledger's path.
        path: String,
    },
    /// The file is a copy of the one in which the ledger was last written.
    #[error(
        "the ledger at {path} is a copy, and calls placed since with the other one are not in it; nothing was sent: use \
         the other one, or, to continue with this one for good, run `callrounds ledger adopt --ledger {path}`"
    )]
    Copied {
        /// The ledger's path.
        path: String,
    },
    /// The high-water mark counts attempts that the ledger lacks.
    #[error(
        "the ledger at {path} is behind: it lacks calls that were placed with the ledger here, so it is an older copy; \
         nothing was sent: put the newest copy back, or, to continue with this one, run `callrounds ledger adopt --ledger \
         {path}` and then the campaign again, which takes over those calls"
    )]
    BehindMark {
        /// The ledger's path.
        path: String,
    },
    /// A machine whose clock was ahead wrote events.
    #[error(
        "the ledger has {} dated in the future, up to {newest}: this machine's clock was ahead when the ledger was written; \
         nothing was sent: wait until then, or run `callrounds ledger adopt`, after which they count as of now",
        counted(*events, "event", "events")
    )]
    FromTheFuture {
        /// The number of events later than now.
        events: u64,
        /// The time of the latest, UTC.
        newest: String,
    },
    /// A list lacks so many of the campaign's entries that it may have been cut short.
    #[error(
        "the list lacks {withdrawn} of the {of} patients that are still to be called, more than max_withdraw_rate allows; \
         it may have been cut short, so none of it was enrolled and nobody is withdrawn: export it again, or, if they \
         are really gone, raise max_withdraw_rate under [list]"
    )]
    TooManyWithdrawn {
        /// Entries that would be withdrawn.
        withdrawn: u64,
        /// Entries that are still to be called.
        of: u64,
    },
    /// The ledger is a rehearsal's, and live calls were requested.
    #[error(
        "the ledger at {path} was made in a rehearsal, so the patients in it were not really called; nothing was sent: name \
         another one with --ledger FILE, or move this one away{and_suppressed}"
    )]
    Rehearsed {
        /// The ledger's path.
        path: String,
        /// How to carry its suppressed numbers over, if it has any; else empty.
        and_suppressed: String,
    },
    /// The ledger has live calls, and a rehearsal was requested.
    #[error(
        "the ledger at {path} has live calls, and a patient who is rehearsed in it would count as called; nothing was \
         sent: name another one with --ledger FILE, or use `run --rehearse`, which has its own"
    )]
    Live {
        /// The ledger's path.
        path: String,
    },
    /// The ledger is on another machine's disk.
    #[error(
        "the ledger at {path} is on a network filesystem ({kind}), whose locks and writes cannot be relied upon: name a \
         file on a disk of this machine with --ledger FILE"
    )]
    Network {
        /// The ledger's path.
        path: String,
        /// The filesystem's name, such as `NFS`.
        kind: &'static str,
    },
    /// Another version of the program made the ledger.
    #[error(
        "the ledger was made by another version of callrounds (format {found}, this one knows {known}); use that version"
    )]
    OtherFormat {
        /// The ledger's format.
        found: i64,
        /// The only format that this program supports.
        known: i64,
    },
    /// The file is damaged.
    #[error("the ledger is damaged ({0}); nothing is sent that is not recorded: restore the last backup")]
    Damaged(&'static str),
    /// The disk is full, or fails to read or write.
    #[error(
        "the ledger cannot be written or read ({0}); nothing is sent that is not recorded: make room or repair the disk, then run again"
    )]
    Storage(String),
    /// The backup's file exists already; a backup never replaces a file.
    #[error("there is a file at {path} already; it was not changed: name another file for the backup")]
    BackupExists {
        /// The existing file.
        path: String,
    },
    /// The linked SQLite loses commits.
    #[error(
        "the linked SQLite {0} is older than 3.51.3, which is the first that keeps every commit: build with the bundled one"
    )]
    OldSqlite(&'static str),
    /// The writing thread stopped after a failed commit.
    #[error("the ledger stopped after a failed write; run again to continue from the last commit")]
    Stopped,
    /// Reading the list stopped before its end.
    #[error("the list ended too early; none of it was enrolled")]
    ListBrokenOff,
    /// The ledger has no run with this id.
    #[error("the ledger has no run {0}; `callrounds status` shows the newest")]
    NoSuchRun(RunId),
    /// The campaign names another kind of vendor than its calls under way went to.
    #[error(
        "the campaign has {} under way at [vendor] kind = \"{was}\", which could not be followed at another vendor; nothing \
         was sent: put that kind back and run until the calls are over, then change it",
        counted(*calls, "call", "calls")
    )]
    OtherVendor {
        /// The kind that the calls went to.
        was: String,
        /// The number of calls.
        calls: u64,
    },
    /// The ledger has no campaign with this name.
    #[error("the ledger has no campaign {name}; it has {known}")]
    NoSuchCampaign {
        /// The name.
        name: CampaignName,
        /// The names that it has.
        known: String,
    },
    /// The ledger has no run.
    #[error("the ledger has no run yet; start with `callrounds run CAMPAIGN`")]
    NoRun,
    /// The state machine does not allow the transition.
    #[error("entry {entry}: {illegal}; this is an error in the program")]
    Illegal {
        /// The entry.
        entry: EntryId,
        /// The state and the fact that do not fit.
        illegal: IllegalTransition,
    },
    /// A row was not in the expected state, so that a compare-and-set changed nothing.
    #[error("an entry was not in the state that was expected; this is an error in the program")]
    Conflict,
}

impl LedgerError {
    /// A column's value is not one that this program writes.
    pub(super) const INVALID_ROW: Self = Self::Damaged("a row is not what this program writes");

    /// An operating system error on a file, by its kind alone: its text never holds a path or a value.
    pub(super) fn storage(error: &std::io::Error) -> Self {
        Self::Storage(wording::io_problem(error.kind()).into())
    }
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(code) => Self::from_code(code),
            // Reading a row failed: a column has another type or word than this program writes.
            None => Self::INVALID_ROW,
        }
    }
}

impl LedgerError {
    fn from_code(code: ErrorCode) -> Self {
        let storage = |what: &str| Self::Storage(what.into());
        match code {
            ErrorCode::DatabaseCorrupt => Self::Damaged("its pages are inconsistent"),
            ErrorCode::NotADatabase => Self::Damaged("it is not a ledger"),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Locked { holder: String::new() },
            ErrorCode::DiskFull => storage("the disk is full"),
            ErrorCode::SystemIoFailure => storage("the disk failed"),
            ErrorCode::ReadOnly => storage("it is read-only"),
            ErrorCode::CannotOpen => storage("one of its files cannot be opened or created"),
            ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
                storage("this user may not use it")
            }
            ErrorCode::FileLockingProtocolFailed => storage("its locks do not work"),
            ErrorCode::NoLargeFileSupport => storage("it has outgrown its file system"),
            ErrorCode::OutOfMemory => storage("there is no memory left"),
            ErrorCode::OperationAborted | ErrorCode::OperationInterrupted => storage("it was interrupted"),
            ErrorCode::SchemaChanged => storage("another program changed its tables"),
            // The tables' constraints are the last guard: this program should never reach them.
            ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig => Self::Conflict,
            ErrorCode::Unknown | ErrorCode::NotFound => Self::Damaged("it lacks a table or a column"),
            ErrorCode::InternalMalfunction | ErrorCode::ApiMisuse | ErrorCode::ParameterOutOfRange => {
                storage("SQLite failed, which is an error in the program")
            }
            // Codes that a later SQLite may add.
            _ => storage("SQLite failed"),
        }
    }
}

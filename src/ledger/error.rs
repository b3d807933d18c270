//! What can be wrong with a ledger. No message repeats what the ledger holds.

use rusqlite::ErrorCode;

use super::rows::ODD_ROW;
use crate::entry::Illegal;
use crate::ids::{EntryId, RunId};

/// Why the ledger could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// Another process writes it.
    #[error("the ledger is in use{holder}; wait for that run or stop it, readers such as `status` work meanwhile")]
    Locked {
        /// ` by process 4711`, or nothing.
        holder: String,
    },
    /// Other users of the machine can read it.
    #[error("the ledger can be read by other users of this machine; patients' data is in it: chmod 600 {path}")]
    Exposed {
        /// Where it is.
        path: String,
    },
    /// Anybody can put other files in its place.
    #[error(
        "the ledger's folder {folder} can be written by every user of this machine, who could put another ledger there; \
         nothing was sent: chmod o-w {folder}"
    )]
    OpenFolder {
        /// The folder.
        folder: String,
    },
    /// What is in the place of a file beside the ledger may be somebody else's, as a link, or nothing that can be written.
    #[error(
        "{path} is {what}, and what belongs to the ledger is an ordinary file of its own; nothing was sent: {way_out}"
    )]
    Strange {
        /// Which file.
        path: String,
        /// What it is.
        what: &'static str,
        /// How to mend it.
        way_out: &'static str,
    },
    /// A device, a pipe or a socket was named in the place of a file.
    #[error("{path} is no ordinary file, so it is no ledger; nothing was sent: name another one with --ledger FILE")]
    NotAFile {
        /// Where it is.
        path: String,
    },
    /// A folder was named in the place of a file.
    #[error("{path} is a folder: name the ledger's file in it, such as --ledger {path}/callrounds.db")]
    Folder {
        /// Which folder.
        path: String,
    },
    /// What was purged still stands in the log, which somebody reads.
    #[error(
        "what was taken off is not gone from the disk yet: a reader, such as `status` or `report`, still uses the ledger's \
         log; wait until it has ended, then the same `ledger purge` again"
    )]
    NotGone,
    /// There is none.
    #[error("there is no ledger at {path}; name one with --ledger FILE, or start with `callrounds run CAMPAIGN`")]
    Missing {
        /// Where it was looked for.
        path: String,
    },
    /// The file is something else.
    #[error(
        "{path} is not a ledger of callrounds; it was left as it is: name another file with --ledger FILE, or restore \
         the last backup"
    )]
    NotALedger {
        /// Which file.
        path: String,
    },
    /// There was one, and its file is empty.
    #[error(
        "the ledger at {path} was emptied, and no longer knows whom it called; nothing was sent: restore the last backup, \
         or remove the file to begin a new one"
    )]
    Emptied {
        /// Where it was.
        path: String,
    },
    /// Its file is not the one that it was last written in.
    #[error(
        "the ledger at {path} is a copy, and calls placed since with the other one are not in it; nothing was sent: use \
         the other one, or, to go on with this one for good, `callrounds ledger adopt --ledger {path}`"
    )]
    Copied {
        /// Where it is.
        path: String,
    },
    /// The high-water mark beside it counts calls that it lacks.
    #[error(
        "the ledger at {path} is behind: calls were placed with the ledger here that this one does not know, so it is an \
         older copy; nothing was sent: put the newest copy back, or, if this is the one to go on with, `callrounds ledger \
         adopt --ledger {path}` and run again: it takes those calls over"
    )]
    BehindMark {
        /// Where it is.
        path: String,
    },
    /// A machine whose clock was ahead wrote it.
    #[error(
        "the ledger has {events} events of the future, the last of them of {newest}: this machine's clock was ahead when \
         they were written; nothing was sent: wait until then, or `callrounds ledger adopt`, after which they count as \
         of now"
    )]
    FromTheFuture {
        /// How many.
        events: u64,
        /// The last of them, UTC.
        newest: String,
    },
    /// A list lacks so much of the campaign that it may have been cut short.
    #[error(
        "the list lacks {withdrawn} of the {of} patients that are still to be called, more than max_withdraw_rate allows; \
         it may have been cut short, so nothing of it was enrolled and nobody is withdrawn: export it again, or, if they \
         are really gone, raise max_withdraw_rate under [list]"
    )]
    TooManyWithdrawn {
        /// Who would be withdrawn.
        withdrawn: u64,
        /// Of so many.
        of: u64,
    },
    /// It keeps a rehearsal, and live calls were wanted.
    #[error(
        "the ledger at {path} was made in a rehearsal: whoever it says was called was not; nothing was sent: name another \
         one with --ledger FILE, or move this one away{and_suppressed}"
    )]
    Rehearsed {
        /// Where it is.
        path: String,
        /// That it has numbers which must not be called, and how they are carried over.
        and_suppressed: String,
    },
    /// It keeps live calls, and a rehearsal was wanted.
    #[error(
        "the ledger at {path} is one of live calls, whose patients a rehearsal in it would leave uncalled; nothing was \
         sent: name another one with --ledger FILE, or `run --rehearse`, which has its own"
    )]
    Live {
        /// Where it is.
        path: String,
    },
    /// It is on another machine's disk.
    #[error(
        "the ledger at {path} is on a network filesystem ({kind}), whose locks and writes cannot be relied upon: name a \
         file on a disk of this machine with --ledger FILE"
    )]
    Network {
        /// Where it is.
        path: String,
        /// What is known of the filesystem.
        kind: &'static str,
    },
    /// Another version of the program made it.
    #[error(
        "the ledger was made by another version of callrounds (format {found}, this one knows {known}); use that one"
    )]
    OtherFormat {
        /// The ledger's format.
        found: i64,
        /// The only format that this program knows.
        known: i64,
    },
    /// It is no ledger, or a damaged one.
    #[error("the ledger is damaged ({0}); nothing is sent that is not recorded: restore the last backup")]
    Damaged(&'static str),
    /// The disk is full, or does not take or give data.
    #[error(
        "the ledger cannot be written or read ({0}); nothing is sent that is not recorded: mend the disk, then run again"
    )]
    Storage(String),
    /// A backup never takes the place of a file.
    #[error("there is a file at {path} already; it was left as it is: name another one for the backup")]
    BackupExists {
        /// Which file.
        path: String,
    },
    /// The linked SQLite loses commits.
    #[error(
        "the linked SQLite {0} is older than 3.51.3, which is the first that keeps every commit: build with the bundled one"
    )]
    OldSqlite(&'static str),
    /// The writing thread ended after a failed commit.
    #[error("the ledger stopped after a failed write; run again to go on from the last commit")]
    Stopped,
    /// Whoever read the list stopped before its end.
    #[error("the list broke off before its end; nothing of it was enrolled")]
    ListBrokenOff,
    /// No such run.
    #[error("the ledger has no run {0}; `callrounds status` names the newest")]
    NoSuchRun(RunId),
    /// No run to go on with.
    #[error("the ledger has no run yet; start with `callrounds run CAMPAIGN`")]
    NoRun,
    /// A transition that cannot be.
    #[error("entry {entry}: {illegal}; this is an error in the program")]
    Illegal {
        /// Whose.
        entry: EntryId,
        /// What was wrong.
        illegal: Illegal,
    },
    /// A row was not in the state it was expected in.
    #[error("an entry was not where it was expected to be; this is an error in the program")]
    Conflict,
}

impl LedgerError {
    /// What the operating system says of a file. Its words never hold a path or a value.
    pub(super) fn storage(error: &std::io::Error) -> Self {
        Self::Storage(error.kind().to_string())
    }
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(code) => Self::of(code),
            // Reading a row failed: its column had another type or word than this program writes.
            None => ODD_ROW,
        }
    }
}

impl LedgerError {
    fn of(code: ErrorCode) -> Self {
        let storage = |what: &str| Self::Storage(what.into());
        match code {
            ErrorCode::DatabaseCorrupt => Self::Damaged("its pages do not fit together"),
            ErrorCode::NotADatabase => Self::Damaged("it is not a ledger"),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Locked { holder: String::new() },
            ErrorCode::DiskFull => storage("the disk is full"),
            ErrorCode::SystemIoFailure => storage("the disk failed"),
            ErrorCode::ReadOnly => storage("it is read-only"),
            ErrorCode::CannotOpen => storage("a file of it cannot be opened or made"),
            ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => storage("it may not be used"),
            ErrorCode::FileLockingProtocolFailed => storage("its locks do not work"),
            ErrorCode::NoLargeFileSupport => storage("it has outgrown its file system"),
            ErrorCode::OutOfMemory => storage("there is no memory left"),
            ErrorCode::OperationAborted | ErrorCode::OperationInterrupted => storage("it was interrupted"),
            ErrorCode::SchemaChanged => storage("another program changed its tables"),
            // The tables' own rules are the last guard: this program should not have come to them.
            ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig => Self::Conflict,
            ErrorCode::Unknown | ErrorCode::NotFound => Self::Damaged("it lacks a table or a column"),
            ErrorCode::InternalMalfunction | ErrorCode::ApiMisuse | ErrorCode::ParameterOutOfRange => {
                storage("SQLite failed, which is an error in the program")
            }
            // Those that SQLite may have one day.
            _ => storage("SQLite failed"),
        }
    }
}

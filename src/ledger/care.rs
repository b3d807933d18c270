//! Looking after a ledger's file: whether it is sound, and a backup of it.
//!
//! A disk that gives back other bytes than it took is rare, and a ledger that believes them may call somebody again. So a
//! ledger is checked before it is written, as long as that takes no time that anybody would notice
//! ([`CHECKED_UP_TO`]), and whole whenever an operator asks. The check knows SQLite's own structures, every index against
//! its table, and the rules that the tables have for their columns. What it cannot know is a value that another one has
//! taken the place of: the list brings patients' data up to date on every run, and the vendor's list is looked at before
//! the first call.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::error::LedgerError;
use super::{open, sql};

use crate::visible::Shown;

/// Bytes up to which a ledger is checked whenever it is opened for writing: about 4,000 patients, and less than 0.1 s at the
/// measured 22 ms a MiB. A larger one is checked by `ledger verify`.
const CHECKED_UP_TO: u64 = 4 << 20;

const DAMAGED: LedgerError = LedgerError::Damaged("its pages, indexes or rows do not fit together");

/// Checks the ledger at `path` whole.
pub fn verify(path: &Path) -> Result<(), LedgerError> {
    let conn = open::for_reading(path)?;
    refuse_damaged(&conn)?;
    if conn.prepare(sql!("foreign_key_check"))?.exists([])? { Err(DAMAGED) } else { Ok(()) }
}

/// Refuses a damaged ledger, if it is small enough to be checked at once.
pub(super) fn refuse_damaged_if_small(conn: &Connection, path: &Path) -> Result<(), LedgerError> {
    let bytes = path.metadata().map_err(|error| LedgerError::storage(&error))?.len();
    if bytes > CHECKED_UP_TO { Ok(()) } else { refuse_damaged(conn) }
}

fn refuse_damaged(conn: &Connection) -> Result<(), LedgerError> {
    let found: String = conn.query_row(sql!("integrity_check"), [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(DAMAGED) }
}

/// Writes what the ledger at `path` holds now to the new file `to`, readable by its owner only. A run may go on meanwhile.
pub fn backup(path: &Path, to: &Path) -> Result<(), LedgerError> {
    verify(path)?;
    let name = to.to_str().ok_or_else(|| LedgerError::Storage("the backup's name is not a text".into()))?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return LedgerError::BackupExists { path: to.shown() };
        }
        LedgerError::storage(&error)
    })?;
    write_backup(path, name, &file).inspect_err(|_| {
        // Half a backup must not be taken for one.
        let _ = fs::remove_file(to);
    })
}

fn write_backup(path: &Path, to: &str, file: &File) -> Result<(), LedgerError> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.execute(sql!("backup"), [to])?;
    // The name of a new file is its folder's content.
    let folder = Path::new(to).parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = File::open(folder).and_then(|folder| folder.sync_all());
    file.sync_all().and(named).map_err(|error| LedgerError::storage(&error))
}

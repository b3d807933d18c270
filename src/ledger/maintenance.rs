//! What an operator does with a ledger's file while no run needs to stop: verify it, back it up, compare it with its
//! high-water mark.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::error::LedgerError;
use super::high_water::{self, MarkStatus};
use super::sql::sql;
use super::{integrity, open};

use crate::visible::DisplayPath;

/// Checks the whole ledger at `path` for damage.
pub fn verify(path: &Path) -> Result<(), LedgerError> {
    integrity::check_all(&open::for_reading(path)?)
}

/// Compares the ledger at `path` with its high-water mark. Needs no lock.
pub fn mark_status(path: &Path) -> Result<MarkStatus, LedgerError> {
    high_water::status(&open::for_reading(path)?, path)
}

/// Writes a snapshot of the ledger at `path` to the new file `to`, readable by its owner only. A run may continue
/// meanwhile.
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
        // Half a backup must not be mistaken for one.
        let _ = fs::remove_file(to);
    })
}

fn write_backup(path: &Path, to: &str, file: &File) -> Result<(), LedgerError> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.execute(sql!("backup"), [to])?;
    // A new file's name is durable only once its folder is synced.
    let folder = Path::new(to).parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = File::open(folder).and_then(|folder| folder.sync_all());
    file.sync_all().and(named).map_err(|error| LedgerError::storage(&error))
}

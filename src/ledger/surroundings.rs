//! What is around a ledger's file: a folder in which nobody else can exchange it, and no links in the place of the files that
//! are kept beside it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::error::LedgerError;

/// Everybody may write.
const OTHERS_WRITE: u32 = 0o002;

/// Nobody may remove or rename what is somebody else's, as in `/tmp`.
const STICKY: u32 = 0o1000;

/// What SQLite, the lock and the high-water mark keep beside the ledger.
const BESIDE: [&str; 5] = ["-wal", "-shm", "-journal", ".lock", ".high-water"];

/// Refuses a folder in the place of a ledger, one in a folder that everybody may write to, and links beside it.
pub(super) fn refuse(ledger: &Path) -> Result<(), LedgerError> {
    if ledger.is_dir() {
        return Err(LedgerError::Folder { path: ledger.display().to_string() });
    }
    // Where the ledger itself is, whatever links lead to it.
    let file = ledger.canonicalize().unwrap_or_else(|_| ledger.to_owned());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder that is not there, or cannot be looked at, is named when the file is opened.
    let mode = folder.metadata().map_or(0, |metadata| metadata.permissions().mode());
    if mode & OTHERS_WRITE != 0 && mode & STICKY == 0 {
        return Err(LedgerError::OpenFolder { folder: folder.display().to_string() });
    }
    let is_link = |path: &PathBuf| path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    match BESIDE.map(|suffix| beside(&file, suffix)).into_iter().find(is_link) {
        Some(link) => Err(LedgerError::Linked { path: link.display().to_string() }),
        None => Ok(()),
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

//! What is around a ledger's file: a folder in which nobody else can exchange it, and beside it ordinary files of its own, no
//! links and nothing that a program would wait at.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::LedgerError;

use crate::visible::Shown;

/// Everybody may write.
const OTHERS_WRITE: u32 = 0o002;

/// What SQLite, the lock and the high-water mark keep beside the ledger.
pub const BESIDE: [&str; 5] = ["-wal", "-shm", "-journal", ".lock", ".high-water"];

/// What every SQLite database begins with.
const DATABASE: &[u8] = b"SQLite format 3\0";

/// Refuses what is no file in the place of a ledger, or a file of another kind; one in a folder that everybody may write to,
/// with the sticky bit, too, as in `/tmp`, since files may be put beside it there; and links and other things beside it.
pub(super) fn refuse(ledger: &Path) -> Result<(), LedgerError> {
    let path = || ledger.shown();
    if let Ok(metadata) = ledger.metadata() {
        if metadata.is_dir() {
            return Err(LedgerError::Folder { path: path() });
        }
        if !metadata.is_file() {
            return Err(LedgerError::NotAFile { path: path() });
        }
        if metadata.len() > 0 && !may_be_a_database(ledger) {
            return Err(LedgerError::NotALedger { path: path() });
        }
    }
    // Where the ledger itself is, whatever links lead to it.
    let file = ledger.canonicalize().unwrap_or_else(|_| ledger.to_owned());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder that is not there, or cannot be looked at, is named when the file is opened.
    let mode = folder.metadata().map_or(0, |metadata| metadata.permissions().mode());
    if mode & OTHERS_WRITE != 0 {
        return Err(LedgerError::OpenFolder { folder: folder.shown() });
    }
    for path in BESIDE.map(|suffix| beside(&file, suffix)) {
        if let Some(what) = path.symlink_metadata().ok().and_then(|metadata| strange(&metadata)) {
            return Err(LedgerError::Strange { path: path.shown(), what });
        }
    }
    Ok(())
}

/// What is in the place of an ordinary file of the ledger's own.
fn strange(metadata: &Metadata) -> Option<&'static str> {
    if metadata.is_symlink() {
        Some("a link")
    } else if metadata.is_dir() {
        Some("a folder")
    } else if !metadata.is_file() {
        Some("a pipe, a device or a socket")
    } else if metadata.nlink() > 1 {
        Some("a file that has another name, too (a hard link)")
    } else {
        None
    }
}

/// A file that nobody here may read says so when it is opened.
fn may_be_a_database(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(DATABASE.len() as u64).read_to_end(&mut start));
    read.is_err() || start == DATABASE
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

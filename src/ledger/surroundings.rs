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

/// What a hard link is called. What is in it may be the ledger's own, so nobody is told to take it away.
const SECOND_NAME: &str = "a file that has another name, too (a hard link)";

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
            let way_out = if what == SECOND_NAME { "put a copy in its place: cp, then mv" } else { "move it away" };
            return Err(LedgerError::Strange { path: path.shown(), what, way_out });
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
        Some(SECOND_NAME)
    } else {
        None
    }
}

/// A file that nobody here may read says so when it is opened. One whose first page was lost with the power has it in its
/// log yet: SQLite decides.
fn may_be_a_database(path: &Path) -> bool {
    if beside(&path.canonicalize().unwrap_or_else(|_| path.to_owned()), "-wal").exists() {
        return true;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(DATABASE.len() as u64).read_to_end(&mut start));
    read.is_err() || start == DATABASE
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_database_is_known_by_its_start_unless_a_log_may_have_its_first_page() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = folder.path().join("ledger.db");
        for (start, has_log, is_refused) in [
            (&b"patient_id,phone\n"[..], false, true),
            (&[0; 4096][..], false, true),
            (&[0; 4096][..], true, false),
            (b"SQLite format 3\0", false, false),
            (b"", false, false),
        ] {
            std::fs::write(&ledger, start).expect("written");
            if has_log {
                std::fs::write(beside(&ledger, "-wal"), "a log").expect("written");
            }
            let refused = refuse(&ledger);
            assert_eq!(matches!(refused, Err(LedgerError::NotALedger { .. })), is_refused, "{refused:?}");
            let _ = std::fs::remove_file(beside(&ledger, "-wal"));
        }
    }
}

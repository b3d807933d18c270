//! Checks of the ledger's folder and sibling files: nobody else may be able to replace the ledger, and the files beside
//! it must be ordinary files of its own, not links or anything that would block a program.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::LedgerError;

use crate::visible::DisplayPath;

/// The mode bit that lets every user write.
const OTHERS_WRITE: u32 = 0o002;

/// The suffixes of the files that SQLite, the lock and the high-water mark keep beside the ledger.
pub const SIBLING_SUFFIXES: [&str; 5] = ["-wal", "-shm", "-journal", ".lock", ".high-water"];

/// A hard link. Its content may be the ledger's own, so nobody is advised to move it away.
const HARD_LINK: &str = "a file that has another name, too (a hard link)";

/// The first bytes of every SQLite database.
const SQLITE_HEADER: &[u8] = b"SQLite format 3\0";

/// Fails if the path is not an ordinary file or not a database; if every user may write to its folder, also with the
/// sticky bit as in `/tmp`, since they could put files beside it; or if a sibling file is a link or not an ordinary
/// file.
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
    // Follows links to the ledger's real folder.
    let file = ledger.canonicalize().unwrap_or_else(|_| ledger.to_owned());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder that is missing or unreadable is reported when the file is opened.
    let mode = folder.metadata().map_or(0, |metadata| metadata.permissions().mode());
    if mode & OTHERS_WRITE != 0 {
        return Err(LedgerError::WritableFolder { folder: folder.shown() });
    }
    for path in SIBLING_SUFFIXES.map(|suffix| sibling(&file, suffix)) {
        if let Some(what) = path.symlink_metadata().ok().and_then(|metadata| unexpected_kind(&metadata)) {
            let way_out = if what == HARD_LINK { "put a copy in its place: cp, then mv" } else { "move it away" };
            return Err(LedgerError::UnexpectedSibling { path: path.shown(), what, way_out });
        }
    }
    Ok(())
}

/// What the file is, if it is not an ordinary file with one name.
fn unexpected_kind(metadata: &Metadata) -> Option<&'static str> {
    if metadata.is_symlink() {
        Some("a link")
    } else if metadata.is_dir() {
        Some("a folder")
    } else if !metadata.is_file() {
        Some("a pipe, a device or a socket")
    } else if metadata.nlink() > 1 {
        Some(HARD_LINK)
    } else {
        None
    }
}

/// Whether SQLite should try to open the file. An unreadable file is reported when it is opened; a file that lost its
/// first page in a power failure may still have it in its write-ahead log.
fn may_be_a_database(path: &Path) -> bool {
    if sibling(&path.canonicalize().unwrap_or_else(|_| path.to_owned()), "-wal").exists() {
        return true;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SQLITE_HEADER.len() as u64).read_to_end(&mut start));
    read.is_err() || start == SQLITE_HEADER
}

fn sibling(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_the_sqlite_header_is_refused_unless_a_log_may_have_its_first_page() {
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
                std::fs::write(sibling(&ledger, "-wal"), "a log").expect("written");
            }
            let refused = refuse(&ledger);
            assert_eq!(matches!(refused, Err(LedgerError::NotALedger { .. })), is_refused, "{refused:?}");
            let _ = std::fs::remove_file(sibling(&ledger, "-wal"));
        }
    }
}

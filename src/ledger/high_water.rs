//! The high-water mark: the ledger's newest attempt, stored outside the ledger's file. A ledger restored from an older
//! copy is behind its mark, even if the vendor's list does not show the missing calls yet.
//!
//! The mark is a file beside the ledger with the ledger's identity and its newest attempt's id. It is written after the
//! commit of the intents that it counts, so it is never ahead of durable data. It is not synced: after a power failure
//! it may be older than the ledger, or gone, and then detects less, but it never accuses a ledger that is complete. A
//! folder restored as a whole brings its own mark with it; only the scan of the vendor's list detects that.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::error::LedgerError;
use super::sql::sql;

/// The file's first line.
const HEADER: &str = "callrounds high-water mark 1";

/// The most bytes that are read.
const MAX_BYTES: u64 = 512;

/// The content of a mark's file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MarkContent {
    /// The ledger's identity.
    ledger: String,
    /// The id of the ledger's newest attempt; 0: none.
    attempts: i64,
}

/// The result of comparing a ledger with its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkStatus {
    /// The ledger has every attempt that the mark counts.
    Reached,
    /// The ledger has attempts, but no mark that can be read.
    Missing,
    /// The ledger lacks attempts that the mark counts, or another ledger was used here last.
    Behind,
}

/// A ledger's mark, open for writing.
#[derive(Debug)]
pub(super) struct HighWaterMark {
    /// `None` if it cannot be written: the ledger works without it.
    file: Option<File>,
    ledger: String,
    attempts: i64,
}

impl HighWaterMark {
    /// Opens the mark of a ledger that is not behind it, and updates it.
    pub(super) fn open(conn: &Connection, path: &Path) -> Result<Self, LedgerError> {
        let (ledger, attempts) = identity_and_newest_attempt(conn)?;
        // Replaces a mark that is torn or belongs to another ledger.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            // Never writes to a file behind a link, which may be somebody else's.
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
            .open(mark_path(path));
        let mut mark = Self { file: file.ok(), ledger, attempts: -1 };
        mark.raise_to(attempts);
        Ok(mark)
    }

    /// Raises the mark to the newest attempt; call it only after the commit.
    pub(super) fn raise(&mut self, conn: &Connection) {
        if self.file.is_some()
            && let Ok(attempts) = newest_attempt(conn)
        {
            self.raise_to(attempts);
        }
    }

    /// A failure to write is logged and ignored: a lower mark only detects less.
    fn raise_to(&mut self, attempts: i64) {
        if attempts <= self.attempts {
            return;
        }
        self.attempts = attempts;
        let text = to_text(&MarkContent { ledger: self.ledger.clone(), attempts });
        if let Some(file) = &self.file
            && file.write_all_at(text.as_bytes(), 0).is_err()
        {
            tracing::warn!("the high-water mark next to the ledger cannot be written");
        }
    }
}

/// Compares the ledger at `path` with its mark.
pub(super) fn status(conn: &Connection, path: &Path) -> Result<MarkStatus, LedgerError> {
    let (ledger, attempts) = identity_and_newest_attempt(conn)?;
    let mark = read(&mark_path(path));
    Ok(match mark {
        None if attempts > 0 => MarkStatus::Missing,
        Some(mark) if mark.attempts > 0 && mark.ledger == ledger && mark.attempts > attempts => MarkStatus::Behind,
        // The mark of another ledger, perhaps of this one before it was adopted.
        Some(mark) if mark.attempts > 0 && mark.ledger != ledger => MarkStatus::Behind,
        None | Some(_) => MarkStatus::Reached,
    })
}

fn identity_and_newest_attempt(conn: &Connection) -> Result<(String, i64), LedgerError> {
    let ledger = conn.query_row(sql!("identity_read"), [], |row| row.get(0))?;
    Ok((ledger, newest_attempt(conn)?))
}

fn newest_attempt(conn: &Connection) -> Result<i64, LedgerError> {
    Ok(conn.prepare_cached(sql!("attempt_newest"))?.query_row([], |row| row.get(0))?)
}

fn to_text(mark: &MarkContent) -> String {
    let MarkContent { ledger, attempts } = mark;
    let body = format!("{HEADER}\n{ledger}\n{attempts:020}\n");
    let checksum = checksum(&body);
    format!("{body}{checksum:016x}\n")
}

/// Reads a mark; `None` if it is missing or torn by a power failure.
fn read(path: &Path) -> Option<MarkContent> {
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text)).ok()?;
    let mut lines = text.lines();
    let (header, ledger, attempts, _) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
    let mark = MarkContent { ledger: ledger.to_owned(), attempts: attempts.parse().ok()? };
    (header == HEADER && text == to_text(&mark)).then_some(mark)
}

/// FNV-1a, to detect a torn file.
fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// The mark's path: beside the ledger's file itself, not beside a link to it.
fn mark_path(ledger: &Path) -> PathBuf {
    let mut name = ledger.canonicalize().unwrap_or_else(|_| ledger.to_owned()).into_os_string();
    name.push(".high-water");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_a_torn_one_is_ignored() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mark");
        let mark = MarkContent { ledger: "0f8fad5b".into(), attempts: 4_711 };
        let text = to_text(&mark);
        std::fs::write(&path, &text).expect("written");
        assert_eq!(read(&path), Some(mark));
        for torn in [text[..text.len() - 3].to_owned(), text.replace("4711", "4712"), String::new(), "\0".repeat(80)] {
            std::fs::write(&path, &torn).expect("written");
            assert_eq!(read(&path), None, "{torn:?}");
        }
        assert_eq!(read(&folder.path().join("none")), None);
    }
}

//! A high-water mark of what was dialled, outside the ledger's file: a ledger that is put back in its place from an older
//! copy is behind it, whatever the vendor's list shows yet.
//!
//! The mark is a file beside the ledger that names the ledger and counts its attempts. It is written after the commit of
//! the intents that it counts, so it is never ahead of what is durable, and it is not synced: after a power failure it may
//! be older than the ledger, or gone, and then it says less. It never says too much. A folder that is put back whole
//! brings its own mark with it: that is seen by the look at the vendor's list alone.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::error::LedgerError;
use super::{open, sql};

/// What the file begins with.
const KIND: &str = "callrounds high-water mark 1";

/// The longest file that is read, in bytes.
const AT_MOST: u64 = 512;

/// What a mark says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    /// Which ledger it is of.
    ledger: String,
    /// The newest attempt that the ledger had.
    attempts: i64,
}

/// How a ledger stands to the mark beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkStanding {
    /// The ledger has every attempt that the mark counts.
    Reached,
    /// There is no mark, or none that can be read, though the ledger has attempts.
    Missing,
    /// The ledger lacks attempts that were made with it, or another one was used here last.
    Behind,
}

/// A ledger's mark, open for writing.
#[derive(Debug)]
pub(super) struct HighWaterMark {
    /// `None`: it cannot be written. The ledger does without.
    file: Option<File>,
    ledger: String,
    attempts: i64,
}

impl HighWaterMark {
    /// Opens the mark beside the ledger, once it is known that the ledger has reached it, and brings it up to date.
    pub(super) fn open(conn: &Connection, path: &Path) -> Result<Self, LedgerError> {
        let (ledger, attempts) = counted(conn)?;
        // A mark that names another ledger, or is torn, gives way.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            // Somebody else's file behind a link is never written.
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
            .open(beside(path));
        let mut mark = Self { file: file.ok(), ledger, attempts: -1 };
        mark.raise_to(attempts);
        Ok(mark)
    }

    /// The transaction with these intents is on stable storage.
    pub(super) fn raise(&mut self, conn: &Connection) {
        if self.file.is_some()
            && let Ok(attempts) = newest_attempt(conn)
        {
            self.raise_to(attempts);
        }
    }

    /// A mark that cannot be written is one that says less: the run goes on.
    fn raise_to(&mut self, attempts: i64) {
        if attempts <= self.attempts {
            return;
        }
        self.attempts = attempts;
        let text = written(&Mark { ledger: self.ledger.clone(), attempts });
        if let Some(file) = &self.file
            && file.write_all_at(text.as_bytes(), 0).is_err()
        {
            tracing::warn!("the high-water mark beside the ledger cannot be written");
        }
    }
}

/// How the ledger at `path`, which nobody need hold, stands to its mark.
pub fn mark_standing(path: &Path) -> Result<MarkStanding, LedgerError> {
    standing(&open::for_reading(path)?, path)
}

/// How the ledger at `path` stands to its mark.
pub(super) fn standing(conn: &Connection, path: &Path) -> Result<MarkStanding, LedgerError> {
    let (ledger, attempts) = counted(conn)?;
    let mark = read(&beside(path));
    Ok(match mark {
        None if attempts > 0 => MarkStanding::Missing,
        Some(mark) if mark.attempts > 0 && mark.ledger == ledger && mark.attempts > attempts => MarkStanding::Behind,
        // Of another ledger, which this one may have become by being adopted.
        Some(mark) if mark.attempts > 0 && mark.ledger != ledger => MarkStanding::Behind,
        None | Some(_) => MarkStanding::Reached,
    })
}

fn counted(conn: &Connection) -> Result<(String, i64), LedgerError> {
    let ledger = conn.query_row(sql!("identity_read"), [], |row| row.get(0))?;
    Ok((ledger, newest_attempt(conn)?))
}

fn newest_attempt(conn: &Connection) -> Result<i64, LedgerError> {
    Ok(conn.prepare_cached(sql!("attempt_newest"))?.query_row([], |row| row.get(0))?)
}

fn written(mark: &Mark) -> String {
    let Mark { ledger, attempts } = mark;
    let body = format!("{KIND}\n{ledger}\n{attempts:020}\n");
    let check = check(&body);
    format!("{body}{check:016x}\n")
}

/// A mark that was torn by a power failure is none.
fn read(path: &Path) -> Option<Mark> {
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(AT_MOST).read_to_string(&mut text)).ok()?;
    let mut lines = text.lines();
    let (kind, ledger, attempts, _) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
    let mark = Mark { ledger: ledger.to_owned(), attempts: attempts.parse().ok()? };
    (kind == KIND && text == written(&mark)).then_some(mark)
}

/// FNV-1a: whether the file is whole, no more.
fn check(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// Beside the file itself, whatever links lead to it.
fn beside(ledger: &Path) -> PathBuf {
    let mut name = ledger.canonicalize().unwrap_or_else(|_| ledger.to_owned()).into_os_string();
    name.push(".high-water");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_a_torn_one_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mark");
        let mark = Mark { ledger: "0f8fad5b".into(), attempts: 4_711 };
        let text = written(&mark);
        std::fs::write(&path, &text).expect("written");
        assert_eq!(read(&path), Some(mark));
        for torn in [text[..text.len() - 3].to_owned(), text.replace("4711", "4712"), String::new(), "\0".repeat(80)] {
            std::fs::write(&path, &torn).expect("written");
            assert_eq!(read(&path), None, "{torn:?}");
        }
        assert_eq!(read(&folder.path().join("none")), None);
    }
}

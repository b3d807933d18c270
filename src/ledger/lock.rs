//! The lock that makes a process the only writer of a ledger, and the record that the ledger was created.
//!
//! The lock is an operating system lock on an open file, so it ends with its process: a lock file left by a killed
//! process is no obstacle. The file's first line tells people who holds the lock. Its second line says that the ledger
//! was created: a ledger found empty after that was emptied, and no longer knows which patients it called.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::LedgerError;

/// How long a process needs to write its id after taking the lock. Until then the file names nobody, or a killed
/// process.
const NAMED_WITHIN: Duration = Duration::from_millis(250);

/// The second line of the file, once the ledger is on stable storage.
const CREATED: &str = "made";

/// A ledger's lock, released on drop.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Whether a ledger was created at this path and its file still exists. A ledger's file that is gone was removed on
    /// purpose: the next one is new.
    pub(super) ledger_was_created: bool,
}

impl Lock {
    /// Takes the lock. Tries twice, since an operator's decision holds it for a moment.
    pub(super) fn take(ledger: &Path) -> Result<Self, LedgerError> {
        if let Some(lock) = Self::try_take(ledger)? {
            return Ok(lock);
        }
        std::thread::sleep(NAMED_WITHIN);
        if let Some(lock) = Self::try_take(ledger)? {
            return Ok(lock);
        }
        let holder = open(ledger).and_then(|mut file| read_holder(&mut file)).unwrap_or_default();
        let holder = holder.lines().next().unwrap_or_default();
        let known = !holder.is_empty() && holder.bytes().all(|b| b.is_ascii_digit());
        Err(LedgerError::Locked { holder: if known { format!(" by process {holder}") } else { String::new() } })
    }

    /// Takes the lock, unless another process has it.
    pub(super) fn try_take(ledger: &Path) -> Result<Option<Self>, LedgerError> {
        let named = open(ledger).and_then(|mut file| match file.try_lock() {
            Ok(()) => {
                let ledger_was_created = ledger.exists()
                    && read_holder(&mut file)?.lines().nth(1).is_some_and(|line| line.starts_with(CREATED));
                let mut lock = Self { file, ledger_was_created };
                lock.write_holder().map(|()| Some(lock))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        });
        named.map_err(|error| LedgerError::storage(&error))
    }

    /// Records that the ledger is on stable storage.
    pub(super) fn note_created(&mut self) -> Result<(), LedgerError> {
        if self.ledger_was_created {
            return Ok(());
        }
        self.ledger_was_created = true;
        self.write_holder().map_err(|error| LedgerError::storage(&error))
    }

    fn write_holder(&mut self) -> io::Result<()> {
        let text = format!("{}\n{}", std::process::id(), if self.ledger_was_created { CREATED } else { "" });
        // Overwritten first and truncated after that, so that a full disk loses nothing of it.
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)
    }
}

fn read_holder(file: &mut File) -> io::Result<String> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn open(ledger: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        // Never writes to a file behind a link, which may be somebody else's.
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
        .open(lock_path(ledger))
}

/// The lock file's path: beside the ledger's file itself, not beside a link to it.
fn lock_path(ledger: &Path) -> PathBuf {
    let mut name = ledger.canonicalize().unwrap_or_else(|_| ledger.to_owned()).into_os_string();
    name.push(".lock");
    PathBuf::from(name)
}

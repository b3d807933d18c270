//! The lock that makes a process the only writer of a ledger, and the witness that the ledger was made.
//!
//! The lock is the operating system's on an open file, so it dies with its process: a lock file left by a killed one is no
//! obstacle. What the file says only tells people who holds it, and, in its second line, that there is a ledger: one that
//! is found empty later was not begun just now, it was emptied, and no longer knows whom it called.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::LedgerError;

/// Who gets the lock writes its name into the file at once. Until then the file names nobody, or one that was killed.
const NAMED_WITHIN: Duration = Duration::from_millis(250);

/// The second line of the file, once the ledger is on stable storage.
const MADE: &str = "made";

/// A ledger's lock, held for as long as this lives.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Whether a ledger has been made where it is. A file that was removed was removed on purpose: the next is a new one.
    pub(super) ledger_was_made: bool,
}

impl Lock {
    /// Takes the lock. An operator's decision holds it for a moment, so it is asked for twice.
    pub(super) fn take(ledger: &Path) -> Result<Self, LedgerError> {
        if let Some(lock) = Self::try_take(ledger)? {
            return Ok(lock);
        }
        std::thread::sleep(NAMED_WITHIN);
        if let Some(lock) = Self::try_take(ledger)? {
            return Ok(lock);
        }
        let holder = open(ledger).and_then(|mut file| told(&mut file)).unwrap_or_default();
        let holder = holder.lines().next().unwrap_or_default();
        let known = !holder.is_empty() && holder.bytes().all(|b| b.is_ascii_digit());
        Err(LedgerError::Locked { holder: if known { format!(" by process {holder}") } else { String::new() } })
    }

    /// Takes the lock, unless another process has it.
    pub(super) fn try_take(ledger: &Path) -> Result<Option<Self>, LedgerError> {
        let named = open(ledger).and_then(|mut file| match file.try_lock() {
            Ok(()) => {
                let ledger_was_made =
                    ledger.exists() && told(&mut file)?.lines().nth(1).is_some_and(|line| line.starts_with(MADE));
                let mut lock = Self { file, ledger_was_made };
                lock.tell().map(|()| Some(lock))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        });
        named.map_err(|error| LedgerError::storage(&error))
    }

    /// Notes that there is a ledger now, on stable storage.
    pub(super) fn note_made(&mut self) -> Result<(), LedgerError> {
        if self.ledger_was_made {
            return Ok(());
        }
        self.ledger_was_made = true;
        self.tell().map_err(|error| LedgerError::storage(&error))
    }

    fn tell(&mut self) -> io::Result<()> {
        let text = format!("{}\n{}", std::process::id(), if self.ledger_was_made { MADE } else { "" });
        // Written over what is there, and cut to length then: a full disk takes nothing of it away.
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)
    }
}

fn told(file: &mut File) -> io::Result<String> {
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
        // Somebody else's file behind a link is never written.
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
        .open(beside(ledger))
}

/// Beside the file itself, whatever links lead to it.
fn beside(ledger: &Path) -> PathBuf {
    let mut name = ledger.canonicalize().unwrap_or_else(|_| ledger.to_owned()).into_os_string();
    name.push(".lock");
    PathBuf::from(name)
}

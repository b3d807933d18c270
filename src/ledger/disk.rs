//! What is asked of the disk beside SQLite's own reads and writes.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A disk with a ledger's files. Simulations bring one of their own.
pub trait Disk {
    /// Writes what the file holds over itself, and has it on stable storage when this returns. A file that is not there is
    /// left so.
    ///
    /// After a sync has failed, the system shows what should have been written and takes it for written, and no later sync
    /// writes it. Only writing it once more does.
    fn write_again(&self, file: &Path) -> io::Result<()>;
}

/// The machine's own.
pub(super) struct OwnDisk;

/// So much is written at a time.
const PIECE: usize = 1 << 20;

impl Disk for OwnDisk {
    fn write_again(&self, file: &Path) -> io::Result<()> {
        match OpenOptions::new().read(true).write(true).open(file) {
            Ok(file) => rewrite(&file),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn rewrite(file: &File) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    loop {
        let read = file.read_at(&mut piece, at)?;
        if read == 0 {
            break;
        }
        file.write_all_at(&piece[..read], at)?;
        at += read as u64;
    }
    file.sync_all()
}

/// The ledger's log of commits that are not in its own file yet.
pub(super) fn log_of(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_again_is_what_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        OwnDisk.write_again(&path).expect("nothing to do");
        assert!(!path.exists());
        let bytes: Vec<u8> = (0..PIECE + 77).map(|n| n as u8).collect();
        for bytes in [&bytes[..], &bytes[..5], &[]] {
            std::fs::write(&path, bytes).expect("written");
            OwnDisk.write_again(&path).expect("written again");
            assert_eq!(std::fs::read(&path).expect("its bytes"), bytes);
        }
    }
}

//! Rewriting the write-ahead log (`-wal`) after a crash, so that it is really on stable storage.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The disk that holds a ledger's files. Simulations have an implementation of their own.
pub trait LedgerDisk {
    /// Rewrites a file with its own content and syncs it. Does nothing if the file does not exist.
    ///
    /// After a failed sync, the operating system still shows the unwritten data but considers it written, and no later
    /// sync writes it. Only writing it again does.
    fn write_again(&self, file: &Path) -> io::Result<()>;
}

/// The machine's disk.
pub(super) struct SystemDisk;

/// Bytes rewritten at a time.
const CHUNK: usize = 1 << 20;

impl LedgerDisk for SystemDisk {
    fn write_again(&self, file: &Path) -> io::Result<()> {
        match OpenOptions::new().read(true).write(true).open(file) {
            Ok(file) => rewrite(&file),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn rewrite(file: &File) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut at = 0;
    loop {
        let read = file.read_at(&mut chunk, at)?;
        if read == 0 {
            break;
        }
        file.write_all_at(&chunk[..read], at)?;
        at += read as u64;
    }
    file.sync_all()
}

/// The path of the ledger's write-ahead log.
pub(super) fn wal_path(ledger: &Path) -> PathBuf {
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
        SystemDisk.write_again(&path).expect("nothing to do");
        assert!(!path.exists());
        let bytes: Vec<u8> = (0..CHUNK + 77).map(|n| n as u8).collect();
        for bytes in [&bytes[..], &bytes[..5], &[]] {
            std::fs::write(&path, bytes).expect("written");
            SystemDisk.write_again(&path).expect("written again");
            assert_eq!(std::fs::read(&path).expect("its bytes"), bytes);
        }
    }
}

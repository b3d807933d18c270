//! The key file: one API key, readable by its owner only.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use secrecy::SecretString;

/// The longest key file, in bytes; keys are much shorter.
const MAX_BYTES: u64 = 4096;

/// Why a key file was not read. The caller adds its path.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be opened or read.
    #[error("the key file cannot be read: {}", crate::wording::io_error(.0))]
    Unreadable(io::Error),
    /// It is a folder, a pipe or a device.
    #[error("the key file is {0}, not a file: name the file itself that holds the key")]
    NotAFile(&'static str),
    /// Its group or other users have access to it.
    #[error(
        "the key file is open to others (mode {mode:04o}): chmod 600 it, and renew the key if others may have read it"
    )]
    OpenToOthers {
        /// The file's permission bits.
        mode: u32,
    },
    /// It is not text, too long, or has more than one word or line.
    #[error("the key file does not hold exactly one key: write the key alone, on one line")]
    NotAKey,
}

/// The whole text of the file at `path`: a copy of its key would not be erased.
pub(in crate::vendor) fn read(path: &Path) -> Result<SecretString, KeyFileError> {
    // Checked before opening: opening a pipe would block.
    let kind = path.metadata().map_err(KeyFileError::Unreadable)?.file_type();
    if !kind.is_file() {
        return Err(KeyFileError::NotAFile(if kind.is_dir() { "a folder" } else { "a pipe or a device" }));
    }
    let file = File::open(path).map_err(KeyFileError::Unreadable)?;
    check_permissions(&file)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(KeyFileError::Unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| KeyFileError::NotAKey)?;
    let line = text.trim();
    if line.is_empty() || line.contains(char::is_whitespace) || text.len() as u64 > MAX_BYTES {
        return Err(KeyFileError::NotAKey);
    }
    Ok(SecretString::from(text))
}

/// Checks the open file, not its path, so that the file checked is the file read.
#[cfg(unix)]
fn check_permissions(file: &File) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt;

    let mode = file.metadata().map_err(KeyFileError::Unreadable)?.permissions().mode() & 0o7777;
    if mode & 0o077 > 0 { Err(KeyFileError::OpenToOthers { mode }) } else { Ok(()) }
}

#[cfg(not(unix))]
fn check_permissions(_: &File) -> Result<(), KeyFileError> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use secrecy::ExposeSecret;

    use super::read;

    fn key(path: &Path) -> Result<String, String> {
        read(path).map(|key| key.expose_secret().trim().to_owned()).map_err(|problem| problem.to_string())
    }

    fn key_in(content: &[u8], mode: u32) -> Result<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        fs::write(&path, content).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        key(&path)
    }

    #[test]
    fn a_file_that_only_its_owner_can_read_is_read() {
        for (content, mode) in [("k3y", 0o600), ("k3y\n", 0o600), ("k3y\r\n", 0o400), (" k3y \n\n", 0o700)] {
            assert_eq!(key_in(content.as_bytes(), mode).as_deref(), Ok("k3y"));
        }
    }

    #[test]
    fn a_file_that_others_can_access_is_refused() {
        for mode in [0o640, 0o604, 0o644, 0o620, 0o601, 0o666, 0o777] {
            let problem = key_in(b"k3y", mode).expect_err("refused");
            assert!(problem.contains(&format!("mode {mode:04o}")) && problem.contains("chmod 600"), "{problem}");
        }
    }

    #[test]
    fn a_folder_is_refused_as_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let problem = key(folder.path()).expect_err("refused");
        assert_eq!(problem, "the key file is a folder, not a file: name the file itself that holds the key");
    }

    #[test]
    fn a_file_that_holds_something_else_is_refused_without_repeating_it() {
        for content in [&b""[..], b"\n", b"k3y\nk3y", b"k3y k3y", b"k3y\xff", &[b'k'; 5000]] {
            let problem = key_in(content, 0o600).expect_err("refused");
            assert!(!problem.contains("k3"), "{problem}");
        }
        let missing = key(Path::new("/nowhere/k3y")).expect_err("refused");
        assert_eq!(missing, "the key file cannot be read: it does not exist");
    }
}

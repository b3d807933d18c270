//! The source of a list, opened so that it can be read more than once.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::intake::error::ListError;

/// The source of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListSource {
    /// A file, or a pipe by its path.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl ListSource {
    /// `-` is standard input; anything else is a path.
    #[must_use]
    pub fn from_argument(argument: &Path) -> Self {
        if argument == Path::new("-") { Self::Stdin } else { Self::File(argument.to_owned()) }
    }

    pub(super) fn open(&self) -> Result<ListOrigin, ListError> {
        match self {
            Self::File(path) => open_file(path).map_err(|error| unreadable(path, &error)),
            Self::Stdin => copy_to_spool(io::stdin().lock()).map_err(|error| unreadable(Path::new("-"), &error)),
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> ListError {
    ListError::Unreadable { path: path.to_owned(), kind: error.kind() }
}

fn open_file(path: &Path) -> io::Result<ListOrigin> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return copy_to_spool(file);
    }
    Ok(ListOrigin { file, modified: metadata.modified().ok().map(DateTime::from) })
}

/// The most that a pipe may hold, in bytes: more than any list, less than what fills a disk.
const MAX_PIPED: u64 = 2 << 30;

/// Copies a pipe. One that begins with zeros, as a device does, is not read on.
fn copy_to_spool(from: impl io::Read) -> io::Result<ListOrigin> {
    let mut from = BufReader::with_capacity(1 << 16, from);
    let start = from.fill_buf()?;
    if start.len() > 1_000 && start.iter().all(|byte| *byte == 0) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let copied = |file: &mut File| match io::copy(&mut from.take(MAX_PIPED + 1), file)? {
        0..=MAX_PIPED => Ok(()),
        _ => Err(io::ErrorKind::FileTooLarge.into()),
    };
    spool(copied, None)
}

/// Lets `write` fill a temporary file. The file has no name, so that no other process can open it and it disappears
/// with this one.
pub(super) fn spool<E: From<io::Error>>(
    write: impl FnOnce(&mut File) -> Result<(), E>,
    modified: Option<DateTime<Utc>>,
) -> Result<ListOrigin, E> {
    let mut file = tempfile::tempfile()?;
    write(&mut file)?;
    Ok(ListOrigin { file, modified })
}

/// An open list. The file stays open, so that an export that replaces the file during the run does not mix two lists.
#[derive(Debug)]
pub(super) struct ListOrigin {
    file: File,
    modified: Option<DateTime<Utc>>,
}

/// A list's bytes, from the start.
pub(super) type ListBytes = BufReader<File>;

impl ListOrigin {
    pub(super) fn modified(&self) -> Option<DateTime<Utc>> {
        self.modified
    }

    /// The size in bytes.
    pub(super) fn size(&self) -> Result<u64, ListError> {
        Ok(self.file.metadata()?.len())
    }

    pub(super) fn starts_with(&self, start: &[u8]) -> Result<bool, ListError> {
        Ok(self.bytes()?.fill_buf()?.starts_with(start))
    }

    pub(super) fn bytes(&self) -> Result<ListBytes, ListError> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(BufReader::with_capacity(1 << 16, file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dash_is_standard_input_and_anything_else_a_file() {
        assert_eq!(ListSource::from_argument(Path::new("-")), ListSource::Stdin);
        assert_eq!(ListSource::from_argument(Path::new("./-")), ListSource::File("./-".into()));
    }

    #[test]
    fn a_pipe_can_be_read_more_than_once() {
        let origin = copy_to_spool(&b"patient_id\n1\n"[..]).expect("a copy");
        for _ in 0..2 {
            let mut text = String::new();
            origin.bytes().expect("bytes").read_to_string(&mut text).expect("text");
            assert_eq!(text, "patient_id\n1\n");
        }
        assert_eq!(origin.modified(), None);
    }

    #[test]
    fn a_missing_list_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = ListSource::File(folder.path().join("recall.csv")).open().expect_err("no file").to_string();
        assert!(missing.contains("recall.csv` cannot be read: it does not exist"), "{missing}");
        let is_folder = ListSource::File(folder.path().to_owned()).open().expect_err("no file").to_string();
        assert!(is_folder.ends_with("cannot be read: it is a folder"), "{is_folder}");
    }
}
